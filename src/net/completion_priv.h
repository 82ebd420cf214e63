/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_COMPLETION_PRIV_H
#define SWS_NET_COMPLETION_PRIV_H

/*
 * What an engine can do that is told what to do, and not only when to.  It is
 * a poller as well: for pipes, signals, and whatever else has no stream.
 */

#include "net/intake.h"
#include "net/stream.h"

struct completion_ops {
	/* Calls back what the last wait brought, but for watches. */
	void (*deliver)(void *state);

	/* stream_open_socket */
	int (*open_stream)(void *state, struct loop *l, int fd,
	    const struct stream_events *events, void *owner,
	    struct stream **out_s);

	/*
	 * Accepts on fd for `in`; *out_op is for the other two.  0 or a
	 * negative errno.
	 */
	int (*open_accept)(void *state, struct intake *in, int fd,
	    void **out_op);
	void (*want_accept)(void *op, bool wanted);
	void (*close_accept)(void *op);
};

/*
 * Takes one connection by accept(2): calls on_accept, or on_full, or neither.
 * True: it is worth trying for another one.
 */
bool intake_accept(struct intake *in);

/* Those of the loop's engine and its state, or NULL when it only polls. */
const struct completion_ops *loop_completion(const struct loop *l,
    void **out_state);

#endif
