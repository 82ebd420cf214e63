/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_ENGINE_H
#define SWS_NET_ENGINE_H

/*
 * The ways to serve many connections, by name (--engine=NAME): what waits for
 * the descriptors, and how the connections are shared out among processes.
 */

#include <stdbool.h>
#include <stdio.h>

struct poller_ops;

enum engine_policy {
	ENGINE_MANY,            /* all connections in one process */
	ENGINE_ONE,             /* one listener, one connection at a time */
	ENGINE_CHILDREN,        /* a child process for each connection */
};

struct engine {
	const char *name;
	const char *about;      /* what it is, for people */
	const char *limit;      /* and where it ends */
	enum engine_policy policy;
	bool sends_signals;     /* descriptors send the process signals */
	const struct poller_ops *poller;        /* NULL: not built in */
	const char *lacks;      /* what it was not built in for */
	/* "NAME:number" is allowed up to argument_max; 0: it takes none. */
	unsigned argument, argument_max;
	/* Which engine serves where the kernel lacks this one; NULL: none. */
	const char *instead;
};

/*
 * The engine of this name, perhaps followed by a colon and a number, whether
 * it can be used here or not; *out_argument, unless NULL, is the number, or
 * what stands for it.  NULL is the name of the best that can be used.
 * Returns NULL when there is none.
 */
const struct engine *engine_find(const char *name, unsigned *out_argument);

/* Why it cannot be used here; NULL: it can. */
const char *engine_lacks(const struct engine *e);

/* The n-th of all, from 0 on; NULL behind the last. */
const struct engine *engine_at(size_t n);

/* One line for each: its name, what it is, its limit, whether it is here. */
void engine_help(FILE *out);

#endif
