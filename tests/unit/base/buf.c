/* SPDX-License-Identifier: ISC */

#include "base/buf.h"

#include <errno.h>

#include "../cases.h"

static void
test_starts_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_null(b.p);
	assert_int_equal(buf_add(&b, (struct str){ NULL, 0 }), 0);
	assert_null(b.p);
	assert_int_equal(buf_str(&b).n, 0);
	buf_consume(&b, 5);
	buf_fini(&b);
}

static void
test_add(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_add(&b, S("one ")), 0);
	assert_int_equal(buf_add_u64(&b, UINT64_MAX), 0);
	assert_int_equal(buf_add_char(&b, ' '), 0);
	assert_int_equal(buf_printf(&b, "%s-%d", "three", 4), 0);
	assert_true(str_eq(buf_str(&b), S("one 18446744073709551615 three-4")));
	buf_fini(&b);
	assert_null(b.p);
	assert_int_equal(buf_add(&b, S("again")), 0);
	assert_true(str_eq(buf_str(&b), S("again")));
	buf_fini(&b);
}

static void
test_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	assert_int_equal(buf_add(&b, S("123456789")), -ENOBUFS);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_add(&b, S("123456")), 0);
	/* What does not fit is refused whole. */
	assert_int_equal(buf_add(&b, S("789")), -ENOBUFS);
	assert_int_equal(buf_printf(&b, "%d", 789), -ENOBUFS);
	assert_int_equal(buf_add_u64(&b, 789), -ENOBUFS);
	assert_true(str_eq(buf_str(&b), S("123456")));
	/* What fits exactly is not, even by printf with its NUL. */
	assert_int_equal(buf_printf(&b, "%d", 78), 0);
	assert_true(str_eq(buf_str(&b), S("12345678")));
	assert_int_equal(buf_add_char(&b, '9'), -ENOBUFS);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOBUFS);
	buf_fini(&b);
}

static void
test_grows(void **state)
{
	const size_t max = 100000;
	struct buf b;

	(void)state;
	buf_init(&b, max);
	for (size_t i = 0; i < max; i++)
		assert_int_equal(buf_add_char(&b, (char)(i % 251)), 0);
	assert_int_equal(buf_add_char(&b, 'x'), -ENOBUFS);
	for (size_t i = 0; i < max; i++)
		assert_int_equal((unsigned char)b.p[i], i % 251);
	assert_true(b.cap <= max);
	buf_fini(&b);
}

static void
test_consume(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_add(&b, S("0123456789")), 0);
	buf_consume(&b, 0);
	assert_int_equal(b.n, 10);
	buf_consume(&b, 3);
	assert_true(str_eq(buf_str(&b), S("3456789")));
	assert_int_equal(buf_add(&b, S("abc")), 0);
	assert_true(str_eq(buf_str(&b), S("3456789abc")));
	buf_consume(&b, 11);
	assert_int_equal(b.n, 0);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_empty),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_consume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
