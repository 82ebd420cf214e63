/* SPDX-License-Identifier: ISC */
/*
 * TCP sockets that listen, and every option that they are given.
 *
 * Several processes share a port by SO_REUSEPORT, which would also let a
 * second server of the same user in, unseen, to take half of the connections.
 * So the first socket binds and listens without it, which fails when anybody
 * else is there, and opens the door to the others afterwards.  The order
 * matters: set before listen(2), two servers started at the same moment could
 * both get through.
 */

#include "net/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* The kernel cuts this to net.core.somaxconn. */
#define BACKLOG 4096

static int
set_flag(int fd, int level, int name)
{
	int on = 1;

	return setsockopt(fd, level, name, &on, sizeof(on)) == -1 ? -errno : 0;
}

static int
set_options(int fd, int family)
{
	int err;

	/* A restart must not wait for the old connections to time out. */
	err = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
	if (err < 0)
		return err;
	err = set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
	if (err < 0 || family != AF_INET6)
		return err;
	/* IPv4 has a socket of its own, wherever bindv6only stands. */
	return set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

static int
open_tcp(int family)
{
	int fd, err;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	err = set_options(fd, family);
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

static int
bind_and_listen(int fd, const struct addr *addr)
{
	if (bind(fd, &addr->u.sa, addr->len) == -1)
		return -errno;
	return listen(fd, BACKLOG) == -1 ? -errno : 0;
}

static int
local_addr(int fd, struct addr *out_addr)
{
	struct addr a = { .len = sizeof(a.u) };

	if (getsockname(fd, &a.u.sa, &a.len) == -1)
		return -errno;
	*out_addr = a;
	return 0;
}

int
socket_listen(struct addr *addr)
{
	int fd, err;

	fd = open_tcp(addr->u.sa.sa_family);
	if (fd < 0)
		return fd;
	err = bind_and_listen(fd, addr);
	if (err < 0)
		goto fail;
	err = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
	if (err < 0)
		goto fail;
	err = local_addr(fd, addr);
	if (err < 0)
		goto fail;
	return fd;
fail:
	close(fd);
	return err;
}

int
socket_listen_beside(const struct addr *addr)
{
	int fd, err;

	fd = open_tcp(addr->u.sa.sa_family);
	if (fd < 0)
		return fd;
	err = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
	if (err < 0)
		goto fail;
	err = bind_and_listen(fd, addr);
	if (err < 0)
		goto fail;
	return fd;
fail:
	close(fd);
	return err;
}

int
socket_defer(int fd)
{
	int seconds = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
	    sizeof(seconds)) == -1 ? -errno : 0;
}
