/* SPDX-License-Identifier: ISC */

#include "h1/write.h"

#include <errno.h>

#include "../cases.h"

#define STAMP "Server: s\r\nDate: d\r\n"
#define LAST_CALL "Connection: close\r\n"

static const struct {
	enum version version;
	enum method method;
	unsigned status;
	uint64_t length;
	bool keeps_alive;
	const char *head;
} heads[] = {
	{ VERSION_1_1, METHOD_GET, 200, 5, true,
	    "HTTP/1.1 200 OK\r\n" STAMP "Content-Length: 5\r\n\r\n" },
	{ VERSION_1_1, METHOD_GET, 200, 5, false, "HTTP/1.1 200 OK\r\n" STAMP
	    "Content-Length: 5\r\n" LAST_CALL "\r\n" },
	{ VERSION_1_0, METHOD_GET, 200, 5, false, "HTTP/1.0 200 OK\r\n" STAMP
	    "Content-Length: 5\r\n" LAST_CALL "\r\n" },
	{ VERSION_1_0, METHOD_GET, 200, 5, true, "HTTP/1.0 200 OK\r\n" STAMP
	    "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n" },
	{ VERSION_0_9, METHOD_GET, 200, 5, false, "" },
	{ VERSION_0_9, METHOD_GET, 404, LENGTH_UNKNOWN, false, "" },
	/* An end that is not known beforehand */
	{ VERSION_1_1, METHOD_GET, 200, LENGTH_UNKNOWN, true,
	    "HTTP/1.1 200 OK\r\n" STAMP "Transfer-Encoding: chunked\r\n\r\n" },
	{ VERSION_1_0, METHOD_GET, 200, LENGTH_UNKNOWN, false,
	    "HTTP/1.0 200 OK\r\n" STAMP LAST_CALL "\r\n" },
	/* A HEAD's answer has the same head (RFC 9110 9.3.2). */
	{ VERSION_1_1, METHOD_HEAD, 200, 5, true,
	    "HTTP/1.1 200 OK\r\n" STAMP "Content-Length: 5\r\n\r\n" },
	{ VERSION_1_1, METHOD_HEAD, 200, LENGTH_UNKNOWN, true,
	    "HTTP/1.1 200 OK\r\n" STAMP "Transfer-Encoding: chunked\r\n\r\n" },
	/* No content by status: no field that promises any (RFC 9112 6) */
	{ VERSION_1_1, METHOD_GET, 304, 5, true,
	    "HTTP/1.1 304 Not Modified\r\n" STAMP "\r\n" },
	{ VERSION_1_1, METHOD_GET, 204, 0, true,
	    "HTTP/1.1 204 No Content\r\n" STAMP "\r\n" },
	{ VERSION_1_1, METHOD_OPTIONS, 200, 0, true,
	    "HTTP/1.1 200 OK\r\n" STAMP "Content-Length: 0\r\n\r\n" },
	{ VERSION_1_1, METHOD_GET, 206, UINT64_C(6442450944), true,
	    "HTTP/1.1 206 Partial Content\r\n" STAMP
	    "Content-Length: 6442450944\r\n\r\n" },
	{ VERSION_1_1, METHOD_GET, 431, UINT64_MAX - 1, false,
	    "HTTP/1.1 431 Request Header Fields Too Large\r\n" STAMP
	    "Content-Length: 18446744073709551614\r\n" LAST_CALL "\r\n" },
	/* The blank stays where there is no phrase (RFC 9112 4). */
	{ VERSION_1_1, METHOD_GET, 299, 0, true,
	    "HTTP/1.1 299 \r\n" STAMP "Content-Length: 0\r\n\r\n" },
};

/* Of one test; only the fields that a head is made of are set. */
static struct exchange_pool pool;
static struct exchange *x;
static struct buf out;

static int
begin(void **state)
{
	(void)state;
	x = exchange_begin(&pool);
	assert_non_null(x);
	request_clear(&x->req);
	buf_init(&out, 4096);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	buf_fini(&out);
	exchange_end(&pool, x);
	exchange_pool_fini(&pool);
	return 0;
}

static void
test_heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(heads); i++) {
		x->req.version = heads[i].version;
		x->req.method = heads[i].method;
		x->res.status = heads[i].status;
		x->res.length = heads[i].length;
		out.n = 0;
		assert_int_equal(h1_write_head(&out, x, S(STAMP),
		    heads[i].keeps_alive), 0);
		if (!str_eq(buf_str(&out), str_of(heads[i].head)))
			fail_msg("got \"%.*s\", wanted \"%s\"",
			    STR_ARG(buf_str(&out)), heads[i].head);
	}
}

static void
test_order(void **state)
{
	(void)state;
	x->res.status = 200;
	x->res.block = S("B: 1\r\n");
	assert_int_equal(exchange_add_field(x, S("F"), S("2")), 0);
	assert_int_equal(buf_add(&out, S("before\r\n\r\n")), 0);
	assert_int_equal(h1_write_head(&out, x, S(""), true), 0);
	assert_true(str_eq(buf_str(&out), S("before\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nB: 1\r\nF: 2\r\nContent-Length: 0\r\n\r\n")));
}

/* A head is written whole or not at all. */
static void
test_no_room(void **state)
{
	struct buf small;

	(void)state;
	x->res.status = 200;
	buf_init(&small, 64);
	assert_int_equal(buf_add(&small, S("before")), 0);
	assert_int_equal(h1_write_head(&small, x, S(STAMP), true), -ENOBUFS);
	assert_true(str_eq(buf_str(&small), S("before")));
	buf_fini(&small);
}

static void
test_framing(void **state)
{
	static const struct {
		uint64_t length;
		enum version version;
		enum framing framing;
	} cases[] = {
		{ 0, VERSION_1_1, FRAMING_LENGTH },
		{ 5, VERSION_1_0, FRAMING_LENGTH },
		{ 5, VERSION_0_9, FRAMING_CLOSE },
		{ LENGTH_UNKNOWN, VERSION_1_1, FRAMING_CHUNKED },
		{ LENGTH_UNKNOWN, VERSION_1_0, FRAMING_CLOSE },
		{ LENGTH_UNKNOWN, VERSION_0_9, FRAMING_CLOSE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		x->res.length = cases[i].length;
		x->req.version = cases[i].version;
		assert_int_equal(h1_framing(x), cases[i].framing);
	}
}

static void
test_sends_content(void **state)
{
	static const struct {
		enum method method;
		unsigned status;
		bool sends;
	} cases[] = {
		{ METHOD_GET, 200, true },
		{ METHOD_GET, 404, true },
		{ METHOD_UNKNOWN, 501, true },
		{ METHOD_GET, 304, false },
		{ METHOD_GET, 204, false },
		{ METHOD_HEAD, 200, false },
		{ METHOD_HEAD, 404, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		x->req.method = cases[i].method;
		x->res.status = cases[i].status;
		assert_int_equal(h1_sends_content(x), cases[i].sends);
	}
}

static void
test_chunk_size(void **state)
{
	(void)state;
	assert_int_equal(h1_write_chunk_size(&out, 1), 0);
	assert_int_equal(h1_write_chunk_size(&out, 255), 0);
	assert_int_equal(h1_write_chunk_size(&out, UINT64_MAX), 0);
	assert_true(str_eq(buf_str(&out),
	    S("1\r\nff\r\nffffffffffffffff\r\n")));
}

int
main(void)
{
#define WITH_EXCHANGE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_EXCHANGE(test_heads),
		WITH_EXCHANGE(test_order),
		WITH_EXCHANGE(test_no_room),
		WITH_EXCHANGE(test_framing),
		WITH_EXCHANGE(test_sends_content),
		WITH_EXCHANGE(test_chunk_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
