/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_URING_STREAM_PRIV_H
#define SWS_NET_URING_STREAM_PRIV_H

/* A stream over a socket, by operations: uring_stream.c, uring_push.c. */

#include "base/buf.h"
#include "net/uring_priv.h"

struct uring_stream {
	struct stream stream;
	struct uring_plan plan;
	struct uring *u;
	struct timer deadline;          /* of what is closed */
	struct buf kept;                /* received while it was not wanted */
	size_t kept_at;                 /* delivered out of that */
	struct uring_out *out[2];       /* the first is sent, then the other */
	int fd;                         /* -1: closed */
	int err;                        /* the connection broke; 0: it stands */
	unsigned char wanted;           /* READY_ bits */
	unsigned char armed;            /* bits of URING_ tags: to complete */
	unsigned char cancelled;        /* of those, on our demand */
	bool is_tuned;
	bool holds : 1;                 /* nothing is to be received for now */
	bool has_ended : 1;             /* the peer will send no more */
	bool knows_end : 1;             /* and the owner knows that; or that */
	bool knows_broken : 1;          /* the connection broke */
	bool shuts : 1;                 /* once all is sent */
	bool is_leaving : 1;            /* its socket is wanted */
	bool is_closed : 1;
	bool aborts : 1;
};

#define URING_BIT(tag) ((unsigned char)(1u << (tag)))

static inline bool
is_armed(const struct uring_stream *s, enum uring_tag tag)
{
	return s->armed & URING_BIT(tag);
}

/* All that was taken is forgotten. */
void uring_stream_drop_out(struct uring_stream *s);

/* struct uring_plan.push; frees the stream when it is closed and all over. */
bool uring_stream_push(struct uring_plan *p);

#endif
