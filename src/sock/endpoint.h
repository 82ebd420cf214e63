/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_ENDPOINT_H
#define SWS_SOCK_ENDPOINT_H

/*
 * From addresses to sockets.  An endpoint is what bind(2) and connect(2) take:
 * a socket address with the type and protocol of its socket.
 *
 * These functions say by say_error what went wrong and return its outcome;
 * their caller only passes it on.
 */

#include <sys/un.h>

#include "net/addr.h"
#include "sock/address.h"
#include "sock/verb.h"

#define ENDPOINT_TEXT 160       /* "unix-seqpacket:" and a path, or less */
#define ENDPOINTS_MAX 16        /* of one name */

struct endpoint {
	socklen_t len;
	int type, protocol;
	ino_t inode;            /* of the path that was bound; 0: none */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
};

/* A word of the command line with what it means. */
struct target {
	const char *text;
	struct address address;
};

/* Parses `text`, which must live on. */
enum outcome target_parse(const char *text, struct target *out_target);

/*
 * All endpoints that a target stands for, at most ENDPOINTS_MAX, in the
 * resolver's order; -4 and -6 of the job choose.  For the wildcard there are
 * [::] and then 0.0.0.0.
 */
enum outcome endpoint_resolve(const struct job *job, const struct target *t,
    struct endpoint *out_endpoints, unsigned *out_n);

/*
 * As endpoint_resolve, for those who then connect: without those that the
 * address of --bind cannot reach, since it is of another family.
 */
enum outcome endpoint_resolve_peer(const struct job *job,
    const struct target *t, struct endpoint *out_endpoints, unsigned *out_n);

/* What the address, -4 or -6 demand: AF_INET, AF_INET6 or AF_UNSPEC. */
int endpoint_family(const struct job *job, const struct address *a);

/* "tcp:127.0.0.1:80", "udp:[::1]:53", "unix:/run/x", "unix:@name", "unix:". */
const char *endpoint_text(const struct endpoint *e, char text[ENDPOINT_TEXT]);

/* Of an open socket: its own address or its peer's.  0 or a negative errno. */
int endpoint_local(int fd, struct endpoint *out_endpoint);
int endpoint_peer(int fd, struct endpoint *out_endpoint);

/* Does this kernel know a family of addresses, such as AF_INET6? */
bool endpoint_has_family(int family);

/*
 * A close-on-exec socket for e, with the options of the job and the address
 * set.  Negative after a message; then *out_outcome says which.
 */
int endpoint_socket(const struct job *job, const struct target *t,
    const struct endpoint *e, enum outcome *out_outcome);

/* Sets the options of the job and the address on a socket made otherwise. */
enum outcome endpoint_apply(const struct job *job, const struct target *t,
    int fd);

/*
 * Binds a socket of that family, which is to go to t, to the address of
 * --bind, if there is one.
 */
enum outcome endpoint_bind(const struct job *job, const struct target *t,
    int fd, int family);

/* Says why a call that gave us the local address e failed. */
enum outcome endpoint_bind_failed(const struct target *t,
    const struct endpoint *e, int err);

/*
 * Connects to the first endpoint that lets us.  Within the job's timeout, if
 * any, each.  Datagram sockets are connected too, so that errors come back;
 * those of the unix domain are bound to a name that the kernel chooses, so
 * that answers can.
 */
enum outcome endpoint_connect(const struct job *job, const struct target *t,
    int *out_fd);

/*
 * Binds, and listens where the type has connections.  The wildcard is one
 * dual-stack socket for IPv6 and IPv4.  A path that a dead socket of ours
 * left behind is removed first; anything else there is left alone.
 * *out_local has the port that the kernel chose for 0.  For "fd:N" it is the
 * socket that we were started with, as it is.
 */
enum outcome endpoint_listen(const struct job *job, const struct target *t,
    int backlog, int *out_fd, struct endpoint *out_local);

/*
 * Removes the path that endpoint_listen made, if it did, and if nobody has
 * put something else there since.
 */
void endpoint_unlink(const struct endpoint *local);

#endif
