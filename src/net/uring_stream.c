/* SPDX-License-Identifier: ISC */
/*
 * A stream over a socket, by operations.
 *
 * Receiving: one operation brings bytes, in buffers of the engine's, until it
 * is cancelled; so a silent connection holds no buffer.  Nobody cancels it
 * just because the owner wants nothing for a while.  Only when bytes do come
 * then, they are kept, it is cancelled, and the peer has to wait.
 *
 * Sending: what is small is copied and leaves with the batch of the turn; one
 * operation at a time, so the bytes keep their order, while a second buffer is
 * filled behind it.  What is large, or followed by a file, leaves at once by
 * the same system calls as under a poller, when nothing waits before it: these
 * copy it only once.  So it does, too, when all buffers are in use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream_priv.h"
#include "net/uring_stream_priv.h"

/* A peer that does not take the last bytes is reset after this. */
#define LAST_BYTES_MS 30000

static struct uring_stream *
of(struct stream *s)
{
	return list_entry(s, struct uring_stream, stream);
}

static void
plan(struct uring_stream *s)
{
	uring_plan(s->u, &s->plan);
}

/* Completions */

static void
finished(struct uring_stream *s, enum uring_tag tag)
{
	s->armed &= (unsigned char)~URING_BIT(tag);
	s->cancelled &= (unsigned char)~URING_BIT(tag);
	plan(s);
}

/* The callbacks: s may be gone after each. */

static void
tell_bytes(struct uring_stream *s, const char *p, size_t n)
{
	s->stream.events->on_bytes(&s->stream, (struct str){ p, n });
}

static void
tell_end(struct uring_stream *s)
{
	s->knows_end = true;
	if (s->err == 0) {
		tell_bytes(s, "", 0);
	} else if (!s->knows_broken) {
		s->knows_broken = true;
		s->stream.events->on_broken(&s->stream, s->err);
	}
}

static void
keep(struct uring_stream *s, const char *p, size_t n)
{
	s->holds = true;
	plan(s);
	if (buf_add(&s->kept, (struct str){ p, n }) < 0 && s->err == 0)
		s->err = -ENOMEM;
}

/* The receiving ended: because nothing more comes, or for the moment only. */
static void
ended(struct uring_stream *s, int res)
{
	if (res == -ENOBUFS || res == -ECANCELED ||
	    (res < 0 && stream_is_later(-res)))
		return;
	if (res == 0)
		s->has_ended = true;
	else if (s->err == 0)
		s->err = res;
	if (s->wanted & READY_IN && s->kept.n == 0)
		tell_end(s);
}

void
uring_stream_received(struct uring *u, void *owner, int res, unsigned flags)
{
	struct uring_stream *s = owner;

	if (!(flags & IORING_CQE_F_MORE))
		finished(s, URING_RECEIVE_MORE);
	if (s->is_closed)
		;
	else if (res <= 0)
		ended(s, res);
	else if (s->wanted & READY_IN && s->kept.n == 0)
		tell_bytes(s, uring_buffer(u, flags), (size_t)res);
	else
		keep(s, uring_buffer(u, flags), (size_t)res);
	uring_buffer_return(u, flags);
}

static void
sent_all(struct uring_stream *s)
{
	uring_out_give(s->u, s->out[0]);
	s->out[0] = s->out[1];
	s->out[1] = NULL;
	if (s->out[0] == NULL && s->shuts)
		shutdown(s->fd, SHUT_WR);
	if (s->wanted & READY_OUT && !s->is_closed)
		s->stream.events->on_writable(&s->stream);
}

static void
broke(struct uring_stream *s, int err)
{
	uring_stream_drop_out(s);
	if (s->err == 0)
		s->err = err;
	if (!s->is_closed)
		tell_end(s);
}

void
uring_stream_sent(struct uring *u, void *owner, int res, unsigned flags)
{
	struct uring_stream *s = owner;

	(void)u;
	(void)flags;
	finished(s, URING_SEND_SOME);
	if (res < 0 && !stream_is_later(-res))
		broke(s, res);
	else if (res > 0 && (s->out[0]->sent += (unsigned)res) == s->out[0]->n)
		sent_all(s);
}

void
uring_stream_writable(struct uring *u, void *owner, int res, unsigned flags)
{
	struct uring_stream *s = owner;

	(void)u;
	(void)res;
	(void)flags;
	finished(s, URING_WRITABLE);
	if (s->wanted & READY_OUT && !s->is_closed)
		s->stream.events->on_writable(&s->stream);
}

/* Some of what was kept; then, when all is told, perhaps the end. */
static void
deliver(struct uring_stream *s)
{
	char *scratch = loop_scratch(s->u->loop);
	size_t n = s->kept.n - s->kept_at;

	plan(s);
	if (n == 0 && s->is_leaving) {
		s->is_leaving = false;
		s->stream.events->on_writable(&s->stream);
		return;
	}
	if (n == 0) {
		tell_end(s);
		return;
	}
	/* A copy, since the owner may close the stream and use it still. */
	n = n < URING_RECEIVE ? n : URING_RECEIVE;
	memcpy(scratch, s->kept.p + s->kept_at, n);
	s->kept_at += n;
	if (s->kept_at == s->kept.n) {
		buf_fini(&s->kept);
		s->kept_at = 0;
	}
	tell_bytes(s, scratch, n);
}

void
uring_stream_deliver(struct uring *u)
{
	struct list now;

	list_init(&now);
	while (!list_is_empty(&u->ready)) {
		struct list *node = u->ready.next;

		list_remove(node);
		list_append(&now, node);
	}
	while (!list_is_empty(&now)) {
		struct uring_stream *s = list_entry(now.next,
		    struct uring_stream, plan.node);

		list_remove(&s->plan.node);
		deliver(s);
	}
}

/* The owner's side */

static size_t
total(const struct iovec *iov, int n)
{
	size_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

/*
 * Where bytes can be added: behind all that were, and not to those that are
 * being sent.  A send that came back undone leaves both behind.
 */
static struct uring_out *
out_room(struct uring_stream *s)
{
	bool is_second = s->out[1] != NULL || is_armed(s, URING_SEND_SOME);
	struct uring_out **out = &s->out[is_second];

	if (*out == NULL)
		*out = uring_out_take(s->u);
	return *out;
}

/* Copies what there is room for; returns how much. */
static size_t
copy(struct uring_stream *s, const struct iovec *iov, int n)
{
	struct uring_out *out = out_room(s);
	size_t before;

	if (out == NULL)
		return 0;
	before = out->n;
	for (int i = 0; i < n; i++) {
		size_t room = URING_SEND - out->n;
		size_t part = iov[i].iov_len < room ? iov[i].iov_len : room;

		memcpy(out->bytes + out->n, iov[i].iov_base, part);
		out->n += (unsigned)part;
	}
	plan(s);
	return out->n - before;
}

static ssize_t
us_write(struct stream *stream, const struct iovec *iov, int n, bool more)
{
	struct uring_stream *s = of(stream);
	size_t bytes = total(iov, n), taken = 0;

	if (s->err != 0)
		return s->err;
	if (bytes == 0)
		return 0;
	if (s->out[0] != NULL || (!more && bytes <= URING_SEND))
		taken = copy(s, iov, n);
	if (taken > 0 || s->out[0] != NULL)
		return (ssize_t)taken;
	return stream_send_now(s->fd, iov, n, more);
}

static ssize_t
us_send_file(struct stream *stream, int fd, uint64_t offset, size_t n)
{
	struct uring_stream *s = of(stream);

	if (s->err != 0)
		return s->err;
	if (s->out[0] != NULL)
		return 0;
	return stream_send_file_now(s->fd, &s->is_tuned, fd, offset, n);
}

static int
us_want(struct stream *stream, unsigned wanted)
{
	struct uring_stream *s = of(stream);

	if (s->wanted != wanted) {
		s->wanted = (unsigned char)wanted;
		plan(s);
	}
	return 0;
}

static size_t
us_queued(struct stream *stream)
{
	struct uring_stream *s = of(stream);
	size_t n = stream_queued_now(s->fd);

	for (int i = 0; i < 2; i++)
		if (s->out[i] != NULL)
			n += s->out[i]->n - s->out[i]->sent;
	return n;
}

/* No other process could go on with operations that are under way. */
static int
us_socket(struct stream *stream)
{
	struct uring_stream *s = of(stream);

	if (s->err != 0)
		return s->err;
	if (s->armed == 0 && s->out[0] == NULL && s->kept.n == 0)
		return s->fd;
	s->is_leaving = true;
	plan(s);
	return -EAGAIN;
}

static void
us_shut(struct stream *stream)
{
	struct uring_stream *s = of(stream);

	s->shuts = true;
	if (s->out[0] == NULL)
		shutdown(s->fd, SHUT_WR);
}

static void
abort_stream(struct uring_stream *s)
{
	s->aborts = true;
	stream_will_reset(s->fd);
	plan(s);
}

static void
on_deadline(struct timer *t)
{
	abort_stream(list_entry(t, struct uring_stream, deadline));
}

static void
us_close(struct stream *stream, bool abort)
{
	struct uring_stream *s = of(stream);

	s->is_closed = true;
	list_append(&s->u->closed, &s->plan.closed);
	plan(s);
	if (abort || (s->out[0] != NULL &&
	    loop_timer_start(s->u->loop, &s->deadline, LAST_BYTES_MS) < 0))
		abort_stream(s);
}

static const struct stream_ops ops = {
	.write = us_write,
	.send_file = us_send_file,
	.want = us_want,
	.queued = us_queued,
	.socket = us_socket,
	.shut = us_shut,
	.close = us_close,
};

int
uring_stream_open(void *state, struct loop *l, int fd,
    const struct stream_events *events, void *owner, struct stream **out_s)
{
	struct uring *u = state;
	struct uring_stream *s = malloc(sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	*s = (struct uring_stream){
		.stream = { &ops, events, owner },
		.plan.push = uring_stream_push,
		.u = u,
		.deadline.fn = on_deadline,
		.fd = fd,
		.wanted = READY_IN,
	};
	u->loop = l;
	list_init(&s->plan.node);
	list_init(&s->plan.closed);
	/* The kernel gives no more of them than it has buffers. */
	buf_init(&s->kept, (size_t)u->n_buffers * URING_RECEIVE * 2);
	plan(s);
	*out_s = &s->stream;
	return 0;
}
