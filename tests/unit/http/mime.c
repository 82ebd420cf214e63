/* SPDX-License-Identifier: ISC */

#include "http/mime.h"

#include <stdio.h>
#include <stdlib.h>

#include "../cases.h"

struct name_case {
	const char *name, *type;        /* NULL: the name says nothing */
};

static void
check_names(const struct mime_table *t, const struct name_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str type = mime_by_name(t, str_of(cases[i].name));
		struct str want = { NULL, 0 };

		if (cases[i].type != NULL)
			want = str_of(cases[i].type);
		if (!str_eq(type, want) || (type.p == NULL) != (want.p == NULL))
			fail_msg("%s: %.*s", cases[i].name, STR_ARG(type));
	}
}

static void
test_builtin(void **state)
{
	static const struct name_case cases[] = {
		{ "index.html", "text/html" },
		{ "style.css", "text/css" },
		{ "app.js", "text/javascript" },
		{ "app.mjs", "text/javascript" },
		{ "app.js.map", "application/json" },
		{ "logo.svg", "image/svg+xml" },
		{ "module.wasm", "application/wasm" },
		{ "favicon.ico", "image/vnd.microsoft.icon" },
		{ "font.woff2", "font/woff2" },
		{ "site.webmanifest", "application/manifest+json" },
		{ "notes.txt", "text/plain" },
		{ "feed.atom", "application/atom+xml" },
		{ "config.toml", "application/toml" },
		{ "debian.iso", "application/vnd.efi.iso" },
		/* Case */
		{ "PHOTO.JPG", "image/jpeg" },
		{ "Photo.JpEg", "image/jpeg" },
		/* The longest extension that is known */
		{ "x.tar.gz", "application/gzip" },
		{ "x-1.2.3.tar.GZ", "application/gzip" },
		{ "x.gz", "application/gzip" },
		{ "x.html.gz", "application/gzip" },
		{ "jquery-3.7.1.min.js", "text/javascript" },
		{ "a..png", "image/png" },
		/* Names that say nothing */
		{ "", NULL },
		{ "Makefile", NULL },
		{ "html", NULL },
		{ "x.", NULL },
		{ "x.html.", NULL },
		{ "x.nosuchthing", NULL },
		{ "x.html.nosuchthing", NULL },
		{ "x.htmlx", NULL },
		{ "x.ht ml", NULL },
		{ "x.an-extension-that-is-longer-than-any.x", NULL },
		{ "x.html.an-extension-that-is-longer-than-any-other", NULL },
		/* Dots in front begin no extension. */
		{ ".gz", NULL },
		{ "..gz", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ ".config.json", "application/json" },
		/* Only the last segment counts. */
		{ "a.html/b", NULL },
		{ "a.html/b.css", "text/css" },
		{ "a.html/.css", NULL },
		{ "a.html/", NULL },
	};
	struct mime_table *t = mime_new();

	(void)state;
	assert_non_null(t);
	check_names(t, cases, COUNT(cases));
	mime_free(t);
	mime_free(NULL);
}

static void
test_add(void **state)
{
	static const char text[] =
	    "# a comment\n"
	    "\n"
	    "text/x-one\tone  ONE2\n"
	    "  text/x-two two # three\r\n"
	    "text/x-four\n"
	    "nonsense four\n"
	    "/five five\n"
	    "six/ six\n"
	    "text/seven; charset=x seven\n"
	    "text/a/b eight\n"
	    "text/x-long 0123456789012345678901234567890123456789 ok\n"
	    "text/x-zip zip\n"
	    "text/x-dots nine.ten\n"
	    "application/javascript js mjs\n"
	    "application/x-wasm WASM\n"
	    "text/x-one again\n"
	    "text/x-last last";
	static const struct name_case cases[] = {
		{ "x.one", "text/x-one" },
		{ "x.one2", "text/x-one" },
		{ "x.again", "text/x-one" },
		{ "x.two", "text/x-two" },
		{ "x.three", NULL },
		{ "x.four", NULL },
		{ "x.five", NULL },
		{ "x.six", NULL },
		{ "x.seven", NULL },
		{ "x.eight", NULL },
		{ "x.0123456789012345678901234567890123456789", NULL },
		{ "x.ok", "text/x-long" },
		{ "x.nine.ten", "text/x-dots" },
		{ "x.ten", NULL },
		{ "x.last", "text/x-last" },
		/* Replaced, and what must not be */
		{ "x.zip", "text/x-zip" },
		{ "x.js", "text/javascript" },
		{ "x.mjs", "text/javascript" },
		{ "x.wasm", "application/wasm" },
	};
	struct mime_table *t = mime_new();
	char *copy = strdup(text);

	(void)state;
	assert_int_equal(mime_add(t, str_of(copy)), 0);
	/* The table keeps what it needs. */
	memset(copy, 'x', strlen(copy));
	free(copy);
	assert_int_equal(mime_add(t, (struct str){ NULL, 0 }), 0);
	check_names(t, cases, COUNT(cases));
	mime_free(t);
}

static void
test_grows(void **state)
{
	struct mime_table *t = mime_new();
	char text[64];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "text/x-%d e%d\n", i, i);
		assert_int_equal(mime_add(t, str_of(text)), 0);
	}
	for (int i = 0; i < 5000; i++) {
		struct str type;

		snprintf(text, sizeof(text), "x.e%d", i);
		type = mime_by_name(t, str_of(text));
		snprintf(text, sizeof(text), "text/x-%d", i);
		assert_true(str_eq(type, str_of(text)));
	}
	mime_free(t);
}

static void
test_wants_charset(void **state)
{
	static const struct {
		const char *type;
		bool wants;
	} cases[] = {
		{ "text/html", true },
		{ "text/plain", true },
		{ "text/css", true },
		{ "text/javascript", true },
		{ "TEXT/HTML", true },
		{ "application/javascript", true },
		{ "application/x-javascript", true },
		{ "application/ecmascript", true },
		{ "text/xml", false },
		{ "application/xml", false },
		{ "application/xhtml+xml", false },
		{ "image/svg+xml", false },
		{ "application/json", false },
		{ "application/manifest+json", false },
		{ "application/wasm", false },
		{ "application/octet-stream", false },
		{ "application/text", false },
		{ "image/png", false },
		{ "textual/plain", false },
		{ "text", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (mime_wants_charset(str_of(cases[i].type)) != cases[i].wants)
			fail_msg("%s", cases[i].type);
}

static void
test_compresses(void **state)
{
	static const struct {
		const char *type;
		bool does;
	} cases[] = {
		{ "text/html", true },
		{ "text/html; charset=utf-8", true },
		{ "text/event-stream", true },
		{ "TEXT/Plain ;x=y", true },
		{ "application/json", true },
		{ "application/manifest+json", true },
		{ "image/svg+xml", true },
		{ "application/atom+XML", true },
		{ "application/wasm", true },
		{ "font/ttf", true },
		{ "font/woff", false },
		{ "font/woff2", false },
		{ "image/png", false },
		{ "application/gzip", false },
		{ "application/zip", false },
		{ "application/epub+zip", false },
		{ "application/octet-stream", false },
		{ "application/pdf", false },
		{ "application/jsonx", false },
		{ "textual/plain", false },
		{ "text/", false },
		{ "text", false },
		{ "+json", false },
		{ ";text/plain", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (mime_compresses(str_of(cases[i].type)) != cases[i].does)
			fail_msg("%s", cases[i].type);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_wants_charset),
		cmocka_unit_test(test_compresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
