/* SPDX-License-Identifier: ISC */

/*
 * The bounded byte buffer.  Memory doubles, so filling one byte by byte is
 * linear.  One byte more than cap is allocated: the NUL that printf insists
 * on falls there, and a text that fits exactly is not refused for its sake.
 */

#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CAP_MIN 256

static size_t
grown_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap < CAP_MIN ? CAP_MIN : b->cap;

	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	return cap < b->max ? cap : b->max;
}

void
buf_init(struct buf *b, size_t max_bytes)
{
	assert(max_bytes < SIZE_MAX);
	*b = (struct buf){ .max = max_bytes };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

int
buf_reserve(struct buf *b, size_t more)
{
	size_t cap;
	char *p;

	/* Also for no bytes there must be memory, if only for the NUL. */
	if (b->p != NULL && more <= b->cap - b->n)
		return 0;
	if (more > b->max - b->n)
		return -ENOBUFS;
	cap = grown_cap(b, b->n + more);
	p = realloc(b->p, cap + 1);
	if (p == NULL)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

int
buf_add(struct buf *b, struct str s)
{
	int err;

	if (s.n == 0)
		return 0;
	err = buf_reserve(b, s.n);
	if (err < 0)
		return err;
	memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return 0;
}

int
buf_add_char(struct buf *b, char c)
{
	return buf_add(b, (struct str){ &c, 1 });
}

int
buf_add_u64(struct buf *b, uint64_t v)
{
	char digits[20];

	return buf_add(b, str_from(digits, str_put_u64(digits, v)));
}

int
buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len, err;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return -errno;
	err = buf_reserve(b, (size_t)len);
	if (err < 0)
		return err;
	va_start(args, format);
	vsnprintf(b->p + b->n, (size_t)len + 1, format, args);
	va_end(args);
	b->n += (size_t)len;
	return 0;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n = n < b->n ? b->n - n : 0;
}
