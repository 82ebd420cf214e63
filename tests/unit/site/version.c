/* SPDX-License-Identifier: ISC */
#include "site/version.h"

#include <time.h>

#include "../cases.h"

#define OLD 1577934245
#define AT(s, ns) { .tv_sec = (s), .tv_nsec = (ns) }

static void
test_same(void **state)
{
	static const struct stat first = {
		.st_dev = 1, .st_ino = 2, .st_size = 3,
		.st_mtim = AT(4, 5), .st_ctim = AT(6, 7),
	};
	struct stat others[] = {
		first, first, first, first, first, first, first,
	};

	(void)state;
	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_mtim.tv_sec++;
	others[4].st_mtim.tv_nsec++;
	others[5].st_ctim.tv_sec++;
	others[6].st_ctim.tv_nsec++;
	assert_true(version_is_same(&first, &first));
	for (size_t i = 0; i < COUNT(others); i++)
		if (version_is_same(&first, &others[i]))
			fail_msg("%zu", i);
}

/* Only the time between is a matter of clocks: who is held up tries again. */
static void
test_settled(void **state)
{
	struct stat st = { .st_mtim = AT(OLD, 1) };
	struct timespec after;
	bool is_settled;

	(void)state;
	assert_true(version_is_settled(&st));
	st.st_mtim.tv_sec = time(NULL) + 3600;
	assert_true(version_is_settled(&st));
	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &st.st_mtim);
		st.st_mtim.tv_nsec = 0;
		is_settled = version_is_settled(&st);
		clock_gettime(CLOCK_REALTIME_COARSE, &after);
	} while (after.tv_sec > st.st_mtim.tv_sec + 1);
	assert_false(is_settled);
}

static void
test_fits(void **state)
{
	static const struct {
		struct stat side, plain;
		bool fits;
	} cases[] = {
#define SIDE(s, ns) { .st_mode = S_IFREG, .st_size = 1, \
	.st_mtim = AT(s, ns), .st_ctim = AT(OLD + 9, 0) }
#define PLAIN(s, ns) { .st_mtim = AT(s, ns) }
		{ SIDE(OLD, 123456789), PLAIN(OLD, 123456789), true },
		{ SIDE(OLD + 5, 1), PLAIN(OLD, 123456789), true },
		{ SIDE(OLD, 123456788), PLAIN(OLD, 123456789), false },
		{ SIDE(OLD, 0), PLAIN(OLD, 123456789), true },
		{ SIDE(OLD - 1, 0), PLAIN(OLD, 123456789), false },
		{ SIDE(OLD, 123456000), PLAIN(OLD, 123456789), true },
		{ SIDE(OLD, 123455000), PLAIN(OLD, 123456789), false },
		/* The file was changed after the sidecar was made. */
		{ SIDE(OLD + 10, 0), PLAIN(OLD + 10, 5), false },
		{ { .st_mode = S_IFREG, .st_mtim = AT(OLD, 1) },
		    PLAIN(OLD, 1), false },
		{ { .st_mode = S_IFDIR, .st_size = 1, .st_mtim = AT(OLD, 1) },
		    PLAIN(OLD, 1), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (version_fits(&cases[i].side, &cases[i].plain) !=
		    cases[i].fits)
			fail_msg("%zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
