/* SPDX-License-Identifier: ISC */
/*
 * The heap of deadlines.  Each timer knows its place, so it can be taken out
 * without a search.
 */
#include "net/timer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static void
put(struct timers *h, unsigned place, struct timer_entry e)
{
	h->heap[place] = e;
	e.timer->place = place;
}

static void
sift_up(struct timers *h, unsigned i, struct timer_entry e)
{
	while (i > 1 && h->heap[i / 2].key_ms > e.key_ms) {
		put(h, i, h->heap[i / 2]);
		i /= 2;
	}
	put(h, i, e);
}

static void
sift_down(struct timers *h, unsigned i, struct timer_entry e)
{
	unsigned child;

	while ((child = 2 * i) <= h->n) {
		if (child < h->n &&
		    h->heap[child + 1].key_ms < h->heap[child].key_ms)
			child++;
		if (h->heap[child].key_ms >= e.key_ms)
			break;
		put(h, i, h->heap[child]);
		i = child;
	}
	put(h, i, e);
}

static int
grow(struct timers *h)
{
	unsigned cap = h->cap ? 2 * h->cap : 16;
	struct timer_entry *heap;

	heap = realloc(h->heap, (size_t)cap * sizeof(*heap));
	if (heap == NULL)
		return -ENOMEM;
	h->heap = heap;
	h->cap = cap;
	return 0;
}

void
timers_init(struct timers *h)
{
	*h = (struct timers){ .heap = NULL };
}

void
timers_fini(struct timers *h)
{
	free(h->heap);
	timers_init(h);
}

int
timers_start(struct timers *h, struct timer *t, int64_t deadline_ms)
{
	struct timer_entry e = { deadline_ms, t };
	int err;

	t->deadline_ms = deadline_ms;
	if (t->place != 0) {
		if (deadline_ms < h->heap[t->place].key_ms)
			sift_up(h, t->place, e);
		return 0;
	}
	if (h->n + 1 >= h->cap && (err = grow(h)) < 0)
		return err;
	sift_up(h, ++h->n, e);
	return 0;
}

void
timers_stop(struct timers *h, struct timer *t)
{
	unsigned hole = t->place;
	struct timer_entry last;

	if (hole == 0)
		return;
	t->place = 0;
	last = h->heap[h->n--];
	if (last.timer == t)
		return;
	if (hole > 1 && h->heap[hole / 2].key_ms > last.key_ms)
		sift_up(h, hole, last);
	else
		sift_down(h, hole, last);
}

int
timers_wait_ms(const struct timers *h, int64_t now_ms)
{
	int64_t wait;

	if (h->n == 0)
		return -1;
	wait = h->heap[1].key_ms - now_ms;
	if (wait < 0)
		return 0;
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

void
timers_run(struct timers *h, int64_t now_ms)
{
	while (h->n > 0 && h->heap[1].key_ms <= now_ms) {
		struct timer *t = h->heap[1].timer;

		if (t->deadline_ms > h->heap[1].key_ms) {
			/* It was moved while it waited. */
			sift_down(h, 1,
			    (struct timer_entry){ t->deadline_ms, t });
			continue;
		}
		timers_stop(h, t);
		t->fn(t);
	}
}
