/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_BODY_H
#define SWS_HTTP_BODY_H

/*
 * The content of a response, on demand.  A protocol pulls piece after piece,
 * as fast as its client takes them, so a slow client holds back a file, a
 * listing or a program without any further code.
 */

#include <stdint.h>

#include "base/str.h"

/* Bytes in memory, or (p is NULL) a range of a file. */
struct piece {
	const char *p;
	uint64_t n;
	int fd;
	uint64_t offset;
};

enum pull {
	PULL_PIECE,             /* *out_piece holds at least one byte */
	PULL_WAIT,              /* none yet: exchange_wake will tell */
	PULL_END,
	PULL_FAIL,              /* what was promised cannot be had: the
	                           connection must not look complete */
};

struct body;

struct body_ops {
	/* A piece stays valid until the next pull or close. */
	enum pull (*pull)(struct body *b, struct piece *out_piece);
	/* Frees what the body holds. */
	void (*close)(struct body *b);
};

struct body {
	const struct body_ops *ops;     /* NULL: no content */
	void *state;                    /* the ops' own */
	uint64_t at, left;              /* the ops' own */
};

/* Content in memory that outlives the response (static, or its arena). */
void body_memory(struct body *b, struct str content);

static inline enum pull
body_pull(struct body *b, struct piece *out_piece)
{
	return b->ops == NULL ? PULL_END : b->ops->pull(b, out_piece);
}

static inline void
body_close(struct body *b)
{
	if (b->ops != NULL && b->ops->close != NULL)
		b->ops->close(b);
	b->ops = NULL;
}

#endif
