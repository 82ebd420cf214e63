/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_DNS_H
#define SWS_SOCK_DNS_H

/*
 * What the DNS alone says of a name, as host(1) and dig(1) ask: neither
 * nsswitch.conf(5) nor hosts(5) is looked at.
 */

#include <netinet/in.h>
#include <stdint.h>

struct dns_address {
	int family;             /* AF_INET or AF_INET6 */
	char text[INET6_ADDRSTRLEN];
};

/*
 * Asks the servers of resolv.conf(5) for the addresses of `name`, which is
 * taken as it is, without the domains of a search list.  `family` is AF_INET,
 * AF_INET6, or AF_UNSPEC for both; timeout_ms, unless 0, is for each server.
 *
 * Returns how many addresses, at most `max`, are in out_list: 0 when the name
 * has none.  -ENOENT: no such name; -ETIMEDOUT, -ECONNREFUSED: no server
 * answered; -EIO: one did, with an error, or `name` cannot be one; others: of
 * socket(2) and so on.
 */
int dns_ask(const char *name, int family, int64_t timeout_ms,
    struct dns_address *out_list, unsigned max);

#endif
