/* SPDX-License-Identifier: ISC */
/* Options by table: values, places, ends. */
#include "sock/options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../cases.h"

static const struct {
	const char *text;
	int64_t ms;             /* or a negative errno */
} times[] = {
	{ "0", 0 }, { "5", 5000 }, { "5s", 5000 }, { "200ms", 200 },
	{ "2m", 120000 }, { "1h", 3600000 }, { "0.5", 500 },
	{ "0.25s", 250 }, { "1.001", 1001 }, { "", -EINVAL },
	{ "s", -EINVAL }, { "-1", -EINVAL }, { ".5", 500 }, { ".", -EINVAL },
	{ "1.", -EINVAL }, { "1.0001", -EINVAL }, { "1.5ms", -EINVAL },
	{ "1y", -EINVAL }, { "1 s", -EINVAL }, { "0x10", -EINVAL },
	{ "99999999999", -ERANGE }, { "99999999999999999999", -ERANGE },
};

static void
test_times(void **state)
{
	int64_t ms;
	int err;

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		ms = -1;
		err = options_time(times[i].text, &ms);
		if ((err < 0 ? err : ms) != times[i].ms)
			fail_msg("\"%s\": %d, %lld", times[i].text, err,
			    (long long)ms);
		if (err < 0)
			assert_int_equal(ms, -1);
	}
}

static const struct {
	const char *text;
	uint64_t bytes;
	int err;
} sizes[] = {
	{ "0", 0, 0 }, { "512", 512, 0 }, { "64k", 65536, 0 },
	{ "2M", 2 << 20, 0 }, { "1G", 1 << 30, 0 },
	{ "7T", UINT64_C(7) << 40, 0 }, { "", 0, -EINVAL },
	{ "k", 0, -EINVAL }, { "-1", 0, -EINVAL }, { "1K", 0, -EINVAL },
	{ "1kk", 0, -EINVAL }, { "9999999T", UINT64_C(9999999) << 40, -ERANGE },
	{ "18446744073709551615", 0, -ERANGE },
};

static void
test_sizes(void **state)
{
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		bytes = 1;
		assert_int_equal(options_size(sizes[i].text, &bytes),
		    sizes[i].err);
		assert_true(bytes == (sizes[i].err < 0 ? 1 : sizes[i].bytes));
	}
}

struct fields {
	bool is_loud, is_long;
	const char *name, *maybe;
	uint64_t count;
	int64_t ms;
	struct option_list list;
};

#define OPTION(name, letter, value, type, field) \
	{ name, letter, value, type, offsetof(struct fields, field), "" }

static const struct option_row first[] = {
	OPTION("loud", 'l', NULL, OPTION_FLAG, is_loud),
	OPTION("name", 'n', "NAME", OPTION_TEXT, name),
	OPTION("maybe", 0, "[T]", OPTION_TEXT, maybe),
	{ .name = NULL },
};

static const struct option_row second[] = {
	OPTION("long", 'l', NULL, OPTION_FLAG, is_long),        /* hidden: -l */
	OPTION("count", 'c', "N", OPTION_COUNT, count),
	OPTION("time", 0, "T", OPTION_TIME, ms),
	OPTION("list", 'o', "X", OPTION_LIST, list),
	{ .name = NULL },
};

static const struct option_row *const tables[] = { first, second, NULL };

/* What is wrong is said on standard error, which is not looked at here. */
static int
take(struct fields *f, bool stops_early, int *rest, const char *const *words)
{
	int argc = 0, n, saved = dup(STDERR_FILENO);
	char *argv[2 * OPTION_LIST_MAX + 3];

	while (words[argc] != NULL)
		argc++;
	/* options_take moves the words, but writes into none. */
	memcpy(argv, words, ((size_t)argc + 1) * sizeof(*argv));
	memset(f, 0, sizeof(*f));
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	n = options_take(tables, f, argc, argv, stops_early, rest);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return n;
}

#define TAKE(early, ...) \
	take(&f, early, &rest, (const char *[]){ __VA_ARGS__, NULL })

static void
test_places(void **state)
{
	struct fields f;
	int rest;

	(void)state;
	assert_int_equal(TAKE(false, "a", "-lc5", "b", "--name=x", "-o", "1",
	    "-o2", "--list", "3", "-", "--", "-l"), 3);
	assert_int_equal(rest, 11);
	assert_true(f.is_loud && !f.is_long);
	assert_int_equal(f.count, 5);
	assert_string_equal(f.name, "x");
	assert_int_equal(f.list.n, 3);
	assert_string_equal(f.list.values[2], "3");
	assert_int_equal(TAKE(true, "-l", "a", "-c", "--", "b"), 4);
	assert_int_equal(f.count, 0);
}

static void
test_value_that_may_be_missing(void **state)
{
	struct fields f;
	int rest;

	(void)state;
	assert_int_equal(TAKE(false, "--maybe", "a"), 1);
	assert_string_equal(f.maybe, "");
	assert_int_equal(TAKE(false, "--maybe=3", "a"), 1);
	assert_string_equal(f.maybe, "3");
	assert_int_equal(TAKE(false, "a"), 1);
	assert_null(f.maybe);
}

static void
test_refused(void **state)
{
	struct fields f;
	int rest;

	(void)state;
	assert_int_equal(TAKE(false, "--nosuch"), -1);
	assert_int_equal(TAKE(false, "-x"), -1);
	assert_int_equal(TAKE(false, "--loud=1"), -1);
	assert_int_equal(TAKE(false, "--name"), -1);
	assert_int_equal(TAKE(false, "-c"), -1);
	assert_int_equal(TAKE(false, "-cx"), -1);
	assert_int_equal(TAKE(false, "--time=soon"), -1);
}

static void
test_list_is_bounded(void **state)
{
	const char *argv[2 * OPTION_LIST_MAX + 3];
	struct fields f;
	int rest, n = 0;

	(void)state;
	for (; n < 2 * OPTION_LIST_MAX; n++)
		argv[n] = n % 2 == 0 ? "-o" : "x";
	argv[n] = NULL;
	assert_int_equal(take(&f, false, &rest, argv), 0);
	assert_int_equal(f.list.n, OPTION_LIST_MAX);
	argv[n++] = "-ox";
	argv[n] = NULL;
	assert_int_equal(take(&f, false, &rest, argv), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_value_that_may_be_missing),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
