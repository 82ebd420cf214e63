/* SPDX-License-Identifier: ISC */
/*
 * A connection that speaks HTTP/1: bytes in, exchanges out, answers back in
 * the order of the requests (RFC 9112 9.3), one exchange at a time.
 *
 * While a request's content is still coming its answer may already be on its
 * way; each half waits for whom it must, and reads or takes no more than that.
 * So a slow peer holds back itself, and nobody else.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "h1/chunk.h"
#include "h1/h1.h"
#include "h1/output.h"
#include "h1/write.h"
#include "net/addr.h"
#include "net/stream.h"

enum h1_state {
	H1_IDLE,                /* between requests */
	H1_HEAD,                /* part of a head is here */
	H1_BUSY,                /* with an exchange */
	H1_FLUSH,               /* with what the peer has yet to take of those
	                           before */
	H1_LINGER,              /* all is said; the peer's last bytes are read
	                           so that no reset overtakes the answer */
	H1_DEAD,                /* to be freed when this callback is over */
};

/* What only an exchange that waits needs; in its arena. */
struct task {
	struct piece piece;             /* pulled, not all sent */
	struct chunk_reader chunks;
	uint64_t content_left;          /* of the request, unless chunked */
	uint64_t dropped;
};

struct h1_conn {
	struct http_conn base;
	struct http_host *host;
	struct exchange *x;             /* while H1_BUSY */
	struct task *task;              /* x's, or NULL */
	struct buf in;                  /* received, not yet read */
	struct output out;
	struct timer timer;
	struct addr peer;
	unsigned queued;                /* in the kernel, at the last period */
	unsigned char state;
	unsigned char slow_periods;

	/* The exchange's two halves. */
	bool reads : 1;                 /* request content is to come, */
	bool is_paused : 1;             /* but its handler is full */
	bool answers : 1;               /* the head of the answer is written */
	bool is_blocked : 1;            /* the peer must take bytes first */
	bool is_guarded : 1;            /* the timer watches the peer's rate */

	/* The end. */
	bool has_ended : 1;             /* the peer will send no more */
	bool closes : 1;                /* once all is sent, */
	bool lingers : 1;               /* and then waits for the peer */
	bool aborts : 1;                /* with a reset */
};

/* One callback sends no more than this: others want their turn. */
#define TURN_BYTES ((size_t)1 << 20)
/* Received ahead, while an exchange is under way. */
#define AHEAD_MAX ((size_t)LOOP_SCRATCH)
/* A peer that is slower than allowed for so many periods in a row is left. */
#define SLOW_PERIODS 2
/* A peer that has ended is asked this often whether it is still there. */
#define PROBE_MS 1000

static void
start_timer(struct h1_conn *c, unsigned ms)
{
	/* Cannot fail: the timer runs from h1_open on. */
	loop_timer_start(c->host->loop, &c->timer, ms);
}

static void
enter(struct h1_conn *c, enum h1_state next)
{
	const struct http_limits *limits = &c->host->limits;

	c->state = (unsigned char)next;
	c->is_guarded = false;
	if (next == H1_IDLE)
		start_timer(c, limits->idle_ms);
	else if (next == H1_HEAD)
		start_timer(c, limits->header_ms);
	else if (next == H1_LINGER)
		start_timer(c, limits->linger_ms);
}

static struct task *
task_of(struct h1_conn *c)
{
	if (c->task == NULL) {
		c->task = arena_alloc(&c->x->arena, sizeof(*c->task));
		if (c->task != NULL)
			*c->task = (struct task){ .dropped = 0 };
	}
	return c->task;
}

static void h1_wake(struct exchange *x);

static bool
begin_exchange(struct h1_conn *c)
{
	c->x = exchange_begin(&c->host->exchanges);
	if (c->x == NULL)
		return false;
	c->x->peer = &c->peer;
	c->x->conn = c;
	c->x->wake = h1_wake;
	return true;
}

static void
end_exchange(struct h1_conn *c)
{
	c->host->ended(c->host, c->x);
	exchange_end(&c->host->exchanges, c->x);
	c->x = NULL;
	c->task = NULL;
	c->reads = c->is_paused = c->answers = c->is_blocked =
	    c->is_guarded = false;
}

/*
 * The answer broke off.  Where its end would be told by closing alone, a
 * reset says that this is not it.
 */
static void
break_off(struct h1_conn *c)
{
	c->out.staged->n = 0;
	if (c->x != NULL && c->answers && h1_framing(c->x) == FRAMING_CLOSE)
		c->aborts = true;
	enter(c, H1_DEAD);
}

/* The rest of a piece waits in the task. */
static int
wait_with(struct h1_conn *c, struct piece p, int r)
{
	struct task *t = task_of(c);

	if (t == NULL)
		return -ENOMEM;
	t->piece = p;
	return r;
}

/* The content of the answer, as long as there is some and it is taken. */
static int
send_content(struct h1_conn *c)
{
	bool is_chunked = h1_framing(c->x) == FRAMING_CHUNKED;
	struct piece p = { .n = 0 };
	unsigned before = c->out.moved;
	enum pull pull;
	uint64_t n;
	int r;

	if (c->task != NULL)
		p = c->task->piece;
	for (;;) {
		if (p.n == 0) {
			pull = body_pull(&c->x->res.body, &p);
			if (pull == PULL_FAIL)
				return -EIO;
			if (pull == PULL_WAIT)
				return wait_with(c, p, OUT_STARVES);
			if (pull == PULL_END)
				break;
		}
		n = p.n;
		r = output_piece(&c->out, &p, is_chunked);
		if (r < 0)
			return r;
		c->x->body_sent += n - p.n;
		if (r == OUT_WAITS || c->out.moved - before >= TURN_BYTES)
			return wait_with(c, p, OUT_WAITS);
	}
	if (is_chunked && buf_add(output_buf(&c->out), S("0\r\n\r\n")) < 0)
		return -ENOMEM;
	return OUT_DONE;
}

static int
begin_answer(struct h1_conn *c)
{
	struct exchange *x = c->x;
	struct str stamp = stamp_lines(&c->host->stamp, x->received);
	/* With content left unread nobody knows where a next request is. */
	bool keeps = x->req.keeps_alive && !x->res.closes && !c->reads &&
	    !c->host->is_draining && h1_framing(x) != FRAMING_CLOSE;

	if (!keeps) {
		c->closes = true;
		/* Who asked for the end has said all; others may go on. */
		c->lingers |= x->req.keeps_alive || c->reads;
	}
	c->answers = true;
	return h1_write_head(output_buf(&c->out), x, stamp, keeps);
}

/* What is staged goes out or is kept, and then comes before all else. */
static void
flush(struct h1_conn *c)
{
	if (output_flush(&c->out) < 0)
		break_off(c);
	else if (c->out.kept.n == 0 && c->state == H1_FLUSH)
		enter(c, H1_IDLE);
	else if (c->out.kept.n > 0 && c->state < H1_BUSY)
		enter(c, H1_FLUSH);
}

/* Takes the answer as far as it goes now. */
static void
go_on(struct h1_conn *c)
{
	int r = 0;

	/* What was said before is to be taken first. */
	if (c->answers ? c->out.kept.n > 0 : c->x->is_pending)
		return;
	if (!c->answers)
		r = begin_answer(c);
	if (r == 0)
		r = h1_sends_content(c->x) ? send_content(c) : OUT_DONE;
	c->is_blocked = r == OUT_WAITS;
	if (r < 0) {
		break_off(c);
	} else if (r == OUT_DONE) {
		/* Perhaps only its content has shown that. */
		c->closes |= c->x->res.closes;
		end_exchange(c);
		enter(c, H1_IDLE);
		/* A pipeline of many answers must not pile up. */
		if (output_relieve(&c->out) != OUT_DONE)
			flush(c);
	}
}

/* An answer to what is not a request that could be served. */
static void
refuse(struct h1_conn *c, enum reason r)
{
	c->lingers = true;
	c->reads = false;
	c->state = H1_BUSY;
	if (c->answers) {
		/* Too late to say so. */
		break_off(c);
		return;
	}
	c->x->req.keeps_alive = false;
	c->x->is_pending = false;
	c->x->received = clock_wall_s();
	exchange_refuse(c->x, r);
	go_on(c);
}

/* The same where not even a request line can be told. */
static void
refuse_unread(struct h1_conn *c, enum reason r)
{
	if (begin_exchange(c)) {
		request_clear(&c->x->req);
		refuse(c, r);
	} else {
		break_off(c);
	}
}

/*
 * The request has content.  Where nobody wants it, it is read and dropped
 * before the answer goes out, so that the connection can be used further; if
 * that would be too much, the answer is the last one.
 */
static void
begin_content(struct h1_conn *c)
{
	struct exchange *x = c->x;
	bool is_wanted = x->handler != NULL;
	bool is_refused = !x->is_pending && x->res.status >= 400;
	struct task *t;

	if (!is_wanted && (x->req.content_length >
	    c->host->limits.dropped_bytes ||
	    (x->req.expects_continue && is_refused))) {
		x->res.closes = c->lingers = true;
		return;
	}
	t = task_of(c);
	if (t == NULL || (x->req.expects_continue &&
	    buf_add(output_buf(&c->out),
	    S("HTTP/1.1 100 Continue\r\n\r\n")) < 0)) {
		break_off(c);
		return;
	}
	chunk_init(&t->chunks);
	t->content_left = x->req.content_length;
	c->reads = true;
	if (!is_wanted)
		x->is_pending = true;
}

/* Returns how many bytes of `in` were used; 0 says that more are needed. */
static size_t
read_head(struct h1_conn *c, struct str in)
{
	const struct http_limits *limits = &c->host->limits;
	enum reason reason;
	size_t used = 0;
	enum parse r;

	if (!begin_exchange(c)) {
		break_off(c);
		return 0;
	}
	r = h1_head_parse(in, limits->line_bytes, limits->fields_bytes,
	    &c->x->req, &used, &reason);
	if (r == PARSE_MORE) {
		exchange_end(&c->host->exchanges, c->x);
		c->x = NULL;
		if (c->state == H1_IDLE)
			enter(c, H1_HEAD);
		return 0;
	}
	if (r == PARSE_BAD) {
		refuse(c, reason);
		return in.n;
	}
	enter(c, H1_BUSY);
	c->x->received = clock_wall_s();
	c->host->serve(c->host, c->x);
	if (request_has_content(&c->x->req))
		begin_content(c);
	if (c->state == H1_BUSY)
		go_on(c);
	return used;
}

static void
end_content(struct h1_conn *c)
{
	c->reads = false;
	if (c->x->handler != NULL)
		c->x->handler->content_end(c->x);
	else
		c->x->is_pending = false;
	go_on(c);
}

static void
take_content(struct h1_conn *c, struct str bytes)
{
	struct exchange *x = c->x;

	c->out.moved += (unsigned)bytes.n;
	if (x->handler != NULL) {
		c->is_paused = !x->handler->content(x, bytes);
		/* It may have refused the content, and so the request. */
		go_on(c);
		return;
	}
	c->task->dropped += bytes.n;
	if (c->task->dropped > c->host->limits.dropped_bytes) {
		x->res.closes = c->lingers = true;
		c->reads = x->is_pending = false;
		go_on(c);
	}
}

/* As read_head. */
static size_t
read_content(struct h1_conn *c, struct str in)
{
	struct task *t = c->task;
	struct str data = in;
	size_t used;
	bool is_done;

	if (c->x->req.is_chunked) {
		enum parse r = chunk_read(&t->chunks, in, &data, &used);

		if (r == PARSE_BAD) {
			refuse(c, REASON_CHUNK);
			return in.n;
		}
		is_done = r == PARSE_DONE;
	} else {
		if (data.n > t->content_left)
			data.n = (size_t)t->content_left;
		t->content_left -= data.n;
		is_done = t->content_left == 0;
		used = data.n;
	}
	if (data.n > 0)
		take_content(c, data);
	if (is_done && c->reads)
		end_content(c);
	return used;
}

/* Reads requests and answers them until one has to wait; *in is the rest. */
static void
process(struct h1_conn *c, struct str *in)
{
	size_t used;

	while (in->n > 0) {
		if (c->state == H1_BUSY && c->reads && !c->is_paused)
			used = read_content(c, *in);
		else if ((c->state == H1_IDLE || c->state == H1_HEAD) &&
		    !c->closes)
			used = read_head(c, *in);
		else
			break;
		if (used == 0)
			break;
		*in = str_skip(*in, used);
	}
}

/* The same for what was received earlier. */
static void
process_kept(struct h1_conn *c)
{
	struct str rest = buf_str(&c->in);

	process(c, &rest);
	/* Its request lies in what now goes. */
	if (c->x != NULL)
		exchange_detach(c->x);
	if (rest.n == 0)
		buf_fini(&c->in);
	else
		buf_consume(&c->in, c->in.n - rest.n);
}

/* All is said. */
static void
finish(struct h1_conn *c)
{
	if (!c->has_ended && (c->lingers || c->in.n > 0)) {
		stream_shut(c->out.stream);
		buf_fini(&c->in);
		enter(c, H1_LINGER);
	} else {
		enter(c, H1_DEAD);
	}
}

static void
conn_free(struct h1_conn *c)
{
	struct http_host *h = c->host;

	if (c->x != NULL)
		end_exchange(c);
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

static unsigned
wanted(const struct h1_conn *c)
{
	unsigned w = 0;

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

/* The end of every callback; c may be gone after it. */
static void
settle(struct h1_conn *c)
{
	if (c->state != H1_DEAD)
		flush(c);
	if (c->state == H1_IDLE && (c->has_ended || c->host->is_draining))
		c->closes = c->lingers = true;
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
		break_off(c);
	else
		start_timer(c, PROBE_MS);
}

/* The peer will send no more; it may still want to read. */
static void
on_end(struct h1_conn *c)
{
	c->has_ended = true;
	if (c->state == H1_HEAD)
		refuse_unread(c, REASON_REQUEST_LINE);
	else if (c->state == H1_BUSY && c->reads)
		refuse(c, REASON_FRAMING);
	else if (c->state == H1_BUSY)
		probe(c);
	else if (c->state != H1_FLUSH)
		break_off(c);
	settle(c);
}

/*
 * Is it worth looking at an unfinished head again?  Only a line's end changes
 * what it means; a limit is met soon enough by looking every few KiB.
 */
static bool
is_news(const struct h1_conn *c, struct str in)
{
	size_t before = c->in.n - in.n;

	return c->state != H1_HEAD || memchr(in.p, '\n', in.n) != NULL ||
	    before / 4096 != c->in.n / 4096;
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
		process(c, &in);
		if (in.n > 0 && buf_add(&c->in, in) < 0)
			break_off(c);
	} else if (buf_add(&c->in, in) < 0) {
		break_off(c);
	} else if (is_news(c, in)) {
		process_kept(c);
	}
	settle(c);
}

/* The answer may go on; then what was received meanwhile. */
static void
resume(struct h1_conn *c)
{
	if (c->state == H1_BUSY)
		go_on(c);
	if (c->in.n > 0)
		process_kept(c);
	settle(c);
}

static void
on_writable(struct stream *s)
{
	struct h1_conn *c = s->owner;

	flush(c);
	resume(c);
}

/* The handler has more, or takes more. */
static void
h1_wake(struct exchange *x)
{
	struct h1_conn *c = x->conn;

	c->is_paused = false;
	resume(c);
}

static void
on_broken(struct stream *s, int err)
{
	struct h1_conn *c = s->owner;

	(void)err;
	break_off(c);
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
		refuse(c, REASON_CONTENT_TIME);
		return;
	}
	break_off(c);
	c->aborts = true;
}

static void
on_timer(struct timer *t)
{
	struct h1_conn *c = list_entry(t, struct h1_conn, timer);

	if (c->state == H1_HEAD)
		refuse_unread(c, REASON_HEAD_TIME);
	else if (c->state == H1_BUSY && c->has_ended && !c->is_guarded)
		probe(c);
	else if (c->state == H1_BUSY || c->state == H1_FLUSH)
		check_rate(c);
	else
		enter(c, H1_DEAD);
	settle(c);
}

static int
h1_open(struct http_host *h, int fd, const struct addr *peer)
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
	return 0;
}

static void
h1_drain(struct http_conn *base)
{
	struct h1_conn *c = list_entry(base, struct h1_conn, base);

	if (c->state == H1_IDLE)
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
	.name = "http/1.1",
	.open = h1_open,
	.drain = h1_drain,
	.kill = h1_kill,
};
