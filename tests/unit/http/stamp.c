/* SPDX-License-Identifier: ISC */

#include "http/stamp.h"

#include <stdio.h>

#include "../cases.h"

#define DAY "Sun, 06 Nov 1994 "
#define DAY_S 784080000 /* its midnight */

static void
expect(struct stamp *s, time_t now, const char *wanted)
{
	struct str lines = stamp_lines(s, now);

	if (!str_eq(lines, str_of(wanted)))
		fail_msg("got \"%.*s\", wanted \"%s\"", STR_ARG(lines),
		    wanted);
}

static void
test_lines(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init(&s, "sws/0.1");
	expect(&s, DAY_S, "Server: sws/0.1\r\nDate: " DAY "00:00:00 GMT\r\n");
	expect(&s, DAY_S, "Server: sws/0.1\r\nDate: " DAY "00:00:00 GMT\r\n");
	expect(&s, DAY_S + 31777,
	    "Server: sws/0.1\r\nDate: " DAY "08:49:37 GMT\r\n");
	/* The wall clock may be put back. */
	expect(&s, DAY_S + 1,
	    "Server: sws/0.1\r\nDate: " DAY "00:00:01 GMT\r\n");
}

static void
test_no_server(void **state)
{
	struct stamp s;

	(void)state;
	stamp_init(&s, "");
	expect(&s, DAY_S, "Date: " DAY "00:00:00 GMT\r\n");
}

static void
test_long_server(void **state)
{
	char name[STAMP_SERVER_MAX + 1], wanted[512];
	struct stamp s;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(wanted, sizeof(wanted), "Server: %s\r\nDate: %s\r\n",
	    name, DAY "00:00:00 GMT");
	stamp_init(&s, name);
	expect(&s, DAY_S, wanted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_long_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
