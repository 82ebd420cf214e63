/* SPDX-License-Identifier: ISC */
#ifndef SWS_BASE_BUF_H
#define SWS_BASE_BUF_H

/*
 * A bounded byte buffer.  It grows as it is filled, never above the limit that
 * it was born with; what does not fit is refused whole.
 */

#include "base/str.h"

struct buf {
	char *p;        /* owned; NULL while empty and never filled */
	size_t n;       /* bytes in use */
	size_t cap;     /* bytes allocated */
	size_t max;     /* never more than this */
};

/* Starts empty; allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);

/* Frees the memory; b may be used again as after buf_init. */
void buf_fini(struct buf *b);

/*
 * Makes room for `more` bytes behind the n in use.
 * Returns 0, -ENOBUFS above the limit, -ENOMEM.
 */
int buf_reserve(struct buf *b, size_t more);

/* Appends a copy.  Returns as buf_reserve; on failure nothing is appended. */
int buf_add(struct buf *b, struct str s);
int buf_add_char(struct buf *b, char c);
int buf_add_u64(struct buf *b, uint64_t v);
int buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes (at most what is there). */
void buf_consume(struct buf *b, size_t n);

static inline struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

#endif
