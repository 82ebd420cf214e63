/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_POLLSET_PRIV_H
#define SWS_NET_POLLSET_PRIV_H

/*
 * An array for poll(2) that knows where in it each descriptor stands.  A set
 * that is all zero is empty.
 */

#include <poll.h>
#include <stddef.h>

#include "net/poller_priv.h"

struct pollset {
	struct pollfd *fds;
	nfds_t n, cap;
	nfds_t next;            /* to be looked at first: all get their turn */
	unsigned *place;        /* by descriptor: index in fds + 1; 0: none */
	size_t n_place;
};

/*
 * What is wanted of fd is `wanted` (READY_ bits) from now on; 0 takes it out,
 * also when it is not in.  0 or -ENOMEM.
 */
int pollset_put(struct pollset *s, int fd, unsigned wanted);

/* Makes room for n in all: to put so many cannot fail.  0 or -ENOMEM. */
int pollset_reserve(struct pollset *s, nfds_t n);

/*
 * Turns what poll(2) has written into at most `max` events, beginning behind
 * where the last call ended; `ready` is what poll(2) returned.
 */
int pollset_events(struct pollset *s, int ready, struct poller_event *events,
    int max);

/* READY_ bits out of those of poll(2). */
unsigned pollset_ready(short revents);

void pollset_fini(struct pollset *s);

#endif
