/* SPDX-License-Identifier: ISC */
/*
 * Several ranges of one object: a line of text, a piece of the file, the next
 * line.  All text is made beforehand, so the length is known.
 */
#include "site/multipart.h"

#include <sys/random.h>

struct multipart {
	struct object *object;
	unsigned n;
	struct range ranges[RANGE_MAX];
	struct str texts[RANGE_MAX + 1];        /* the last one closes */
};

/* b->at counts the pieces: text 0, range 0, text 1, range 1, ... */
static enum pull
multipart_pull(struct body *b, struct piece *out_piece)
{
	const struct multipart *m = b->state;
	unsigned i = (unsigned)(b->at / 2);
	bool is_text = b->at % 2 == 0;

	if (b->at > 2 * (uint64_t)m->n)
		return PULL_END;
	b->at++;
	if (is_text)
		*out_piece = (struct piece){
			.p = m->texts[i].p,
			.n = m->texts[i].n,
		};
	else
		*out_piece = object_piece(m->object, m->ranges[i].first,
		    m->ranges[i].length);
	return PULL_PIECE;
}

static void
multipart_close(struct body *b)
{
	const struct multipart *m = b->state;

	object_unref(m->object);
}

static const struct body_ops multipart_ops = {
	.pull = multipart_pull,
	.close = multipart_close,
};

/* Writes all texts; returns the length of the whole, 0 when out of memory. */
static uint64_t
write_texts(struct multipart *m, struct arena *a, unsigned long long boundary)
{
	const struct object *o = m->object;
	uint64_t length = 0;

	for (unsigned i = 0; i < m->n; i++) {
		const struct range *r = &m->ranges[i];

		m->texts[i] = arena_printf(a,
		    "%s--%016llx\r\n"
		    "Content-Type: %.*s\r\n"
		    "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
		    i == 0 ? "" : "\r\n", boundary, STR_ARG(o->type),
		    (unsigned long long)r->first,
		    (unsigned long long)(r->first + r->length - 1),
		    (unsigned long long)o->size);
		if (m->texts[i].p == NULL)
			return 0;
		length += m->texts[i].n + r->length;
	}
	m->texts[m->n] = arena_printf(a, "\r\n--%016llx--\r\n", boundary);
	return m->texts[m->n].p == NULL ? 0 : length + m->texts[m->n].n;
}

void
multipart_answer(struct exchange *x, struct object *o,
    const struct range *ranges, unsigned n)
{
	struct multipart *m = arena_alloc(&x->arena, sizeof(*m));
	unsigned long long boundary;

	/* Random, so that no content can hold it on purpose. */
	if (m == NULL ||
	    getrandom(&boundary, sizeof(boundary), 0) != sizeof(boundary)) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	m->object = o;
	m->n = n;
	memcpy(m->ranges, ranges, n * sizeof(*ranges));
	x->res.length = write_texts(m, &x->arena, boundary);
	if (x->res.length == 0 || buf_printf(&x->res.fields,
	    "Content-Type: multipart/byteranges; boundary=%016llx\r\n",
	    boundary) < 0) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	x->res.status = 206;
	x->res.block = str_skip(o->block, o->content_lines);
	object_ref(o);
	x->res.body = (struct body){ .ops = &multipart_ops, .state = m };
}
