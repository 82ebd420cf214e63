/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_ACCEPT_H
#define SWS_SERVER_ACCEPT_H

/*
 * Takes connections from a worker's listeners and opens the protocol on each.
 * When descriptors run out, a reserve is given up for a moment to say 503:
 * a client that gets no answer would only come again.
 */

#include "http/proto.h"
#include "net/loop.h"

struct acceptor;

struct accept_limits {
	unsigned connections;   /* more are told 503 */
	bool one_at_a_time;     /* the next is not accepted before the last
	                           is gone */
	bool waits;             /* until acceptor_wake */
};

/*
 * Accepts on n listening sockets, which stay the caller's.  0 or a negative
 * errno.
 */
int acceptor_open(struct http_host *host, const int *fds, unsigned n,
    const struct accept_limits *limits, struct acceptor **out_acceptor);

/* Begins to accept. */
void acceptor_wake(struct acceptor *a);

/*
 * Goes on with a connection that another process accepted and read `unread`
 * from.  It is closed where that fails.
 */
void acceptor_adopt(struct acceptor *a, int fd, const struct addr *peer,
    struct str unread);

/* No further connection is taken. */
void acceptor_close(struct acceptor *a);

/* To be told when a connection ended. */
void acceptor_connection_closed(struct acceptor *a);

unsigned acceptor_connections(const struct acceptor *a);

#endif
