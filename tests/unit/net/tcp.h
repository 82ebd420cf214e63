/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_NET_TCP_H
#define SWS_TESTS_UNIT_NET_TCP_H

/*
 * Connections over the loopback, where nothing arrives at once: a busy kernel
 * leaves it to a thread, which waits for its turn.  connect(2) returns when
 * the client knows; whoever listens may learn of it later.
 */

#include <poll.h>
#include <sys/socket.h>

#include "net/socket.h"

#include "../cases.h"

#define ARRIVAL_MS 60000

/* The next that comes, waited for; non-blocking. */
static inline int
tcp_accept(int listener)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	int fd;

	assert_int_equal(poll(&p, 1, ARRIVAL_MS), 1);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline int
tcp_connect(const struct addr *a)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &a->u.sa, a->len), 0);
	return fd;
}

/* Two ends of a connection; the peer's is one that waits. */
static inline int
tcp_pair(int *out_peer)
{
	struct addr addr;
	int listener, fd;

	assert_int_equal(addr_resolve("127.0.0.1", 0, &addr, 1), 1);
	listener = socket_listen(&addr);
	assert_true(listener >= 0);
	*out_peer = tcp_connect(&addr);
	fd = tcp_accept(listener);
	close(listener);
	return fd;
}

#endif
