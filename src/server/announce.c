/* SPDX-License-Identifier: ISC */
#include "server/announce.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

static void
print_url(FILE *out, const struct addr *a)
{
	char text[ADDR_TEXT];

	fprintf(out, "  http://%s/\n", addr_text(a, text));
}

/* Are all addresses of the host listened on, of this family? */
static bool
has_all(const struct listeners *ls, int family)
{
	for (unsigned i = 0; i < ls->n; i++)
		if (addr_is_any(&ls->list[i].addr) &&
		    ls->list[i].addr.u.sa.sa_family == family)
			return true;
	return false;
}

/* Each address that an interface of this host has now, except loopback. */
static void
print_interfaces(FILE *out, const struct listeners *ls)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) == -1)
		return;
	for (i = all; i != NULL; i = i->ifa_next) {
		struct addr a = { .len = sizeof(a.u) };

		if (i->ifa_addr == NULL || i->ifa_flags & IFF_LOOPBACK ||
		    !(i->ifa_flags & IFF_UP) ||
		    !has_all(ls, i->ifa_addr->sa_family))
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			a.u.in = *(struct sockaddr_in *)(void *)i->ifa_addr;
		else if (i->ifa_addr->sa_family == AF_INET6)
			a.u.in6 = *(struct sockaddr_in6 *)(void *)i->ifa_addr;
		else
			continue;
		/* A browser cannot be given a scope (RFC 9844). */
		if (a.u.sa.sa_family == AF_INET6 &&
		    IN6_IS_ADDR_LINKLOCAL(&a.u.in6.sin6_addr))
			continue;
		addr_set_port(&a, listeners_port(ls));
		print_url(out, &a);
	}
	freeifaddrs(all);
}

static void
print_urls(FILE *out, const struct listeners *ls)
{
	/* Whoever knows localhost as [::1] goes on to 127.0.0.1. */
	if (has_all(ls, AF_INET))
		fprintf(out, "  http://localhost:%u/\n", listeners_port(ls));
	else if (has_all(ls, AF_INET6))
		fprintf(out, "  http://[::1]:%u/\n", listeners_port(ls));
	print_interfaces(out, ls);
	for (unsigned i = 0; i < ls->n; i++)
		if (!addr_is_any(&ls->list[i].addr))
			print_url(out, &ls->list[i].addr);
}

void
announce(const struct config *config, const struct listeners *ls)
{
	FILE *out = stderr;

	if (config->mode == MODE_DAEMON) {
		if (config->port == 0) {
			printf("%u\n", listeners_port(ls));
			fflush(stdout);
		}
		return;
	}
	if (config->mode == MODE_FOREGROUND && isatty(STDOUT_FILENO))
		out = stdout;
	fprintf(out, "sws: serving %s at\n", config->root);
	print_urls(out, ls);
	fprintf(out, "  (Ctrl-C stops)\n");
	fflush(out);
}
