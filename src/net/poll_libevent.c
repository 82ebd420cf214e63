/* SPDX-License-Identifier: ISC */
/*
 * libevent, which chooses among the kernel's ways to wait itself.  It calls
 * back for each that is ready; those are gathered here and handed on as many
 * at a time as the loop can take.  Nobody is asked again before all had their
 * turn.  Where it is opened while no descriptor is left, it ends the process.
 */
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "base/list.h"
#include "net/fdtable_priv.h"
#include "net/poller_priv.h"

struct libevent_state {
	struct event_base *base;
	struct event *late;     /* the timeout of a wait */
	struct entry **entries; /* by descriptor; NULL: never watched */
	size_t n_entries;
	struct list ready;
};

struct entry {
	struct list node;       /* in `ready`, or alone */
	struct libevent_state *state;
	struct event *event;
	unsigned ready;
};

static void
on_event(evutil_socket_t fd, short what, void *entry)
{
	struct entry *e = entry;

	(void)fd;
	if (e->ready == 0)
		list_append(&e->state->ready, &e->node);
	if (what & EV_READ)
		e->ready |= READY_IN;
	if (what & EV_WRITE)
		e->ready |= READY_OUT;
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

	for (size_t i = 0; i < s->n_entries; i++)
		if (s->entries[i] != NULL) {
			event_free(s->entries[i]->event);
			free(s->entries[i]);
		}
	free(s->entries);
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
	list_init(&s->ready);
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

static struct entry *
entry_of(struct libevent_state *s, int fd)
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
	e->event = event_new(s->base, fd, EV_PERSIST, on_event, e);
	if (e->event == NULL) {
		free(e);
		return NULL;
	}
	return table[fd] = e;
}

static int
le_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct libevent_state *s = state;
	struct entry *e = entry_of(s, fd);
	short what = EV_PERSIST;

	(void)old;
	if (e == NULL)
		return -ENOMEM;
	event_del(e->event);
	if (e->ready != 0)
		list_remove(&e->node);
	e->ready = 0;
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
	int n = 0, err;

	if (list_is_empty(&s->ready) && (err = turn(s, timeout_ms)) < 0)
		return err;
	while (n < max && !list_is_empty(&s->ready)) {
		struct entry *e = list_entry(s->ready.next, struct entry, node);

		list_remove(&e->node);
		events[n++] = (struct poller_event){
			.fd = event_get_fd(e->event),
			.ready = e->ready,
		};
		e->ready = 0;
	}
	return n;
}

const struct poller_ops poller_libevent = {
	.backend = le_backend,
	.open = le_open,
	.set = le_set,
	.wait = le_wait,
	.close = le_close,
};
