/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_TIMER_H
#define SWS_NET_TIMER_H

/*
 * Deadlines in order.  A timer that is moved to later, which is what happens
 * to a connection's timer with every request, costs one store: the heap keeps
 * the old key, and learns of the new deadline when the old one comes.
 */

#include <stddef.h>
#include <stdint.h>

struct timer {
	void (*fn)(struct timer *t);
	int64_t deadline_ms;
	unsigned place;         /* in the heap, counted from 1; 0: not there */
};

struct timer_entry {
	int64_t key_ms;         /* never later than the timer's deadline */
	struct timer *timer;
};

/* A binary heap by key. */
struct timers {
	struct timer_entry *heap;       /* heap[0] is not used */
	unsigned n, cap;
};

void timers_init(struct timers *h);
void timers_fini(struct timers *h);

/*
 * Runs t->fn once, at the deadline or soon after, unless it is stopped.  A
 * timer that already runs is moved.  Returns 0, or -ENOMEM, which cannot
 * happen to a timer that already runs.
 */
int timers_start(struct timers *h, struct timer *t, int64_t deadline_ms);

/* After this t is nobody's; stopping a stopped timer is fine. */
void timers_stop(struct timers *h, struct timer *t);

/* Milliseconds from now to the next key: 0 when it is due, -1 for none. */
int timers_wait_ms(const struct timers *h, int64_t now_ms);

/* Calls what is due.  Timers may be started and stopped by what is called. */
void timers_run(struct timers *h, int64_t now_ms);

#endif
