/* SPDX-License-Identifier: ISC */
/* Which bytes are a program to be run, and which are none. */

#include "site/spawn_msg.h"

#include <errno.h>
#include <string.h>

#include "../cases.h"

/* Strings with the NUL that the literal brings. */
#define STRINGS(s) s, sizeof(s)

static const struct {
	const char *strings;
	size_t n;
	uint32_t kind, n_args, n_env;
	int err;
} cases[] = {
	{ STRINGS("show"), SPAWN_RUN, 0, 0, 0 },
	{ STRINGS("a/b/show\0one\0\0A=b"), SPAWN_RUN, 2, 1, 0 },
	{ STRINGS("..a/b..\0A=b"), SPAWN_RUN, 0, 1, 0 },
	{ STRINGS("show"), SPAWN_KILL, 0, 0, -EBADMSG },
	{ STRINGS("show"), 0, 0, 0, -EBADMSG },
	{ STRINGS("show"), SPAWN_RUN, 1, 0, -EBADMSG },
	{ STRINGS("show"), SPAWN_RUN, 0, 1, -EBADMSG },
	{ STRINGS("show\0more"), SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS("show"), SPAWN_RUN, UINT32_MAX, 0, -EBADMSG },
	{ STRINGS("show"), SPAWN_RUN, SPAWN_ARGS_MAX + 1, 0, -EBADMSG },
	{ STRINGS("show"), SPAWN_RUN, 0, SPAWN_ENV_MAX + 1, -EBADMSG },
	{ "show", 4, SPAWN_RUN, 0, 0, -EBADMSG },
	{ "", 0, SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS(""), SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS("/bin/sh"), SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS(".."), SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS("../sh"), SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS("a/../../sh"), SPAWN_RUN, 0, 0, -EBADMSG },
	{ STRINGS("a/.."), SPAWN_RUN, 0, 0, -EBADMSG },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct spawn_msg head = {
			.kind = cases[i].kind,
			.n_args = cases[i].n_args,
			.n_env = cases[i].n_env,
		};
		char message[128];
		struct spawn_run run;

		memcpy(message, &head, sizeof(head));
		memcpy(message + sizeof(head), cases[i].strings, cases[i].n);
		assert_int_equal(spawn_run_parse(message,
		    sizeof(head) + cases[i].n, &run), cases[i].err);
		if (cases[i].err != 0)
			continue;
		assert_string_equal(run.path, cases[i].strings);
		assert_null(run.args[cases[i].n_args + 1]);
		assert_null(run.env[cases[i].n_env]);
	}
}

static void
test_strings(void **state)
{
	static const char strings[] = "dir/show\0one\0\0A=b\0C=d";
	struct spawn_msg head = { .kind = SPAWN_RUN, .n_args = 2, .n_env = 2 };
	char message[sizeof(head) + sizeof(strings)];
	struct spawn_run run;

	(void)state;
	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), strings, sizeof(strings));
	assert_int_equal(spawn_run_parse(message, sizeof(message), &run), 0);
	assert_string_equal(run.args[1], "one");
	assert_string_equal(run.args[2], "");
	assert_string_equal(run.env[0], "A=b");
	assert_string_equal(run.env[1], "C=d");
	for (size_t n = 0; n < sizeof(message); n++)
		assert_int_equal(spawn_run_parse(message, n, &run), -EBADMSG);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
