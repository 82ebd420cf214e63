/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_ROLE_H
#define SWS_SERVER_ROLE_H

/* What a process of a crew is, from fork(2) to the end of its main function. */

#include <sys/types.h>

#include "server/order.h"
#include "server/sandbox.h"

struct child;

struct role {
	const char *title;
	enum sandbox_role sandbox;
	enum order introduces;  /* a service to a worker; 0: it is none */
	int niceness;           /* added to the server's own */
	/* Its main function; returns the exit status. */
	int (*run)(struct child *c);
};

extern const struct role role_worker;
extern const struct role role_spawner;
extern const struct role role_homes;
extern const struct role role_encoder;

/*
 * Forks the process that plays c->role: it keeps c->end and what its role
 * needs, closes all else, gives up its rights and never returns from here.
 * Returns its number, or a negative errno.
 */
pid_t role_fork(struct child *c);

#endif
