/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_SPAWN_MSG_H
#define SWS_SITE_SPAWN_MSG_H

/*
 * What a worker and the spawner say to each other, over a channel (net/
 * channel.h).  Both sides are one program, so structs travel as they are; but
 * a worker may have been taken over, so the spawner checks every one.
 */

#include <stddef.h>
#include <stdint.h>

enum spawn_kind {
	/* Worker to spawner. */
	SPAWN_RUN = 1,          /* with 3 descriptors: 0, 1 and 2 */
	SPAWN_DONE,             /* its answer is complete */
	SPAWN_KILL,             /* end the program and all its group */
	/* Spawner to worker. */
	SPAWN_ENDED,            /* value: status of waitpid(2) */
	SPAWN_FAILED,           /* value: errno; it was never run */
};

struct spawn_msg {
	uint32_t kind;
	uint32_t id;            /* the worker's, unique while it runs */
	int32_t value;
	uint32_t n_args, n_env; /* SPAWN_RUN: strings that follow, each with
	                           its NUL: the program's path below the CGI
	                           root, the arguments, the environment */
};

#define SPAWN_MSG_MAX ((size_t)128 << 10)
#define SPAWN_ARGS_MAX 64u
#define SPAWN_ENV_MAX 256u

/* The strings of a message: */
struct spawn_run {
	const char *path;                       /* relative, no ".." */
	char *args[SPAWN_ARGS_MAX + 2];         /* args[0] is to be set */
	char *env[SPAWN_ENV_MAX + 1];
};

/*
 * Checks a SPAWN_RUN of n bytes and finds its strings, which point into it.
 * 0, or -EBADMSG.
 */
int spawn_run_parse(char *message, size_t n, struct spawn_run *out_run);

#endif
