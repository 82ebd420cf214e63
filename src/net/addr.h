/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_ADDR_H
#define SWS_NET_ADDR_H

/* Socket addresses and their text. */

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define ADDR_TEXT 72    /* "[v6 address%scope]:port" with its NUL */

struct addr {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
};

/* The wildcard of a family: AF_INET or AF_INET6.  `port` in host order. */
void addr_any(struct addr *out_addr, int family, unsigned port);

/*
 * All stream addresses that a name stands for, in the resolver's order: IPv4,
 * IPv6 (with or without brackets, with %scope) or a host name, which may make
 * it wait for the resolver.  No address is given twice, and an IPv4-mapped one
 * is given as the IPv4 address that it is.  At most `max` are given.  Returns
 * how many (1 or more), or a negative EAI_ code of getaddrinfo(3).
 */
int addr_resolve(const char *host, unsigned port, struct addr *out_addrs,
    unsigned max);

unsigned addr_port(const struct addr *a);       /* host order */
void addr_set_port(struct addr *a, unsigned port);
bool addr_is_any(const struct addr *a);         /* the wildcard? */

/*
 * "192.0.2.1:80" and "[2001:db8::1%eth0]:80"; and without port and brackets.
 * An IPv4-mapped IPv6 address is written as the IPv4 address that it is.
 * Both return `text`.
 */
const char *addr_text(const struct addr *a, char text[ADDR_TEXT]);
const char *addr_host_text(const struct addr *a, char text[ADDR_TEXT]);

#endif
