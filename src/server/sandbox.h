/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SANDBOX_H
#define SWS_SERVER_SANDBOX_H

/*
 * A process says at its birth what it may ever do, and the kernel holds it to
 * that in layers, so that one that was taken over gains little.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdio.h>

enum sandbox_mode {
	SANDBOX_ON,             /* as far as the kernel can */
	SANDBOX_OFF,
	SANDBOX_REQUIRE,        /* whole or not at all */
};

enum sandbox_role {
	SANDBOX_WORKER,         /* uses what is open; reads below the roots */
	SANDBOX_FORKER,         /* a worker that has children */
	SANDBOX_SIGNALLED,      /* a worker whose descriptors send signals */
	SANDBOX_SPAWNER,        /* runs programs, which inherit its bounds */
	SANDBOX_HOMES,          /* looks users up and reads files */
	SANDBOX_ENCODER,        /* compresses what is handed to it */
};

enum {
	SANDBOX_NO_NEW_PRIVS = 1,
	SANDBOX_NO_CAPABILITIES = 2,
	SANDBOX_LANDLOCK = 4,
	SANDBOX_SECCOMP = 8,
};

#define SANDBOX_LAYERS_TEXT 64  /* bytes, for all of them */

#define SANDBOX_FILTER_MAX 512  /* instructions */

/* The system calls of a role, as the kernel takes them. */
struct sandbox_filter {
	unsigned short n;
	struct sock_filter code[SANDBOX_FILTER_MAX];
};

/* What a process asks for. */
struct sandbox {
	enum sandbox_role role;
	enum sandbox_mode mode;
	const int *read_roots;          /* open directories, below which a
	                                   worker may open for reading; other
	                                   roles take none */
	unsigned n_roots;
	const struct sandbox_filter *filter;    /* of the role; NULL: it is
	                                           made at that time */
};

/*
 * Makes the filter of a role, for all processes that will play it.  0 or a
 * negative errno.
 */
int sandbox_compile(enum sandbox_role role, struct sandbox_filter *out_filter);

/*
 * Enters for good.  To be called when the process has become who it will be
 * (privileges.h), has opened all it needs, and is one thread.  A HOMES should
 * have looked a user up before: what that takes from the C library is loaded
 * the first time.
 *
 * *out_layers are the layers that hold, also on failure.  0, or a negative
 * errno when a layer of the role is missing and the mode is REQUIRE.
 */
int sandbox_enter(const struct sandbox *s, unsigned *out_layers);

/*
 * What sandbox_enter would come to, found out by a child process: for
 * whoever wants to know while it can still be said.
 */
int sandbox_probe(const struct sandbox *s, unsigned *out_layers);

/* The layers that a role should have. */
unsigned sandbox_layers(enum sandbox_role role);

/* "no_new_privs, capabilities, ...", or "nothing".  Returns `text`. */
const char *sandbox_layers_text(unsigned layers, char *text, size_t size);

/* Lists the system calls that are allowed, and why. */
void sandbox_help(FILE *out);

#endif
