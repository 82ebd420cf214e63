/* SPDX-License-Identifier: ISC */
/*
 * One operation that accepts connection after connection.  It takes a
 * descriptor before it looks whether there is a connection to take; so it
 * fails at once, and again at once, while none is left.  Whenever it has
 * failed somebody is waited for, and then accept(2) tells why.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/uring_priv.h"

struct uring_accept {
	struct uring_plan plan;
	struct uring *u;
	struct intake *in;      /* NULL: closed */
	int fd;
	bool is_wanted;
	bool has_failed;
	enum uring_tag armed;   /* URING_NOBODY: nothing is under way */
	bool is_cancelled;      /* its last completion is to come */
};

static bool
arm(struct uring_accept *a)
{
	struct io_uring_sqe *sqe = uring_sqe(a->u);

	if (sqe == NULL)
		return false;
	if (a->has_failed)
		io_uring_prep_poll_add(sqe, a->fd, POLLIN);
	else
		io_uring_prep_multishot_accept(sqe, a->fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
	a->armed = a->has_failed ? URING_KNOCK : URING_ACCEPT;
	sqe->user_data = uring_data(a, a->armed);
	return true;
}

static bool
push(struct uring_plan *p)
{
	struct uring_accept *a = list_entry(p, struct uring_accept, plan);

	if (a->is_wanted)
		return a->armed != URING_NOBODY || arm(a);
	if (a->armed != URING_NOBODY && !a->is_cancelled) {
		if (!uring_push_cancel(a->u, a, a->armed))
			return false;
		a->is_cancelled = true;
	}
	if (a->in == NULL && a->armed == URING_NOBODY) {
		list_remove(&p->closed);
		free(a);
	}
	return true;
}

/* The address is not told by an operation that has many results. */
static void
accepted(struct uring_accept *a, int fd)
{
	struct addr peer = { .len = sizeof(peer.u) };

	if (a->in == NULL || getpeername(fd, &peer.u.sa, &peer.len) == -1)
		close(fd);      /* we, or it, have gone meanwhile */
	else
		a->in->on_accept(a->in, fd, &peer);
}

static void
finished(struct uring_accept *a)
{
	a->armed = URING_NOBODY;
	a->is_cancelled = false;
	uring_plan(a->u, &a->plan);
}

void
uring_accept_done(struct uring *u, void *owner, int res, unsigned flags)
{
	struct uring_accept *a = owner;

	(void)u;
	if (!(flags & IORING_CQE_F_MORE))
		finished(a);
	if (res >= 0)
		accepted(a, res);
	else
		a->has_failed = res != -ECANCELED;
}

void
uring_accept_knocked(struct uring *u, void *owner, int res, unsigned flags)
{
	struct uring_accept *a = owner;

	(void)u;
	(void)flags;
	finished(a);
	a->has_failed = false;
	if (res > 0 && a->is_wanted)
		intake_accept(a->in);
}

int
uring_accept_open(void *state, struct intake *in, int fd, void **out_op)
{
	struct uring_accept *a = malloc(sizeof(*a));

	if (a == NULL)
		return -ENOMEM;
	*a = (struct uring_accept){
		.plan.push = push,
		.u = state,
		.in = in,
		.fd = fd,
		.is_wanted = true,
	};
	list_init(&a->plan.node);
	list_init(&a->plan.closed);
	uring_plan(a->u, &a->plan);
	*out_op = a;
	return 0;
}

void
uring_accept_want(void *op, bool wanted)
{
	struct uring_accept *a = op;

	if (a->is_wanted == wanted)
		return;
	a->is_wanted = wanted;
	uring_plan(a->u, &a->plan);
}

/*
 * At once: of all who wait at a socket the kernel wakes but one, and another
 * process may wait for what we would not take any more.  What was taken cannot
 * go back to the queue.
 */
void
uring_accept_close(void *op)
{
	struct uring_accept *a = op;

	if (a->armed != URING_NOBODY && !a->is_cancelled)
		a->is_cancelled = uring_push_cancel(a->u, a, a->armed);
	uring_tell_now(a->u, a, URING_ACCEPT);
	a->in = NULL;
	a->is_wanted = false;
	list_append(&a->u->closed, &a->plan.closed);
	uring_plan(a->u, &a->plan);
}
