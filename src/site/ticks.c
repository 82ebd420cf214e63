/* SPDX-License-Identifier: ISC */
#include "site/ticks.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

int64_t
ticks_now(void)
{
	return clock_mono_ms() / TICK_MS;
}

static void
set_clock(struct ticks *t, int64_t tick)
{
	struct itimerspec when = { .it_value = {
		.tv_sec = tick * TICK_MS / 1000,
		.tv_nsec = tick * TICK_MS % 1000 * 1000000,
	} };

	timerfd_settime(t->clock.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void
ticks_wait(struct ticks *t, struct tick_wait *w)
{
	int64_t next = ticks_now() + 1;

	if (w->tick < next)
		w->tick = next;
	if (list_is_empty(&t->waiting))
		set_clock(t, next);
	list_append(&t->waiting, &w->node);
}

/* Moves those whose tick has come; who is called may have others wait. */
static void
collect_due(struct ticks *t, int64_t tick, struct list *due)
{
	struct list *l, *next;

	list_init(due);
	for (l = t->waiting.next; l != &t->waiting; l = next) {
		next = l->next;
		if (list_entry(l, struct tick_wait, node)->tick > tick)
			continue;
		list_remove(l);
		list_append(due, l);
	}
}

static void
on_tick(struct watch *clock, unsigned ready)
{
	struct ticks *t = list_entry(clock, struct ticks, clock);
	int64_t tick = ticks_now();
	struct tick_wait *w;
	struct list due;
	uint64_t times;

	(void)ready;
	if (read(clock->fd, &times, sizeof(times)) == -1)
		return;
	collect_due(t, tick, &due);
	if (!list_is_empty(&t->waiting))
		set_clock(t, tick + 1);
	while (!list_is_empty(&due)) {
		w = list_entry(due.next, struct tick_wait, node);
		list_remove(&w->node);
		w->fn(w);
	}
}

int
ticks_open(struct ticks *t, struct loop *l)
{
	int err;

	*t = (struct ticks){
		.loop = l,
		.clock = { .fn = on_tick, .wanted = READY_IN },
	};
	list_init(&t->waiting);
	t->clock.fd = timerfd_create(CLOCK_MONOTONIC,
	    TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->clock.fd == -1)
		return -errno;
	err = loop_add(l, &t->clock);
	if (err < 0)
		close(t->clock.fd);
	return err;
}

void
ticks_close(struct ticks *t)
{
	loop_remove(t->loop, &t->clock);
	close(t->clock.fd);
}
