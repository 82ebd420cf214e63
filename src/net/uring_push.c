/* SPDX-License-Identifier: ISC */
/*
 * What a stream submits: everything is derived here, at the end of a turn,
 * from what its owner wants and what is under way already.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/uring_stream_priv.h"

void
uring_stream_drop_out(struct uring_stream *s)
{
	for (int i = 0; i < 2; i++) {
		if (s->out[i] != NULL)
			uring_out_give(s->u, s->out[i]);
		s->out[i] = NULL;
	}
}

static struct io_uring_sqe *
begin_push(struct uring_stream *s, enum uring_tag tag)
{
	struct io_uring_sqe *sqe = uring_sqe(s->u);

	if (sqe != NULL)
		s->armed |= URING_BIT(tag);
	return sqe;
}

static bool
push_receive(struct uring_stream *s)
{
	struct io_uring_sqe *sqe = begin_push(s, URING_RECEIVE_MORE);

	if (sqe == NULL)
		return false;
	io_uring_prep_recv_multishot(sqe, s->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->user_data = uring_data(s, URING_RECEIVE_MORE);
	return true;
}

static bool
push_send(struct uring_stream *s)
{
	struct io_uring_sqe *sqe = begin_push(s, URING_SEND_SOME);
	struct uring_out *out = s->out[0];

	if (sqe == NULL)
		return false;
	io_uring_prep_send(sqe, s->fd, out->bytes + out->sent,
	    out->n - out->sent, MSG_NOSIGNAL | MSG_WAITALL);
	sqe->user_data = uring_data(s, URING_SEND_SOME);
	return true;
}

static bool
push_writable(struct uring_stream *s)
{
	struct io_uring_sqe *sqe = begin_push(s, URING_WRITABLE);

	if (sqe == NULL)
		return false;
	io_uring_prep_poll_add(sqe, s->fd, POLLOUT);
	sqe->user_data = uring_data(s, URING_WRITABLE);
	return true;
}

/* Ends those of these operations that are under way; false: not all, yet. */
static bool
push_cancel(struct uring_stream *s, unsigned tags)
{
	tags &= s->armed & ~(unsigned)s->cancelled;
	for (unsigned tag = 0; tag < URING_TAGS; tag++) {
		if (!(tags & URING_BIT(tag)))
			continue;
		if (!uring_push_cancel(s->u, s, tag))
			return false;
		s->cancelled |= URING_BIT(tag);
	}
	return true;
}

static bool
has_news(const struct uring_stream *s)
{
	return s->kept.n > 0 || (s->has_ended && !s->knows_end) ||
	    (s->err != 0 && !s->knows_broken);
}

/* What is wanted and has come already is told after the wait. */
static bool
push_wanted_in(struct uring_stream *s)
{
	if (has_news(s))
		list_append(&s->u->ready, &s->plan.node);
	else if (!s->has_ended && s->err == 0 &&
	    !is_armed(s, URING_RECEIVE_MORE))
		return push_receive(s);
	return true;
}

/*
 * The socket is left to somebody else when nothing is under way, and told so
 * when what had been received is delivered.
 */
static bool
push_leaving(struct uring_stream *s)
{
	if (s->out[0] != NULL)
		return is_armed(s, URING_SEND_SOME) || push_send(s);
	if (!push_cancel(s, s->armed))
		return false;
	if (s->armed == 0)
		list_append(&s->u->ready, &s->plan.node);
	return true;
}

static bool
push_open(struct uring_stream *s)
{
	if (s->is_leaving)
		return push_leaving(s);
	if (s->holds && !push_cancel(s, URING_BIT(URING_RECEIVE_MORE)))
		return false;
	s->holds = false;
	if (s->out[0] != NULL) {
		if (!is_armed(s, URING_SEND_SOME) && !push_send(s))
			return false;
	} else if (s->wanted & READY_OUT) {
		if (!is_armed(s, URING_WRITABLE) && !push_writable(s))
			return false;
	}
	return !(s->wanted & READY_IN) || push_wanted_in(s);
}

static void
free_stream(struct uring_stream *s)
{
	list_remove(&s->plan.closed);
	loop_timer_stop(s->u->loop, &s->deadline);
	uring_stream_drop_out(s);
	buf_fini(&s->kept);
	free(s);
}

/* First what was taken is sent; then it lives until nothing is under way. */
static bool
push_closed(struct uring_stream *s)
{
	if (s->out[0] != NULL && !s->aborts && !s->u->is_ending)
		return is_armed(s, URING_SEND_SOME) || push_send(s);
	if (!push_cancel(s, s->armed))
		return false;
	if (s->fd != -1) {
		if (!uring_push_close(s->u, s->fd))
			return false;
		s->fd = -1;
	}
	if (s->armed == 0)
		free_stream(s);
	return true;
}

bool
uring_stream_push(struct uring_plan *p)
{
	struct uring_stream *s = list_entry(p, struct uring_stream, plan);

	return s->is_closed ? push_closed(s) : push_open(s);
}
