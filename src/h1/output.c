/* SPDX-License-Identifier: ISC */
#include "h1/output.h"

#include "h1/write.h"

/* What is appended is handed on from here on. */
#define FULL ((size_t)16 << 10)

struct buf *
output_buf(struct output *o)
{
	return o->kept.n > 0 ? &o->kept : o->staged;
}

/*
 * Hands on what is in `b` and, behind it, a piece of memory (NULL: none), as
 * far as they are taken.  `more` says that more follows at once.
 */
static int
push(struct output *o, struct buf *b, struct piece *p, bool more)
{
	struct iovec iov[2];
	size_t appended = b->n, taken;
	ssize_t sent;
	int n = 0;

	if (appended > 0)
		iov[n++] = (struct iovec){ b->p, appended };
	if (p != NULL)
		iov[n++] = (struct iovec){ (void *)(uintptr_t)p->p, p->n };
	if (n == 0)
		return OUT_DONE;
	sent = stream_write(o->stream, iov, n, more);
	if (sent < 0)
		return (int)sent;
	o->moved += (unsigned)sent;
	if ((size_t)sent < appended) {
		buf_consume(b, (size_t)sent);
		return OUT_WAITS;
	}
	b->n = 0;
	if (p == NULL)
		return OUT_DONE;
	taken = (size_t)sent - appended;
	p->p += taken;
	p->n -= taken;
	return p->n == 0 ? OUT_DONE : OUT_WAITS;
}

static int
push_file(struct output *o, struct buf *b, struct piece *p)
{
	ssize_t sent;
	int r;

	r = push(o, b, NULL, true);
	if (r != OUT_DONE)
		return r;
	sent = stream_send_file(o->stream, p->fd, p->offset, p->n);
	if (sent < 0)
		return (int)sent;
	o->moved += (unsigned)sent;
	p->offset += (uint64_t)sent;
	p->n -= (uint64_t)sent;
	return p->n == 0 ? OUT_DONE : OUT_WAITS;
}

int
output_relieve(struct output *o)
{
	struct buf *b = output_buf(o);

	/* Not with `more`: perhaps there is none, and it would be held back. */
	return b->n < FULL ? OUT_DONE : push(o, b, NULL, false);
}

/* Copied to where the head is: one buffer, one send. */
static int
append(struct output *o, struct buf *b, struct piece *p, bool is_chunked)
{
	int err = 0;

	if (is_chunked)
		err = h1_write_chunk_size(b, p->n);
	if (err == 0)
		err = buf_add(b, (struct str){ p->p, p->n });
	if (err == 0 && is_chunked)
		err = buf_add(b, S("\r\n"));
	if (err < 0)
		return err;
	p->n = 0;
	return output_relieve(o);
}

int
output_piece(struct output *o, struct piece *p, bool is_chunked)
{
	struct buf *b = output_buf(o);

	if (p->p == NULL)
		return push_file(o, b, p);
	if (is_chunked || p->n < FULL)
		return append(o, b, p, is_chunked);
	return push(o, b, p, false);
}

int
output_flush(struct output *o)
{
	int r = push(o, output_buf(o), NULL, false);

	if (r >= 0 && o->staged->n > 0) {
		int err = buf_add(&o->kept, buf_str(o->staged));

		if (err < 0)
			r = err;
	}
	o->staged->n = 0;
	if (o->kept.n == 0)
		buf_fini(&o->kept);
	return r;
}
