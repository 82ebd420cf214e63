/* SPDX-License-Identifier: ISC */
/*
 * What has a type that does not gain by a coding is not negotiated at all:
 * Accept-Encoding is not looked at, and there is no Vary.  Of all else the
 * smallest is sent that the client likes best, of what there is; what there is
 * not is asked for, so that it is there for the next one.
 */
#include "site/variant.h"

#include "http/mime.h"
#include "site/coded.h"
#include "site/encode.h"
#include "site/file.h"

#define ALL_CODINGS ((1u << CODING_COUNT) - 1)

/* Who takes nothing as it is gets this much compressed for it alone. */
#define STREAMED_MAX ((uint64_t)1 << 20)

static void
read_accepted(struct site *s, struct exchange *x, struct codings *out)
{
	coding_recall(&s->codings, exchange_list(x, FIELD_ACCEPT_ENCODING),
	    out);
}

unsigned
variant_codings(struct site *s, struct exchange *x)
{
	struct codings accepted;
	unsigned bits = 0;

	/* They are known then for others as well. */
	if (s->cache != NULL)
		return ALL_CODINGS;
	read_accepted(s, x, &accepted);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++)
		if (accepted.weight[c] > 0)
			bits |= 1u << c;
	return bits;
}

static void
add_vary(struct exchange *x)
{
	exchange_add_field(x, S("Vary"), S("Accept-Encoding"));
}

/*
 * The client excludes what there is, identity included.  So few do that on
 * purpose that it is worth the work: compressed for this one answer, or else
 * 406 (RFC 9110 12.5.3, 15.5.7).  As other bytes may come of it the next time
 * there is no validator.
 */
static void
answer_excluded(struct site *s, struct exchange *x, struct object *o,
    const struct codings *accepted)
{
	enum coding c = coding_wanted(accepted, ALL_CODINGS);

	if (c == CODING_COUNT || s->compress_max == 0 ||
	    o->size > STREAMED_MAX) {
		exchange_refuse(x, REASON_NOT_ACCEPTABLE);
		add_vary(x);
		return;
	}
	x->res.status = 200;
	x->res.length = o->size;
	object_body(&x->res.body, o, 0, o->size);
	exchange_add_field(x, S("Content-Type"), o->type);
	if (o->cache_control.n > 0)
		exchange_add_field(x, S("Cache-Control"), o->cache_control);
	add_vary(x);
	if (coded_begin(x, c) < 0)
		exchange_refuse(x, REASON_MEMORY);
}

/* Asks for the one that the client would like best, if there is none yet. */
static void
ask_for_wanted(struct site *s, struct object *o,
    const struct codings *accepted)
{
	enum coding c = coding_wanted(accepted, ALL_CODINGS);

	if (c != CODING_COUNT && o->coded[c] == NULL)
		encode_ask(s->encode, o, c);
}

void
variant_answer(struct site *s, struct exchange *x, struct object *o)
{
	struct codings accepted;
	uint64_t sizes[CODING_COUNT];
	enum coding c;

	if (!o->is_negotiated) {
		file_answer(x, o);
		return;
	}
	read_accepted(s, x, &accepted);
	ask_for_wanted(s, o, &accepted);
	sizes[CODING_IDENTITY] = o->size;
	for (unsigned i = CODING_REAL; i < CODING_COUNT; i++)
		sizes[i] = o->coded[i] != NULL ? o->coded[i]->size :
		    UINT64_MAX;
	c = coding_choose(&accepted, sizes);
	if (c == CODING_COUNT)
		answer_excluded(s, x, o, &accepted);
	else
		file_answer(x, c == CODING_IDENTITY ? o : o->coded[c]);
}

enum coding
variant_of_stream(struct site *s, struct exchange *x, struct str type,
    uint64_t length)
{
	struct codings accepted;
	enum coding c;

	if (s->compress_max == 0 || length < ENCODE_MIN ||
	    !mime_compresses(type))
		return CODING_IDENTITY;
	read_accepted(s, x, &accepted);
	add_vary(x);
	c = coding_wanted(&accepted, ALL_CODINGS);
	return c == CODING_COUNT ? CODING_IDENTITY : c;
}
