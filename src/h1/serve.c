/* SPDX-License-Identifier: ISC */
/*
 * Exchanges: from the bytes of a request to the bytes of its answer, in the
 * order of the requests (RFC 9112 9.3), one exchange at a time.
 */
#include <errno.h>

#include "base/clock.h"
#include "h1/conn_priv.h"
#include "h1/write.h"

/* One callback sends no more than this: others want their turn. */
#define TURN_BYTES ((size_t)1 << 20)

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

void
h1_end_exchange(struct h1_conn *c)
{
	c->host->ended(c->host, c->x);
	exchange_end(&c->host->exchanges, c->x);
	c->x = NULL;
	c->task = NULL;
	c->reads = c->is_paused = c->answers = c->is_blocked =
	    c->is_guarded = false;
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
	struct str stamp = stamp_lines(&c->host->stamp, clock_wall_s());
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

void
h1_go_on(struct h1_conn *c)
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
		h1_break_off(c);
	} else if (r == OUT_DONE) {
		/* Perhaps only its content has shown that. */
		c->closes |= c->x->res.closes;
		h1_end_exchange(c);
		h1_enter(c, H1_IDLE);
		/* A pipeline of many answers must not pile up. */
		if (output_relieve(&c->out) != OUT_DONE)
			h1_flush(c);
	}
}

void
h1_refuse(struct h1_conn *c, enum reason r)
{
	c->lingers = true;
	c->reads = false;
	if (c->state != H1_BUSY)
		h1_enter(c, H1_BUSY);
	if (c->answers) {
		/* Too late to say so. */
		h1_break_off(c);
		return;
	}
	c->x->req.keeps_alive = false;
	c->x->is_pending = false;
	c->x->received = clock_wall_s();
	exchange_refuse(c->x, r);
	h1_go_on(c);
}

void
h1_refuse_unread(struct h1_conn *c, enum reason r)
{
	if (begin_exchange(c)) {
		request_clear(&c->x->req);
		h1_refuse(c, r);
	} else {
		h1_break_off(c);
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
		h1_break_off(c);
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
		h1_break_off(c);
		return 0;
	}
	r = h1_head_parse(in, limits->line_bytes, limits->fields_bytes,
	    &c->x->req, &used, &reason);
	if (r == PARSE_MORE) {
		exchange_end(&c->host->exchanges, c->x);
		c->x = NULL;
		if (used > 0 && c->state == H1_HEAD)
			h1_enter(c, H1_IDLE);
		else if (used == 0 && c->state == H1_IDLE)
			h1_enter(c, H1_HEAD);
		return used;
	}
	if (r == PARSE_BAD) {
		h1_refuse(c, reason);
		return in.n;
	}
	h1_enter(c, H1_BUSY);
	c->x->received = clock_wall_s();
	c->host->serve(c->host, c->x);
	if (request_has_content(&c->x->req))
		begin_content(c);
	if (c->state == H1_BUSY)
		h1_go_on(c);
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
	h1_go_on(c);
}

static void
take_content(struct h1_conn *c, struct str bytes)
{
	struct exchange *x = c->x;

	c->out.moved += (unsigned)bytes.n;
	if (x->handler != NULL) {
		x->handler->content(x, bytes);
		c->is_paused = x->is_full;
		/* It may have refused the content, and so the request. */
		h1_go_on(c);
		return;
	}
	c->task->dropped += bytes.n;
	if (c->task->dropped > c->host->limits.dropped_bytes) {
		x->res.closes = c->lingers = true;
		c->reads = x->is_pending = false;
		h1_go_on(c);
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
			h1_refuse(c, REASON_CHUNK);
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

void
h1_serve(struct h1_conn *c, struct str *in)
{
	size_t used;

	while (in->n > 0) {
		if (c->state == H1_BUSY && c->reads && !c->is_paused)
			used = read_content(c, *in);
		else if ((c->state == H1_IDLE || c->state == H1_HEAD) &&
		    !c->closes && !c->host->is_retiring)
			used = read_head(c, *in);
		else
			break;
		if (used == 0)
			break;
		*in = str_skip(*in, used);
	}
}

void
h1_serve_kept(struct h1_conn *c)
{
	struct str rest = buf_str(&c->in);

	h1_serve(c, &rest);
	/* Its request lies in what now goes. */
	if (c->x != NULL)
		exchange_detach(c->x);
	if (rest.n == 0)
		buf_fini(&c->in);
	else
		buf_consume(&c->in, c->in.n - rest.n);
}
