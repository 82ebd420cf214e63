/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_LISTENER_H
#define SWS_SERVER_LISTENER_H

#include "net/addr.h"
#include "server/config.h"

#define LISTENERS_MAX 64

/* One address, with a socket for each worker. */
struct listener {
	struct addr addr;
	int *fds;               /* config.workers of them */
};

struct listeners {
	struct listener list[LISTENERS_MAX];
	unsigned n;
	unsigned workers;
};

/*
 * Binds all that the configuration asks for and listens.  0, or a negative
 * errno after one line of log_error that says what to do.
 */
int listeners_open(struct listeners *ls, const struct config *config);
void listeners_close(struct listeners *ls);

/* The port that all of them share. */
unsigned listeners_port(const struct listeners *ls);

#endif
