/* SPDX-License-Identifier: ISC */
/* The table of socket options: every row can be asked, or says why not. */
#include "sock/sockopt.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cases.h"

static void
test_rows(void **state)
{
	(void)state;
	for (const struct sockopt *o = sockopt_table(); o->name != NULL; o++) {
		assert_ptr_equal(sockopt_find(str_of(o->name)), o);
		assert_ptr_equal(sockopt_find(str_of(o->c_name)), o);
		assert_ptr_equal(sockopt_of(o->level, o->option), o);
		assert_non_null(sockopt_level_name(o->level));
		assert_true(o->is_readable || o->is_settable);
	}
	assert_null(sockopt_find(S("nosuch")));
	assert_null(sockopt_of(1, 9999));
}

static const struct {
	const char *name, *value, *read_back;
	int err;
} settings[] = {
	{ "keepalive", "", "1", 0 },
	{ "keepalive", "off", "0", 0 },
	{ "reuseaddr", "1", "1", 0 },
	{ "linger", "0", "0 s", 0 },
	{ "linger", "2m", "120 s", 0 },
	{ "linger", "off", "off", 0 },
	{ "rcvlowat", "5", "5", 0 },
	{ "keepcnt", "3", "3", 0 },
	{ "ttl", "7", "7", 0 },
	{ "linger", "0.5", NULL, -EINVAL },
	{ "sndbuf", "many", NULL, -EINVAL },
	{ "sndbuf", "99999999999", NULL, -EINVAL },
	{ "rcvtimeo", "soon", NULL, -EINVAL },
	{ "sndlowat", "5", NULL, -ENOPROTOOPT },
	{ "type", "1", NULL, -ENOPROTOOPT },
	{ "ttl", "300", NULL, -EINVAL },
};

static void
test_settings(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[SOCKOPT_VALUE_TEXT];
	const struct sockopt *o;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT(settings); i++) {
		o = sockopt_find(str_of(settings[i].name));
		assert_non_null(o);
		assert_int_equal(sockopt_set(fd, o, str_of(settings[i].value)),
		    settings[i].err);
		if (settings[i].err < 0)
			continue;
		assert_int_equal(sockopt_get(fd, o, text), 0);
		assert_string_equal(text, settings[i].read_back);
	}
	close(fd);
}

static void
test_no_socket(void **state)
{
	char text[SOCKOPT_VALUE_TEXT];

	(void)state;
	assert_int_equal(sockopt_get(-1, sockopt_table(), text), -EBADF);
	assert_int_equal(sockopt_set(-1, sockopt_table(), S("1")), -EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_no_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
