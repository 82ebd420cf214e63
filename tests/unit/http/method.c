/* SPDX-License-Identifier: ISC */

#include "http/method.h"

#include "../cases.h"

static const struct {
	struct str token;
	enum method method;
} cases[] = {
#define X(name) { STR(#name), METHOD_##name },
	METHODS(X)
#undef X
	{ STR("get"), METHOD_UNKNOWN },
	{ STR("Get"), METHOD_UNKNOWN },
	{ STR("GE"), METHOD_UNKNOWN },
	{ STR("GETS"), METHOD_UNKNOWN },
	{ STR("GET "), METHOD_UNKNOWN },
	{ STR("BREW"), METHOD_UNKNOWN },
	{ STR("UNKNOWN"), METHOD_UNKNOWN },
	{ STR(""), METHOD_UNKNOWN },
	{ { NULL, 0 }, METHOD_UNKNOWN },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (method_parse(cases[i].token) != cases[i].method)
			fail_msg("%s", cases[i].token.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
