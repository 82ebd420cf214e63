/* SPDX-License-Identifier: ISC */

#include "base/arena.h"

#include "../cases.h"

static void
test_unused(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 100);
	assert_null(a.chunks);
	arena_fini(&a);
	arena_fini(&a);
	assert_int_equal(a.left_bytes, 100);
}

static void
test_aligned_and_apart(void **state)
{
	struct arena a;
	char *pieces[200];

	(void)state;
	arena_init(&a, 100000);
	for (size_t i = 0; i < COUNT(pieces); i++) {
		pieces[i] = arena_alloc(&a, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t),
		    0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < COUNT(pieces); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal((unsigned char)pieces[i][k], i);
	arena_fini(&a);
}

static void
test_limit(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 5000);
	assert_null(arena_alloc(&a, 5001));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_non_null(arena_alloc(&a, 5000));
	assert_null(arena_alloc(&a, 1));
	arena_fini(&a);
	assert_int_equal(a.left_bytes, 5000);
	assert_non_null(arena_alloc(&a, 5000));
	arena_fini(&a);
}

static void
test_limit_by_small_pieces(void **state)
{
	const size_t max = 10000, piece = 16;
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, max);
	while (arena_alloc(&a, piece) != NULL)
		n += piece;
	/* At most the tail of each of the few chunks is lost. */
	assert_in_range(n, max - 8 * piece, max);
	arena_fini(&a);
	assert_int_equal(a.left_bytes, max);
}

static void
test_copies(void **state)
{
	struct arena a;
	struct str copy;

	(void)state;
	arena_init(&a, 2000);
	copy = arena_dup(&a, S("a\0b"));
	assert_true(str_eq(copy, S("a\0b")));
	copy = arena_dup(&a, S(""));
	assert_non_null(copy.p);
	assert_int_equal(copy.n, 0);
	assert_string_equal(arena_cstr(&a, (struct str){ "abcdef", 3 }), "abc");
	assert_string_equal(arena_cstr(&a, (struct str){ NULL, 0 }), "");
	copy = arena_printf(&a, "%s=%d", "x", 42);
	assert_true(str_eq(copy, S("x=42")));
	copy = arena_printf(&a, "%*d", 3000, 1);
	assert_null(copy.p);
	copy = arena_dup(&a, (struct str){ "", SIZE_MAX });
	assert_null(copy.p);
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unused),
		cmocka_unit_test(test_aligned_and_apart),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_by_small_pieces),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
