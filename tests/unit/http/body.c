/* SPDX-License-Identifier: ISC */

#include "http/body.h"

#include "../cases.h"

static void
test_none(void **state)
{
	struct body b = { .ops = NULL };
	struct piece p;

	(void)state;
	assert_int_equal(body_pull(&b, &p), PULL_END);
	body_close(&b);
}

static void
test_memory(void **state)
{
	static const struct str content = STR("one\0two");
	struct body b;
	struct piece p;

	(void)state;
	body_memory(&b, content);
	assert_int_equal(body_pull(&b, &p), PULL_PIECE);
	assert_ptr_equal(p.p, content.p);
	assert_int_equal(p.n, content.n);
	assert_int_equal(body_pull(&b, &p), PULL_END);
	assert_int_equal(body_pull(&b, &p), PULL_END);
	body_close(&b);
}

/* A piece has at least a byte: no content is no piece. */
static void
test_empty(void **state)
{
	static const struct str empty[] = { STR(""), { NULL, 0 } };
	struct body b;
	struct piece p;

	(void)state;
	for (size_t i = 0; i < COUNT(empty); i++) {
		body_memory(&b, empty[i]);
		assert_int_equal(body_pull(&b, &p), PULL_END);
		body_close(&b);
	}
}

static void
count_close(struct body *b)
{
	++*(int *)b->state;
}

static void
test_close_is_once(void **state)
{
	static const struct body_ops ops = { .close = count_close };
	int closed = 0;
	struct body b = { .ops = &ops, .state = &closed };
	struct piece p;

	(void)state;
	body_close(&b);
	body_close(&b);
	assert_int_equal(closed, 1);
	assert_int_equal(body_pull(&b, &p), PULL_END);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_close_is_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
