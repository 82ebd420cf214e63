/* SPDX-License-Identifier: ISC */
/* Percentiles of times. */
#include "sock/histogram.h"

#include "../cases.h"

/* Never less than the truth, and at most 1/64 more. */
static void
check(const struct histogram *h, double part, uint64_t truth)
{
	uint64_t told = histogram_at(h, part);

	if (told < truth || told - truth > truth / 64)
		fail_msg("%f: %lu for %lu", part, (unsigned long)told,
		    (unsigned long)truth);
}

static void
test_empty(void **state)
{
	struct histogram h = { .n = 0 };

	(void)state;
	assert_int_equal(histogram_at(&h, 0.5), 0);
	assert_int_equal(histogram_at(&h, 1), 0);
}

static void
test_thousand(void **state)
{
	struct histogram h = { .n = 0 };

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_add(&h, i * 1000);
	assert_int_equal(h.n, 1000);
	assert_int_equal(h.least, 1000);
	assert_int_equal(h.most, 1000000);
	assert_true(h.sum == 500500.0 * 1000);
	check(&h, 0.5, 500000);
	check(&h, 0.9, 900000);
	check(&h, 0.99, 990000);
	check(&h, 0.999, 999000);
	assert_int_equal(histogram_at(&h, 1), 1000000);
}

/* What is rare is seen where it is, and not before. */
static void
test_rare(void **state)
{
	struct histogram h = { .n = 0 };

	(void)state;
	for (int i = 0; i < 999; i++)
		histogram_add(&h, 10);
	histogram_add(&h, 5000000000);
	assert_int_equal(histogram_at(&h, 0.5), 10);
	assert_int_equal(histogram_at(&h, 0.999), 10);
	assert_int_equal(histogram_at(&h, 0.9995), 5000000000);
}

/* Each value alone, at the edges of the buckets. */
static void
test_edges(void **state)
{
	uint64_t values[3];

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		values[0] = ((uint64_t)1 << bit) - 1;
		values[1] = (uint64_t)1 << bit;
		values[2] = values[1] + (values[1] - 1);
		for (size_t i = 0; i < COUNT(values); i++) {
			struct histogram h = { .n = 0 };

			histogram_add(&h, values[i]);
			assert_true(histogram_at(&h, 0.5) == values[i]);
			histogram_add(&h, UINT64_MAX);
			check(&h, 0.5, values[i]);
			assert_true(histogram_at(&h, 1) == UINT64_MAX);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_thousand),
		cmocka_unit_test(test_rare),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
