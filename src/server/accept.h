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
	unsigned at_once;       /* more wait until others are gone; 0: none */
	bool waits;             /* it begins paused */
	/* Opens the protocol on a connection, as http_proto's does. */
	int (*open)(struct http_host *host, int fd, const struct addr *peer);
};

/*
 * Accepts on n listening sockets, which stay the caller's.  0 or a negative
 * errno.
 */
int acceptor_open(struct http_host *host, const int *fds, unsigned n,
    const struct accept_limits *limits, struct acceptor **out_acceptor);

/*
 * Goes on with a connection that another process accepted and read `unread`
 * from.  It is closed where that fails.
 */
void acceptor_adopt(struct acceptor *a, int fd, const struct addr *peer,
    struct str unread);

/* Those that come wait in the kernel, until it is no longer paused. */
void acceptor_pause(struct acceptor *a, bool is_paused);

/* No further connection is taken. */
void acceptor_close(struct acceptor *a);

/* To be told when a connection ended. */
void acceptor_connection_closed(struct acceptor *a);

unsigned acceptor_connections(const struct acceptor *a);

#endif
