/* SPDX-License-Identifier: ISC */
/* The addresses that the server listens on, and why it may not. */
#include "server/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/holder.h"
#include "net/socket.h"

#define ANY_PORT_TRIES 16

static unsigned
unprivileged_port_start(void)
{
	unsigned start = 1024;
	FILE *f;

	f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	if (f != NULL) {
		if (fscanf(f, "%u", &start) != 1)
			start = 1024;
		fclose(f);
	}
	return start;
}

static void
explain(const struct addr *addr, int err)
{
	unsigned port = addr_port(addr);
	char text[ADDR_TEXT], holder[128];

	addr_text(addr, text);
	if (err == -EADDRINUSE) {
		holder_of_port(port, holder, sizeof(holder));
		log_error("cannot listen on %s: port %u is taken%s%s; "
		    "try another, such as -p %u", text, port,
		    *holder ? " by " : "", holder,
		    port < 65535 ? port + 1 : 8080);
	} else if (err == -EACCES && port < unprivileged_port_start()) {
		log_error("cannot listen on %s: ports below %u are "
		    "privileged; try -p 8080, CAP_NET_BIND_SERVICE, or the "
		    "sysctl net.ipv4.ip_unprivileged_port_start", text,
		    unprivileged_port_start());
	} else if (err == -EADDRNOTAVAIL) {
		log_error("cannot listen on %s: this host does not have that "
		    "address; see 'ip address' for those it has", text);
	} else {
		log_error("cannot listen on %s: %s", text, strerror(-err));
	}
}

static void
close_last(struct listeners *ls)
{
	struct listener *l = &ls->list[--ls->n];

	for (unsigned i = 0; i < ls->workers; i++) {
		if (l->fds[i] != -1)
			close(l->fds[i]);
	}
	free(l->fds);
}

/* Adds an address; *addr gets its port when that was 0.  Does not complain. */
static int
add(struct listeners *ls, struct addr *addr)
{
	struct listener *l = &ls->list[ls->n];
	int fd = 0;

	if (ls->n == LISTENERS_MAX)
		return -ENOBUFS;
	l->fds = malloc(ls->workers * sizeof(*l->fds));
	if (l->fds == NULL)
		return -ENOMEM;
	ls->n++;
	for (unsigned i = 0; i < ls->workers; i++)
		l->fds[i] = -1;
	for (unsigned i = 0; i < ls->workers; i++) {
		fd = i == 0 ? socket_listen(addr) : socket_listen_beside(addr);
		if (fd < 0)
			break;
		l->fds[i] = fd;
		/* Saves a wake-up a connection; none is worse off without. */
		(void)socket_defer(fd);
	}
	l->addr = *addr;
	if (fd < 0) {
		close_last(ls);
		return fd;
	}
	return 0;
}

static bool
lacks_family(int err)
{
	return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
}

/* All addresses of the host; one without IPv6, or IPv4, is fine as well. */
static int
add_all(struct listeners *ls, unsigned port)
{
	struct addr six, four;
	int err;

	addr_any(&six, AF_INET6, port);
	err = add(ls, &six);
	if (err < 0 && !lacks_family(err)) {
		explain(&six, err);
		return err;
	}
	addr_any(&four, AF_INET, err == 0 ? addr_port(&six) : port);
	err = add(ls, &four);
	if (err < 0 && !(lacks_family(err) && ls->n > 0)) {
		/* The caller may try another free port, quietly. */
		if (port != 0 || err != -EADDRINUSE)
			explain(&four, err);
		return err;
	}
	return 0;
}

/* Has it been asked for before, perhaps by another of its names? */
static bool
is_listed(const struct listeners *ls, const struct addr *addr)
{
	char text[ADDR_TEXT], other[ADDR_TEXT];

	addr_text(addr, text);
	for (unsigned i = 0; i < ls->n; i++) {
		if (strcmp(addr_text(&ls->list[i].addr, other), text) == 0)
			return true;
	}
	return false;
}

static int
add_named(struct listeners *ls, const char *name, unsigned port)
{
	struct addr found[8];
	int n, err;

	n = addr_resolve(name, port, found, 8);
	if (n < 0) {
		log_error("-i %s: %s; give an address or a name of this host",
		    name, gai_strerror(n));
		return -EADDRNOTAVAIL;
	}
	for (int i = 0; i < n; i++) {
		if (ls->n > 0)
			addr_set_port(&found[i], listeners_port(ls));
		if (is_listed(ls, &found[i]))
			continue;
		err = add(ls, &found[i]);
		if (err < 0) {
			if (port != 0 || err != -EADDRINUSE)
				explain(&found[i], err);
			return err;
		}
	}
	return 0;
}

static int
open_once(struct listeners *ls, const struct config *config)
{
	int err = 0;

	if (config->n_addresses == 0)
		return add_all(ls, config->port);
	for (unsigned i = 0; i < config->n_addresses && err == 0; i++)
		err = add_named(ls, config->addresses[i], config->port);
	return err;
}

int
listeners_open(struct listeners *ls, const struct config *config)
{
	int err = 0;

	*ls = (struct listeners){ .workers = config->workers };
	/* A port that is free on one address may be taken on the next. */
	for (int i = 0; i < ANY_PORT_TRIES; i++) {
		err = open_once(ls, config);
		if (err != -EADDRINUSE || config->port != 0)
			break;
		listeners_close(ls);
	}
	if (err == -EADDRINUSE && config->port == 0)
		log_error("no port is free on all addresses; give one with -p");
	if (err < 0)
		listeners_close(ls);
	return err;
}

void
listeners_close(struct listeners *ls)
{
	while (ls->n > 0)
		close_last(ls);
}

unsigned
listeners_port(const struct listeners *ls)
{
	return addr_port(&ls->list[0].addr);
}
