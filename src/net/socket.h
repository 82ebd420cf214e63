/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_SOCKET_H
#define SWS_NET_SOCKET_H

#include "net/addr.h"

/*
 * A listening TCP socket: non-blocking, close-on-exec, SO_REUSEADDR,
 * TCP_NODELAY (inherited by what is accepted), IPV6_V6ONLY on IPv6.
 *
 * The bind is exclusive: it fails when anybody else listens on the address,
 * also with SO_REUSEPORT.  Only then is SO_REUSEPORT set, so that
 * socket_listen_beside can add sockets for further processes of ours.
 *
 * Port 0 takes a free port; *addr then holds it.  Returns the descriptor or a
 * negative errno (socket, bind or listen failed).
 */
int socket_listen(struct addr *addr);

/* One more socket on the address of a socket from socket_listen. */
int socket_listen_beside(const struct addr *addr);

/*
 * Has the kernel keep connections from accept(2) until the client has said
 * something, or for a second (tcp(7), TCP_DEFER_ACCEPT).  For protocols where
 * the client speaks first.  0 or a negative errno.
 */
int socket_defer(int fd);

#endif
