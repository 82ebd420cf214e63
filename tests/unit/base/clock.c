/* SPDX-License-Identifier: ISC */

#include "base/clock.h"

#include "../cases.h"

static void
test_forward(void **state)
{
	const struct timespec nap = { .tv_nsec = 3000000 };
	int64_t before = clock_mono_ms();

	(void)state;
	nanosleep(&nap, NULL);
	assert_true(clock_mono_ms() > before);
}

static void
test_wall(void **state)
{
	time_t before = time(NULL), got = clock_wall_s(), after = time(NULL);

	(void)state;
	assert_in_range(got, before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_wall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
