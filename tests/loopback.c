/* SPDX-License-Identifier: ISC */
#include "loopback.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "h1/head.h"
#include "h1/write.h"
#include "site/site.h"

#include "unit/cases.h"

#define CONTENT_MAX ((size_t)64 << 20)

static void
serve_site(struct loopback *l, struct exchange *x)
{
	site_serve(l->owner, x);
}

void
loopback_init(struct loopback *l,
    void (*serve)(struct loopback *l, struct exchange *x), void *owner)
{
	*l = (struct loopback){ .serve = serve, .owner = owner };
	buf_init(&l->fields, CONTENT_MAX);
	buf_init(&l->content, CONTENT_MAX);
}

void
loopback_init_site(struct loopback *l, struct site *s)
{
	loopback_init(l, serve_site, s);
}

void
loopback_fini(struct loopback *l)
{
	buf_fini(&l->fields);
	buf_fini(&l->content);
	exchange_pool_fini(&l->exchanges);
}

/* "Name: value\r\n", with nothing that could end the line before. */
static void
check_line(struct str line)
{
	struct str name, value = line;

	if (!str_cut(&value, ':', &name) || !field_is_token(name) ||
	    !str_starts(value, S(" ")) || !str_ends(value, S("\r")))
		fail_msg("no field line: \"%.*s\"", STR_ARG(line));
	for (size_t i = 0; i + 1 < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t')
			fail_msg("control byte: \"%.*s\"", STR_ARG(line));
}

static void
keep_fields(struct loopback *l, const struct response *res)
{
	struct str line, rest;

	l->fields.n = 0;
	assert_int_equal(buf_add(&l->fields, res->block), 0);
	assert_int_equal(buf_add(&l->fields, buf_str(&res->fields)), 0);
	rest = buf_str(&l->fields);
	assert_true(rest.n == 0 || str_ends(rest, S("\r\n")));
	while (str_cut(&rest, '\n', &line))
		if (line.n > 0)
			check_line(line);
}

void
loopback_ask(struct loopback *l, struct str head)
{
	char *copy = malloc(head.n);
	enum reason reason;
	size_t used;

	assert_non_null(copy);
	memcpy(copy, head.p, head.n);
	l->x = exchange_begin(&l->exchanges);
	assert_non_null(l->x);
	if (h1_head_parse((struct str){ copy, head.n }, 65536, 65536,
	    &l->x->req, &used, &reason) != PARSE_DONE || used != head.n)
		fail_msg("no request: \"%.*s\"", STR_ARG(head));
	l->x->received = l->now != 0 ? l->now : clock_wall_s();
	l->serve(l, l->x);
	exchange_detach(l->x);
	free(copy);
	l->status = l->x->res.status;
	l->reason = l->x->res.reason;
	l->length = l->x->res.length;
	keep_fields(l, &l->x->res);
}

/* The bytes of a piece; false when the file does not hold them any more. */
static bool
take_piece(struct loopback *l, struct piece p)
{
	ssize_t n;

	assert_true(p.n > 0);
	l->pieces++;
	if (p.p != NULL) {
		if (p.n > l->largest)
			l->largest = p.n;
		return buf_add(&l->content, (struct str){ p.p, p.n }) == 0;
	}
	assert_int_equal(buf_reserve(&l->content, p.n), 0);
	n = pread(p.fd, l->content.p + l->content.n, p.n, (off_t)p.offset);
	assert_true(n >= 0);
	l->content.n += (size_t)n;
	return (uint64_t)n == p.n;
}

static void
pull_all(struct loopback *l)
{
	enum pull pull;
	struct piece p;

	do {
		pull = body_pull(&l->x->res.body, &p);
		l->is_broken = pull == PULL_FAIL ||
		    (pull == PULL_PIECE && !take_piece(l, p));
	} while (pull == PULL_PIECE && !l->is_broken);
}

void
loopback_finish(struct loopback *l)
{
	l->content.n = l->largest = 0;
	l->pieces = 0;
	l->is_broken = false;
	if (h1_sends_content(l->x)) {
		pull_all(l);
		if (!l->is_broken && l->length != LENGTH_UNKNOWN)
			assert_int_equal(l->content.n, l->length);
	}
	exchange_end(&l->exchanges, l->x);
	l->x = NULL;
}

void
loopback_send(struct loopback *l, const char *method, const char *target,
    const char *fields)
{
	struct buf head;

	buf_init(&head, 65536);
	assert_int_equal(buf_printf(&head,
	    "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target, fields), 0);
	loopback_ask(l, buf_str(&head));
	buf_fini(&head);
	loopback_finish(l);
}

void
loopback_get(struct loopback *l, const char *target, const char *fields)
{
	loopback_send(l, "GET", target, fields);
}

struct str
loopback_field(const struct loopback *l, const char *name)
{
	struct str line, has, found = { NULL, 0 }, rest = buf_str(&l->fields);

	while (str_cut(&rest, '\n', &line)) {
		if (!str_cut(&line, ':', &has) ||
		    !str_eq_nocase(has, str_of(name)))
			continue;
		if (found.p != NULL)
			fail_msg("%s is there twice", name);
		line.n--;
		found = str_trim(line);
	}
	return found;
}

void
loopback_expect(const struct loopback *l, const char *name, const char *value)
{
	struct str got = loopback_field(l, name);

	if (value == NULL ? got.p != NULL : !str_eq(got, str_of(value)))
		fail_msg("%s: got \"%.*s\", wanted \"%s\"", name,
		    STR_ARG(got), value ? value : "none");
}

void
loopback_expect_content(const struct loopback *l, struct str content)
{
	struct str got = buf_str(&l->content);

	if (!str_eq(got, content))
		fail_msg("got \"%.*s\", wanted \"%.*s\"", STR_ARG(got),
		    STR_ARG(content));
}
