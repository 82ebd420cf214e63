/* SPDX-License-Identifier: ISC */
/*
 * kqueue(2) of the BSDs: the kernel keeps the set, as with epoll(7), but has a
 * filter for each direction.  It is compiled wherever <sys/event.h> is, which
 * is not on Linux; Debian 12 has no libkqueue either.  So this file has been
 * compiled there against declarations alone, and never been run.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/event.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "net/fdtable_priv.h"
#include "net/poller_priv.h"

#define BATCH 256

struct kqueue_state {
	int kq;
	int *place;             /* by descriptor: where in the events of a
	                           wait it stands, if it does */
	size_t n_place;
	struct kevent events[BATCH];
};

static int
kq_open(unsigned argument, void **out_state)
{
	struct kqueue_state *s = calloc(1, sizeof(*s));
	int err;

	(void)argument;
	if (s == NULL)
		return -ENOMEM;
	s->kq = kqueue();
	if (s->kq == -1) {
		err = -errno;
		free(s);
		return err;
	}
	*out_state = s;
	return 0;
}

static int
change(const struct kqueue_state *s, int fd, short filter, unsigned short op)
{
	struct kevent e;

	EV_SET(&e, (uintptr_t)fd, filter, op, 0, 0, 0);
	return kevent(s->kq, &e, 1, NULL, 0, NULL) == -1 ? -errno : 0;
}

static int
set_filter(const struct kqueue_state *s, int fd, short filter, bool was,
    bool is)
{
	if (was == is)
		return 0;
	return change(s, fd, filter, is ? EV_ADD : EV_DELETE);
}

static int
kq_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct kqueue_state *s = state;
	int *place, err;

	place = fdtable_reach(s->place, &s->n_place, sizeof(*place), fd);
	if (place == NULL)
		return -ENOMEM;
	s->place = place;
	err = set_filter(s, fd, EVFILT_READ, old & READY_IN,
	    wanted & READY_IN);
	if (err < 0)
		return err;
	err = set_filter(s, fd, EVFILT_WRITE, old & READY_OUT,
	    wanted & READY_OUT);
	/* Both or none. */
	if (err < 0)
		set_filter(s, fd, EVFILT_READ, wanted & READY_IN,
		    old & READY_IN);
	return err;
}

/* One event a descriptor, whichever of its filters spoke. */
static int
add_event(struct kqueue_state *s, const struct kevent *e,
    struct poller_event *events, int n)
{
	int fd = (int)e->ident, at = s->place[fd];
	unsigned ready = e->filter == EVFILT_READ ? READY_IN : READY_OUT;

	if (at < n && events[at].fd == fd) {
		events[at].ready |= ready;
		return n;
	}
	s->place[fd] = n;
	events[n] = (struct poller_event){ fd, ready };
	return n + 1;
}

static int
kq_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct kqueue_state *s = state;
	struct timespec t = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L,
	};
	int found, n = 0;

	found = kevent(s->kq, NULL, 0, s->events, max < BATCH ? max : BATCH,
	    timeout_ms < 0 ? NULL : &t);
	if (found == -1)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < found; i++)
		n = add_event(s, &s->events[i], events, n);
	return n;
}

static void
kq_close(void *state)
{
	struct kqueue_state *s = state;

	close(s->kq);
	free(s->place);
	free(s);
}

const struct poller_ops poller_kqueue = {
	.open = kq_open,
	.set = kq_set,
	.wait = kq_wait,
	.close = kq_close,
};
