/* SPDX-License-Identifier: ISC */

#include "http/field.h"

#include <ctype.h>

#include "../cases.h"

static void
test_parse(void **state)
{
	static const struct {
		struct str name;
		enum field_id id;
	} cases[] = {
#define X(id, name) { STR(name), FIELD_##id },
		FIELDS(X)
#undef X
		{ STR("host"), FIELD_HOST },
		{ STR("CONTENT-LENGTH"), FIELD_CONTENT_LENGTH },
		{ STR("iF-nOnE-mAtCh"), FIELD_IF_NONE_MATCH },
		{ STR("Content_Length"), FIELD_OTHER },
		{ STR("Content\rLength"), FIELD_OTHER },
		{ STR("Hosts"), FIELD_OTHER },
		{ STR("Hos"), FIELD_OTHER },
		{ STR("User-Agent"), FIELD_OTHER },
		{ STR("If-Matcj"), FIELD_OTHER },
		{ STR("If-Unmodified-Sincf"), FIELD_OTHER },
		{ STR("If-Unmodified-Since-Then"), FIELD_OTHER },
		{ STR(""), FIELD_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (field_parse(cases[i].name) != cases[i].id)
			fail_msg("%s", cases[i].name.p);
}

static void
test_tchar(void **state)
{
	const char *marks = "!#$%&'*+-.^_`|~";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool is_tchar = c < 128 &&
		    (isalnum(c) || (c != 0 && strchr(marks, c) != NULL));

		if (field_is_token((struct str){ &byte, 1 }) != is_tchar)
			fail_msg("0x%02x", (unsigned)c);
	}
}

static void
test_is_token(void **state)
{
	(void)state;
	assert_true(field_is_token(S("X-Some_Field.1")));
	assert_false(field_is_token(S("")));
	assert_false(field_is_token(S("a b")));
	assert_false(field_is_token(S("a:")));
	assert_false(field_is_token(S("a\0")));
}

/* Elements are joined by | so that a case stays one line. */
static void
test_list_next(void **state)
{
	static const struct {
		struct str list;
		const char *elements;
	} cases[] = {
		{ { NULL, 0 }, "" },
		{ STR(""), "" },
		{ STR(" "), "" },
		{ STR(",, ,\t,"), "" },
		{ STR("a"), "a|" },
		{ STR("a,b"), "a|b|" },
		{ STR(" a ,\tb c\t, "), "a|b c|" },
		{ STR(",a,,b,"), "a|b|" },
		{ STR("\"a,b\",c"), "\"a,b\"|c|" },
		{ STR("x=\"a\\\",b\",c"), "x=\"a\\\",b\"|c|" },
		{ STR("\"a\\\\\",b"), "\"a\\\\\"|b|" },
		/* Outside quotes a backslash is nothing special. */
		{ STR("a\\,b"), "a\\|b|" },
		/* Quotes that are never closed reach to the end. */
		{ STR("a,\"b,c"), "a|\"b,c|" },
		{ STR("\"a\\"), "\"a\\|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct str rest = cases[i].list, element;
		char got[64], *at = got;

		while (field_list_next(&rest, &element)) {
			memcpy(at, element.p, element.n);
			at += element.n;
			*at++ = '|';
		}
		*at = '\0';
		assert_string_equal(got, cases[i].elements);
	}
}

static void
test_list_has(void **state)
{
	static const struct {
		struct str list, token;
		bool has;
	} cases[] = {
		{ STR("close"), STR("close"), true },
		{ STR("Keep-Alive, Close"), STR("close"), true },
		{ STR(",,close,"), STR("close"), true },
		{ STR("closed"), STR("close"), false },
		{ STR("clos e"), STR("close"), false },
		{ STR("\"close\""), STR("close"), false },
		{ STR("a;close"), STR("close"), false },
		{ STR(""), STR("close"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (field_list_has(cases[i].list, cases[i].token) !=
		    cases[i].has)
			fail_msg("%s", cases[i].list.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_tchar),
		cmocka_unit_test(test_is_token),
		cmocka_unit_test(test_list_next),
		cmocka_unit_test(test_list_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
