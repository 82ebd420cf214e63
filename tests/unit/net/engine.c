/* SPDX-License-Identifier: ISC */

/* The table of engines. */

#include "net/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/loop.h"

#include "../cases.h"

static const struct {
	const char *name;
	const char *found;      /* NULL: none */
	unsigned argument;
} names[] = {
	{ "epoll", "epoll", 0 },
	{ "select", "select", 0 },
	{ "poll", "poll", 0 },
	{ "pol", NULL, 0 },
	{ "polls", NULL, 0 },
	{ "", NULL, 0 },
	{ ":", NULL, 0 },
	{ ":5", NULL, 0 },
	{ "POLL", NULL, 0 },
	{ "poll ", NULL, 0 },
	{ "epoll-et", "epoll-et", 0 },
	{ "nonblock", "nonblock", 10 },
	{ "nonblock:1", "nonblock", 1 },
	{ "nonblock:1000", "nonblock", 1000 },
	{ "nonblock:0", NULL, 0 },
	{ "nonblock:1001", NULL, 0 },
	{ "nonblock:-1", NULL, 0 },
	{ "nonblock:", NULL, 0 },
	{ "nonblock:5ms", NULL, 0 },
	{ "nonblock:4294967297", NULL, 0 },
	/* Takes no number. */
	{ "poll:", NULL, 0 },
	{ "poll:0", NULL, 0 },
	{ "poll:1", NULL, 0 },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct engine *e;
		unsigned argument = 77;

		e = engine_find(names[i].name, &argument);
		if (names[i].found == NULL) {
			assert_null(e);
			assert_int_equal(argument, 77);
			continue;
		}
		assert_non_null(e);
		assert_string_equal(e->name, names[i].found);
		assert_int_equal(argument, names[i].argument);
		assert_ptr_equal(engine_find(names[i].name, NULL), e);
	}
}

static void
test_best(void **state)
{
	const struct engine *e = engine_find(NULL, NULL);

	(void)state;
	assert_non_null(e);
	assert_null(engine_lacks(e));
	assert_int_equal(e->policy, ENGINE_MANY);
}

/* What is not lacking opens, what is does not, and the help tells which. */
static void
test_all(void **state)
{
	const struct engine *e;

	(void)state;
	for (size_t i = 0; (e = engine_at(i)) != NULL; i++) {
		struct loop *l = NULL;

		assert_ptr_equal(engine_find(e->name, NULL), e);
		assert_true(e->about[0] != '\0' && e->limit[0] != '\0');
		if (engine_lacks(e) != NULL) {
			print_message("%s: %s\n", e->name, engine_lacks(e));
			assert_int_equal(loop_open(e->name, &l), -EOPNOTSUPP);
			assert_null(l);
			continue;
		}
		assert_int_equal(loop_open(e->name, &l), 0);
		loop_close(l);
	}
}

static void
test_loop(void **state)
{
	struct loop *l = NULL;

	(void)state;
	assert_int_equal(loop_open("nosuch", &l), -EINVAL);
	assert_null(l);
	assert_int_equal(loop_open(NULL, &l), 0);
	loop_close(l);
}

/* On a terminal no line is broken. */
static void
assert_fits(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		if (n > 80)
			fail_msg("%zu columns: %.*s", n, (int)n, text);
		text += text[n] == '\n' ? n + 1 : n;
	}
}

/* Each has its line, one is the default, those missing say why. */
static void
test_help(void **state)
{
	char text[16384];
	FILE *help = tmpfile();
	const struct engine *e;
	size_t n;

	(void)state;
	assert_non_null(help);
	engine_help(help);
	rewind(help);
	n = fread(text + 1, 1, sizeof(text) - 2, help);
	fclose(help);
	text[0] = '\n';
	text[n + 1] = '\0';
	assert_fits(text);
	for (size_t i = 0; (e = engine_at(i)) != NULL; i++) {
		char line[32];

		snprintf(line, sizeof(line), "\n%-12s ", e->name);
		assert_non_null(strstr(text, line));
		assert_non_null(strstr(text, e->limit));
		if (engine_lacks(e) != NULL)
			assert_non_null(strstr(text, engine_lacks(e)));
	}
	assert_non_null(strstr(text, " (default)\n"));
	assert_ptr_equal(strstr(strstr(text, "(default)") + 1, "(default)"),
	    NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
