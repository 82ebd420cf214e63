/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_LOOP_H
#define SWS_NET_LOOP_H

/*
 * The event loop: descriptors that became ready, deadlines that passed, one
 * callback at a time, in one thread.  How it waits is chosen at run time
 * (engine.h).
 *
 * In a turn the urgent watches are called first, then those that were added as
 * ready, then the others, then the timers.  A callback may add, change and
 * remove any watch or timer, its own included: what was removed is not called
 * any more, and a descriptor that was added in this turn, perhaps under a
 * number just closed, gets no event that is older than itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/timer.h"

enum {
	READY_IN = 1,           /* a read would not wait (end of file too) */
	READY_OUT = 2,          /* a write would not wait */
};

/* Lives inside the struct that it serves; the loop keeps a pointer to it. */
struct watch {
	void (*fn)(struct watch *w, unsigned ready);
	int fd;
	unsigned char wanted;   /* READY_ bits; 0: known, but asleep */
	bool is_urgent;         /* called before all others of a turn */
};

struct loop;

/*
 * Waits as the engine of this name does; NULL takes the best.  0 or a negative
 * errno: -EINVAL when there is no such engine, -EOPNOTSUPP when it cannot be
 * used here.
 */
int loop_open(const char *engine, struct loop **out_loop);

/* Watches and timers that are left are forgotten; descriptors stay open. */
void loop_close(struct loop *l);

/*
 * Watches w->fd for w->wanted.  0 or a negative errno: -EMFILE when the
 * descriptor is beyond what the engine can watch, -ENOMEM.
 */
int loop_add(struct loop *l, struct watch *w);

/*
 * The same for a descriptor that is probably ready to be read already: w is
 * called for that in the next turn, be it true or not.  A poller for which that
 * is a system call is told only of what lives on after it.
 */
int loop_add_ready(struct loop *l, struct watch *w);

/* Changes what is wanted.  0 or a negative errno. */
int loop_want(struct loop *l, struct watch *w, unsigned wanted);

/* To be called before w->fd is closed. */
void loop_remove(struct loop *l, struct watch *w);

/*
 * The same where the close comes next and no copy of w->fd is left anywhere
 * (fork(2), SCM_RIGHTS): then a kernel that keeps the set drops it by itself.
 */
void loop_forget(struct loop *l, struct watch *w);

/* timers_start and timers_stop on this loop's timers, from now on. */
int loop_timer_start(struct loop *l, struct timer *t, int64_t after_ms);
void loop_timer_stop(struct loop *l, struct timer *t);

/* Milliseconds on the monotonic clock when this turn began. */
int64_t loop_now_ms(const struct loop *l);

/* Memory for one read, lent until the callback returns. */
#define LOOP_SCRATCH 16384
char *loop_scratch(struct loop *l);

/* Turns until loop_stop, and can be called again; 0, or a negative errno when
   waiting failed. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
