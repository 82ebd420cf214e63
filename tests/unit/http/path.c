/* SPDX-License-Identifier: ISC */

#include "http/path.h"

#include <errno.h>

#include "../cases.h"

static const struct {
	struct str raw;
	const char *path;       /* NULL: refused */
} decoded[] = {
	{ STR("/"), "" },
	{ STR("/a"), "a" },
	{ STR("/a/"), "a/" },
	{ STR("/a/b.html"), "a/b.html" },
	/* Escapes, taken off once */
	{ STR("/a%20b"), "a b" },
	{ STR("/%C3%a4"), "\xc3\xa4" },
	{ STR("/%2541"), "%41" },
	{ STR("/%25%32%46"), "%2F" },
	{ STR("/a%3fb%23c"), "a?b#c" },
	{ STR("/a+b"), "a+b" },
	{ STR("/%ff%01%7f"), "\xff\x01\x7f" },
	{ STR("/\xc3\xa4"), "\xc3\xa4" },
	{ STR("/a\\..\\b"), "a\\..\\b" },
	{ STR("/%"), NULL },
	{ STR("/%4"), NULL },
	{ STR("/a%"), NULL },
	{ STR("/%4/1"), NULL },
	{ STR("/%4g"), NULL },
	{ STR("/%g4"), NULL },
	{ STR("/%%41"), NULL },
	{ STR("/% 41"), NULL },
	{ STR("/%+4"), NULL },
	{ STR("/%u0041"), NULL },
	/* Never a NUL, never a slash that was no slash */
	{ STR("/a%00"), NULL },
	{ STR("/a%00.html"), NULL },
	{ STR("/a\0b"), NULL },
	{ STR("/a%2fb"), NULL },
	{ STR("/a%2Fb"), NULL },
	{ STR("/..%2f"), NULL },
	/* Segments of dots */
	{ STR("/."), "" },
	{ STR("/./"), "" },
	{ STR("/a/."), "a/" },
	{ STR("/a/./b"), "a/b" },
	{ STR("/a/.."), "" },
	{ STR("/a/../"), "" },
	{ STR("/a/../b"), "b" },
	{ STR("/a/b/.."), "a/" },
	{ STR("/a/b/../c"), "a/c" },
	{ STR("/a/b/../../c/"), "c/" },
	{ STR("/a/./../b"), "b" },
	{ STR("/a/%2e%2E/b"), "b" },
	{ STR("/a/.%2e/b"), "b" },
	{ STR("/a/%2e/b"), "a/b" },
	{ STR("/..."), "..." },
	{ STR("/.../..b/..c"), ".../..b/..c" },
	{ STR("/a../b."), "a../b." },
	{ STR("/.a"), ".a" },
	{ STR("/.. "), ".. " },
	/* Above the root, though it may come back */
	{ STR("/.."), NULL },
	{ STR("/../"), NULL },
	{ STR("/../a"), NULL },
	{ STR("/./../a"), NULL },
	{ STR("/a/../.."), NULL },
	{ STR("/a/../../b"), NULL },
	{ STR("/a/../../a/"), NULL },
	{ STR("/a//../../b"), NULL },
	{ STR("/%2e%2e"), NULL },
	{ STR("/%2e./a"), NULL },
	{ STR("//.."), NULL },
	/* Runs of slashes */
	{ STR("//"), "" },
	{ STR("///a"), "a" },
	{ STR("//evil.example/a"), "evil.example/a" },
	{ STR("/a//b///"), "a/b/" },
	{ STR("/a//.//b"), "a/b" },
	{ STR("/a//../b"), "b" },
	/* No path */
	{ STR(""), NULL },
	{ { NULL, 0 }, NULL },
	{ STR("a"), NULL },
	{ STR("*"), NULL },
	{ STR("%2fa"), NULL },
};

static void
check_decode(struct str raw, char *out, const char *path)
{
	size_t untouched = 4711, len = untouched;
	int err = path_decode(raw, out, &len);

	if (path == NULL) {
		assert_int_equal(err, -EINVAL);
		assert_int_equal(len, untouched);
		return;
	}
	assert_int_equal(err, 0);
	assert_string_equal(out, path);
	assert_int_equal(len, strlen(path));
}

static void
test_decode(void **state)
{
	char out[64], own[64];

	(void)state;
	for (size_t i = 0; i < COUNT(decoded); i++) {
		struct str raw = decoded[i].raw;

		check_decode(raw, out, decoded[i].path);
		/* In its own memory, too */
		if (raw.n == 0)
			continue;
		memcpy(own, raw.p, raw.n);
		check_decode((struct str){ own, raw.n }, own, decoded[i].path);
	}
}

static void
test_encode(void **state)
{
	static const struct {
		struct str path;
		const char *encoded;
	} cases[] = {
		{ STR(""), "" },
		{ STR("a/b-c_d.e~f"), "a/b-c_d.e~f" },
		{ STR("AZaz09"), "AZaz09" },
		{ STR("a b"), "a%20b" },
		{ STR("100%"), "100%25" },
		{ STR("a?b#c"), "a%3Fb%23c" },
		{ STR("\xc3\xa4\xff"), "%C3%A4%FF" },
		{ STR("a\nb\0c"), "a%0Ab%00c" },
		/* Kept out of HTML's and the shell's way */
		{ STR("<a href=\"'&'\">"),
		    "%3Ca%20href=%22%27%26%27%22%3E" },
		{ STR("a\\b|`^{}"), "a%5Cb%7C%60%5E%7B%7D" },
		/* A colon would make "a:b" a scheme in a relative reference. */
		{ STR("a:b@c"), "a%3Ab%40c" },
		{ STR("!$()*+,;="), "!$()*+,;=" },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_init(&b, 64);
		assert_int_equal(path_encode(&b, S("=")), 0);
		assert_int_equal(path_encode(&b, cases[i].path), 0);
		assert_int_equal(buf_add_char(&b, '\0'), 0);
		assert_string_equal(b.p + 1, cases[i].encoded);
		buf_fini(&b);
	}
}

static void
test_encode_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(path_encode(&b, S("a  ")), -ENOBUFS);
	assert_int_equal(b.n, 0);
	assert_int_equal(path_encode(&b, S("a ")), 0);
	buf_fini(&b);
	assert_int_equal(path_encode(&b, S("")), 0);
	buf_fini(&b);
}

static void
test_is_hidden(void **state)
{
	static const struct {
		const char *path;
		bool is_hidden;
	} cases[] = {
		{ "", false },
		{ "a", false },
		{ "a.b/c.", false },
		{ ".a", true },
		{ ".git/config", true },
		{ "a/.b", true },
		{ "a/.b/c", true },
		{ "a/...", true },
		{ ".well-known", false },
		{ ".well-known/", false },
		{ ".well-known/acme-challenge/x", false },
		{ ".well-known/.x", true },
		{ ".well-knowns/x", true },
		{ ".Well-Known/x", true },
		{ "a/.well-known/x", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (path_is_hidden(str_of(cases[i].path)) !=
		    cases[i].is_hidden)
			fail_msg("%s", cases[i].path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_encode_limit),
		cmocka_unit_test(test_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
