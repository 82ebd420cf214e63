/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_TICKS_H
#define SWS_SITE_TICKS_H

/*
 * Waiting for ticks of an absolute clock, so that when something happens does
 * not tell when it was begun, nor what was done meanwhile.  (A timer of the
 * loop would not do: it is set again in each turn, and its odd microseconds
 * would tell.)
 */

#include "base/list.h"
#include "net/loop.h"

#define TICK_MS 25

/* Lives inside the struct of whoever waits. */
struct tick_wait {
	struct list node;       /* in `waiting`, or alone */
	int64_t tick;           /* set by the owner: not before that one */
	/* On that tick, once; it no longer waits then. */
	void (*fn)(struct tick_wait *w);
};

struct ticks {
	struct loop *loop;
	struct watch clock;     /* a timerfd(2) for the next tick */
	struct list waiting;
};

/* Nobody waits as yet.  0 or a negative errno, and then it is not open. */
int ticks_open(struct ticks *t, struct loop *l);

/* Nobody may wait any more. */
void ticks_close(struct ticks *t);

/* The tick that was last. */
int64_t ticks_now(void);

/* w waits, for the next tick at least; it is not in a list before. */
void ticks_wait(struct ticks *t, struct tick_wait *w);

#endif
