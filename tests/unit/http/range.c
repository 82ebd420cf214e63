/* SPDX-License-Identifier: ISC */

#include "http/range.h"

#include "../cases.h"

#define SIX "0-0,2-2,4-4,6-6,8-8,10-10,"

static const struct {
	const char *value;
	uint64_t size;
	enum range_verdict verdict;
	unsigned count;
	struct range ranges[3];         /* the first of them */
} cases[] = {
	/* One range: RFC 9110 14.1.2 */
	{ "bytes=0-499", 10000, RANGE_PARTIAL, 1, { { 0, 500 } } },
	{ "bytes=500-999", 10000, RANGE_PARTIAL, 1, { { 500, 500 } } },
	{ "bytes=-500", 10000, RANGE_PARTIAL, 1, { { 9500, 500 } } },
	{ "bytes=9500-", 10000, RANGE_PARTIAL, 1, { { 9500, 500 } } },
	{ "bytes=0-", 10000, RANGE_PARTIAL, 1, { { 0, 10000 } } },
	{ "bytes=0-0", 10000, RANGE_PARTIAL, 1, { { 0, 1 } } },
	{ "bytes=-1", 10000, RANGE_PARTIAL, 1, { { 9999, 1 } } },
	{ "bytes=9999-9999", 10000, RANGE_PARTIAL, 1, { { 9999, 1 } } },
	{ "bytes=007-008", 10, RANGE_PARTIAL, 1, { { 7, 2 } } },
	/* Longer than what is there */
	{ "bytes=5-10", 10, RANGE_PARTIAL, 1, { { 5, 5 } } },
	{ "bytes=-11", 10, RANGE_PARTIAL, 1, { { 0, 10 } } },
	{ "bytes=0-18446744073709551615", 10, RANGE_PARTIAL, 1, { { 0, 10 } } },
	{ "bytes=0-99999999999999999999", 10, RANGE_PARTIAL, 1, { { 0, 10 } } },
	{ "bytes=-99999999999999999999", 10, RANGE_PARTIAL, 1, { { 0, 10 } } },
	/* Above 4 GiB, and as far as the type goes */
	{ "bytes=6442450943-", 6442450944, RANGE_PARTIAL, 1,
	    { { 6442450943, 1 } } },
	{ "bytes=0-", UINT64_MAX, RANGE_PARTIAL, 1, { { 0, UINT64_MAX } } },
	/* How the unit may be written */
	{ "BYTES=0-0", 10, RANGE_PARTIAL, 1, { { 0, 1 } } },
	{ "items=0-0", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes =0-0", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "=0-0", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "", 10, RANGE_IGNORE, 0, { { 0 } } },
	/* Outside */
	{ "bytes=10-", 10, RANGE_UNSATISFIABLE, 0, { { 0 } } },
	{ "bytes=10-20", 10, RANGE_UNSATISFIABLE, 0, { { 0 } } },
	{ "bytes=-0", 10, RANGE_UNSATISFIABLE, 0, { { 0 } } },
	{ "bytes=99999999999999999999-", 10, RANGE_UNSATISFIABLE, 0,
	    { { 0 } } },
	{ "bytes=99999999999999999999-", UINT64_MAX, RANGE_UNSATISFIABLE, 0,
	    { { 0 } } },
	{ "bytes=-0, 10-", 10, RANGE_UNSATISFIABLE, 0, { { 0 } } },
	/* Nothing is sent whole. */
	{ "bytes=0-", 0, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0-0", 0, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=-5", 0, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=-0", 0, RANGE_IGNORE, 0, { { 0 } } },
	/* Malformed */
	{ "bytes=", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=,", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=-", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=5-4", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=--5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0--5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0-5-", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0 - 5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=- 5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=+0-5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0x0-5", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=a-b", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=\"0-5\"", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0-1;2-3", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0-1,x", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=20-30,x", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=bytes=0-1", 10, RANGE_IGNORE, 0, { { 0 } } },
	/* Several */
	{ "bytes=0-1,4-5", 10, RANGE_PARTIAL, 2, { { 0, 2 }, { 4, 2 } } },
	{ "bytes=8-9,-10,0-0", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=8-9,4-5,0-1", 10, RANGE_PARTIAL, 3,
	    { { 8, 2 }, { 4, 2 }, { 0, 2 } } },
	{ "bytes= 0-1 ,\t4-5 ,", 10, RANGE_PARTIAL, 2,
	    { { 0, 2 }, { 4, 2 } } },
	{ "bytes=,,0-1,,4-5", 10, RANGE_PARTIAL, 2, { { 0, 2 }, { 4, 2 } } },
	{ "bytes=20-,4-5,-0", 10, RANGE_PARTIAL, 1, { { 4, 2 } } },
	{ "bytes=0-0,-1", 10, RANGE_PARTIAL, 2, { { 0, 1 }, { 9, 1 } } },
	/* Two that overlap are suffered, three are not; neighbours are fine. */
	{ "bytes=0-5,3-8", 10, RANGE_PARTIAL, 2, { { 0, 6 }, { 3, 6 } } },
	{ "bytes=0-5,0-5", 10, RANGE_PARTIAL, 2, { { 0, 6 }, { 0, 6 } } },
	{ "bytes=0-,0-,0-", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0-4,4-5,5-9", 10, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=0-1,2-3,4-5", 10, RANGE_PARTIAL, 3,
	    { { 0, 2 }, { 2, 2 }, { 4, 2 } } },
	/* Sixteen are the most, whether they can be satisfied or not. */
	{ "bytes=" SIX "12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
	  "30-30", 100, RANGE_PARTIAL, 16, { { 0, 1 }, { 2, 1 }, { 4, 1 } } },
	{ "bytes=" SIX "12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
	  "30-30,32-32", 100, RANGE_IGNORE, 0, { { 0 } } },
	{ "bytes=-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0,-0", 100,
	    RANGE_IGNORE, 0, { { 0 } } },
};

static bool
are_equal(const struct range *a, const struct range *b)
{
	return a->first == b->first && a->length == b->length;
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct range got[RANGE_MAX];
		struct str value = str_of(cases[i].value);
		enum range_verdict verdict;
		unsigned count = 0;

		verdict = range_parse(value, cases[i].size, got, &count);
		if (verdict != cases[i].verdict || count != cases[i].count)
			fail_msg("%s: verdict %d, %u ranges", cases[i].value,
			    (int)verdict, count);
		for (unsigned k = 0; k < count && k < 3; k++)
			if (!are_equal(&got[k], &cases[i].ranges[k]))
				fail_msg("%s: range %u", cases[i].value, k);
	}
}

static void
test_absent(void **state)
{
	struct range got[RANGE_MAX];
	unsigned count;

	(void)state;
	assert_int_equal(range_parse((struct str){ NULL, 0 }, 10, got, &count),
	    RANGE_IGNORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
