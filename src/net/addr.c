/* SPDX-License-Identifier: ISC */
/*
 * IPv4 and IPv6 addresses: from what a person types, through getaddrinfo(3),
 * and back to what a person reads.  The text is that of inet_ntop(3) rather
 * than getnameinfo(3), since each logged request asks for it.
 */

#include "net/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <net/if.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The longest name of the DNS (RFC 1035 2.3.4), or an address with scope. */
#define HOST_MAX 255

static bool
is_mapped(const struct addr *a)
{
	return a->u.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr);
}

/* Our IPv6 sockets are V6ONLY and would refuse the address as it is. */
static void
unmap(struct addr *a)
{
	struct in6_addr in6 = a->u.in6.sin6_addr;

	addr_any(a, AF_INET, addr_port(a));
	memcpy(&a->u.in.sin_addr, in6.s6_addr + 12, sizeof(struct in_addr));
}

static void
from_info(struct addr *a, const struct addrinfo *info, unsigned port)
{
	assert(info->ai_addrlen <= sizeof(a->u));
	memset(a, 0, sizeof(*a));
	memcpy(&a->u, info->ai_addr, info->ai_addrlen);
	a->len = info->ai_addrlen;
	addr_set_port(a, port);
	if (is_mapped(a))
		unmap(a);
}

static bool
is_among(const struct addr *a, const struct addr *known, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (a->len == known[i].len &&
		    memcmp(&a->u, &known[i].u, a->len) == 0)
			return true;
	return false;
}

/*
 * Brackets, as in a URL, may stand around an IPv6 address and nothing else.
 * `bare` gets the host without them, `hints` what its form says.
 */
static int
strip_brackets(const char *host, char bare[HOST_MAX + 1],
    struct addrinfo *hints)
{
	size_t n = strlen(host);

	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		hints->ai_family = AF_INET6;
		hints->ai_flags |= AI_NUMERICHOST;
		host++;
		n -= 2;
	}
	if (n == 0 || n > HOST_MAX)
		return EAI_NONAME;
	/* No name has a colon: do not ask the network about a typing slip. */
	if (strchr(host, ':') != NULL)
		hints->ai_flags |= AI_NUMERICHOST;
	memcpy(bare, host, n);
	bare[n] = '\0';
	return 0;
}

void
addr_any(struct addr *out_addr, int family, unsigned port)
{
	assert(family == AF_INET || family == AF_INET6);
	memset(out_addr, 0, sizeof(*out_addr));
	out_addr->u.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		out_addr->len = sizeof(out_addr->u.in);
	else
		out_addr->len = sizeof(out_addr->u.in6);
	addr_set_port(out_addr, port);
}

int
addr_resolve(const char *host, unsigned port, struct addr *out_addrs,
    unsigned max)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *infos;
	char bare[HOST_MAX + 1];
	unsigned n = 0;
	int err;

	assert(max > 0);
	err = strip_brackets(host, bare, &hints);
	if (err != 0)
		return err;
	err = getaddrinfo(bare, NULL, &hints, &infos);
	if (err != 0)
		return err;
	for (struct addrinfo *i = infos; i != NULL && n < max; i = i->ai_next) {
		from_info(&out_addrs[n], i, port);
		/* "localhost" often stands on more than one line of hosts. */
		if (!is_among(&out_addrs[n], out_addrs, n))
			n++;
	}
	freeaddrinfo(infos);
	return (int)n;
}

unsigned
addr_port(const struct addr *a)
{
	if (a->u.sa.sa_family == AF_INET6)
		return ntohs(a->u.in6.sin6_port);
	return ntohs(a->u.in.sin_port);
}

void
addr_set_port(struct addr *a, unsigned port)
{
	assert(port <= UINT16_MAX);
	if (a->u.sa.sa_family == AF_INET6)
		a->u.in6.sin6_port = htons((uint16_t)port);
	else
		a->u.in.sin_port = htons((uint16_t)port);
}

bool
addr_is_any(const struct addr *a)
{
	if (a->u.sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
	return a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
}

/* An interface that has gone meanwhile is written by its number. */
static void
add_scope(char *text, unsigned index)
{
	char name[IF_NAMESIZE];
	size_t n = strlen(text);

	if (if_indextoname(index, name) != NULL)
		snprintf(text + n, ADDR_TEXT - n, "%%%s", name);
	else
		snprintf(text + n, ADDR_TEXT - n, "%%%u", index);
}

const char *
addr_host_text(const struct addr *a, char text[ADDR_TEXT])
{
	struct addr plain = *a;

	if (is_mapped(&plain))
		unmap(&plain);
	if (plain.u.sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &plain.u.in.sin_addr, text, ADDR_TEXT);
	else
		inet_ntop(AF_INET6, &plain.u.in6.sin6_addr, text, ADDR_TEXT);
	if (plain.u.sa.sa_family == AF_INET6 && plain.u.in6.sin6_scope_id != 0)
		add_scope(text, plain.u.in6.sin6_scope_id);
	return text;
}

const char *
addr_text(const struct addr *a, char text[ADDR_TEXT])
{
	bool is_v6 = a->u.sa.sa_family == AF_INET6 && !is_mapped(a);
	char host[ADDR_TEXT];

	addr_host_text(a, host);
	snprintf(text, ADDR_TEXT, is_v6 ? "[%s]:%u" : "%s:%u", host,
	    addr_port(a));
	return text;
}
