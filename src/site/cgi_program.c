/* SPDX-License-Identifier: ISC */
/*
 * One program: three pipes, watched only while something is waited for.  The
 * request's content goes to its standard input as fast as it takes it, and its
 * output is read only when the client has taken the last piece.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "http/path.h"
#include "http/status.h"
#include "net/channel.h"
#include "site/cgi_head.h"
#include "site/cgi_priv.h"
#include "site/coded.h"
#include "site/spawn_msg.h"
#include "site/variant.h"

#define READ_BYTES ((size_t)16 << 10)
/* More than this in one turn would keep others waiting: what comes out of a
   coding may be little. */
#define TURN_BYTES ((size_t)256 << 10)
/* Chunked content must be whole before its length can be told. */
#define SPOOL_MAX ((uint64_t)16 << 20)
#define REDIRECTS_MAX 10
#define COMPLAINTS_MAX 20       /* lines of standard error a second */

static struct cgi *
cgi_of(struct exchange *x)
{
	return x->handler_state;
}

void
cgi_complain(struct cgi *c, const char *what)
{
	log_error("cgi-bin/%.*s: %s", STR_ARG(c->script.path), what);
}

/* Pipes */

static void
close_end(struct cgi *c, struct watch *w)
{
	if (w->fd == -1)
		return;
	loop_remove(c->service->loop, w);
	close(w->fd);
	w->fd = -1;
}

/* Opens a pipe: our end goes to *w, the program's end is returned. */
static int
open_pipe(struct cgi *c, struct watch *w, bool we_write)
{
	int ends[2], theirs = we_write ? 0 : 1, err;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -errno;
	w->fd = ends[1 - theirs];
	w->wanted = 0;
	err = fcntl(w->fd, F_SETFL, O_NONBLOCK) == -1 ? -errno :
	    loop_add(c->service->loop, w);
	if (err < 0) {
		close(ends[0]);
		close(ends[1]);
		w->fd = -1;
		return err;
	}
	return ends[theirs];
}

static void
expect_something(struct cgi *c)
{
	/* Only the first start can fail, and that is checked. */
	loop_timer_start(c->service->loop, &c->idle,
	    c->service->setup.idle_ms);
}

/* The program's standard error, line by line, but not without end. */
static void
log_complaints(struct cgi *c, struct str text)
{
	struct cgi_service *s = c->service;
	int64_t now = loop_now_ms(s->loop);
	struct str line;

	if (now - s->complaints_ms >= 1000) {
		s->complaints_ms = now;
		s->complaints = 0;
	}
	while (str_cut(&text, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (++s->complaints > COMPLAINTS_MAX)
			return;
		if (line.n > 512)
			line.n = 512;
		log_error("cgi-bin/%.*s: %.*s", STR_ARG(c->script.path),
		    STR_ARG(line));
	}
}

static void
read_complaints(struct cgi *c)
{
	char text[4096];
	ssize_t n;

	if (c->err.fd == -1)
		return;
	n = read(c->err.fd, text, sizeof(text));
	if (n > 0)
		log_complaints(c, (struct str){ text, (size_t)n });
	else if (n == 0 || errno != EAGAIN)
		close_end(c, &c->err);
}

static void
on_complaint(struct watch *w, unsigned ready)
{
	(void)ready;
	read_complaints(list_entry(w, struct cgi, err));
}

/* The request's content */

/* Gives the program what it takes; what is left makes the exchange full. */
static void
feed(struct cgi *c)
{
	ssize_t n;

	while (c->in.fd != -1 && c->content.n > 0) {
		n = write(c->in.fd, c->content.p, c->content.n);
		if (n == -1 && errno == EAGAIN) {
			c->x->is_full = true;
			loop_want(c->service->loop, &c->in, READY_OUT);
			return;
		}
		/* It does not read to the end: the rest is not wanted. */
		if (n == -1)
			close_end(c, &c->in);
		else
			buf_consume(&c->content, (size_t)n);
		expect_something(c);
	}
	c->content.n = 0;
	c->x->is_full = false;
	if (c->in.fd != -1) {
		loop_want(c->service->loop, &c->in, 0);
		if (c->has_all_content)
			close_end(c, &c->in);
	}
}

static void
on_writable(struct watch *w, unsigned ready)
{
	struct cgi *c = list_entry(w, struct cgi, in);

	(void)ready;
	feed(c);
	if (!c->x->is_full)
		exchange_wake(c->x);
}

static void start(struct cgi *c, int in);

void
cgi_refuse(struct cgi *c, enum reason r)
{
	c->has_failed = true;
	/* It has begun: cgi_pull breaks it off. */
	if (!c->x->is_pending)
		return;
	exchange_refuse(c->x, r);
	c->x->is_pending = false;
}

static void
spool(struct cgi *c, struct str bytes)
{
	ssize_t n;

	if (bytes.n > SPOOL_MAX - c->spooled) {
		cgi_refuse(c, REASON_CONTENT_LENGTH);
		return;
	}
	if (bytes.n > c->service->spool_left) {
		cgi_refuse(c, REASON_BUSY);
		return;
	}
	while (bytes.n > 0) {
		n = write(c->spool, bytes.p, bytes.n);
		if (n == -1) {
			cgi_refuse(c, reason_of_errno(errno));
			return;
		}
		c->spooled += (uint64_t)n;
		c->service->spool_left -= (uint64_t)n;
		bytes = str_skip(bytes, (size_t)n);
	}
}

static void
on_content(struct exchange *x, struct str bytes)
{
	struct cgi *c = cgi_of(x);

	if (c->has_failed)
		return;
	if (c->spool != -1)
		spool(c, bytes);
	else if (c->in.fd == -1)
		return;
	else if (buf_add(&c->content, bytes) < 0)
		cgi_refuse(c, REASON_MEMORY);
	else
		feed(c);
}

static void
on_content_end(struct exchange *x)
{
	struct cgi *c = cgi_of(x);

	c->has_all_content = true;
	if (c->has_failed)
		return;
	if (c->spool == -1) {
		feed(c);
		return;
	}
	if (lseek(c->spool, 0, SEEK_SET) == -1)
		cgi_refuse(c, REASON_INPUT_OUTPUT);
	else
		start(c, c->spool);
}

/* The program's answer */

/* Returns the number of bytes, 0 at the end, or -EAGAIN. */
static ssize_t
read_output(struct cgi *c)
{
	struct buf *b = &c->output;
	ssize_t n;

	if (buf_reserve(b, READ_BYTES) < 0) {
		cgi_refuse(c, REASON_MEMORY);
		return 0;
	}
	n = read(c->out.fd, b->p + b->n, READ_BYTES);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0) {
		c->has_ended = true;
		close_end(c, &c->out);
		return 0;
	}
	b->n += (size_t)n;
	c->taken += (size_t)n;
	return n;
}

/* Output that is promised and does not come, or comes unpromised. */
static enum pull
end_output(struct cgi *c)
{
	if (c->left == LENGTH_UNKNOWN || c->left == 0)
		return PULL_END;
	cgi_complain(c, "its output is shorter than its Content-Length");
	return PULL_FAIL;
}

static enum pull
lend(struct cgi *c, struct piece *out_piece)
{
	uint64_t n = c->output.n;

	if (c->left != LENGTH_UNKNOWN) {
		if (n > c->left) {
			cgi_complain(c, "its output is longer than its "
			    "Content-Length");
			n = c->left;
			c->has_ended = true;
			c->x->res.closes = true;
		}
		c->left -= n;
	}
	if (n == 0)
		return PULL_END;
	c->is_lent = true;
	*out_piece = (struct piece){ .p = c->output.p, .n = n };
	return PULL_PIECE;
}

static enum pull
cgi_pull(struct body *b, struct piece *out_piece)
{
	struct cgi *c = b->state;

	if (c->has_failed)
		return PULL_FAIL;
	if (c->is_lent) {
		c->is_lent = false;
		c->output.n = 0;
	}
	if (c->output.n == 0 && !c->has_ended &&
	    (c->taken >= TURN_BYTES || read_output(c) == -EAGAIN)) {
		loop_want(c->service->loop, &c->out, READY_IN);
		expect_something(c);
		return PULL_WAIT;
	}
	if (c->has_failed)
		return PULL_FAIL;
	return c->output.n > 0 ? lend(c, out_piece) : end_output(c);
}

static const struct body_ops cgi_body = {
	.pull = cgi_pull,
};

/*
 * The type of a document that may be compressed; p is NULL when it has one
 * part only, is coded already, or is to be left alone.
 */
static struct str
type_to_compress(const struct cgi_head *h)
{
	struct str type = { NULL, 0 };

	for (unsigned i = 0; i < h->n; i++) {
		const struct field *f = &h->fields[i];

		if (str_eq_nocase(f->name, S("Content-Type")))
			type = f->value;
		else if (str_eq_nocase(f->name, S("Content-Encoding")) ||
		    str_eq_nocase(f->name, S("Content-Range")) ||
		    (str_eq_nocase(f->name, S("Cache-Control")) &&
		    field_list_has(f->value, S("no-transform"))))
			return (struct str){ NULL, 0 };
	}
	return type;
}

/* What is compressed is not the same byte for byte: RFC 9110 8.8.1. */
static int
add_field(struct exchange *x, const struct field *f, enum coding coding)
{
	if (coding != CODING_IDENTITY && str_eq_nocase(f->name, S("ETag")) &&
	    str_starts(f->value, S("\"")))
		return buf_printf(&x->res.fields, "ETag: W/%.*s\r\n",
		    STR_ARG(f->value));
	return exchange_add_field(x, f->name, f->value);
}

static void
answer_document(struct cgi *c, const struct cgi_head *h)
{
	struct exchange *x = c->x;
	enum coding coding = CODING_IDENTITY;

	x->res.status = h->status != 0 ? h->status :
	    h->location.p != NULL ? 302 : 200;
	x->res.length = c->left = h->has_length ? h->length : LENGTH_UNKNOWN;
	/* There is never content, but its length (RFC 9110 15.3.6). */
	if (x->res.status == 205)
		x->res.length = c->left = 0;
	if (x->res.status == 200)
		coding = variant_of_stream(c->site, x, type_to_compress(h),
		    x->res.length);
	for (unsigned i = 0; i < h->n; i++) {
		if (add_field(x, &h->fields[i], coding) < 0) {
			cgi_complain(c, "its header is too long");
			cgi_refuse(c, REASON_CGI_HEAD);
			return;
		}
	}
	if (x->res.status != 205)
		x->res.body = (struct body){ .ops = &cgi_body, .state = c };
	if (coding != CODING_IDENTITY && coded_begin(x, coding) < 0) {
		cgi_refuse(c, REASON_MEMORY);
		return;
	}
	x->is_pending = false;
}

enum head {
	HEAD_MORE,
	HEAD_ANSWERED,
	HEAD_REDIRECTED,        /* to another handler: c is gone */
};

/* The request becomes one for another path, without content. */
static void
ask_for(struct request *req, struct str target)
{
	static const enum field_id content[] = {
		FIELD_CONTENT_LENGTH, FIELD_CONTENT_TYPE,
	};

	/* Who asked for the head alone must not get more (RFC 9110 9.3.2). */
	if (req->method != METHOD_HEAD) {
		req->method = METHOD_GET;
		req->method_name = S("GET");
	}
	for (size_t i = 0; i < sizeof(content) / sizeof(content[0]); i++)
		req->first[content[i]] = 0;
	req->content_length = 0;
	req->is_chunked = false;
	req->query = (struct str){ NULL, 0 };
	if (memchr(target.p, '?', target.n) != NULL) {
		req->query = target;
		str_cut(&req->query, '?', &target);
	}
	req->path = target;
}

/* RFC 3875 6.2.2: as if the client had asked for that path. */
static enum head
redirect(struct cgi *c, struct str location)
{
	struct exchange *x = c->x;
	struct site *site = c->site;
	struct str target = arena_dup(&x->arena, location);

	if (target.p == NULL || ++x->redirects > REDIRECTS_MAX) {
		cgi_complain(c, "too many redirections");
		cgi_refuse(c, REASON_CGI_LOOP);
		return HEAD_ANSWERED;
	}
	x->handler->close(x);
	x->handler = NULL;
	x->is_pending = false;
	ask_for(&x->req, target);
	site_serve(site, x);
	return HEAD_REDIRECTED;
}

/* What an NPH program says is sent as it is; only the log wants a status. */
static void
answer_raw(struct cgi *c)
{
	struct str s = buf_str(&c->output);
	uint64_t status = 200;
	struct str code = str_skip(s, 9);

	if (str_starts(s, S("HTTP/1.")) && code.n >= 3) {
		code.n = 3;
		str_to_u64(code, &status);
	}
	c->x->res.status = (unsigned)status;
	c->x->res.is_raw = true;
	c->x->res.length = c->left = LENGTH_UNKNOWN;
	c->x->res.body = (struct body){ .ops = &cgi_body, .state = c };
	c->x->is_pending = false;
}

static bool
is_raw(const struct cgi *c)
{
	return str_starts(path_last(c->script.path), S("nph-"));
}

static enum head
read_head(struct cgi *c)
{
	struct cgi_head h;
	size_t used;

	if (is_raw(c) && c->output.n > 0) {
		answer_raw(c);
		return HEAD_ANSWERED;
	}
	switch (cgi_head_parse(buf_str(&c->output), &h, &used)) {
	case CGI_HEAD_MORE:
		if (!c->has_ended)
			return HEAD_MORE;
		cgi_complain(c, "it ended before its header did");
		cgi_refuse(c, REASON_CGI_HEAD);
		return HEAD_ANSWERED;
	case CGI_HEAD_BAD:
		cgi_complain(c, "its header is malformed or too long");
		cgi_refuse(c, REASON_CGI_HEAD);
		return HEAD_ANSWERED;
	case CGI_HEAD_DONE:
		break;
	}
	if (cgi_head_is_local_redirect(&h))
		return redirect(c, h.location);
	answer_document(c, &h);
	buf_consume(&c->output, used);
	return HEAD_ANSWERED;
}

static void
on_output(struct watch *w, unsigned ready)
{
	struct cgi *c = list_entry(w, struct cgi, out);
	struct exchange *x = c->x;
	enum head head = HEAD_ANSWERED;

	(void)ready;
	c->taken = 0;
	expect_something(c);
	if (!c->has_head && read_output(c) == -EAGAIN)
		return;
	if (!c->has_head && !c->has_failed)
		head = read_head(c);
	if (head == HEAD_MORE)
		return;
	if (head == HEAD_ANSWERED) {
		c->has_head = true;
		if (c->out.fd != -1)
			loop_want(c->service->loop, &c->out, 0);
	}
	exchange_wake(x);
}

static void
on_idle(struct timer *t)
{
	struct cgi *c = list_entry(t, struct cgi, idle);
	bool waits = (c->out.fd != -1 && c->out.wanted != 0) ||
	    (c->in.fd != -1 && c->in.wanted != 0);

	/* It is the client who is waited for. */
	if (!waits) {
		expect_something(c);
		return;
	}
	cgi_complain(c, "it did nothing for too long and is ended");
	cgi_refuse(c, REASON_CGI_TIME);
	exchange_wake(c->x);
}

/* Beginning and end */

/* Or has the client left before the end? */
static bool
is_complete(const struct cgi *c)
{
	return !c->has_failed && c->has_head && (c->has_ended ||
	    c->left == 0 || c->x->req.method == METHOD_HEAD ||
	    !status_has_content(c->x->res.status));
}

static void
cgi_end(struct exchange *x)
{
	struct cgi *c = cgi_of(x);

	read_complaints(c);
	if (c->is_started)
		cgi_tell(c->service, is_complete(c) ? SPAWN_DONE :
		    SPAWN_KILL, c->id);
	close_end(c, &c->in);
	close_end(c, &c->out);
	close_end(c, &c->err);
	if (c->spool != -1)
		close(c->spool);
	loop_timer_stop(c->service->loop, &c->idle);
	list_remove(&c->node);
	c->service->n_programs--;
	buf_fini(&c->content);
	buf_fini(&c->output);
	c->service->spool_left += c->spooled;
	x->handler_state = NULL;
	x->is_full = false;
	free(c);
}

static const struct handler cgi_handler = {
	.content = on_content,
	.content_end = on_content_end,
	.close = cgi_end,
};

static int
send_run(struct cgi *c, const int fds[3])
{
	uint64_t length = LENGTH_UNKNOWN;
	struct buf message;
	int err;

	/* Else more could end than there is room to say so: cgi_tell. */
	if (c->service->unsent.n > 0)
		return -EAGAIN;
	if (c->spool != -1)
		length = c->spooled;
	else if (c->x->req.content_length > 0 ||
	    request_has(&c->x->req, FIELD_CONTENT_LENGTH))
		length = c->x->req.content_length;
	buf_init(&message, SPAWN_MSG_MAX);
	err = cgi_write_message(&message, &c->service->setup, c->x,
	    &c->script, length, c->id);
	if (err == 0)
		err = channel_send(c->service->channel.fd, message.p,
		    message.n, fds, 3);
	buf_fini(&message);
	return err;
}

/* Has the spawner run it; `in` is its standard input, -1: a pipe of ours. */
static void
start(struct cgi *c, int in)
{
	int fds[3] = { in, -1, -1 }, err = 0;

	if (in == -1)
		err = fds[0] = open_pipe(c, &c->in, true);
	if (err >= 0)
		err = fds[1] = open_pipe(c, &c->out, false);
	if (err >= 0)
		err = fds[2] = open_pipe(c, &c->err, false);
	if (err >= 0)
		err = send_run(c, fds);
	if (in == -1 && fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	if (fds[2] >= 0)
		close(fds[2]);
	if (err < 0) {
		cgi_refuse(c, err == -EAGAIN || err == -EPIPE ? REASON_BUSY :
		    err == -ENOBUFS ? REASON_FIELDS_SIZE :
		    reason_of_errno(-err));
		return;
	}
	c->is_started = true;
	loop_want(c->service->loop, &c->out, READY_IN);
	loop_want(c->service->loop, &c->err, READY_IN);
}

struct cgi *
cgi_new(struct cgi_service *s, struct site *site, struct exchange *x,
    const struct script *script)
{
	struct cgi *c = malloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct cgi){
		.service = s,
		.site = site,
		.x = x,
		.script = *script,
		.id = ++s->last_id,
		.in = { .fn = on_writable, .fd = -1 },
		.out = { .fn = on_output, .fd = -1 },
		.err = { .fn = on_complaint, .fd = -1 },
		.idle.fn = on_idle,
		.spool = -1,
		.left = LENGTH_UNKNOWN,
	};
	if (loop_timer_start(s->loop, &c->idle, s->setup.idle_ms) < 0) {
		free(c);
		return NULL;
	}
	buf_init(&c->content, (size_t)4 * LOOP_SCRATCH);
	buf_init(&c->output, CGI_HEAD_MAX + 2 * READ_BYTES);
	list_append(&s->programs, &c->node);
	s->n_programs++;
	x->handler = &cgi_handler;
	x->handler_state = c;
	x->is_pending = true;
	return c;
}

void
cgi_begin(struct cgi *c)
{
	if (c->x->req.is_chunked) {
		c->spool = memfd_create("sws-content", MFD_CLOEXEC);
		if (c->spool == -1)
			cgi_refuse(c, reason_of_errno(errno));
	} else {
		start(c, c->x->req.content_length > 0 ? -1 :
		    c->service->null);
	}
}
