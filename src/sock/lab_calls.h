/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_CALLS_H
#define SWS_SOCK_LAB_CALLS_H

/*
 * The calls that labs make: each is noted on the line of time with arguments
 * and result.  All return what the call returns, or the negative errno.
 */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sock/lab.h"

struct lab_addr {
	socklen_t n;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
};

/* An address from its text, IPv4 or IPv6; a literal that must be right. */
struct lab_addr lab_inet(const char *host, unsigned port);

/* A path, or "@name" for an abstract one. */
struct lab_addr lab_unix(const char *path);

unsigned lab_port(const struct lab_addr *a);

#define LAB_ADDR_TEXT 112
const char *lab_addr_text(const struct lab_addr *a, char text[LAB_ADDR_TEXT]);

int lab_socket(struct lab *lab, int domain, int type, int protocol);
int lab_pair(struct lab *lab, int domain, int type, int protocol,
    int out_ends[2]);
int lab_pipe(struct lab *lab, int out_ends[2]);
int lab_bind(struct lab *lab, int fd, const struct lab_addr *a);
int lab_listen(struct lab *lab, int fd, int backlog);
int lab_connect(struct lab *lab, int fd, const struct lab_addr *a);
int lab_accept(struct lab *lab, int fd, struct lab_addr *out_peer);
int lab_shutdown(struct lab *lab, int fd, int how);
int lab_close(struct lab *lab, int fd);

/* Text goes without its NUL.  What is received ends with one. */
int lab_write(struct lab *lab, int fd, const char *text);
int lab_read(struct lab *lab, int fd, char *out, size_t size);
int lab_send(struct lab *lab, int fd, const char *text, int flags);
int lab_send_to(struct lab *lab, int fd, const char *text,
    const struct lab_addr *to);
int lab_receive(struct lab *lab, int fd, char *out, size_t size, int flags);
int lab_receive_from(struct lab *lab, int fd, char *out, size_t size,
    struct lab_addr *out_from);

/* The socket's own address, its peer's.  Not noted when `lab` is NULL. */
int lab_name(struct lab *lab, int fd, struct lab_addr *out);
int lab_peer(struct lab *lab, int fd, struct lab_addr *out);

/* An option that is an int, such as SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR" */
int lab_set(struct lab *lab, int fd, int level, int option, const char *name,
    int value);
int lab_get(struct lab *lab, int fd, int level, int option, const char *name,
    int *out_value);

/* What is ready of these events within the time: the mask, 0 when nothing. */
int lab_poll(struct lab *lab, int fd, int events, int timeout_ms);

/* A TCP state by name, as of TCP_INFO or /proc/net/tcp. */
const char *lab_tcp_state_name(int state);

/* The state of a TCP socket (TCP_INFO), noted. */
int lab_tcp_state(struct lab *lab, int fd);

/*
 * The state of the connection between two ports at the present host, also of
 * one that no process has any more; -ENOENT when there is none.  Not noted.
 */
int lab_tcp_state_of(unsigned port, unsigned peer_port);

/* Waits for such a state and notes it; -ENOENT once it is gone. */
bool lab_await_state(struct lab *lab, unsigned port, unsigned peer_port,
    int state);

/* The common beginnings.  They end the lab when they fail. */

/* A listener; *io_at with port 0 gets the port that it was given. */
int lab_listener(struct lab *lab, struct lab_addr *io_at, int backlog);

/* A bound datagram socket; likewise. */
int lab_bound(struct lab *lab, int type, struct lab_addr *io_at);

/* A TCP client that is connected to it. */
int lab_client(struct lab *lab, const struct lab_addr *to);

#endif
