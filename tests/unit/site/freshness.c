/* SPDX-License-Identifier: ISC */

#include "site/freshness.h"

#include "../cases.h"

static const struct freshness rules = {
	.otherwise = "otherwise",
	.n = 5,
	.rules = {
		{ "*.css", "css" },
		{ "/top.html", "top" },
		{ "img/*", "img" },
		{ "/a/*/x[0-9].js", "deep" },
		{ "LICEN?E", "" },
	},
};

static const struct {
	const char *path, *value;
} cases[] = {
	{ "a.css", "css" },
	{ "img/a.css", "css" },
	{ "deep/below/a.css", "css" },
	{ ".css", "css" },
	{ "a.css/b", "otherwise" },
	{ "a.CSS", "otherwise" },
	{ "top.html", "top" },
	{ "a/top.html", "otherwise" },
	{ "img/a.png", "img" },
	{ "img/below/a.png", "img" },
	{ "img/", "img" },
	{ "img", "otherwise" },
	{ "a/img/a.png", "otherwise" },
	{ "a/b/x1.js", "deep" },
	{ "a/b/c/x1.js", "deep" },
	{ "a/b/x.js", "otherwise" },
	{ "b/LICENSE", "" },
	{ "", "otherwise" },
};

static void
test_rules(void **state)
{
	struct str found;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		found = freshness_of(&rules, str_of(cases[i].path));
		if (!str_eq(found, str_of(cases[i].value)))
			fail_msg("%s: %.*s", cases[i].path, STR_ARG(found));
	}
}

static void
test_none(void **state)
{
	(void)state;
	assert_true(str_eq(freshness_of(NULL, S("a")), S(FRESHNESS_DEFAULT)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
