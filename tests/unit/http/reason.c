/* SPDX-License-Identifier: ISC */

#include "http/reason.h"

#include <errno.h>

#include "http/status.h"

#include "../cases.h"

static const enum reason all[] = {
#define X(id, status, code, text) REASON_##id,
	REASONS(X)
#undef X
};

static bool
is_code(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') && s.p[i] != '-')
			return false;
	return s.n > 0;
}

static void
test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		unsigned status = reason_status(all[i]);

		assert_in_range(status, 400, 599);
		assert_true(status_phrase(status).n > 0);
		assert_true(is_code(reason_code(all[i])));
		assert_true(str_ends(reason_text(all[i]), S(".")));
	}
	assert_int_equal(reason_status(REASON_NONE), 0);
	assert_int_equal(reason_code(REASON_NONE).n, 0);
	assert_int_equal(reason_text(REASON_NONE).n, 0);
}

static void
test_codes_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		for (size_t k = 0; k < i; k++)
			assert_false(str_eq(reason_code(all[i]),
			    reason_code(all[k])));
}

/* What is not to be found must not be told apart by its sentence. */
static void
test_hidden_is_missing(void **state)
{
	(void)state;
	assert_int_equal(reason_status(REASON_HIDDEN),
	    reason_status(REASON_MISSING));
	assert_true(str_eq(reason_text(REASON_HIDDEN),
	    reason_text(REASON_MISSING)));
}

static void
test_errno(void **state)
{
	static const struct {
		int err;
		unsigned status;
	} cases[] = {
		{ ENOENT, 404 },
		{ ENOTDIR, 404 },
		{ ENAMETOOLONG, 404 },
		{ ELOOP, 404 },
		{ EINVAL, 404 },
		{ EXDEV, 403 },
		{ EMLINK, 403 },
		{ EACCES, 403 },
		{ EPERM, 403 },
		{ ENXIO, 403 },
		{ EIO, 500 },
		{ ESTALE, 500 },
		{ EMFILE, 503 },
		{ ENFILE, 503 },
		{ ENOMEM, 503 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(reason_status(reason_of_errno(cases[i].err)),
		    cases[i].status);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_codes_differ),
		cmocka_unit_test(test_hidden_is_missing),
		cmocka_unit_test(test_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
