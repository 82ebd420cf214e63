/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_CHILDREN_H
#define SWS_NET_CHILDREN_H

/*
 * For the engines that serve each connection in a process of its own.  The
 * parent hands on what it accepted, closes it and reaps whoever ended.
 *
 * It leads its children by two pipes, into which nobody ever writes.  The end
 * of the first asks them to finish, the end of the second to end at once, and
 * a parent that dies lets go of both.  So it needs no right to send signals,
 * and none of them can outlive it unseen.
 */

#include <stdbool.h>

#include "net/addr.h"
#include "net/loop.h"
#include "net/signal.h"

/* So many at once are enough; further connections wait in the kernel. */
#define CHILDREN_MAX 256

/* Lives inside the struct that it serves. */
struct children {
	/* In the child, in the loop that it inherited: here is its connection;
	   it shall finish; it shall end. */
	void (*serve)(struct children *c, int fd, const struct addr *peer);
	void (*finish)(struct children *c);
	void (*end)(struct children *c);
	/* In the parent: one child ended; no process can be had, since
	   fork(2) failed with this negative errno, or (0) one can again. */
	void (*on_ended)(struct children *c);
	void (*on_stuck)(struct children *c, int err);

	/* Its own. */
	struct loop *loop;
	struct signals signals; /* of the parent */
	bool is_parent;
	struct watch finish_watch, end_watch;   /* of a child */
	int finish_ends[2], end_ends[2];        /* -1: closed */
	struct timer retry;
	int held;               /* a connection without a process; or -1 */
	struct addr held_peer;
};

/* The functions above are set.  0 or a negative errno. */
int children_open(struct children *c, struct loop *l);

/*
 * A child serves this connection, now or as soon as there can be one: the
 * descriptor is no longer the caller's.  Not to be called while stuck.
 */
void children_serve(struct children *c, int fd, const struct addr *peer);

/* They finish what runs. */
void children_finish(struct children *c);

/* Ends those that are left and waits for them.  In a child: nothing of that. */
void children_close(struct children *c);

#endif
