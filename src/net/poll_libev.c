/* SPDX-License-Identifier: ISC */
/*
 * libev, which chooses among the kernel's ways to wait itself.  It calls back
 * for each that is ready; those are gathered here and handed on as many at a
 * time as the loop can take.  Nobody is asked again before all had their turn.
 */
#include <errno.h>
#include <ev.h>
#include <stdlib.h>

#include "base/list.h"
#include "net/fdtable_priv.h"
#include "net/poller_priv.h"

struct libev_state {
	struct ev_loop *loop;
	struct ev_timer late;   /* the timeout of a wait */
	struct entry **entries; /* by descriptor; NULL: never watched */
	size_t n_entries;
	struct list ready;
};

struct entry {
	struct list node;       /* in `ready`, or alone */
	struct libev_state *state;
	struct ev_io io;
	unsigned ready;
};

static void
on_io(struct ev_loop *loop, struct ev_io *io, int what)
{
	struct entry *e = list_entry(io, struct entry, io);

	(void)loop;
	/* libev calls the last first. */
	if (e->ready == 0)
		list_append(e->state->ready.next, &e->node);
	if (what & EV_READ)
		e->ready |= READY_IN;
	if (what & EV_WRITE)
		e->ready |= READY_OUT;
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
	list_init(&s->ready);
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

static struct entry *
entry_of(struct libev_state *s, int fd)
{
	struct entry **table, *e;

	table = fdtable_reach(s->entries, &s->n_entries,
	    sizeof(struct entry *), fd);
	if (table == NULL)
		return NULL;
	s->entries = table;
	if (table[fd] != NULL)
		return table[fd];
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->state = s;
	ev_init(&e->io, on_io);
	return table[fd] = e;
}

static int
lv_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct libev_state *s = state;
	struct entry *e = entry_of(s, fd);
	int what = 0;

	(void)old;
	if (e == NULL)
		return -ENOMEM;
	ev_io_stop(s->loop, &e->io);
	if (e->ready != 0)
		list_remove(&e->node);
	e->ready = 0;
	if (wanted & READY_IN)
		what |= EV_READ;
	if (wanted & READY_OUT)
		what |= EV_WRITE;
	ev_io_set(&e->io, fd, what);
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
	int n = 0;

	if (list_is_empty(&s->ready))
		turn(s, timeout_ms);
	while (n < max && !list_is_empty(&s->ready)) {
		struct entry *e = list_entry(s->ready.next, struct entry, node);

		list_remove(&e->node);
		events[n++] = (struct poller_event){ e->io.fd, e->ready };
		e->ready = 0;
	}
	return n;
}

static void
lv_close(void *state)
{
	struct libev_state *s = state;

	for (size_t i = 0; i < s->n_entries; i++)
		if (s->entries[i] != NULL) {
			ev_io_stop(s->loop, &s->entries[i]->io);
			free(s->entries[i]);
		}
	free(s->entries);
	ev_loop_destroy(s->loop);
	free(s);
}

const struct poller_ops poller_libev = {
	.backend = lv_backend,
	.open = lv_open,
	.set = lv_set,
	.wait = lv_wait,
	.close = lv_close,
};
