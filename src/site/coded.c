/* SPDX-License-Identifier: ISC */
#include "site/coded.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "site/compress.h"

#define SLICE_BYTES ((size_t)64 << 10)          /* compressed at a time */
#define PULL_BYTES ((uint64_t)256 << 10)        /* before something is sent */
#define OUT_ENOUGH ((size_t)16 << 10)
/* What a library may hold back at these levels, and what it adds. */
#define OUT_MAX ((size_t)2 << 20)

struct coded {
	struct body inner;
	enum coding coding;
	uint64_t size;          /* of what is to be compressed, if known */
	struct compressor *compressor;  /* NULL until the first pull */
	struct piece in;        /* what is left of the last piece */
	char *slice;            /* for pieces of files; NULL until needed */
	struct buf out;
	bool is_dirty;          /* something was kept back */
	bool has_ended;
};

/* At most SLICE_BYTES of the piece, in memory.  0 or a negative errno. */
static int
take_slice(struct coded *c, struct str *out_slice)
{
	struct piece *in = &c->in;
	size_t n = in->n < SLICE_BYTES ? (size_t)in->n : SLICE_BYTES;
	ssize_t got = (ssize_t)n;

	*out_slice = (struct str){ in->p, n };
	if (in->p == NULL) {
		if (c->slice == NULL)
			c->slice = malloc(SLICE_BYTES);
		if (c->slice == NULL)
			return -ENOMEM;
		do
			got = pread(in->fd, c->slice, n, (off_t)in->offset);
		while (got == -1 && errno == EINTR);
		/* It is shorter than it was. */
		if (got <= 0)
			return got == 0 ? -EIO : -errno;
		*out_slice = (struct str){ c->slice, (size_t)got };
		in->offset += (uint64_t)got;
	} else {
		in->p += n;
	}
	in->n -= (uint64_t)got;
	return 0;
}

static int
add(struct coded *c, struct str bytes, enum compress_step step)
{
	if (c->compressor == NULL)
		c->compressor = compressor_new(c->coding, EFFORT_STREAM,
		    c->size);
	if (c->compressor == NULL)
		return -ENOMEM;
	c->is_dirty = step == COMPRESS_MORE;
	c->has_ended = step == COMPRESS_END;
	return compressor_add(c->compressor, bytes, step, &c->out);
}

/* Compresses a slice, or learns that there is none now or any more. */
static enum pull
advance(struct coded *c, uint64_t *done)
{
	struct str slice = { NULL, 0 };
	enum compress_step step = COMPRESS_MORE;
	enum pull r = PULL_PIECE;

	if (c->in.n == 0)
		r = body_pull(&c->inner, &c->in);
	if (r == PULL_FAIL || (r == PULL_WAIT && !c->is_dirty))
		return r;
	if (r == PULL_PIECE && take_slice(c, &slice) < 0)
		return PULL_FAIL;
	*done += slice.n;
	if (r == PULL_END)
		step = COMPRESS_END;
	else if (r == PULL_WAIT || *done >= PULL_BYTES)
		step = COMPRESS_FLUSH;
	if (add(c, slice, step) < 0)
		return PULL_FAIL;
	return r;
}

static enum pull
coded_pull(struct body *b, struct piece *out_piece)
{
	struct coded *c = b->state;
	enum pull r = PULL_PIECE;
	uint64_t done = 0;

	c->out.n = 0;
	while (!c->has_ended && c->out.n < OUT_ENOUGH && r == PULL_PIECE &&
	    done < PULL_BYTES) {
		r = advance(c, &done);
		if (r == PULL_FAIL)
			return r;
	}
	if (c->out.n == 0)
		return c->has_ended ? PULL_END : PULL_WAIT;
	*out_piece = (struct piece){ .p = c->out.p, .n = c->out.n };
	return PULL_PIECE;
}

static void
coded_close(struct body *b)
{
	struct coded *c = b->state;

	body_close(&c->inner);
	compressor_free(c->compressor);
	free(c->slice);
	buf_fini(&c->out);
}

static const struct body_ops coded_ops = {
	.pull = coded_pull,
	.close = coded_close,
};

int
coded_begin(struct exchange *x, enum coding coding)
{
	struct coded *c = arena_alloc(&x->arena, sizeof(*c));

	if (c == NULL || exchange_add_field(x, S("Content-Encoding"),
	    coding_name(coding)) < 0)
		return -ENOMEM;
	*c = (struct coded){
		.inner = x->res.body,
		.coding = coding,
		.size = x->res.length,
	};
	buf_init(&c->out, OUT_MAX);
	x->res.body = (struct body){ .ops = &coded_ops, .state = c };
	x->res.length = LENGTH_UNKNOWN;
	return 0;
}
