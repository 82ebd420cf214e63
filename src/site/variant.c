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

/* A coding's name twice, and what a tag may have behind it. */
#define FIELDS_MORE ((size_t)256)

/* Who takes nothing as it is gets this much compressed for it alone. */
#define STREAMED_MAX ((uint64_t)1 << 20)

static void
read_accepted(const struct site *s, struct exchange *x, struct codings *out)
{
	struct str value = exchange_list(x, FIELD_ACCEPT_ENCODING);

	if (s->codings != NULL)
		coding_recall(s->codings, value, out);
	else
		coding_parse(value, out);
}

unsigned
variant_codings(const struct site *s, struct exchange *x)
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

/* One of ours, often made for this one request, and always text. */
static bool
is_page(const struct object *o)
{
	return !S_ISREG(o->st.st_mode);
}

static bool
may_stream(const struct site *s, const struct object *o)
{
	return s->compress_max > 0 && o->size <= STREAMED_MAX;
}

static void
add_vary(struct exchange *x)
{
	exchange_add_field(x, S("Vary"), S("Accept-Encoding"));
}

/*
 * What all tags begin with of what is made of o in this coding; p is NULL when
 * o has no strong tag.
 */
static struct str
tag_begin(struct exchange *x, const struct object *o, enum coding c)
{
	struct str tag = o->validators.etag;

	if (tag.n == 0 || str_starts(tag, S("W/")))
		return (struct str){ NULL, 0 };
	return arena_printf(&x->arena, "%.*s-%.*s", (int)tag.n - 1, tag.p,
	    STR_ARG(coding_name(c)));
}

/* So that none of the fields is missing that go with an answer of o. */
static bool
has_room(struct exchange *x, const struct object *o)
{
	return buf_reserve(&x->res.fields, o->block.n + FIELDS_MORE) == 0;
}

static void
add_common_fields(struct exchange *x, const struct object *o)
{
	if (o->cache_control.n > 0)
		exchange_add_field(x, S("Cache-Control"), o->cache_control);
	add_vary(x);
}

/*
 * Has the client got o in the coding that it would get, if not now then soon?
 * Another worker may have made it, or this one in an earlier life, or for one
 * answer; with another library it may be other bytes, but of the same content,
 * which is what If-None-Match is about (RFC 9110 13.1.2).
 */
static bool
answer_still_good(struct exchange *x, const struct object *o, enum coding c)
{
	struct str begin, tag;
	bool is_strong;

	if (!request_has(&x->req, FIELD_IF_NONE_MATCH) ||
	    request_has(&x->req, FIELD_IF_MATCH) ||
	    request_has(&x->req, FIELD_IF_UNMODIFIED_SINCE))
		return false;
	begin = tag_begin(x, o, c);
	if (begin.p == NULL)
		return false;
	tag = cond_find_tag(exchange_list(x, FIELD_IF_NONE_MATCH), begin);
	if (tag.p == NULL)
		return false;
	is_strong = tag.p[begin.n] == '.';
	if ((!is_strong && tag.p[begin.n] != '"') || !has_room(x, o))
		return false;
	x->res.status = 304;
	buf_printf(&x->res.fields, "ETag: %s%.*s\r\n",
	    is_strong ? "" : "W/", STR_ARG(tag));
	add_common_fields(x, o);
	return true;
}

/*
 * The content of o, compressed for this one answer.  Other bytes may come of
 * it the next time, so its tag is weak (RFC 9110 8.8.1), and there are no
 * ranges.
 */
static void
answer_streamed(struct exchange *x, struct object *o, enum coding c)
{
	struct str begin;
	bool is_short;

	file_answer_without_ranges(x, o);
	if (x->res.status != 200)
		return;
	is_short = !has_room(x, o);
	x->res.block.n = 0;
	exchange_add_field(x, S("Content-Type"), o->type);
	begin = tag_begin(x, o, c);
	if (begin.p != NULL)
		buf_printf(&x->res.fields, "ETag: W/%.*s\"\r\n",
		    STR_ARG(begin));
	add_common_fields(x, o);
	if (is_short || coded_begin(x, c) < 0)
		exchange_refuse(x, REASON_MEMORY);
}

/*
 * The client excludes what there is, identity included.  So few do that on
 * purpose that it is worth the work; without a coding that both know it is
 * 406 (RFC 9110 12.5.3, 15.5.7).
 */
static void
answer_excluded(const struct site *s, struct exchange *x, struct object *o,
    enum coding wanted)
{
	if (wanted != CODING_COUNT && may_stream(s, o)) {
		answer_streamed(x, o, wanted);
		return;
	}
	exchange_refuse(x, REASON_NOT_ACCEPTABLE);
	add_vary(x);
}

/* The best of what there is; CODING_COUNT when the client excludes all. */
static enum coding
choose(const struct object *o, const struct codings *accepted)
{
	uint64_t sizes[CODING_COUNT];

	sizes[CODING_IDENTITY] = o->size;
	for (unsigned i = CODING_REAL; i < CODING_COUNT; i++)
		sizes[i] = o->coded[i] != NULL ? o->coded[i]->size :
		    UINT64_MAX;
	return coding_choose(accepted, sizes);
}

static bool
has_sidecar(const struct object *o, enum coding c)
{
	return o->coded[c] != NULL && o->coded[c]->is_sidecar;
}

void
variant_answer(const struct site *s, struct exchange *x, struct object *o)
{
	struct codings accepted;
	enum coding wanted, c;

	if (!o->is_negotiated) {
		file_answer(x, o);
		return;
	}
	read_accepted(s, x, &accepted);
	wanted = coding_wanted(&accepted, ALL_CODINGS);
	if (wanted != CODING_COUNT && !has_sidecar(o, wanted)) {
		if (o->coded[wanted] == NULL)
			encode_ask(s->encode, o, wanted);
		if (answer_still_good(x, o, wanted))
			return;
	}
	c = choose(o, &accepted);
	if (c == CODING_COUNT)
		answer_excluded(s, x, o, wanted);
	else if (c == CODING_IDENTITY && wanted != CODING_COUNT &&
	    is_page(o) && o->size >= ENCODE_MIN && may_stream(s, o))
		answer_streamed(x, o, wanted);
	else
		file_answer(x, c == CODING_IDENTITY ? o : o->coded[c]);
}

enum coding
variant_of_stream(const struct site *s, struct exchange *x, struct str type,
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
