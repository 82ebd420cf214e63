/* SPDX-License-Identifier: ISC */
/* The life of an exchange, and the answers that need no site. */
#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "http/status.h"

#define ARENA_MAX ((size_t)256 << 10)
#define FIELDS_MAX ((size_t)64 << 10)

struct exchange *
exchange_begin(struct exchange_pool *pool)
{
	struct exchange *x;

	if (pool->n > 0)
		x = pool->free[--pool->n];
	else if ((x = malloc(sizeof(*x))) == NULL)
		return NULL;
	/* The request comes first and is filled in by whoever reads it. */
	memset(&x->res, 0, sizeof(*x) - offsetof(struct exchange, res));
	x->req.line = (struct str){ NULL, 0 };
	arena_init(&x->arena, ARENA_MAX);
	buf_init(&x->res.fields, FIELDS_MAX);
	return x;
}

void
exchange_end(struct exchange_pool *pool, struct exchange *x)
{
	if (x->handler != NULL)
		x->handler->close(x);
	body_close(&x->res.body);
	buf_fini(&x->res.fields);
	arena_fini(&x->arena);
	if (pool->n < sizeof(pool->free) / sizeof(pool->free[0]))
		pool->free[pool->n++] = x;
	else
		free(x);
}

void
exchange_pool_fini(struct exchange_pool *pool)
{
	while (pool->n > 0)
		free(pool->free[--pool->n]);
}

void
exchange_detach(struct exchange *x)
{
	struct str line;

	if (x->is_detached)
		return;
	x->is_detached = true;
	line = arena_dup(&x->arena, x->req.line);
	if (line.p == NULL)
		line.n = 0;
	x->req.line = line;
	x->req.n_fields = 0;
	x->req.repeated = 0;
	memset(x->req.first, 0, sizeof(x->req.first));
	x->req.method_name = x->req.path = x->req.query =
	    x->req.authority = (struct str){ NULL, 0 };
}

/* Copies s to at and has it point there; returns the end of the copy. */
static char *
move(struct str *s, char *at)
{
	if (s->p == NULL)
		return at;
	memcpy(at, s->p, s->n);
	s->p = at;
	return at + s->n;
}

int
exchange_retain(struct exchange *x)
{
	struct request *req = &x->req;
	struct str *parts[] = {
		&req->line, &req->method_name, &req->path, &req->query,
		&req->authority,
	};
	const size_t n_parts = sizeof(parts) / sizeof(parts[0]);
	size_t n = 0;
	char *at;

	for (size_t i = 0; i < n_parts; i++)
		n += parts[i]->n;
	for (unsigned i = 0; i < req->n_fields; i++)
		n += req->fields[i].name.n + req->fields[i].value.n;
	at = arena_alloc(&x->arena, n + 1);
	if (at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n_parts; i++)
		at = move(parts[i], at);
	for (unsigned i = 0; i < req->n_fields; i++) {
		at = move(&req->fields[i].name, at);
		at = move(&req->fields[i].value, at);
	}
	x->is_detached = true;
	return 0;
}

/* Enough for all values, and a separator each. */
static size_t
fields_length(const struct request *req)
{
	size_t n = 0;

	for (unsigned i = 0; i < req->n_fields; i++)
		n += req->fields[i].value.n + strlen(", ");
	return n;
}

struct str
exchange_list(struct exchange *x, enum field_id id)
{
	struct str all = request_field(&x->req, id);
	char *at;

	if (!(x->req.repeated & 1u << id))
		return all;
	/* All values are not longer than all fields: there is room. */
	at = arena_alloc(&x->arena, fields_length(&x->req));
	if (at == NULL)
		return all;
	all.p = at;
	for (unsigned i = 0; i < x->req.n_fields; i++) {
		struct field *f = &x->req.fields[i];

		if (field_parse(f->name) != id)
			continue;
		if (at != all.p) {
			*at++ = ',';
			*at++ = ' ';
		}
		memcpy(at, f->value.p, f->value.n);
		at += f->value.n;
	}
	all.n = (size_t)(at - all.p);
	return all;
}

int
exchange_add_field(struct exchange *x, struct str name, struct str value)
{
	struct buf *b = &x->res.fields;
	int err;

	err = buf_reserve(b, name.n + value.n + 4);
	if (err < 0)
		return err;
	buf_add(b, name);
	buf_add(b, S(": "));
	buf_add(b, value);
	return buf_add(b, S("\r\n"));
}

void
exchange_answer(struct exchange *x, unsigned status, struct str type,
    struct str content)
{
	x->res.status = status;
	x->res.length = content.n;
	if (exchange_add_field(x, S("Content-Type"), type) < 0)
		x->res.closes = true;
	body_memory(&x->res.body, content);
}

void
exchange_refuse(struct exchange *x, enum reason r)
{
	struct str phrase = status_phrase(reason_status(r));
	struct str text = reason_text(r);
	struct str page;

	body_close(&x->res.body);
	x->res.block.n = x->res.fields.n = 0;
	x->res.reason = r;
	page = arena_printf(&x->arena,
	    "<!doctype html>\n"
	    "<html lang=\"en\">\n"
	    "<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>%u %.*s</title>\n"
	    "</head>\n"
	    "<body style=\"max-width:40em;margin:15vh auto;padding:0 1em;"
	    "font-family:sans-serif\">\n"
	    "<h1>%u %.*s</h1>\n"
	    "<p>%.*s</p>\n"
	    "</body>\n"
	    "</html>\n",
	    reason_status(r), STR_ARG(phrase), reason_status(r),
	    STR_ARG(phrase), STR_ARG(text));
	if (page.p == NULL)
		page = (struct str){ "", 0 };
	exchange_answer(x, reason_status(r), S("text/html; charset=utf-8"),
	    page);
	/* Else caches might keep it for as long as they like (RFC 9111 4.2.2),
	   also when the reason is gone. */
	exchange_add_field(x, S("Cache-Control"), S("no-cache"));
	if (x->res.status == 503)
		exchange_add_field(x, S("Retry-After"), S("1"));
}
