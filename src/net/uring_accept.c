/* SPDX-License-Identifier: ISC */
/* One operation that accepts connection after connection. */
#include <errno.h>
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
	bool is_armed;
	bool is_cancelled;      /* its last completion is to come */
};

static bool
push_accept(struct uring_accept *a)
{
	struct io_uring_sqe *sqe = uring_sqe(a->u);

	if (sqe == NULL)
		return false;
	io_uring_prep_multishot_accept(sqe, a->fd, NULL, NULL,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	sqe->user_data = uring_data(a, URING_ACCEPT);
	a->is_armed = true;
	return true;
}

static bool
push(struct uring_plan *p)
{
	struct uring_accept *a = list_entry(p, struct uring_accept, plan);

	if (a->is_wanted)
		return a->is_armed || push_accept(a);
	if (a->is_armed && !a->is_cancelled) {
		if (!uring_push_cancel(a->u, a, URING_ACCEPT))
			return false;
		a->is_cancelled = true;
	}
	if (a->in == NULL && !a->is_armed) {
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

void
uring_accept_done(struct uring *u, void *owner, int res, unsigned flags)
{
	struct uring_accept *a = owner;

	if (!(flags & IORING_CQE_F_MORE)) {
		a->is_armed = a->is_cancelled = false;
		uring_plan(u, &a->plan);
	}
	if (res >= 0)
		accepted(a, res);
	else if ((res == -EMFILE || res == -ENFILE) && a->in != NULL)
		a->in->on_full(a->in);
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

void
uring_accept_close(void *op)
{
	struct uring_accept *a = op;

	a->in = NULL;
	a->is_wanted = false;
	list_append(&a->u->closed, &a->plan.closed);
	uring_plan(a->u, &a->plan);
}
