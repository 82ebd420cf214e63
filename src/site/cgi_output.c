/* SPDX-License-Identifier: ISC */
/*
 * What a program writes: its header becomes that of the response, what follows
 * is content that is read only when the client has taken the last piece.
 */
#include <errno.h>
#include <unistd.h>

#include "http/path.h"
#include "site/cgi_head.h"
#include "site/cgi_priv.h"
#include "site/coded.h"
#include "site/variant.h"

/* More than this in one turn would keep others waiting: what comes out of a
   coding may be little. */
#define TURN_BYTES ((size_t)256 << 10)
#define REDIRECTS_MAX 10

/* Content */

/* Returns the number of bytes, 0 at the end, or -EAGAIN. */
static ssize_t
read_output(struct cgi *c)
{
	struct buf *b = &c->output;
	ssize_t n;

	if (buf_reserve(b, CGI_READ_BYTES) < 0) {
		cgi_refuse(c, REASON_MEMORY);
		return 0;
	}
	n = read(c->out.fd, b->p + b->n, CGI_READ_BYTES);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n <= 0) {
		c->has_ended = true;
		cgi_close_end(c, &c->out);
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
		cgi_expect(c);
		return PULL_WAIT;
	}
	if (c->has_failed)
		return PULL_FAIL;
	return c->output.n > 0 ? lend(c, out_piece) : end_output(c);
}

static const struct body_ops cgi_body = {
	.pull = cgi_pull,
};

/* The header */

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

void
cgi_on_output(struct watch *w, unsigned ready)
{
	struct cgi *c = list_entry(w, struct cgi, out);
	struct exchange *x = c->x;
	enum head head = HEAD_ANSWERED;

	(void)ready;
	c->taken = 0;
	cgi_expect(c);
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
