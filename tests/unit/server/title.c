/* SPDX-License-Identifier: ISC */
/* Titles, as ps(1) and top(1) read them. */

#include "server/title.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cases.h"

#define LONG_TEXT "0123456789012345678901234567890123456789"

static char **arguments;        /* of main */
static int n_arguments;

static void
read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, text, size - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

static void
assert_title(const char *line, const char *name)
{
	char text[4096];

	read_file("/proc/self/cmdline", text, sizeof(text));
	assert_string_equal(text, line);
	read_file("/proc/self/comm", text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, name);
}

static void
test_titles(void **state)
{
	(void)state;
	title_set("worker %d", 1);
	assert_title("sws: worker 1", "sws: worker 1");
	title_set("%s", LONG_TEXT LONG_TEXT LONG_TEXT LONG_TEXT);
	title_set("spawner, with a longer text");
	assert_title("sws: spawner, with a longer text", "sws: spawner, w");
	title_set("w");
	assert_title("sws: w", "sws: w");
}

/* What was there before is still there, elsewhere. */
static void
test_copies(void **state)
{
	(void)state;
	title_set("worker %d", 1);
	assert_string_equal(arguments[1], "an argument");
	assert_null(arguments[n_arguments]);
	assert_string_equal(getenv("TITLE_TEST"), "a value");
	assert_int_equal(setenv("TITLE_TEST_2", "another", 1), 0);
	assert_string_equal(getenv("TITLE_TEST_2"), "another");
}

static void
run_again(char *self)
{
	char argument[] = "an argument";
	char *args[] = { self, argument, NULL };

	setenv("TITLE_TEST", "a value", 1);
	execv("/proc/self/exe", args);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_titles),
		cmocka_unit_test(test_copies),
	};

	/* The kernel lays them out as it does for a program from a shell. */
	if (getenv("TITLE_TEST") == NULL)
		run_again(argv[0]);
	title_init(argc, argv);
	arguments = argv;
	n_arguments = argc;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
