/* SPDX-License-Identifier: ISC */
/* Sets of ports. */
#include "sock/ports.h"

#include "../cases.h"

static const struct {
	const char *text;
	unsigned n, first, last;
} sets[] = {
	{ "1", 1, 1, 1 },
	{ "65535", 1, 65535, 65535 },
	{ "1-65535", 65535, 1, 65535 },
	{ "80,22", 2, 22, 80 },
	{ "80,80,80-82,81", 3, 80, 82 },
	{ "63-65,128", 4, 63, 128 },
	{ "7-7", 1, 7, 7 },
};

static void
test_sets(void **state)
{
	struct ports p;
	unsigned n, last;

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		assert_null(ports_parse(str_of(sets[i].text), &p));
		assert_int_equal(p.n, sets[i].n);
		assert_int_equal(ports_next(&p, 1), sets[i].first);
		n = last = 0;
		for (unsigned at = ports_next(&p, 1); at != 0;
		    at = ports_next(&p, at + 1)) {
			assert_true(ports_has(&p, at));
			last = at;
			n++;
		}
		assert_int_equal(n, sets[i].n);
		assert_int_equal(last, sets[i].last);
	}
}

static const char *const refused[] = {
	"", ",", "1,", ",1", "0", "65536", "1-", "-1", "2-1", "1-65536", "a",
	"1-2-3", "1 2", "99999999999999999999999", "0-5",
};

static void
test_refused(void **state)
{
	struct ports p;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (ports_parse(str_of(refused[i]), &p) == NULL)
			fail_msg("\"%s\" was taken", refused[i]);
}

static void
test_add(void **state)
{
	struct ports p = { .n = 0 };

	(void)state;
	assert_int_equal(ports_next(&p, 1), 0);
	assert_false(ports_has(&p, PORTS_ALL));
	ports_add(&p, 443);
	ports_add(&p, 443);
	assert_int_equal(p.n, 1);
	assert_int_equal(ports_next(&p, 1), 443);
	assert_int_equal(ports_next(&p, 444), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
