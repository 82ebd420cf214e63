/* SPDX-License-Identifier: ISC */
/*
 * libev, which chooses among the kernel's ways to wait itself.  Nobody is asked
 * again before all that were ready had their turn.
 */
#include <errno.h>
#include <ev.h>
#include <stdlib.h>

#include "net/readyset_priv.h"

struct libev_state {
	struct ev_loop *loop;
	struct ev_timer late;   /* the timeout of a wait */
	struct readyset set;    /* struct entry */
};

struct entry {
	struct ready_entry base;
	struct ev_io io;
};

static void
on_io(struct ev_loop *loop, struct ev_io *io, int what)
{
	struct entry *e = list_entry(io, struct entry, io);
	unsigned ready = 0;

	(void)loop;
	if (what & EV_READ)
		ready |= READY_IN;
	if (what & EV_WRITE)
		ready |= READY_OUT;
	/* libev calls the last first. */
	ready_first(&e->base, ready);
}

static void
on_late(struct ev_loop *loop, struct ev_timer *late, int what)
{
	(void)loop, (void)late, (void)what;
}

static const char *
lv_backend(void)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ EVBACKEND_EPOLL, "epoll" },
		{ EVBACKEND_KQUEUE, "kqueue" },
		{ EVBACKEND_PORT, "port" },
		{ EVBACKEND_POLL, "poll" },
		{ EVBACKEND_SELECT, "select" },
	};
	unsigned there = ev_recommended_backends() & ev_supported_backends();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (there & names[i].bit)
			return names[i].name;
	return "nothing";
}

static int
lv_open(unsigned argument, void **out_state)
{
	struct libev_state *s = calloc(1, sizeof(*s));

	(void)argument;
	if (s == NULL)
		return -ENOMEM;
	readyset_init(&s->set);
	/* LIBEV_FLAGS of the environment is not for a server to follow. */
	s->loop = ev_loop_new(EVFLAG_NOENV);
	if (s->loop == NULL) {
		free(s);
		return -ENOMEM;
	}
	ev_init(&s->late, on_late);
	*out_state = s;
	return 0;
}

static int
lv_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct libev_state *s = state;
	struct entry *e = readyset_reach(&s->set, fd, sizeof(*e));
	int what = 0;

	(void)old;
	if (e == NULL)
		return -ENOMEM;
	ev_io_stop(s->loop, &e->io);
	if (wanted & READY_IN)
		what |= EV_READ;
	if (wanted & READY_OUT)
		what |= EV_WRITE;
	ev_io_init(&e->io, on_io, fd, what);
	if (wanted != 0)
		ev_io_start(s->loop, &e->io);
	return 0;
}

static void
turn(struct libev_state *s, int timeout_ms)
{
	if (timeout_ms > 0) {
		ev_now_update(s->loop);
		ev_timer_set(&s->late, timeout_ms / 1000.0, 0.0);
		ev_timer_start(s->loop, &s->late);
	}
	/* With nothing to watch it would return at once. */
	ev_ref(s->loop);
	ev_run(s->loop, timeout_ms != 0 ? EVRUN_ONCE : EVRUN_NOWAIT);
	ev_unref(s->loop);
	ev_timer_stop(s->loop, &s->late);
}

static int
lv_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct libev_state *s = state;

	if (list_is_empty(&s->set.ready))
		turn(s, timeout_ms);
	return readyset_take(&s->set, events, max);
}

static void
lv_close(void *state)
{
	struct libev_state *s = state;

	for (size_t i = 0; i < s->set.n_entries; i++) {
		struct entry *e = readyset_at(&s->set, i);

		if (e != NULL)
			ev_io_stop(s->loop, &e->io);
	}
	ev_loop_destroy(s->loop);
	readyset_fini(&s->set);
	free(s);
}

const struct poller_ops poller_libev = {
	.backend = lv_backend,
	.open = lv_open,
	.set = lv_set,
	.wait = lv_wait,
	.close = lv_close,
};
