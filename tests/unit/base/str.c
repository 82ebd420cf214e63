/* SPDX-License-Identifier: ISC */

#include "base/str.h"

#include <errno.h>

#include "../cases.h"

/* The p of what is absent. */
static const struct str nothing = { NULL, 0 };

static void
test_compare(void **state)
{
	(void)state;
	assert_true(str_eq(S("abc"), S("abc")));
	assert_true(str_eq(nothing, S("")));
	assert_false(str_eq(S("abc"), S("abd")));
	assert_false(str_eq(S("abc"), S("ab")));
	assert_true(str_eq(S("a\0b"), S("a\0b")));
	assert_false(str_eq(S("a\0b"), S("a\0c")));
	assert_true(str_starts(S("abc"), S("ab")));
	assert_true(str_starts(nothing, S("")));
	assert_true(str_starts(S("abc"), nothing));
	assert_false(str_starts(S("a"), S("ab")));
	assert_true(str_ends(S("abc"), S("bc")));
	assert_true(str_ends(nothing, nothing));
	assert_false(str_ends(S("abc"), S("ab")));
	assert_false(str_ends(S("c"), S("bc")));
}

static void
test_skip(void **state)
{
	struct str s = S("abc");

	(void)state;
	assert_true(str_eq(str_skip(s, 0), S("abc")));
	assert_true(str_eq(str_skip(s, 2), S("c")));
	assert_true(str_eq(str_skip(s, 4), S("")));
	assert_ptr_equal(str_skip(s, 4).p, s.p + 3);
	assert_null(str_skip(nothing, 1).p);
}

static void
test_eq_nocase(void **state)
{
	static const struct {
		struct str a, b;
		bool is_equal;
	} cases[] = {
		{ STR(""), STR(""), true },
		{ STR("Host"), STR("hOST"), true },
		{ STR("AZaz09-"), STR("azAZ09-"), true },
		{ STR("Host"), STR("Hosts"), false },
		{ STR("Host"), STR("Hast"), false },
		/* These differ by 0x20 as well, but are no letters. */
		{ STR("@"), STR("`"), false },
		{ STR("["), STR("{"), false },
		{ STR("\r"), STR("-"), false },
		{ STR("\xc4"), STR("\xe4"), false },
		{ STR("a\0b"), STR("A\0B"), true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (str_eq_nocase(cases[i].a, cases[i].b) != cases[i].is_equal)
			fail_msg("%s, %s", cases[i].a.p, cases[i].b.p);
}

static void
test_trim(void **state)
{
	static const struct {
		struct str in, out;
	} cases[] = {
		{ STR(""), STR("") },
		{ STR("a"), STR("a") },
		{ STR(" \t a b\t "), STR("a b") },
		{ STR(" \t "), STR("") },
		{ STR("\na\r"), STR("\na\r") },
		{ { NULL, 0 }, STR("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!str_eq(str_trim(cases[i].in), cases[i].out))
			fail_msg("\"%s\"", cases[i].in.p);
}

static void
test_cut(void **state)
{
	struct str rest = S("a,,b,"), head;

	(void)state;
	assert_true(str_cut(&rest, ',', &head));
	assert_true(str_eq(head, S("a")));
	assert_true(str_cut(&rest, ',', &head));
	assert_true(str_eq(head, S("")));
	assert_true(str_cut(&rest, ',', &head));
	assert_true(str_eq(head, S("b")));
	assert_true(str_cut(&rest, ',', &head));
	assert_true(str_eq(head, S("")));
	head = S("untouched");
	assert_false(str_cut(&rest, ',', &head));
	assert_true(str_eq(head, S("untouched")));
	assert_null(rest.p);
}

static void
test_cut_empty(void **state)
{
	struct str rest = S(""), head;

	(void)state;
	assert_true(str_cut(&rest, ',', &head));
	assert_true(head.n == 0 && head.p != NULL);
	assert_false(str_cut(&rest, ',', &head));
}

static void
test_to_u64(void **state)
{
	static const struct {
		struct str in;
		int err;
		uint64_t value;
	} cases[] = {
		{ STR("0"), 0, 0 },
		{ STR("007"), 0, 7 },
		{ STR("1234567890"), 0, 1234567890 },
		{ STR("18446744073709551615"), 0, UINT64_MAX },
		{ STR("00000000000000000000000018"), 0, 18 },
		{ STR("18446744073709551616"), -ERANGE, 0 },
		{ STR("18446744073709551620"), -ERANGE, 0 },
		{ STR("99999999999999999999999"), -ERANGE, 0 },
		{ STR("99999999999999999999999x"), -EINVAL, 0 },
		{ STR(""), -EINVAL, 0 },
		{ STR("-1"), -EINVAL, 0 },
		{ STR("+1"), -EINVAL, 0 },
		{ STR(" 1"), -EINVAL, 0 },
		{ STR("1 "), -EINVAL, 0 },
		{ STR("1,1"), -EINVAL, 0 },
		{ STR("0x1"), -EINVAL, 0 },
		{ STR("1\0"), -EINVAL, 0 },
		{ STR("\xb2"), -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t untouched = 4711, value = untouched;
		int err = str_to_u64(cases[i].in, &value);

		if (err != cases[i].err ||
		    value != (err == 0 ? cases[i].value : untouched))
			fail_msg("\"%s\": %d", cases[i].in.p, err);
	}
}

static void
test_put_u64(void **state)
{
	static const struct {
		uint64_t value;
		struct str text;
	} cases[] = {
		{ 0, STR("0") },
		{ 9, STR("9") },
		{ 10, STR("10") },
		{ 4294967296, STR("4294967296") },
		{ UINT64_MAX, STR("18446744073709551615") },
	};
	char text[20];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *end = str_put_u64(text, cases[i].value);

		if (!str_eq(str_from(text, end), cases[i].text))
			fail_msg("%s", cases[i].text.p);
	}
}

static void
test_is_utf8(void **state)
{
	static const struct {
		struct str text;
		bool is_utf8;
	} cases[] = {
		{ { NULL, 0 }, true },
		{ STR("plain text of some words"), true },
		{ STR("\0"), true },
		{ STR("\x7f"), true },
		{ STR("\xc2\x80"), true },
		{ STR("\xdf\xbf"), true },
		{ STR("\xe0\xa0\x80"), true },
		{ STR("\xed\x9f\xbf"), true },
		{ STR("\xee\x80\x80"), true },
		{ STR("\xef\xbf\xbf"), true },
		{ STR("\xf0\x90\x80\x80"), true },
		{ STR("\xf4\x8f\xbf\xbf"), true },
		{ STR("eight by\xc3\xa4te\xe2\x82\xac words"), true },
		/* continuation bytes alone */
		{ STR("\x80"), false },
		{ STR("12345678\xbf"), false },
		/* overlong forms */
		{ STR("\xc0\x80"), false },
		{ STR("\xc1\xbf"), false },
		{ STR("\xe0\x9f\xbf"), false },
		{ STR("\xf0\x8f\xbf\xbf"), false },
		/* surrogates */
		{ STR("\xed\xa0\x80"), false },
		{ STR("\xed\xbf\xbf"), false },
		/* above U+10FFFF */
		{ STR("\xf4\x90\x80\x80"), false },
		{ STR("\xf5\x80\x80\x80"), false },
		{ STR("\xff"), false },
		/* cut short, at the end and before another character */
		{ STR("\xc3"), false },
		{ STR("\xe2\x82"), false },
		{ STR("\xf0\x9f\x98"), false },
		{ STR("\xe2\x82 "), false },
		{ STR("\xf0\x9f\x98\xc3"), false },
		/* Latin-1 */
		{ STR("Stra\xdf" "e"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (str_is_utf8(cases[i].text) != cases[i].is_utf8)
			fail_msg("case %zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_eq_nocase),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_empty),
		cmocka_unit_test(test_to_u64),
		cmocka_unit_test(test_put_u64),
		cmocka_unit_test(test_is_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
