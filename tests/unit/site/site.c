/* SPDX-License-Identifier: ISC */

/* What a request means: files, directories, refusals, methods. */

#include "site/site.h"

#include <sys/stat.h>

#include "place.h"

static struct place place;

static int
begin(void **state)
{
	const struct folder *f = &place.folder;

	(void)state;
	place_open(&place);
	folder_file(f, "index.html", S("front page"));
	folder_file(f, "a b.txt", S("blank"));
	folder_file(f, "100%.txt", S("percent"));
	folder_file(f, "\xc3\xa4.txt", S("umlaut"));
	folder_file(f, ".hidden", S("hidden"));
	folder_dir(f, ".well-known");
	folder_file(f, ".well-known/acme", S("known"));
	folder_dir(f, ".git");
	folder_file(f, ".git/config", S("secret"));
	folder_dir(f, "dir");
	folder_file(f, "dir/file", S("in dir"));
	folder_dir(f, "with page");
	folder_file(f, "with page/index.html", S("own page"));
	folder_dir(f, "odd");
	folder_dir(f, "odd/index.html");
	folder_dir(f, "fifo");
	assert_int_equal(mkfifoat(f->fd, "fifo/index.html", 0644), 0);
	assert_int_equal(mkfifoat(f->fd, "pipe", 0644), 0);
	folder_link(f, "inside", "dir/file");
	folder_link(f, "outside", "/etc/passwd");
	folder_link(f, "loop", "loop");
	folder_link(f, "broken", "nothing");
	folder_dir(f, "evil.example");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	place_close(&place);
	return 0;
}

/* A content of NULL: of no interest. */
static const struct {
	const char *target;
	unsigned status;
	enum reason reason;
	const char *content;
} cases[] = {
	{ "/", 200, REASON_NONE, "front page" },
	{ "/index.html", 200, REASON_NONE, "front page" },
	{ "/?query", 200, REASON_NONE, "front page" },
	{ "http://b/index.html", 200, REASON_NONE, "front page" },
	{ "/a%20b.txt", 200, REASON_NONE, "blank" },
	{ "/%61%20b%2Etxt", 200, REASON_NONE, "blank" },
	{ "/100%25.txt", 200, REASON_NONE, "percent" },
	{ "/%C3%A4.txt", 200, REASON_NONE, "umlaut" },
	{ "/\xc3\xa4.txt", 200, REASON_NONE, "umlaut" },
	{ "/dir/file", 200, REASON_NONE, "in dir" },
	{ "//dir//.//file", 200, REASON_NONE, "in dir" },
	{ "/dir/../dir/file", 200, REASON_NONE, "in dir" },
	{ "/nothing/../dir/file", 200, REASON_NONE, "in dir" },
	{ "/inside", 200, REASON_NONE, "in dir" },
	{ "/with%20page/", 200, REASON_NONE, "own page" },
	{ "/dir/", 200, REASON_NONE, NULL },
	{ "/odd/", 200, REASON_NONE, NULL },
	{ "/.well-known/acme", 200, REASON_NONE, "known" },

	{ "/nothing", 404, REASON_MISSING, NULL },
	{ "/dir/nothing", 404, REASON_MISSING, NULL },
	{ "/broken", 404, REASON_MISSING, NULL },
	{ "/index.html/", 404, REASON_NOT_DIRECTORY, NULL },
	{ "/index.html/more", 404, REASON_NOT_DIRECTORY, NULL },
	{ "/loop", 404, REASON_LINK_LOOP, NULL },
	{ "/outside", 403, REASON_LINK_LEAVES, NULL },
	{ "/pipe", 403, REASON_NOT_FILE, NULL },
	{ "/fifo/", 403, REASON_NOT_FILE, NULL },
	/* Hidden, whether it is there or not */
	{ "/.hidden", 404, REASON_HIDDEN, NULL },
	{ "/.nothing", 404, REASON_HIDDEN, NULL },
	{ "/%2ehidden", 404, REASON_HIDDEN, NULL },
	{ "/.git/config", 404, REASON_HIDDEN, NULL },
	{ "/.git/", 404, REASON_HIDDEN, NULL },
	{ "/dir/../.git/config", 404, REASON_HIDDEN, NULL },
	/* Out of the root, in many guises */
	{ "/..", 400, REASON_PATH, NULL },
	{ "/../etc/passwd", 400, REASON_PATH, NULL },
	{ "/%2e%2e/etc/passwd", 400, REASON_PATH, NULL },
	{ "/dir/../../etc/passwd", 400, REASON_PATH, NULL },
	{ "/..%2fetc", 400, REASON_PATH, NULL },
	{ "/dir%2ffile", 400, REASON_PATH, NULL },
	{ "/dir%00", 400, REASON_PATH, NULL },
	{ "/%", 400, REASON_PATH, NULL },
	{ "/%zz", 400, REASON_PATH, NULL },
	{ "/..\\dir", 404, REASON_HIDDEN, NULL },
	{ "/%252e%252e/etc/passwd", 404, REASON_MISSING, NULL },
	{ "/%c0%ae%c0%ae/etc/passwd", 404, REASON_MISSING, NULL },
};

static void
check_status(size_t i)
{
	const struct loopback *l = &place.loopback;

	if (l->status != cases[i].status || l->reason != cases[i].reason)
		fail_msg("%s: %u, %.*s", cases[i].target, l->status,
		    STR_ARG(reason_code(l->reason)));
}

static void
test_get(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		loopback_get(l, cases[i].target, "");
		check_status(i);
		if (cases[i].content != NULL)
			loopback_expect_content(l, str_of(cases[i].content));
	}
}

/* The same head, but for the length of a listing, and no content. */
static void
test_head(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		loopback_send(l, "HEAD", cases[i].target, "");
		check_status(i);
		assert_int_equal(l->content.n, 0);
		if (cases[i].content != NULL)
			assert_int_equal(l->length, strlen(cases[i].content));
	}
}

/* A directory asked for without its slash: always an address on this host. */
static void
test_slash(void **state)
{
	static const struct {
		const char *target, *location;
	} redirects[] = {
		{ "/dir", "/dir/" },
		{ "/dir?a=b&c", "/dir/?a=b&c" },
		{ "/dir?", "/dir/?" },
		{ "//dir", "/dir/" },
		{ "/with%20page", "/with%20page/" },
		{ "//evil.example", "/evil.example/" },
		{ "/%65vil.example?//x", "/evil.example/?//x" },
		{ "/dir/../evil.example", "/evil.example/" },
		{ "http://b/dir", "/dir/" },
	};
	struct loopback *l = &place.loopback;

	(void)state;
	for (size_t i = 0; i < COUNT(redirects); i++) {
		loopback_get(l, redirects[i].target, "");
		assert_int_equal(l->status, 301);
		loopback_expect(l, "Location", redirects[i].location);
	}
}

static void
test_methods(void **state)
{
	static const char allowed[] = "GET, HEAD, OPTIONS";
	static const struct {
		const char *method, *target;
		unsigned status;
		const char *allow;
	} methods[] = {
		{ "OPTIONS", "/", 200, allowed },
		{ "OPTIONS", "*", 200, allowed },
		{ "OPTIONS", "/nothing", 200, allowed },
		{ "POST", "/", 405, allowed },
		{ "PUT", "/new", 405, allowed },
		{ "DELETE", "/index.html", 405, allowed },
		{ "TRACE", "/", 405, allowed },
		{ "PROPFIND", "/", 405, allowed },
		{ "CONNECT", "b:443", 405, allowed },
		{ "get", "/", 501, NULL },
		{ "BREW", "/", 501, NULL },
	};
	struct loopback *l = &place.loopback;

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++) {
		loopback_send(l, methods[i].method, methods[i].target, "");
		if (l->status != methods[i].status)
			fail_msg("%s: %u", methods[i].method, l->status);
		loopback_expect(l, "Allow", methods[i].allow);
	}
	loopback_get(l, "/index.html", "");
	loopback_expect_content(l, S("front page"));
}

static void
test_old_requests(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	loopback_ask(l, S("GET /dir/file\r\n"));
	loopback_finish(l);
	loopback_expect_content(l, S("in dir"));
	loopback_ask(l, S("GET /dir/file HTTP/1.0\r\n\r\n"));
	loopback_finish(l);
	loopback_expect_content(l, S("in dir"));
}

static void
test_no_lists(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	place.site.lists = false;
	loopback_get(l, "/dir/", "");
	assert_int_equal(l->status, 403);
	assert_int_equal(l->reason, REASON_NO_LISTING);
	loopback_get(l, "/dir", "");
	assert_int_equal(l->status, 301);
	loopback_get(l, "/", "");
	loopback_expect_content(l, S("front page"));
}

static void
test_shows_hidden(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	place.site.shows_hidden = true;
	loopback_get(l, "/.hidden", "");
	loopback_expect_content(l, S("hidden"));
	loopback_get(l, "/..", "");
	assert_int_equal(l->status, 400);
}

static void
test_other_index(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	place.site.index = S("file");
	loopback_get(l, "/dir/", "");
	loopback_expect_content(l, S("in dir"));
	loopback_get(l, "/with%20page/", "");
	loopback_expect(l, "Content-Type", "text/html; charset=utf-8");
	assert_int_equal(l->status, 200);
}

static void
test_long_path(void **state)
{
	struct loopback *l = &place.loopback;
	char target[8001];

	(void)state;
	memset(target, 'x', sizeof(target) - 1);
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	loopback_get(l, target, "");
	assert_int_equal(l->status, 404);
	for (size_t i = 2; i < sizeof(target) - 1; i += 2)
		target[i] = '/';
	loopback_get(l, target, "");
	assert_int_equal(l->status, 404);
}

int
main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_get),
		WITH_PLACE(test_head),
		WITH_PLACE(test_slash),
		WITH_PLACE(test_methods),
		WITH_PLACE(test_old_requests),
		WITH_PLACE(test_no_lists),
		WITH_PLACE(test_shows_hidden),
		WITH_PLACE(test_other_index),
		WITH_PLACE(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
