/* SPDX-License-Identifier: ISC */
/* Addresses from text and back.  No name here needs more than /etc/hosts. */

#include "net/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LONG_NAME \
	"0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
	const char *host;
	const char *with_port;  /* NULL: refused */
	const char *alone;
} cases[] = {
	{ "127.0.0.1", "127.0.0.1:80", "127.0.0.1" },
	{ "0.0.0.0", "0.0.0.0:80", "0.0.0.0" },
	{ "::1", "[::1]:80", "::1" },
	{ "[::1]", "[::1]:80", "::1" },
	{ "::", "[::]:80", "::" },
	{ "2001:DB8:0:0::1", "[2001:db8::1]:80", "2001:db8::1" },
	{ "fe80::1%lo", "[fe80::1%lo]:80", "fe80::1%lo" },
	{ "[fe80::1%lo]", "[fe80::1%lo]:80", "fe80::1%lo" },
	{ "::ffff:192.0.2.1", "192.0.2.1:80", "192.0.2.1" },
	{ "", NULL, NULL },
	{ "[]", NULL, NULL },
	{ "[::1", NULL, NULL },
	{ "::1]", NULL, NULL },
	{ "[127.0.0.1]", NULL, NULL },  /* brackets are for IPv6 */
	{ "[localhost]", NULL, NULL },
	{ "[[::1]]", NULL, NULL },
	{ "fe80::1%nosuch0", NULL, NULL },
	{ "127.0.0.1:80", NULL, NULL }, /* the port is said elsewhere */
	{ LONG_NAME LONG_NAME LONG_NAME LONG_NAME, NULL, NULL },
};

static void
test_cases(void **state)
{
	char text[ADDR_TEXT];
	struct addr a;
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = addr_resolve(cases[i].host, 80, &a, 1);
		if (cases[i].with_port == NULL) {
			if (n >= 0)
				fail_msg("\"%s\" was taken", cases[i].host);
			continue;
		}
		if (n != 1)
			fail_msg("\"%s\" was refused", cases[i].host);
		assert_int_equal(addr_port(&a), 80);
		assert_string_equal(addr_text(&a, text), cases[i].with_port);
		assert_string_equal(addr_host_text(&a, text), cases[i].alone);
	}
}

static void
test_host_name(void **state)
{
	struct addr addrs[8];
	char one[ADDR_TEXT], other[ADDR_TEXT];
	int n;

	(void)state;
	n = addr_resolve("localhost", 8080, addrs, 8);
	assert_in_range(n, 1, 8);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(addr_text(&addrs[i], one),
			    addr_text(&addrs[j], other));
	assert_int_equal(addr_resolve("localhost", 8080, addrs, 1), 1);
}

static void
test_any(void **state)
{
	struct addr a;

	(void)state;
	addr_any(&a, AF_INET, 65535);
	assert_int_equal(a.len, sizeof(struct sockaddr_in));
	assert_int_equal(addr_port(&a), 65535);
	assert_true(addr_is_any(&a));
	addr_any(&a, AF_INET6, 1);
	assert_int_equal(a.len, sizeof(struct sockaddr_in6));
	assert_int_equal(addr_port(&a), 1);
	assert_true(addr_is_any(&a));
	assert_int_equal(addr_resolve("::1", 1, &a, 1), 1);
	assert_false(addr_is_any(&a));
	assert_int_equal(addr_resolve("127.0.0.1", 1, &a, 1), 1);
	assert_false(addr_is_any(&a));
}

/* ADDR_TEXT holds the longest that there is. */
static void
test_longest(void **state)
{
	char text[ADDR_TEXT];
	struct addr a;

	(void)state;
	addr_any(&a, AF_INET6, 65535);
	memset(&a.u.in6.sin6_addr, 0xff, sizeof(a.u.in6.sin6_addr));
	a.u.in6.sin6_scope_id = UINT32_MAX;     /* no interface has it */
	assert_string_equal(addr_text(&a, text),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
