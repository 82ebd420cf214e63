/* SPDX-License-Identifier: ISC */
/*
 * What a program reads: the request's content, as fast as it takes it.  Content
 * whose length nobody knows is gathered in memory first, since a program wants
 * to be told a length (RFC 3875 4.1.2).
 */
#include <errno.h>
#include <unistd.h>

#include "site/cgi_priv.h"

/* Chunked content must be whole before its length can be told. */
#define SPOOL_MAX ((uint64_t)16 << 20)

/* Gives the program what it takes; what is left makes the exchange full. */
static void
feed(struct cgi *c)
{
	ssize_t n;

	while (c->in.fd != -1 && c->content.n > 0) {
		n = write(c->in.fd, c->content.p, c->content.n);
		if (n == -1 && errno == EAGAIN) {
			c->x->is_full = true;
			loop_want(c->service->loop, &c->in, READY_OUT);
			return;
		}
		/* It does not read to the end: the rest is not wanted. */
		if (n == -1)
			cgi_close_end(c, &c->in);
		else
			buf_consume(&c->content, (size_t)n);
		cgi_expect(c);
	}
	c->content.n = 0;
	c->x->is_full = false;
	if (c->in.fd != -1) {
		loop_want(c->service->loop, &c->in, 0);
		if (c->has_all_content)
			cgi_close_end(c, &c->in);
	}
}

void
cgi_on_writable(struct watch *w, unsigned ready)
{
	struct cgi *c = list_entry(w, struct cgi, in);

	(void)ready;
	feed(c);
	if (!c->x->is_full)
		exchange_wake(c->x);
}

static void
spool(struct cgi *c, struct str bytes)
{
	ssize_t n;

	if (bytes.n > SPOOL_MAX - c->spooled) {
		cgi_refuse(c, REASON_CONTENT_LENGTH);
		return;
	}
	if (bytes.n > c->service->spool_left) {
		cgi_refuse(c, REASON_BUSY);
		return;
	}
	while (bytes.n > 0) {
		n = write(c->spool, bytes.p, bytes.n);
		if (n == -1) {
			cgi_refuse(c, reason_of_errno(errno));
			return;
		}
		c->spooled += (uint64_t)n;
		c->service->spool_left -= (uint64_t)n;
		bytes = str_skip(bytes, (size_t)n);
	}
}

void
cgi_on_content(struct exchange *x, struct str bytes)
{
	struct cgi *c = cgi_of(x);

	if (c->has_failed)
		return;
	if (c->spool != -1)
		spool(c, bytes);
	else if (c->in.fd == -1)
		return;
	else if (buf_add(&c->content, bytes) < 0)
		cgi_refuse(c, REASON_MEMORY);
	else
		feed(c);
}

void
cgi_on_content_end(struct exchange *x)
{
	struct cgi *c = cgi_of(x);

	c->has_all_content = true;
	if (c->has_failed)
		return;
	if (c->spool == -1) {
		feed(c);
		return;
	}
	if (lseek(c->spool, 0, SEEK_SET) == -1)
		cgi_refuse(c, REASON_INPUT_OUTPUT);
	else
		cgi_start(c, c->spool);
}
