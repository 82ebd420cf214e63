/* SPDX-License-Identifier: ISC */

#include "http/cond.h"

#include "../cases.h"

#define NOW 784111777   /* Sun, 06 Nov 1994 08:49:37 GMT */
#define T_OLDER "Sun, 06 Nov 1994 07:00:00 GMT"
#define T_FILE "Sun, 06 Nov 1994 08:00:00 GMT"
#define T_FILE_850 "Sunday, 06-Nov-94 08:00:00 GMT"
#define T_FILE_ASCTIME "Sun Nov  6 08:00:00 1994"
#define T_NEWER "Sun, 06 Nov 1994 08:30:00 GMT"
#define T_FUTURE "Sun, 06 Nov 1994 09:00:00 GMT"
#define FILE_TIME (NOW - 49 * 60 - 37)

static const struct validators strong = {
	STR("\"a\""), FILE_TIME, { NULL, 0 },
};
static const struct validators weak = {
	STR("W/\"a\""), FILE_TIME, { NULL, 0 },
};
static const struct validators comma = {
	STR("\"a,b\""), FILE_TIME, { NULL, 0 },
};
static const struct validators backslash = {
	STR("\"a\\\""), FILE_TIME, { NULL, 0 },
};
static const struct validators untagged = {
	{ NULL, 0 }, FILE_TIME, { NULL, 0 },
};
static const struct validators undated = {
	STR("\"a\""), -1, { NULL, 0 },
};

/* Its date at hand, and one that was ahead of a clock set back since. */
static const struct validators dated = {
	STR("\"a\""), FILE_TIME, STR("as sent"),
};
static const struct validators ahead = {
	STR("\"a\""), NOW + 1, STR("as sent"),
};

struct condition_case {
	const struct validators *v;
	const char *value;
	bool holds;
};

static struct str
str_or_absent(const char *text)
{
	return text == NULL ? (struct str){ NULL, 0 } : str_of(text);
}

static enum cond_verdict
go_on_or(enum cond_verdict otherwise, bool holds)
{
	return holds ? COND_GO_ON : otherwise;
}

static void
test_if_match(void **state)
{
	static const struct condition_case cases[] = {
		{ &strong, "\"a\"", true },
		{ &strong, "\"b\"", false },
		{ &strong, "\"A\"", false },
		{ &strong, "*", true },
		{ &strong, " * ", true },
		{ &untagged, "*", true },
		{ &untagged, "\"a\"", false },
		{ &strong, "\"b\", \"a\"", true },
		{ &strong, "\"b\",\"a\" ,\"c\"", true },
		{ &strong, ",, \"a\",", true },
		/* Strong comparison */
		{ &strong, "W/\"a\"", false },
		{ &weak, "W/\"a\"", false },
		{ &weak, "\"a\"", false },
		{ &weak, "*", true },
		/* Malformed elements never match, the others still may. */
		{ &strong, "", false },
		{ &strong, "a", false },
		{ &strong, "\"a", false },
		{ &strong, "a\"", false },
		{ &strong, "\"", false },
		{ &strong, "'a'", false },
		{ &strong, "\"a\"x", false },
		{ &strong, "\"a\" \"b\"", false },
		{ &strong, "w/\"a\"", false },
		{ &strong, "W/ \"a\"", false },
		{ &strong, "*, \"b\"", false },
		{ &strong, "**", false },
		{ &strong, "b, \"a\"", true },
		{ &strong, "\"b\"x, \"a\"", true },
		{ &strong, "\"a\", b", true },
		/* What only looks like a separator or an escape */
		{ &comma, "\"a,b\"", true },
		{ &comma, "\"a\", \"b\"", false },
		{ &strong, "\"x,\"a\",\"", false },
		{ &backslash, "\"a\\\"", true },
		{ &strong, "\"b\\\", \"a\"", true },
		{ &strong, "\"b \", \"a\"", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cond c = { .if_match = str_of(cases[i].value) };
		enum cond_verdict want = go_on_or(COND_FAILED, cases[i].holds);

		if (cond_check(&c, cases[i].v, true, NOW) != want ||
		    cond_check(&c, cases[i].v, false, NOW) != want)
			fail_msg("%s", cases[i].value);
	}
}

/* Here "holds" means that none matches. */
static void
test_if_none_match(void **state)
{
	static const struct condition_case cases[] = {
		{ &strong, "\"a\"", false },
		{ &strong, "\"b\"", true },
		{ &strong, "*", false },
		{ &untagged, "*", false },
		{ &untagged, "\"a\"", true },
		{ &strong, "\"b\", \"c\", \"a\"", false },
		{ &strong, "\"b\", \"c\"", true },
		/* Weak comparison */
		{ &strong, "W/\"a\"", false },
		{ &weak, "W/\"a\"", false },
		{ &weak, "\"a\"", false },
		{ &weak, "\"b\", W/\"a\"", false },
		{ &weak, "W/\"b\"", true },
		{ &strong, "", true },
		{ &strong, "a", true },
		{ &strong, "W/a", true },
		{ &strong, "W/", true },
		{ &strong, "\"a", true },
		{ &strong, "*, \"b\"", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cond c = { .if_none_match = str_of(cases[i].value) };
		bool holds = cases[i].holds;

		if (cond_check(&c, cases[i].v, true, NOW) !=
		    go_on_or(COND_NOT_MODIFIED, holds))
			fail_msg("GET: %s", cases[i].value);
		if (cond_check(&c, cases[i].v, false, NOW) !=
		    go_on_or(COND_FAILED, holds))
			fail_msg("PUT: %s", cases[i].value);
	}
}

static void
test_if_unmodified_since(void **state)
{
	static const struct condition_case cases[] = {
		{ &strong, T_FILE, true },
		{ &strong, T_FILE_850, true },
		{ &strong, T_FILE_ASCTIME, true },
		{ &strong, T_NEWER, true },
		{ &strong, T_FUTURE, true },
		{ &strong, T_OLDER, false },
		{ &undated, T_OLDER, true },
		{ &strong, "yesterday", true },
		{ &strong, "", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cond c = {
			.if_unmodified_since = str_of(cases[i].value),
		};
		enum cond_verdict want = go_on_or(COND_FAILED, cases[i].holds);

		if (cond_check(&c, cases[i].v, true, NOW) != want ||
		    cond_check(&c, cases[i].v, false, NOW) != want)
			fail_msg("%s", cases[i].value);
	}
}

static void
test_if_modified_since(void **state)
{
	static const struct condition_case cases[] = {
		{ &strong, T_FILE, false },
		{ &strong, T_FILE_850, false },
		{ &strong, T_FILE_ASCTIME, false },
		{ &strong, T_NEWER, false },
		{ &strong, T_OLDER, true },
		{ &strong, T_FUTURE, true },
		{ &undated, T_NEWER, true },
		{ &dated, "as sent", false },
		{ &dated, "as sen", true },
		{ &dated, T_FILE, false },
		{ &ahead, "as sent", true },
		{ &strong, "as sent", true },
		{ &strong, "yesterday", true },
		{ &strong, "", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cond c = {
			.if_modified_since = str_of(cases[i].value),
		};
		enum cond_verdict want = go_on_or(COND_NOT_MODIFIED,
		    cases[i].holds);

		if (cond_check(&c, cases[i].v, true, NOW) != want)
			fail_msg("%s", cases[i].value);
		/* Only for GET and HEAD */
		assert_int_equal(cond_check(&c, cases[i].v, false, NOW),
		    COND_GO_ON);
	}
}

/* RFC 9110 13.2.2 */
static void
test_precedence(void **state)
{
	static const struct {
		const char *match, *unmodified, *none_match, *modified;
		enum cond_verdict verdict;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, COND_GO_ON },
		/* If-Match silences If-Unmodified-Since. */
		{ "\"a\"", T_OLDER, NULL, NULL, COND_GO_ON },
		{ "\"b\"", T_NEWER, NULL, NULL, COND_FAILED },
		{ "", T_NEWER, NULL, NULL, COND_FAILED },
		/* If-None-Match silences If-Modified-Since. */
		{ NULL, NULL, "\"b\"", T_FILE, COND_GO_ON },
		{ NULL, NULL, "\"a\"", T_OLDER, COND_NOT_MODIFIED },
		{ NULL, NULL, "", T_FILE, COND_GO_ON },
		/* 412 comes before 304. */
		{ "\"b\"", NULL, "\"a\"", NULL, COND_FAILED },
		{ NULL, T_OLDER, NULL, T_FILE, COND_FAILED },
		{ NULL, T_OLDER, "\"a\"", NULL, COND_FAILED },
		/* The second pair is asked when the first lets pass. */
		{ "\"a\"", NULL, "\"a\"", NULL, COND_NOT_MODIFIED },
		{ NULL, T_FILE, NULL, T_FILE, COND_NOT_MODIFIED },
		{ "*", NULL, "\"b\"", NULL, COND_GO_ON },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cond c = {
			.if_match = str_or_absent(cases[i].match),
			.if_unmodified_since =
			    str_or_absent(cases[i].unmodified),
			.if_none_match = str_or_absent(cases[i].none_match),
			.if_modified_since = str_or_absent(cases[i].modified),
			.if_range = S("\"ignored here\""),
		};

		if (cond_check(&c, &strong, true, NOW) != cases[i].verdict)
			fail_msg("case %zu", i);
	}
}

static void
test_if_range(void **state)
{
	static const struct validators just_now = {
		STR("\"a\""), NOW, { NULL, 0 },
	};
	static const struct condition_case cases[] = {
		{ &strong, NULL, true },
		{ &strong, "\"a\"", true },
		{ &strong, "\"b\"", false },
		{ &comma, "\"a,b\"", true },
		/* Strong comparison */
		{ &strong, "W/\"a\"", false },
		{ &weak, "W/\"a\"", false },
		{ &weak, "\"a\"", false },
		{ &untagged, "\"a\"", false },
		/* One tag, and nothing else */
		{ &strong, "\"a\", \"a\"", false },
		{ &strong, "\"a\"x", false },
		{ &strong, "\"a", false },
		{ &strong, "*", false },
		{ &strong, "", false },
		/* Dates exactly */
		{ &strong, T_FILE, true },
		{ &strong, T_FILE_850, true },
		{ &strong, T_FILE_ASCTIME, true },
		{ &strong, T_OLDER, false },
		{ &strong, T_NEWER, false },
		{ &undated, T_FILE, false },
		{ &strong, "yesterday", false },
		/* Within its second a file may change again. */
		{ &just_now, "Sun, 06 Nov 1994 08:49:37 GMT", false },
		{ &just_now, "\"a\"", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cond c = { .if_range = str_or_absent(cases[i].value) };

		if (cond_range_applies(&c, cases[i].v, NOW) != cases[i].holds)
			fail_msg("case %zu: %s", i, cases[i].value);
	}
}

static const struct {
	const char *list, *prefix, *found;
} finds[] = {
	{ "\"abc-br.1\"", "\"abc-br", "\"abc-br.1\"" },
	{ "W/\"abc-br\"", "\"abc-br", "\"abc-br\"" },
	{ "\"x\", W/\"abc-br\" , \"abc-br.2\"", "\"abc-br", "\"abc-br\"" },
	{ "\"x, \"abc-br.1\"", "\"abc-br", "\"abc-br.1\"" },
	{ "\"xabc-br\"", "\"abc-br", NULL },
	{ "\"x\", \"abc-b\"", "\"abc-br", NULL },
	{ "abc-br", "\"abc-br", NULL },
	{ "*", "\"abc-br", NULL },
	{ "", "\"abc-br", NULL },
};

static void
test_find_tag(void **state)
{
	struct str found;

	(void)state;
	for (size_t i = 0; i < COUNT(finds); i++) {
		found = cond_find_tag(str_of(finds[i].list),
		    str_of(finds[i].prefix));
		if (finds[i].found == NULL ? found.p != NULL :
		    !str_eq(found, str_of(finds[i].found)))
			fail_msg("%s", finds[i].list);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_if_match),
		cmocka_unit_test(test_if_none_match),
		cmocka_unit_test(test_if_unmodified_since),
		cmocka_unit_test(test_if_modified_since),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_if_range),
		cmocka_unit_test(test_find_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
