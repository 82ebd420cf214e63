/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_CREW_H
#define SWS_SERVER_CREW_H

/*
 * The processes that serve one tree, in three roles: workers, the spawner that
 * runs programs, homes that opens what is in users' directories.  The latter
 * two are services of the workers: whenever one of either side starts, it gets
 * a channel to each of the other.
 *
 * When names come to lead to another tree, another crew takes over.
 */

#include <sys/types.h>

#include "base/list.h"
#include "net/loop.h"
#include "server/order.h"
#include "server/supervisor.h"

struct crew;
struct role;                    /* role.h */

struct child {
	struct crew *crew;
	const struct role *role;
	unsigned number;        /* among those of its role */
	unsigned id;            /* of this process, never used again */
	pid_t pid;              /* 0: not running */
	struct watch orders;    /* our end of the channel */
	int end;                /* its own, until it is born; else -1 */
	enum order due;         /* once there is room in it; 0: none */
	bool is_awaited;        /* ORDER_READY of one that comes, ORDER_RETIRED
	                           of one that retires */
	int64_t started_ms;
	unsigned backoff_ms;
	struct timer restart;
};

/* What a crew needs of who commands it. */
struct command {
	const struct supervisor_setup *setup;
	struct loop *loop;
	int log_fd;
	bool has_forks;         /* workers have children of their own */
	unsigned last_id;
	struct list crews;      /* oldest first */
	/* In a process that was just born: close what is not for it. */
	void (*leave)(struct command *c);
	/* ORDER_READY, ORDER_RETIRED; or whatever a bad one sends. */
	void (*reported)(struct child *c, enum order order);
};

enum crew_state {
	CREW_COMING,            /* its workers start, and then wait */
	CREW_TAKING_OVER,       /* they wait for those before to retire */
	CREW_SERVING,
	CREW_RETIRED,           /* finishes what runs */
};

struct crew {
	struct list node;
	struct command *command;
	enum crew_state state;
	bool is_hurried;        /* retired for too long: it was told to stop */
	struct crew *before;    /* while it takes over: from whom */
	struct tree *tree;
	struct site site;
	unsigned running;
	unsigned n;
	struct child children[];        /* services first */
};

/*
 * Starts the processes of a crew, which owns the tree from then on.  NULL when
 * there is no memory, else it is in the list, and *out_err tells whether all
 * could be started.
 */
struct crew *crew_start(struct command *command, struct tree *tree,
    enum crew_state state, int *out_err);

/* To be called when none of it runs any more, or as the end of all. */
void crew_free(struct crew *c);

/* To all of a crew, or to its workers, sooner or later. */
void crew_tell(struct crew *c, enum order order);
void crew_tell_workers(struct crew *c, enum order order);

void crew_kill(struct crew *c);

/* Those that are down are not started again. */
void crew_dismiss(struct crew *c);

/*
 * Has the workers of `old` retire and hand over to those of `to`, and the
 * services end after them.
 */
void crew_retire(struct crew *old, struct crew *to);

/* How many are awaited? */
unsigned crew_awaited(const struct crew *c);

/* Starts a process anew, after a while that grows if it does not last. */
void child_restart(struct child *c);

/* It ended. */
void child_bury(struct child *c);

/* "worker 1"; returns `text`. */
#define CHILD_NAME 32
const char *child_name(const struct child *c, char text[CHILD_NAME]);

/* Who of the crew has this process; NULL: nobody. */
struct child *crew_find(struct crew *c, pid_t pid);

#endif
