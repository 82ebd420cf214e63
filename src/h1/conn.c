/* SPDX-License-Identifier: ISC */
/*
 * A connection that speaks HTTP/1: what the stream and the timer report, and
 * what is waited for next.
 *
 * While a request's content is still coming its answer may already be on its
 * way; each half waits for whom it must, and reads or takes no more than that.
 * So a slow peer holds back itself, and nobody else.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "h1/conn_priv.h"
#include "h1/h1.h"
#include "h1/write.h"
#include "net/stream.h"

/* Received ahead, while an exchange is under way. */
#define AHEAD_MAX ((size_t)LOOP_SCRATCH)
/* A peer that is slower than allowed for so many periods in a row is left. */
#define SLOW_PERIODS 2
/* A peer that has ended is asked this often whether it is still there, for the
   first time when so much has passed: simple clients know no interim answer. */
#define PROBE_MS 1000
/* The limit of the fields is looked after so often. */
#define LOOK_BYTES 1024

static void
start_timer(struct h1_conn *c, unsigned ms)
{
	/* Cannot fail: the timer runs from h1_open on. */
	loop_timer_start(c->host->loop, &c->timer, ms);
}

void
h1_enter(struct h1_conn *c, enum h1_state next)
{
	static const unsigned char may_follow[] = {
		[H1_IDLE] = 1 << H1_HEAD | 1 << H1_BUSY | 1 << H1_FLUSH |
		    1 << H1_LINGER | 1 << H1_DEAD,
		[H1_HEAD] = 1 << H1_IDLE | 1 << H1_BUSY | 1 << H1_FLUSH |
		    1 << H1_DEAD,
		[H1_BUSY] = 1 << H1_IDLE | 1 << H1_DEAD,
		[H1_FLUSH] = 1 << H1_IDLE | 1 << H1_DEAD,
		[H1_LINGER] = 1 << H1_DEAD,
		[H1_DEAD] = 1 << H1_DEAD,
	};
	const struct http_limits *limits = &c->host->limits;

	assert(may_follow[c->state] & 1u << next);
	c->state = (unsigned char)next;
	c->is_guarded = false;
	if (next == H1_IDLE)
		start_timer(c, limits->idle_ms);
	else if (next == H1_HEAD)
		start_timer(c, limits->header_ms);
	else if (next == H1_LINGER)
		start_timer(c, limits->linger_ms);
}

void
h1_break_off(struct h1_conn *c)
{
	c->out.staged->n = 0;
	if (c->x != NULL && c->answers && h1_framing(c->x) == FRAMING_CLOSE)
		c->aborts = true;
	h1_enter(c, H1_DEAD);
}

void
h1_flush(struct h1_conn *c)
{
	if (output_flush(&c->out) < 0)
		h1_break_off(c);
	else if (c->out.kept.n == 0 && c->state == H1_FLUSH)
		h1_enter(c, H1_IDLE);
	else if (c->out.kept.n > 0 && c->state < H1_BUSY)
		h1_enter(c, H1_FLUSH);
}

/* All is said. */
static void
finish(struct h1_conn *c)
{
	if (!c->has_ended && (c->lingers || c->in.n > 0)) {
		stream_shut(c->out.stream);
		buf_fini(&c->in);
		h1_enter(c, H1_LINGER);
	} else {
		h1_enter(c, H1_DEAD);
	}
}

static void
conn_free(struct h1_conn *c)
{
	struct http_host *h = c->host;

	if (c->x != NULL)
		h1_end_exchange(c);
	loop_timer_stop(h->loop, &c->timer);
	list_remove(&c->base.node);
	stream_close(c->out.stream, c->aborts);
	buf_fini(&c->in);
	buf_fini(&c->out.kept);
	free(c);
	h->closed(h);
}

/*
 * An exchange outlives the callback: it lets go of the memory of the request,
 * and while the peer is waited for, the peer is held to a rate.  (A handler
 * that is waited for has deadlines of its own.)
 */
static void
guard(struct h1_conn *c)
{
	bool waits_for_peer = c->is_blocked || c->out.kept.n > 0 ||
	    (c->reads && !c->is_paused);

	if (c->x != NULL)
		exchange_detach(c->x);
	if (c->has_ended && !c->is_guarded)
		start_timer(c, PROBE_MS);
	else if (waits_for_peer != c->is_guarded)
		start_timer(c, c->host->limits.rate_ms);
	if (waits_for_peer != c->is_guarded) {
		c->out.moved = 0;
		c->queued = (unsigned)stream_queued(c->out.stream);
		c->slow_periods = 0;
	}
	c->is_guarded = waits_for_peer;
}

/* Between two requests, and is the next one for another process? */
static bool
is_to_pass(const struct h1_conn *c)
{
	return c->host->is_retiring && !c->host->is_draining && !c->closes &&
	    !c->has_ended && (c->state == H1_IDLE || c->state == H1_HEAD);
}

static unsigned
wanted(const struct h1_conn *c)
{
	unsigned w = 0;

	if (is_to_pass(c))
		return 0;
	if (c->is_blocked || c->out.kept.n > 0)
		w |= READY_OUT;
	if (c->has_ended || c->is_paused)
		return w;
	if (c->state == H1_FLUSH)
		return w;
	/* What comes next is not needed now, but that nothing comes is told. */
	if (c->state == H1_BUSY && !c->reads &&
	    (c->is_blocked || c->in.n >= AHEAD_MAX))
		return w;
	return w | READY_IN;
}

/*
 * Nothing is read from here on, so what the peer sends is there for whoever
 * goes on with the connection.
 */
static void
pass(struct h1_conn *c)
{
	struct http_host *h = c->host;
	int fd = stream_socket(c->out.stream);
	int err = fd < 0 ? fd : stream_want(c->out.stream, 0);

	if (err == 0)
		err = h->pass(h, fd, &c->peer, buf_str(&c->in));
	if (err == 0) {
		h1_enter(c, H1_DEAD);
	} else if (err != -EAGAIN) {
		c->closes = c->lingers = true;
		if (c->state == H1_HEAD)
			h1_enter(c, H1_IDLE);
	}
}

/* The end of every callback; c may be gone after it. */
static void
settle(struct h1_conn *c)
{
	if (c->state != H1_DEAD)
		h1_flush(c);
	if (c->state == H1_IDLE && (c->has_ended || c->host->is_draining))
		c->closes = c->lingers = true;
	if (is_to_pass(c))
		pass(c);
	if (c->closes && c->state == H1_IDLE)
		finish(c);
	if (c->state == H1_BUSY || c->state == H1_FLUSH)
		guard(c);
	if (c->state == H1_DEAD ||
	    stream_want(c->out.stream, wanted(c)) < 0)
		conn_free(c);
}

/*
 * Is a peer that has ended still there to read?  An interim answer may always
 * be sent to a 1.1 client (RFC 9110 15.2); one that is gone resets.
 */
static void
probe(struct h1_conn *c)
{
	if (!c->answers && c->x->req.version == VERSION_1_1 &&
	    buf_add(output_buf(&c->out),
	    S("HTTP/1.1 100 Continue\r\n\r\n")) < 0)
		h1_break_off(c);
	else
		start_timer(c, PROBE_MS);
}

/* The peer will send no more; it may still want to read. */
static void
on_end(struct h1_conn *c)
{
	c->has_ended = true;
	if (c->state == H1_HEAD)
		h1_refuse_unread(c, REASON_REQUEST_LINE);
	else if (c->state == H1_BUSY && c->reads)
		h1_refuse(c, REASON_FRAMING);
	else if (c->state != H1_BUSY && c->state != H1_FLUSH)
		h1_break_off(c);
	settle(c);
}

/*
 * Is it worth looking at an unfinished head again?  Only a line's end changes
 * what it means, and a limit: that of the request line when it is passed, that
 * of the fields by looking now and then.
 */
static bool
is_news(const struct h1_conn *c, struct str in)
{
	size_t before = c->in.n - in.n;
	size_t line = c->host->limits.line_bytes + strlen("\r\n");

	return c->state != H1_HEAD || memchr(in.p, '\n', in.n) != NULL ||
	    (before <= line && c->in.n > line) ||
	    before / LOOK_BYTES != c->in.n / LOOK_BYTES;
}

static void
on_bytes(struct stream *s, struct str in)
{
	struct h1_conn *c = s->owner;

	if (in.n == 0) {
		on_end(c);
		return;
	}
	if (c->state == H1_LINGER)
		return;
	if (c->in.n == 0) {
		h1_serve(c, &in);
		if (in.n > 0 && buf_add(&c->in, in) < 0)
			h1_break_off(c);
	} else if (buf_add(&c->in, in) < 0) {
		h1_break_off(c);
	} else if (is_news(c, in)) {
		h1_serve_kept(c);
	}
	settle(c);
}

/* The answer may go on; then what was received meanwhile. */
static void
resume(struct h1_conn *c)
{
	if (c->state == H1_BUSY)
		h1_go_on(c);
	if (c->in.n > 0)
		h1_serve_kept(c);
	settle(c);
}

static void
on_writable(struct stream *s)
{
	struct h1_conn *c = s->owner;

	h1_flush(c);
	resume(c);
}

void
h1_wake(struct exchange *x)
{
	struct h1_conn *c = x->conn;

	c->is_paused = x->is_full;
	resume(c);
}

static void
on_broken(struct stream *s, int err)
{
	struct h1_conn *c = s->owner;

	(void)err;
	h1_break_off(c);
	settle(c);
}

static const struct stream_events stream_events = {
	.on_bytes = on_bytes,
	.on_writable = on_writable,
	.on_broken = on_broken,
};

/*
 * A period is over: has the peer given or taken enough in it?  What it took is
 * what left the kernel's queue, too: there, megabytes may wait for it while
 * nothing can be added.
 */
static bool
is_fast_enough(struct h1_conn *c)
{
	const struct http_limits *limits = &c->host->limits;
	uint64_t least = (uint64_t)limits->min_rate * limits->rate_ms / 1000;
	size_t queued = stream_queued(c->out.stream);
	uint64_t moved = c->out.moved + (uint64_t)c->queued;

	moved = moved > queued ? moved - queued : 0;
	c->queued = (unsigned)queued;
	c->out.moved = 0;
	if (moved >= least)
		c->slow_periods = 0;
	else if (c->is_guarded)
		c->slow_periods++;
	/* Windows open in lumps: one period may see none. */
	return c->slow_periods < SLOW_PERIODS;
}

static void
check_rate(struct h1_conn *c)
{
	start_timer(c, c->host->limits.rate_ms);
	if (is_fast_enough(c))
		return;
	if (c->reads && !c->is_blocked && c->out.kept.n == 0) {
		h1_refuse(c, REASON_CONTENT_TIME);
		return;
	}
	h1_break_off(c);
	c->aborts = true;
}

static void
on_timer(struct timer *t)
{
	struct h1_conn *c = list_entry(t, struct h1_conn, timer);

	if (c->state == H1_HEAD)
		h1_refuse_unread(c, REASON_HEAD_TIME);
	else if (c->state == H1_BUSY && c->has_ended && !c->is_guarded)
		probe(c);
	else if (c->state == H1_BUSY || c->state == H1_FLUSH)
		check_rate(c);
	else
		h1_enter(c, H1_DEAD);
	settle(c);
}

static int
open_conn(struct http_host *h, int fd, const struct addr *peer,
    struct h1_conn **out_c)
{
	const size_t in_max = h->limits.line_bytes + h->limits.fields_bytes +
	    (size_t)2 * LOOP_SCRATCH;
	struct h1_conn *c = malloc(sizeof(*c));
	int err;

	if (c == NULL)
		return -ENOMEM;
	*c = (struct h1_conn){
		.base.ops = &h1_proto,
		.host = h,
		.out.staged = &h->out,
		.timer.fn = on_timer,
		.peer = *peer,
		.state = H1_IDLE,
	};
	buf_init(&c->in, in_max);
	buf_init(&c->out.kept, h->out.max);
	err = loop_timer_start(h->loop, &c->timer, h->limits.idle_ms);
	if (err == 0)
		err = stream_open_socket(h->loop, fd, &stream_events, c,
		    &c->out.stream);
	if (err < 0) {
		loop_timer_stop(h->loop, &c->timer);
		free(c);
		return err;
	}
	list_append(&h->conns, &c->base.node);
	*out_c = c;
	return 0;
}

static int
h1_open(struct http_host *h, int fd, const struct addr *peer)
{
	struct h1_conn *c;

	return open_conn(h, fd, peer, &c);
}

static int
h1_adopt(struct http_host *h, int fd, const struct addr *peer,
    struct str unread)
{
	struct h1_conn *c;
	int err = open_conn(h, fd, peer, &c);

	if (err == 0 && unread.n > 0)
		on_bytes(c->out.stream, unread);
	else if (err == 0)
		settle(c);
	return err;
}

static void
h1_drain(struct http_conn *base)
{
	struct h1_conn *c = list_entry(base, struct h1_conn, base);

	if (is_to_pass(c))
		settle(c);
	else if (c->state == H1_IDLE)
		conn_free(c);
}

static void
h1_kill(struct http_conn *base)
{
	struct h1_conn *c = list_entry(base, struct h1_conn, base);

	c->aborts = true;
	conn_free(c);
}

const struct proto_ops h1_proto = {
	.open = h1_open,
	.adopt = h1_adopt,
	.drain = h1_drain,
	.kill = h1_kill,
};
