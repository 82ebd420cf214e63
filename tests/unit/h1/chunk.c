/* SPDX-License-Identifier: ISC */

/* Chunked content, at once and in pieces: both must be read alike. */

#include "h1/chunk.h"

#include <stdlib.h>

#include "../cases.h"

/* What was read of a message, however it was cut. */
struct outcome {
	struct chunk_reader reader;
	enum parse parse;
	size_t used;
	char data[256];
	size_t n;
};

static void
begin(struct outcome *o)
{
	*o = (struct outcome){ .parse = PARSE_MORE };
	chunk_init(&o->reader);
}

/* Goes on in a copy of just its size until that is used up. */
static void
feed(struct outcome *o, struct str in)
{
	char *copy = malloc(in.n ? in.n : 1);
	struct str data, rest = { copy, in.n };
	size_t used;

	assert_non_null(copy);
	memcpy(copy, in.p, in.n);
	while (o->parse == PARSE_MORE && rest.n > 0) {
		o->parse = chunk_read(&o->reader, rest, &data, &used);
		if (o->parse == PARSE_BAD)
			break;
		assert_in_range(used, 1, rest.n);
		assert_true(data.n <= sizeof(o->data) - o->n);
		memcpy(o->data + o->n, data.p, data.n);
		o->n += data.n;
		o->used += used;
		rest = str_skip(rest, used);
	}
	free(copy);
}

#define LAST "0\r\n\r\n"

static const struct {
	struct str in;
	const char *data;
	size_t behind;          /* bytes of `in` that are not its own */
} good[] = {
	{ STR(LAST), "", 0 },
	{ STR("5\r\nhello\r\n" LAST), "hello", 0 },
	{ STR("5\r\nhello\r\n" LAST "GET /"), "hello", 5 },
	{ STR("1\r\na\r\n2\r\nbc\r\n" LAST), "abc", 0 },
	{ STR("4\r\n\r\n\r\n\r\n" LAST "\r\n"), "\r\n\r\n", 2 },
	{ STR("5\r\n0\r\n\r\n\r\n" LAST), "0\r\n\r\n", 0 },
	/* Sizes */
	{ STR("00000005\r\nhello\r\n00\r\n\r\n"), "hello", 0 },
	{ STR("a\r\n0123456789\r\nA\r\n0123456789\r\n" LAST),
	    "01234567890123456789", 0 },
	{ STR("1f\r\n0123456789012345678901234567890\r\n" LAST),
	    "0123456789012345678901234567890", 0 },
	/* Extensions */
	{ STR("1;a\r\nx\r\n" LAST), "x", 0 },
	{ STR("1;a=b;c=\"d;\\\"\xff\"\r\nx\r\n0;e\r\n\r\n"), "x", 0 },
	{ STR("1 \t;\ta = b\r\nx\r\n" LAST), "x", 0 },
	{ STR("1;\r\nx\r\n" LAST), "x", 0 },
	/* Trailers */
	{ STR("0\r\nA: b\r\n\r\nX"), "", 1 },
	{ STR("0\r\nA:\r\nContent-Length: 5\r\nB: \t\xff\r\n\r\n"), "", 0 },
};

static const struct str bad[] = {
	/* Sizes */
	STR("\r\n"),
	STR("\n"),
	STR("x\r\n"),
	STR(" 5\r\n"),
	STR("+5\r\n"),
	STR("-5\r\n"),
	STR("0x5\r\n"),
	STR("5h\r\n"),
	STR("5 5\r\n"),
	STR("5 \r\n"),
	STR("5.\r\n"),
	STR(";a\r\n"),
	STR("5\0\r\n"),
	STR("fffffffffffffffff"),
	STR("ffffffffffffffff\r\n"),
	STR("8000000000000000\r\n"),
	STR("10000000000000005\r\nhello"),
	STR("0000000000000005\r\nhello"),
	/* Ends of lines that others might take for one */
	STR("5\nhello\r\n" LAST),
	STR("5\rhello\r\n" LAST),
	STR("5\r\r\nhello"),
	STR("5;a\nhello"),
	STR("5;a\r;b\r\n"),
	STR("5\r\nhello\n" LAST),
	STR("5\r\nhello" LAST),
	STR("5\r\nhello\r5"),
	STR("5\r\nhello!\r\n" LAST),
	STR("0\r\n\n"),
	STR("0\r\n\rX"),
	STR("0\n\r\n"),
	STR("0\r\nA: b\n\r\n"),
	STR("0\r\nA: b\rC: d\r\n\r\n"),
	/* Extensions and trailers */
	STR("5;a\0\r\n"),
	STR("5;a\x7f\r\n"),
	STR("5;a\x0b\r\n"),
	STR("0\r\nA\r\n\r\n"),
	STR("0\r\n: b\r\n\r\n"),
	STR("0\r\nA : b\r\n\r\n"),
	STR("0\r\n A: b\r\n\r\n"),
	STR("0\r\nA: b\r\n c\r\n\r\n"),
	STR("0\r\nA: \0\r\n\r\n"),
	STR("0\r\n\0"),
};

static void
check_good(const struct outcome *o, size_t i)
{
	if (o->parse != PARSE_DONE)
		fail_msg("\"%.*s\": %s", STR_ARG(good[i].in),
		    o->parse == PARSE_BAD ? "refused" : "has no end");
	assert_int_equal(o->used, good[i].in.n - good[i].behind);
	assert_int_equal(o->n, strlen(good[i].data));
	assert_memory_equal(o->data, good[i].data, o->n);
}

static void
test_at_once(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		begin(&o);
		feed(&o, good[i].in);
		check_good(&o, i);
	}
}

static void
feed_bytes(struct outcome *o, struct str in)
{
	for (size_t n = 0; n < in.n; n++)
		feed(o, (struct str){ in.p + n, 1 });
}

static void
test_byte_by_byte(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		begin(&o);
		feed_bytes(&o, good[i].in);
		check_good(&o, i);
	}
}

static void
test_in_two(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		for (size_t cut = 0; cut <= good[i].in.n; cut++) {
			begin(&o);
			feed(&o, (struct str){ good[i].in.p, cut });
			feed(&o, str_skip(good[i].in, cut));
			check_good(&o, i);
		}
	}
}

/* No part of a message is taken for the whole. */
static void
test_prefixes(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		for (size_t n = 0; n < good[i].in.n - good[i].behind; n++) {
			begin(&o);
			feed(&o, (struct str){ good[i].in.p, n });
			if (o.parse != PARSE_MORE)
				fail_msg("the first %zu of \"%.*s\"", n,
				    STR_ARG(good[i].in));
		}
	}
}

static void
test_bad(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		begin(&o);
		feed(&o, bad[i]);
		if (o.parse != PARSE_BAD)
			fail_msg("\"%.*s\" at once", STR_ARG(bad[i]));
		begin(&o);
		feed_bytes(&o, bad[i]);
		if (o.parse != PARSE_BAD)
			fail_msg("\"%.*s\" by bytes", STR_ARG(bad[i]));
	}
}

/* Content is told where it lies and never copied; its size may be vast. */
static void
test_large(void **state)
{
	static const struct str size = STR("fffffffffffffff\r\n");
	struct chunk_reader r;
	struct str data;
	size_t used;

	(void)state;
	chunk_init(&r);
	assert_int_equal(chunk_read(&r, size, &data, &used), PARSE_MORE);
	assert_int_equal(used, size.n);
	assert_int_equal(data.n, 0);
	assert_int_equal(chunk_read(&r, good[0].in, &data, &used),
	    PARSE_MORE);
	assert_ptr_equal(data.p, good[0].in.p);
	assert_int_equal(data.n, good[0].in.n);
	assert_int_equal(used, good[0].in.n);
}

/* What is not content adds up over the chunks. */
static void
test_limit(void **state)
{
	static const struct str chunks[] = {
		STR("1;abcdefghijkl\r\nx\r\n"),
		STR("1             ;\r\nx\r\n"),
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(chunks); i++) {
		int n = 0;

		begin(&o);
		while (o.parse == PARSE_MORE && n < 10000) {
			feed(&o, chunks[i]);
			o.n = 0;
			n++;
		}
		assert_int_equal(o.parse, PARSE_BAD);
		assert_in_range(n, 500, 800);
	}
}

static void
test_endless(void **state)
{
	static const struct str begins[] = {
		STR("5;"), STR("5 "), STR("0\r\n"), STR("0\r\nA:"),
	};
	static const struct str goes_on[] = {
		STR("a"), STR(" "), STR("a: b\r\n"), STR("c"),
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(begins); i++) {
		begin(&o);
		feed(&o, begins[i]);
		assert_int_equal(o.parse, PARSE_MORE);
		for (int n = 0; n < 10000 && o.parse == PARSE_MORE; n++)
			feed(&o, goes_on[i]);
		assert_int_equal(o.parse, PARSE_BAD);
		assert_in_range(o.used, 8000, 10000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_in_two),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
