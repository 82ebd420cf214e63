/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_INTAKE_H
#define SWS_NET_INTAKE_H

/* A listening socket, out of which connections come by callback. */

#include "net/addr.h"
#include "net/loop.h"

struct completion_ops;

/* Lives inside the struct that it serves; the first two are filled in there. */
struct intake {
	/*
	 * A connection, as stream_open_socket wants it; fd is the callee's.
	 * Also after intake_want(in, false), for what had been taken before.
	 */
	void (*on_accept)(struct intake *in, int fd, const struct addr *peer);
	/* No descriptor is left for the next one (EMFILE, ENFILE). */
	void (*on_full)(struct intake *in);

	int fd;                 /* the listening socket */

	/* The intake's own. */
	struct watch watch;
	unsigned batch;         /* as many seem to wait at a time */
	struct loop *loop;
	const struct completion_ops *completion;        /* NULL: the watch */
	void *op;
};

/*
 * Takes connections from a listening, non-blocking socket, which stays the
 * caller's.  `one_by_one`: the next is not taken before the callback for the
 * last is over, and may have said that none is wanted.  0 or a negative errno.
 */
int intake_open(struct intake *in, struct loop *l, int fd, bool one_by_one);

void intake_want(struct intake *in, bool wanted);

/*
 * The next connection at once, for on_full to make room and refuse it.  Its
 * descriptor or a negative errno; -EAGAIN: there is none.
 */
int intake_take(struct intake *in);

/*
 * To be called before the socket is closed.  The last time for on_accept: for
 * what had been taken before.
 */
void intake_close(struct intake *in);

#endif
