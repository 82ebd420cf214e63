/* SPDX-License-Identifier: ISC */
/*
 * libevent, which chooses among the kernel's ways to wait itself.  Nobody is
 * asked again before all that were ready had their turn.  Where it is opened
 * while no descriptor is left, it ends the process.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "net/readyset_priv.h"

struct libevent_state {
	struct event_base *base;
	struct event *late;     /* the timeout of a wait */
	struct readyset set;    /* struct entry */
};

struct entry {
	struct ready_entry base;
	struct event *event;    /* NULL: not made yet */
};

static void
on_event(evutil_socket_t fd, short what, void *entry)
{
	unsigned ready = 0;

	(void)fd;
	if (what & EV_READ)
		ready |= READY_IN;
	if (what & EV_WRITE)
		ready |= READY_OUT;
	ready_last(entry, ready);
}

static void
on_late(evutil_socket_t fd, short what, void *state)
{
	(void)fd, (void)what, (void)state;
}

static const char *
le_backend(void)
{
	struct event_base *base = event_base_new();
	const char *name;

	if (base == NULL)
		return "nothing";
	/* A string of the library's own, which outlives the base. */
	name = event_base_get_method(base);
	event_base_free(base);
	return name;
}

static void
le_close(void *state)
{
	struct libevent_state *s = state;

	for (size_t i = 0; i < s->set.n_entries; i++) {
		const struct entry *e = readyset_at(&s->set, i);

		if (e != NULL && e->event != NULL)
			event_free(e->event);
	}
	readyset_fini(&s->set);
	if (s->late != NULL)
		event_free(s->late);
	if (s->base != NULL)
		event_base_free(s->base);
	free(s);
}

static int
le_open(unsigned argument, void **out_state)
{
	struct libevent_state *s = calloc(1, sizeof(*s));

	(void)argument;
	if (s == NULL)
		return -ENOMEM;
	readyset_init(&s->set);
	s->base = event_base_new();
	if (s->base != NULL)
		s->late = evtimer_new(s->base, on_late, NULL);
	if (s->late == NULL) {
		le_close(s);
		return -ENOMEM;
	}
	*out_state = s;
	return 0;
}

static int
le_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct libevent_state *s = state;
	struct entry *e = readyset_reach(&s->set, fd, sizeof(*e));
	short what = EV_PERSIST;

	(void)old;
	if (e != NULL && e->event == NULL)
		e->event = event_new(s->base, fd, what, on_event, e);
	if (e == NULL || e->event == NULL)
		return -ENOMEM;
	event_del(e->event);
	if (wanted & READY_IN)
		what |= EV_READ;
	if (wanted & READY_OUT)
		what |= EV_WRITE;
	if (event_assign(e->event, s->base, fd, what, on_event, e) == -1)
		return -EINVAL;
	if (wanted != 0 && event_add(e->event, NULL) == -1)
		return errno != 0 ? -errno : -EINVAL;
	return 0;
}

static int
turn(struct libevent_state *s, int timeout_ms)
{
	struct timeval t = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000L,
	};
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY, err;

	if (timeout_ms == 0)
		flags |= EVLOOP_NONBLOCK;
	else if (timeout_ms > 0 && event_add(s->late, &t) == -1)
		return -ENOMEM;
	err = event_base_loop(s->base, flags);
	event_del(s->late);
	return err == -1 ? -EIO : 0;
}

static int
le_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct libevent_state *s = state;
	int err;

	if (list_is_empty(&s->set.ready) && (err = turn(s, timeout_ms)) < 0)
		return err;
	return readyset_take(&s->set, events, max);
}

const struct poller_ops poller_libevent = {
	.backend = le_backend,
	.open = le_open,
	.set = le_set,
	.wait = le_wait,
	.close = le_close,
};
