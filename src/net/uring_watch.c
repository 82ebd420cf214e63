/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that are watched, by operations that each tell of one event.
 * Being written before each wait, and only while something is wanted, they
 * are level-triggered.  A poll outlives what it was asked for by a moment; so
 * each has a generation, and what comes from an older one is nobody's.
 */
#include <errno.h>
#include <poll.h>

#include "net/fdtable_priv.h"
#include "net/pollset_priv.h"
#include "net/uring_priv.h"

/* user_data: generation, descriptor, tag. */
#define FD_SHIFT 4
#define GENERATION_SHIFT 36

static uint64_t
data_of(int fd, unsigned generation)
{
	return (uint64_t)generation << GENERATION_SHIFT |
	    (uint64_t)(unsigned)fd << FD_SHIFT | URING_WATCH;
}

static void
plan(struct uring *u, int fd)
{
	struct uring_watch *w = &u->watches[fd];

	if (w->is_planned)
		return;
	w->is_planned = true;
	w->next = u->planned_watch;
	u->planned_watch = fd;
}

int
uring_watch_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct uring *u = state;
	struct uring_watch *watches;

	(void)old;
	watches = fdtable_reach(u->watches, &u->n_watches, sizeof(*watches),
	    fd);
	if (watches == NULL)
		return -ENOMEM;
	u->watches = watches;
	watches[fd].wanted = (unsigned char)wanted;
	watches[fd].is_stale = true;
	plan(u, fd);
	return 0;
}

static bool
push_remove(struct uring *u, struct uring_watch *w, int fd)
{
	struct io_uring_sqe *sqe = uring_sqe(u);

	if (sqe == NULL)
		return false;
	io_uring_prep_poll_remove(sqe, data_of(fd, w->generation));
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	sqe->user_data = URING_NOBODY;
	w->armed = 0;
	return true;
}

static bool
push_poll(struct uring *u, struct uring_watch *w, int fd)
{
	struct io_uring_sqe *sqe = uring_sqe(u);
	unsigned mask = 0;

	if (sqe == NULL)
		return false;
	if (w->wanted & READY_IN)
		mask |= POLLIN;
	if (w->wanted & READY_OUT)
		mask |= POLLOUT;
	/* As many bits as there is room for: they come round. */
	w->generation = (w->generation + 1) & 0xfffffff;
	io_uring_prep_poll_add(sqe, fd, mask);
	sqe->user_data = data_of(fd, w->generation);
	w->armed = w->wanted;
	return true;
}

static bool
push(struct uring *u, int fd)
{
	struct uring_watch *w = &u->watches[fd];

	if (w->armed && w->is_stale && !push_remove(u, w, fd))
		return false;
	w->is_stale = false;
	return w->wanted == 0 || w->armed || push_poll(u, w, fd);
}

bool
uring_watch_push(struct uring *u)
{
	int fd;

	while ((fd = u->planned_watch) != -1) {
		if (!push(u, fd))
			return false;
		u->planned_watch = u->watches[fd].next;
		u->watches[fd].is_planned = false;
	}
	return true;
}

int
uring_watch_event(struct uring *u, const struct io_uring_cqe *cqe,
    struct poller_event *out_event)
{
	unsigned generation = (unsigned)(cqe->user_data >> GENERATION_SHIFT);
	int fd = (int)(unsigned)(cqe->user_data >> FD_SHIFT);
	struct uring_watch *w = &u->watches[fd];

	if (w->generation != generation || w->armed == 0)
		return 0;
	w->armed = 0;
	plan(u, fd);
	out_event->fd = fd;
	/* Whoever cannot be watched finds out why by reading or writing. */
	out_event->ready = cqe->res < 0 ? READY_IN | READY_OUT :
	    pollset_ready((short)cqe->res);
	return 1;
}

void
uring_watch_forget(struct uring *u)
{
	for (size_t fd = 0; fd < u->n_watches; fd++)
		if (u->watches[fd].wanted != 0)
			uring_watch_set(u, (int)fd, 0, 0);
}
