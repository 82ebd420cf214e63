/* SPDX-License-Identifier: ISC */

/* The life of an exchange, and the answers that need no site. */

#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "../cases.h"

/* Of one test. */
static struct exchange_pool pool;
static struct exchange *x;

static int
begin(void **state)
{
	(void)state;
	x = exchange_begin(&pool);
	assert_non_null(x);
	request_clear(&x->req);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	exchange_end(&pool, x);
	exchange_pool_fini(&pool);
	return 0;
}

static void
receive_field(enum field_id id, struct str name, struct str value)
{
	struct request *r = &x->req;

	r->fields[r->n_fields++] = (struct field){ name, value };
	if (request_has(r, id))
		r->repeated |= 1u << id;
	else
		r->first[id] = (unsigned char)r->n_fields;
}

static void
expect_str(struct str got, const char *wanted)
{
	if (!str_eq(got, str_of(wanted)))
		fail_msg("got \"%.*s\", wanted \"%s\"", STR_ARG(got), wanted);
}

static struct str
content(void)
{
	struct piece p;

	if (body_pull(&x->res.body, &p) == PULL_END)
		return S("");
	assert_non_null(p.p);
	return (struct str){ p.p, p.n };
}

static bool
holds(struct str s, const char *text)
{
	return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

static void
test_begins_empty(void **state)
{
	(void)state;
	exchange_refuse(x, REASON_MISSING);
	x->body_sent = 5;
	x->res.closes = true;
	exchange_end(&pool, x);

	x = exchange_begin(&pool);
	assert_int_equal(x->res.status, 0);
	assert_int_equal(x->res.reason, REASON_NONE);
	assert_int_equal(x->res.fields.n, 0);
	assert_int_equal(x->res.block.n, 0);
	assert_null(x->res.body.ops);
	assert_false(x->res.closes);
	assert_int_equal(x->req.line.n, 0);
	assert_int_equal(x->body_sent, 0);
}

/* More exchanges at a time than the pool keeps afterwards. */
static void
test_pool(void **state)
{
	struct exchange *many[2 * COUNT(pool.free)];

	(void)state;
	for (size_t i = 0; i < COUNT(many); i++) {
		many[i] = exchange_begin(&pool);
		assert_non_null(many[i]);
		assert_non_null(arena_alloc(&many[i]->arena, 100));
	}
	for (size_t i = 0; i < COUNT(many); i++)
		exchange_end(&pool, many[i]);
	assert_int_equal(pool.n, COUNT(pool.free));
	many[0] = exchange_begin(&pool);
	assert_int_equal(pool.n, COUNT(pool.free) - 1);
	exchange_end(&pool, many[0]);
}

static void
test_detach(void **state)
{
	static const struct str line = STR("GET / HTTP/1.0");
	char *received = malloc(line.n);

	(void)state;
	assert_non_null(received);
	memcpy(received, line.p, line.n);
	x->req.line = (struct str){ received, line.n };
	x->req.path = (struct str){ received + 4, 1 };
	x->req.version = VERSION_1_0;
	x->req.method = METHOD_GET;
	receive_field(FIELD_RANGE, x->req.path, x->req.path);
	receive_field(FIELD_RANGE, x->req.path, x->req.path);
	exchange_detach(x);
	free(received);

	expect_str(x->req.line, line.p);
	assert_int_equal(x->req.version, VERSION_1_0);
	assert_int_equal(x->req.method, METHOD_GET);
	assert_null(x->req.path.p);
	assert_int_equal(x->req.n_fields, 0);
	assert_null(request_field(&x->req, FIELD_RANGE).p);
	assert_null(exchange_list(x, FIELD_RANGE).p);
}

static void
test_list(void **state)
{
	(void)state;
	receive_field(FIELD_IF_MATCH, S("If-Match"), S("\"a\""));
	receive_field(FIELD_RANGE, S("Range"), S("bytes=0-"));
	receive_field(FIELD_IF_NONE_MATCH, S("if-none-match"), S("\"b\""));
	receive_field(FIELD_OTHER, S("X"), S("y"));
	receive_field(FIELD_IF_NONE_MATCH, S("If-None-Match"), S(""));
	receive_field(FIELD_IF_NONE_MATCH, S("IF-NONE-MATCH"),
	    S("\"c\", \"d\""));

	assert_null(exchange_list(x, FIELD_IF_RANGE).p);
	expect_str(exchange_list(x, FIELD_IF_MATCH), "\"a\"");
	expect_str(exchange_list(x, FIELD_IF_NONE_MATCH),
	    "\"b\", , \"c\", \"d\"");
}

static void
test_add_field(void **state)
{
	static const char large[64 << 10];

	(void)state;
	assert_int_equal(exchange_add_field(x, S("A"), S("b")), 0);
	assert_int_equal(exchange_add_field(x, S("C"), S("")), 0);
	expect_str(buf_str(&x->res.fields), "A: b\r\nC: \r\n");
	assert_int_equal(exchange_add_field(x, S("D"),
	    (struct str){ large, sizeof(large) }), -ENOBUFS);
	expect_str(buf_str(&x->res.fields), "A: b\r\nC: \r\n");
}

static void
test_answer(void **state)
{
	(void)state;
	exchange_answer(x, 200, S("text/plain"), S("hello"));
	assert_int_equal(x->res.status, 200);
	assert_int_equal(x->res.length, 5);
	assert_int_equal(x->res.reason, REASON_NONE);
	expect_str(buf_str(&x->res.fields), "Content-Type: text/plain\r\n");
	expect_str(content(), "hello");
}

static bool was_closed;

static void
note_close(struct body *b)
{
	(void)b;
	was_closed = true;
}

/* Nothing of the answer that was to be is left in the refusal. */
static void
test_refuse(void **state)
{
	static const struct body_ops ops = { .close = note_close };
	struct str page;

	(void)state;
	x->res.body = (struct body){ .ops = &ops };
	x->res.block = S("Last-Modified: never\r\n");
	x->res.length = 4711;
	assert_int_equal(exchange_add_field(x, S("A"), S("b")), 0);
	exchange_refuse(x, REASON_MISSING);
	assert_true(was_closed);
	assert_int_equal(x->res.status, 404);
	assert_int_equal(x->res.reason, REASON_MISSING);
	assert_int_equal(x->res.block.n, 0);
	expect_str(buf_str(&x->res.fields),
	    "Content-Type: text/html; charset=utf-8\r\n"
	    "Cache-Control: no-cache\r\n");

	page = content();
	assert_int_equal(page.n, x->res.length);
	assert_true(str_starts(page, S("<!doctype html>\n")));
	assert_true(holds(page, "<title>404 Not Found</title>"));
	assert_true(holds(page, "<h1>404 Not Found</h1>"));
	assert_true(holds(page, "There is nothing under this address."));
}

static void
test_refuse_for_now(void **state)
{
	(void)state;
	exchange_refuse(x, REASON_MEMORY);
	assert_int_equal(x->res.status, 503);
	assert_true(holds(buf_str(&x->res.fields), "Retry-After: 1\r\n"));
}

/* The last word needs no memory but for its fields. */
static void
test_refuse_without_memory(void **state)
{
	(void)state;
	while (arena_alloc(&x->arena, 64) != NULL)
		;
	exchange_refuse(x, REASON_MEMORY);
	assert_int_equal(x->res.status, 503);
	assert_int_equal(x->res.length, 0);
	expect_str(content(), "");
}

int
main(void)
{
#define WITH_EXCHANGE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_EXCHANGE(test_begins_empty),
		WITH_EXCHANGE(test_pool),
		WITH_EXCHANGE(test_detach),
		WITH_EXCHANGE(test_list),
		WITH_EXCHANGE(test_add_field),
		WITH_EXCHANGE(test_answer),
		WITH_EXCHANGE(test_refuse),
		WITH_EXCHANGE(test_refuse_for_now),
		WITH_EXCHANGE(test_refuse_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
