/* SPDX-License-Identifier: ISC */
/*
 * io_uring(7), the turn of the loop: write what is planned, submit it and wait
 * in one system call, hand out what completed.  uring_priv.h tells how an
 * operation lives.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/uring_priv.h"

/* For what is on its way when the loop ends. */
#define LAST_BYTES_MS 5000
/* What is cancelled should end at once. */
#define CANCEL_MS 1000
/* When nothing can be submitted now, it is tried again after this. */
#define RETRY_MS 1

static void (*const on_done[URING_TAGS])(struct uring *u, void *owner,
    int res, unsigned flags) = {
	[URING_RECEIVE_MORE] = uring_stream_received,
	[URING_SEND_SOME] = uring_stream_sent,
	[URING_WRITABLE] = uring_stream_writable,
	[URING_ACCEPT] = uring_accept_done,
	[URING_KNOCK] = uring_accept_knocked,
};

void
uring_plan(struct uring *u, struct uring_plan *p)
{
	list_remove(&p->node);
	list_append(&u->plans, &p->node);
}

struct io_uring_sqe *
uring_sqe(struct uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	if (sqe != NULL)
		return sqe;
	io_uring_submit(&u->ring);
	return io_uring_get_sqe(&u->ring);
}

bool
uring_push_cancel(struct uring *u, const void *owner, enum uring_tag tag)
{
	struct io_uring_sqe *sqe = uring_sqe(u);

	if (sqe == NULL)
		return false;
	io_uring_prep_cancel64(sqe, uring_data(owner, tag), 0);
	/* Failure says that it is over already, and will be told. */
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	sqe->user_data = URING_NOBODY;
	return true;
}

bool
uring_push_close(struct uring *u, int fd)
{
	struct io_uring_sqe *sqe = uring_sqe(u);

	if (sqe == NULL)
		return false;
	io_uring_prep_close(sqe, fd);
	sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
	sqe->user_data = URING_NOBODY;
	return true;
}

/* Writes all that is planned, as far as the ring takes it. */
static void
push(struct uring *u)
{
	struct list *node;

	if (!uring_watch_push(u))
		return;
	while (!list_is_empty(&u->plans)) {
		struct uring_plan *p;

		node = u->plans.next;
		p = list_entry(node, struct uring_plan, node);
		list_remove(node);
		if (!p->push(p)) {
			list_append(&u->plans, node);
			return;
		}
	}
}

static bool
is_pushed(const struct uring *u)
{
	return list_is_empty(&u->plans) && u->planned_watch == -1;
}

static int
submit_and_wait(struct uring *u, int timeout_ms)
{
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000ll,
	};
	struct io_uring_cqe *cqe;
	int err;

	err = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1,
	    timeout_ms < 0 ? NULL : &ts, NULL);
	/* What could not be submitted for want of memory stays in the ring. */
	return err == -ETIME || err == -EINTR || err == -EBUSY ||
	    err == -EAGAIN ? 0 : err;
}

static int
wait_ms(const struct uring *u, int timeout_ms)
{
	if (!list_is_empty(&u->ready))
		return 0;
	if (is_pushed(u))
		return timeout_ms;
	return timeout_ms == 0 ? 0 : RETRY_MS;
}

/*
 * Looks at the completions: those of watches become events, the others are
 * only counted here.
 */
static int
look(struct uring *u, struct poller_event *events, int max)
{
	struct io_uring_cqe *cqe;
	unsigned head;
	int n = 0;

	u->n_seen = 0;
	io_uring_for_each_cqe(&u->ring, head, cqe) {
		if ((cqe->user_data & URING_TAG_BITS) == URING_WATCH) {
			if (n == max)
				break;
			n += uring_watch_event(u, cqe, &events[n]);
		}
		u->n_seen++;
	}
	return n;
}

static int
uring_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct uring *u = state;
	int err;

	push(u);
	err = submit_and_wait(u, wait_ms(u, timeout_ms));
	return err < 0 ? err : look(u, events, max);
}

static void
done(struct uring *u, uint64_t data, int res, unsigned flags)
{
	uint64_t tag = data & URING_TAG_BITS;

	if (on_done[tag] != NULL)
		on_done[tag](u, (void *)(uintptr_t)(data - tag), res, flags);
}

void
uring_tell_now(struct uring *u, const void *owner, enum uring_tag tag)
{
	uint64_t data = uring_data(owner, tag);
	struct io_uring_cqe *cqe;
	unsigned head;

	io_uring_submit_and_get_events(&u->ring);
	io_uring_for_each_cqe(&u->ring, head, cqe) {
		if (cqe->user_data != data)
			continue;
		cqe->user_data = URING_NOBODY;
		done(u, data, cqe->res, cqe->flags);
	}
}

/*
 * Each is taken out of the ring before it is told.  Those that come up
 * meanwhile are left to the next turn.
 */
static void
uring_deliver(void *state)
{
	struct uring *u = state;
	struct io_uring_cqe *cqe;
	unsigned head;

	io_uring_for_each_cqe(&u->ring, head, cqe) {
		struct io_uring_cqe c = {
			.user_data = cqe->user_data,
			.res = cqe->res,
			.flags = cqe->flags,
		};

		if (u->n_seen-- == 0)
			break;
		io_uring_cqe_seen(&u->ring, cqe);
		done(u, c.user_data, c.res, c.flags);
	}
	u->n_seen = 0;
	uring_stream_deliver(u);
}

/* Turns in which nobody is called, until nothing is under way. */
static void
wait_for_closed(struct uring *u, int patience_ms)
{
	int64_t end_ms = clock_mono_ms() + patience_ms;

	for (;;) {
		int64_t left_ms = end_ms - clock_mono_ms();
		struct poller_event none;

		push(u);
		if (list_is_empty(&u->closed) || left_ms <= 0 ||
		    uring_wait(u, (int)left_ms, &none, 1) < 0)
			break;
		uring_deliver(u);
	}
	io_uring_submit(&u->ring);
}

/*
 * What was taken from streams before they were closed is sent.  Then all is
 * cancelled and waited for: else the kernel would let go of the sockets, and
 * of their port, only some time after the process has ended.
 */
static void
uring_close(void *state)
{
	struct uring *u = state;
	struct list *node;

	uring_watch_forget(u);
	wait_for_closed(u, LAST_BYTES_MS);
	u->is_ending = true;
	for (node = u->closed.next; node != &u->closed; node = node->next)
		uring_plan(u, list_entry(node, struct uring_plan, closed));
	wait_for_closed(u, CANCEL_MS);
	uring_teardown(u);
	free(u);
}

static int
uring_open(unsigned n_buffers, void **out_state)
{
	struct uring *u = calloc(1, sizeof(*u));
	int err;

	if (u == NULL)
		return -ENOMEM;
	list_init(&u->plans);
	list_init(&u->closed);
	list_init(&u->ready);
	u->planned_watch = -1;
	err = uring_setup(u, n_buffers);
	if (err < 0) {
		free(u);
		return err;
	}
	*out_state = u;
	return 0;
}

static const char *
why(int err)
{
	switch (err) {
	case -ENOSYS:
		return "the kernel has no io_uring";
	case -EPERM:
	case -EACCES:
		return "io_uring is forbidden, by kernel.io_uring_disabled "
		    "or a filter of system calls";
	case -EINVAL:
		return "the kernel is older than 6.1";
	default:
		return strerror(-err);
	}
}

/* Only trying tells. */
static const char *
uring_lacks(void)
{
	void *state;
	int err;

	err = uring_open(2, &state);
	if (err < 0)
		return why(err);
	uring_close(state);
	return NULL;
}

static const struct completion_ops completion = {
	.deliver = uring_deliver,
	.open_stream = uring_stream_open,
	.open_accept = uring_accept_open,
	.want_accept = uring_accept_want,
	.close_accept = uring_accept_close,
};

const struct poller_ops poller_uring = {
	.lacks = uring_lacks,
	.open = uring_open,
	.set = uring_watch_set,
	.wait = uring_wait,
	.close = uring_close,
	.completion = &completion,
};
