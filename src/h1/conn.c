/* SPDX-License-Identifier: ISC */
/*
 * A connection that speaks HTTP/1: bytes in, exchanges out, answers back in
 * the order of the requests (RFC 9112 9.3).
 *
 * Answers are staged in the host's buffer, which all connections share, so
 * pipelined requests leave in one packet and an idle connection owns no
 * buffer.  What the peer does not take at once moves to the connection, which
 * then reads no further request until it is gone: a slow reader holds back
 * itself, nobody else.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "h1/chunk.h"
#include "h1/h1.h"
#include "h1/write.h"
#include "net/addr.h"
#include "net/stream.h"

enum h1_state {
	H1_IDLE,                /* between requests */
	H1_HEAD,                /* part of a head is here */
	H1_CONTENT,             /* reads a request's content to drop it; the
	                           answer waits */
	H1_SEND,                /* the peer has bytes to take */
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
	struct stream *stream;
	struct exchange *x;             /* the one being answered, or NULL */
	struct task *task;              /* x's, or NULL */
	struct buf in;                  /* received, not yet read */
	struct buf out;                 /* said, not yet taken */
	struct timer timer;             /* the deadline of the state */
	struct addr peer;
	unsigned moved;                 /* bytes in this rate period */
	unsigned char state;
	bool closes;                    /* once all is sent */
	bool lingers;                   /* when it closes */
	bool aborts;                    /* when it is freed: with a reset */
};

/* Staged output is handed on from here on. */
#define STAGE_FULL ((size_t)16 << 10)
/* One callback sends no more than this: others want their turn. */
#define TURN_BYTES ((size_t)1 << 20)

/* How far output got; a negative errno says that the peer is gone. */
enum {
	OUT_WAITS,              /* something is left for later */
	OUT_DONE,
};

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
	c->moved = 0;
	switch (next) {
	case H1_IDLE:
		start_timer(c, limits->idle_ms);
		break;
	case H1_HEAD:
		start_timer(c, limits->header_ms);
		break;
	case H1_CONTENT:
	case H1_SEND:
		start_timer(c, limits->rate_ms);
		break;
	case H1_LINGER:
		start_timer(c, limits->linger_ms);
		break;
	case H1_DEAD:
		break;
	}
}

/* Where answers go: behind what the peer has still to take, if anything. */
static struct buf *
output(struct h1_conn *c)
{
	return c->out.n > 0 ? &c->out : &c->host->out;
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

static void
end_exchange(struct h1_conn *c)
{
	c->host->ended(c->host, c->x);
	exchange_end(&c->host->exchanges, c->x);
	c->x = NULL;
	c->task = NULL;
}

/*
 * Hands on what is staged and, behind it, a piece of memory (NULL: none), as
 * far as they are taken.  `more` says that more follows at once.
 */
static int
push(struct h1_conn *c, struct buf *out, struct piece *p, bool more)
{
	struct iovec iov[2];
	size_t staged = out->n, taken;
	ssize_t sent;
	int n = 0;

	if (staged > 0)
		iov[n++] = (struct iovec){ out->p, staged };
	if (p != NULL)
		iov[n++] = (struct iovec){ (void *)(uintptr_t)p->p, p->n };
	if (n == 0)
		return OUT_DONE;
	sent = stream_write(c->stream, iov, n, more);
	if (sent < 0)
		return (int)sent;
	c->moved += (unsigned)sent;
	if ((size_t)sent < staged) {
		buf_consume(out, (size_t)sent);
		return OUT_WAITS;
	}
	out->n = 0;
	if (p == NULL)
		return OUT_DONE;
	taken = (size_t)sent - staged;
	p->p += taken;
	p->n -= taken;
	c->x->body_sent += taken;
	return p->n == 0 ? OUT_DONE : OUT_WAITS;
}

static int
push_file(struct h1_conn *c, struct buf *out, struct piece *p)
{
	ssize_t sent;
	int r;

	r = push(c, out, NULL, true);
	if (r != OUT_DONE)
		return r;
	sent = stream_send_file(c->stream, p->fd, p->offset, p->n);
	if (sent < 0)
		return (int)sent;
	c->moved += (unsigned)sent;
	c->x->body_sent += (uint64_t)sent;
	p->offset += (uint64_t)sent;
	p->n -= (uint64_t)sent;
	return p->n == 0 ? OUT_DONE : OUT_WAITS;
}

/* A small piece is copied to where the head is: one buffer, one send. */
static int
stage(struct h1_conn *c, struct buf *out, struct piece *p, bool is_chunked)
{
	int err = 0;

	if (is_chunked)
		err = h1_write_chunk_size(out, p->n);
	if (err == 0)
		err = buf_add(out, (struct str){ p->p, p->n });
	if (err == 0 && is_chunked)
		err = buf_add(out, S("\r\n"));
	if (err < 0)
		return err;
	c->x->body_sent += p->n;
	p->n = 0;
	return out->n < STAGE_FULL ? OUT_DONE : push(c, out, NULL, true);
}

static int
move_piece(struct h1_conn *c, struct buf *out, struct piece *p,
    bool is_chunked)
{
	if (p->p == NULL)
		return push_file(c, out, p);
	if (is_chunked || p->n < STAGE_FULL)
		return stage(c, out, p, is_chunked);
	return push(c, out, p, false);
}

/* The rest of a piece waits in the task. */
static int
wait_with(struct h1_conn *c, struct piece p)
{
	struct task *t = task_of(c);

	if (t == NULL)
		return -ENOMEM;
	t->piece = p;
	return OUT_WAITS;
}

/* The content of the answer, as long as the peer takes it. */
static int
send_content(struct h1_conn *c)
{
	bool is_chunked = h1_framing(c->x) == FRAMING_CHUNKED;
	struct piece p = { .n = 0 };
	unsigned before = c->moved;
	struct buf *out = output(c);
	int r;

	if (c->task != NULL)
		p = c->task->piece;
	for (;;) {
		if (p.n == 0) {
			enum pull pull = body_pull(&c->x->res.body, &p);

			if (pull == PULL_FAIL)
				return -EIO;
			if (pull == PULL_END)
				break;
		}
		r = move_piece(c, out, &p, is_chunked);
		if (r < 0)
			return r;
		if (r == OUT_WAITS || c->moved - before >= TURN_BYTES)
			return wait_with(c, p);
	}
	return is_chunked ? buf_add(out, S("0\r\n\r\n")) + OUT_DONE : OUT_DONE;
}

/*
 * The answer broke off.  Where its end would be told by closing alone, a
 * reset says that this is not it.
 */
static void
break_off(struct h1_conn *c)
{
	c->host->out.n = 0;
	c->aborts = c->x != NULL && h1_framing(c->x) == FRAMING_CLOSE;
	enter(c, H1_DEAD);
}

/* Goes on with the answer; what the peer does not take now is kept. */
static void
go_on(struct h1_conn *c)
{
	int r = h1_sends_content(c->x) ? send_content(c) : OUT_DONE;

	if (r < 0) {
		break_off(c);
	} else if (r == OUT_WAITS) {
		if (c->state == H1_SEND)
			return;
		exchange_detach(c->x);
		enter(c, H1_SEND);
	} else {
		end_exchange(c);
		enter(c, H1_IDLE);
	}
}

static void
answer(struct h1_conn *c)
{
	struct exchange *x = c->x;
	struct str stamp = stamp_lines(&c->host->stamp, x->received);
	bool keeps = x->req.keeps_alive && !x->res.closes &&
	    !c->host->is_draining && h1_framing(x) != FRAMING_CLOSE;

	if (!keeps) {
		c->closes = true;
		/* Who asked for the end has said all; others may go on. */
		c->lingers |= x->req.keeps_alive;
	}
	if (h1_write_head(output(c), x, stamp, keeps) < 0)
		break_off(c);
	else
		go_on(c);
}

/* An answer to what is not a request that could be served. */
static void
refuse(struct h1_conn *c, enum reason r)
{
	c->lingers = true;
	c->x->req.keeps_alive = false;
	c->x->received = clock_wall_s();
	exchange_refuse(c->x, r);
	answer(c);
}

static bool
begin_exchange(struct h1_conn *c)
{
	c->x = exchange_begin(&c->host->exchanges);
	if (c->x == NULL) {
		break_off(c);
		return false;
	}
	c->x->peer = &c->peer;
	return true;
}

/*
 * The request has content, which nobody will read.  What is not too much is
 * read and dropped before the answer goes out, so that the connection can be
 * used further; else the answer is the last one.
 */
static void
answer_after_content(struct h1_conn *c)
{
	struct exchange *x = c->x;
	bool is_refused = x->res.status >= 400;
	struct task *t;

	if (x->req.content_length > c->host->limits.dropped_bytes ||
	    (x->req.expects_continue && is_refused)) {
		x->res.closes = c->lingers = true;
		answer(c);
		return;
	}
	t = task_of(c);
	if (t == NULL || (x->req.expects_continue &&
	    buf_add(output(c), S("HTTP/1.1 100 Continue\r\n\r\n")) < 0)) {
		break_off(c);
		return;
	}
	chunk_init(&t->chunks);
	t->content_left = x->req.content_length;
	exchange_detach(x);
	enter(c, H1_CONTENT);
}

/* Returns how many bytes of `in` were used; 0 says that more are needed. */
static size_t
read_head(struct h1_conn *c, struct str in)
{
	const struct http_limits *limits = &c->host->limits;
	enum reason reason;
	size_t used = 0;
	enum parse r;

	if (!begin_exchange(c))
		return 0;
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
	c->x->received = clock_wall_s();
	c->host->serve(c->host, c->x);
	if (request_has_content(&c->x->req))
		answer_after_content(c);
	else
		answer(c);
	return used;
}

static size_t
read_content(struct h1_conn *c, struct str in)
{
	struct task *t = c->task;
	size_t used = in.n;
	bool is_done;

	if (c->x->req.is_chunked) {
		struct str data;
		enum parse r = chunk_read(&t->chunks, in, &data, &used);

		if (r == PARSE_BAD) {
			refuse(c, REASON_CHUNK);
			return in.n;
		}
		is_done = r == PARSE_DONE;
	} else {
		if (used > t->content_left)
			used = (size_t)t->content_left;
		t->content_left -= used;
		is_done = t->content_left == 0;
	}
	c->moved += (unsigned)used;
	t->dropped += used;
	if (!is_done && t->dropped > c->host->limits.dropped_bytes) {
		c->x->res.closes = c->lingers = true;
		is_done = true;
	}
	if (is_done)
		answer(c);
	return used;
}

/* Reads requests and answers them until one has to wait; *in is the rest. */
static void
process(struct h1_conn *c, struct str *in)
{
	size_t used;

	while (in->n > 0 && !c->closes) {
		if (c->state == H1_IDLE || c->state == H1_HEAD)
			used = read_head(c, *in);
		else if (c->state == H1_CONTENT)
			used = read_content(c, *in);
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
	if (rest.n == 0)
		buf_fini(&c->in);
	else
		buf_consume(&c->in, c->in.n - rest.n);
}

/* What is staged goes out or moves to the connection. */
static void
flush(struct h1_conn *c)
{
	struct buf *staged = &c->host->out;
	int r = push(c, output(c), NULL, false);

	if (r >= 0 && staged->n > 0)
		r = buf_add(&c->out, buf_str(staged));
	staged->n = 0;
	if (r < 0)
		break_off(c);
	else if (c->out.n > 0 && (c->state == H1_IDLE || c->state == H1_HEAD))
		enter(c, H1_SEND);
}

/* All is said. */
static void
finish(struct h1_conn *c)
{
	if (c->lingers || c->in.n > 0) {
		stream_shut(c->stream);
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
	stream_close(c->stream, c->aborts);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c);
	h->closed(h);
}

static unsigned
wanted(const struct h1_conn *c)
{
	if (c->state == H1_SEND)
		return READY_OUT;
	return c->out.n > 0 ? READY_IN | READY_OUT : READY_IN;
}

/* The end of every callback; c may be gone after it. */
static void
settle(struct h1_conn *c)
{
	if (c->state != H1_DEAD)
		flush(c);
	if (c->state == H1_IDLE && c->host->is_draining)
		c->closes = c->lingers = true;
	if (c->closes && c->x == NULL && c->out.n == 0 &&
	    c->state < H1_LINGER)
		finish(c);
	if (c->state == H1_DEAD || stream_want(c->stream, wanted(c)) < 0)
		conn_free(c);
}

/* The peer will send no more; it may still want to read. */
static void
on_end(struct h1_conn *c)
{
	if (c->state == H1_HEAD && begin_exchange(c)) {
		request_clear(&c->x->req);
		refuse(c, REASON_REQUEST_LINE);
	} else {
		break_off(c);
	}
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

static void
on_writable(struct stream *s)
{
	struct h1_conn *c = s->owner;

	if (push(c, &c->out, NULL, c->x != NULL) < 0) {
		break_off(c);
	} else if (c->out.n == 0) {
		buf_fini(&c->out);
		if (c->state == H1_SEND && c->x != NULL)
			go_on(c);
		else if (c->state == H1_SEND)
			enter(c, H1_IDLE);
	}
	if (c->state == H1_IDLE)
		process_kept(c);
	settle(c);
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

/* Has the peer moved enough in this period? */
static bool
is_fast_enough(struct h1_conn *c)
{
	const struct http_limits *limits = &c->host->limits;
	uint64_t least = (uint64_t)limits->min_rate * limits->rate_ms / 1000;
	bool is_enough = c->moved >= least;

	c->moved = 0;
	start_timer(c, limits->rate_ms);
	return is_enough;
}

static void
on_timer(struct timer *t)
{
	struct h1_conn *c = list_entry(t, struct h1_conn, timer);

	switch ((enum h1_state)c->state) {
	case H1_HEAD:
		if (!begin_exchange(c))
			break;
		request_clear(&c->x->req);
		refuse(c, REASON_HEAD_TIME);
		break;
	case H1_CONTENT:
		if (!is_fast_enough(c))
			refuse(c, REASON_CONTENT_TIME);
		break;
	case H1_SEND:
		if (is_fast_enough(c))
			break;
		break_off(c);
		c->aborts = true;
		break;
	case H1_IDLE:
	case H1_LINGER:
	case H1_DEAD:
		enter(c, H1_DEAD);
		break;
	}
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
		.timer.fn = on_timer,
		.peer = *peer,
		.state = H1_IDLE,
	};
	buf_init(&c->in, in_max);
	buf_init(&c->out, h->out.max);
	err = loop_timer_start(h->loop, &c->timer, h->limits.idle_ms);
	if (err == 0)
		err = stream_open_socket(h->loop, fd, &stream_events, c,
		    &c->stream);
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
