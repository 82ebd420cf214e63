/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_SCAN_PRIV_H
#define SWS_SOCK_SCAN_PRIV_H

/*
 * How sock scan asks one port: by connect(2), or by a datagram.  The round
 * that asks many of them is scan.c's.
 */

#include "sock/endpoint.h"
#include "sock/icmp.h"
#include "sock/ports.h"
#include "sock/quic.h"

#define SCAN_WHY 256

enum port_state {
	PORT_WAITING,
	PORT_OPEN,
	PORT_CLOSED,            /* the host says that nobody has it */
	PORT_SILENT,            /* nothing was heard */
	PORT_UNREACHABLE,       /* somebody else says: not there, not you */
	PORT_STATES,
};

struct scan_kind;

struct scan {
	struct job job;
	bool shows_all, is_quic;
	uint64_t parallel, rate, tries;
	const char *text;       /* what is sent to ports of UDP */

	const struct scan_kind *kind;
	struct target target;
	struct endpoint peer;   /* its port is that of the first */
	struct quic_ids ids;
};

/* A port that is being asked. */
struct probe {
	int fd;
	unsigned port;
	double at;              /* when it was asked */
	char why[SCAN_WHY];     /* more about its state, or "" */
};

struct scan_kind {
	unsigned parallel, tries;       /* unless the user says otherwise */
	/* Errors of ICMP are its answers, and those come slowly. */
	bool has_slow_answers;
	/*
	 * Asks p->port by the socket p->fd.  Returns the state, if it is known
	 * at once, or a negative errno.
	 */
	int (*ask)(const struct scan *s, struct probe *p);
	/* The socket is ready: what does that mean? */
	enum port_state (*look)(const struct scan *s, struct probe *p);
};

extern const struct scan_kind scan_tcp, scan_udp;

#endif
