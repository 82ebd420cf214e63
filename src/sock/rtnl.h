/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_RTNL_H
#define SWS_SOCK_RTNL_H

/*
 * Just enough of rtnetlink(7) to build a small network: links, addresses,
 * routes, a rate limit.  A request is first put together, which needs no
 * kernel, and then done in the network that the process is in.
 */

#include <stdbool.h>
#include <stdint.h>

#define RTNL_REQUEST 512        /* the longest needs less than 200 */

/* A request; begins with a struct nlmsghdr. */
struct rtnl {
	_Alignas(4) unsigned char bytes[RTNL_REQUEST];
};

/*
 * These put a request together.  Each returns 0, or -EINVAL when a name is too
 * long, or a prefix ("192.0.2.1/24", "2001:db8::1/64") cannot be read; those
 * with an interface by name look it up: -ENODEV.
 */

/* A cable with two ends, the other of which is in the network `peer_ns`. */
int rtnl_veth(struct rtnl *r, const char *name, const char *peer, int peer_ns);

int rtnl_bridge(struct rtnl *r, const char *name);

/* Plugs an interface into a bridge. */
int rtnl_plug(struct rtnl *r, const char *name, const char *bridge);

int rtnl_set_up(struct rtnl *r, const char *name, bool is_up);

/* IPv6 addresses are usable at once: they are not looked for as duplicates. */
int rtnl_address(struct rtnl *r, const char *name, const char *prefix);

/* A route by a gateway, or without one (NULL) into silence: a black hole. */
int rtnl_route(struct rtnl *r, const char *prefix, const char *gateway);

/* Token bucket: what leaves the interface, and how much may wait for it. */
int rtnl_limit(struct rtnl *r, const char *name, uint32_t bytes_per_s,
    uint32_t burst_bytes, uint32_t queue_bytes);

/*
 * Is the interface ready to carry packets (RFC 2863: up)?  The kernel finds
 * out by and by.  1 or 0, or a negative errno.
 */
int rtnl_is_running(const char *name);

/* Does it; returns 0 or the negative errno that the kernel answers. */
int rtnl_do(const struct rtnl *r);

#endif
