/* SPDX-License-Identifier: ISC */

/* Listings: which names, in which order, and how they are written. */

#include "site/dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/path.h"
#include "net/loop.h"

#include "place.h"

static struct place place;

static int
begin(void **state)
{
	(void)state;
	place_open(&place);
	folder_dir(&place.folder, "d");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	place_close(&place);
	return 0;
}

static struct str
page(const char *target)
{
	struct loopback *l = &place.loopback;

	loopback_get(l, target, "");
	assert_int_equal(l->status, 200);
	loopback_expect(l, "Content-Type", "text/html; charset=utf-8");
	assert_false(l->is_broken);
	return buf_str(&l->content);
}

/* Behind the next `text` in s; fails when there is none. */
static struct str
behind(struct str s, const char *text)
{
	const char *at = memmem(s.p, s.n, text, strlen(text));

	if (at == NULL)
		fail_msg("\"%s\" is not in \"%.*s\"", text, STR_ARG(s));
	return str_skip(str_from(at, s.p + s.n), strlen(text));
}

static bool
holds(struct str s, const char *text)
{
	return memmem(s.p, s.n, text, strlen(text)) != NULL;
}

static void
test_frame(void **state)
{
	struct str rest;

	(void)state;
	rest = page("/d/");
	assert_true(str_starts(rest, S("<!doctype html>\n")));
	rest = behind(rest, "<title>/d/</title>");
	rest = behind(rest, "<h1>/d/</h1>");
	rest = behind(rest, "<a href=\"../\">../</a>");
	rest = behind(rest, "</html>\n");
	assert_int_equal(rest.n, 0);
}

/* There is nothing above the root. */
static void
test_top(void **state)
{
	struct str s;

	(void)state;
	s = page("/");
	assert_true(holds(s, "<h1>/</h1>"));
	assert_true(holds(s, "<a href=\"./d/\">d/</a>"));
	assert_false(holds(s, "../"));
}

static void
test_rows(void **state)
{
	struct str s;

	(void)state;
	folder_file(&place.folder, "d/b", S("12345"));
	folder_file(&place.folder, "d/a", S(""));
	folder_dir(&place.folder, "d/c");
	folder_age(&place.folder, "d/c");
	s = page("/d/");
	s = behind(s, "<tr><td><a href=\"./a\">a</a><td>0"
	    "<td>2020-01-02 03:04\n");
	s = behind(s, "<tr><td><a href=\"./b\">b</a><td>5"
	    "<td>2020-01-02 03:04\n");
	behind(s, "<tr><td><a href=\"./c/\">c/</a><td>"
	    "<td>2020-01-02 03:04\n");
}

static void
test_order(void **state)
{
	static const char *const names[] = {
		"0", "10", "2", "A", "B", "Z", "a", "aa", "b", "\xc3\xa4",
	};
	char path[16], row[64];
	struct str s;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "d/%s",
		    names[(i * 7) % COUNT(names)]);
		folder_file(&place.folder, path, S("x"));
	}
	s = page("/d/");
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(row, sizeof(row), "\">%s</a>", names[i]);
		s = behind(s, row);
	}
}

/* Names are text in HTML, and paths in URLs, whatever they are made of. */
static void
test_escapes(void **state)
{
	static const struct {
		const char *name, *url, *text;
	} cases[] = {
		{ "a b", "a%20b", "a b" },
		{ "100%", "100%25", "100%" },
		{ "a#b?c", "a%23b%3Fc", "a#b?c" },
		{ "a&b", "a%26b", "a&amp;b" },
		{ "<b>", "%3Cb%3E", "&lt;b&gt;" },
		{ "\"x\"'y'", "%22x%22%27y%27", "&quot;x&quot;'y'" },
		{ "a\nb", "a%0Ab", "a\xef\xbf\xbd" "b" },
		{ "a\x7f" "b", "a%7Fb", "a\xef\xbf\xbd" "b" },
		{ "h\xc3\xa4", "h%C3%A4", "h\xc3\xa4" },
		{ "\xe2\x82\xac", "%E2%82%AC", "\xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "%F0%9F%98%80", "\xf0\x9f\x98\x80" },
		{ "h\xe4", "h%E4", "h\xef\xbf\xbd" },
		{ "h\xc3", "h%C3", "h\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "%ED%A0%80",
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "javascript:x", "javascript%3Ax", "javascript:x" },
		{ "a\\b", "a%5Cb", "a\\b" },
	};
	char path[64], row[128];
	struct str s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(path, sizeof(path), "d/%s", cases[i].name);
		folder_file(&place.folder, path, str_of(cases[i].name));
	}
	s = page("/d/");
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(row, sizeof(row), "<a href=\"./%s\">%s</a>",
		    cases[i].url, cases[i].text);
		behind(s, row);
	}
	/* And each link leads to its file. */
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(path, sizeof(path), "/d/%s", cases[i].url);
		loopback_get(&place.loopback, path, "");
		loopback_expect_content(&place.loopback,
		    str_of(cases[i].name));
	}
}

/* The title, too. */
static void
test_escaped_title(void **state)
{
	struct str s;

	(void)state;
	folder_dir(&place.folder, "<script>&");
	s = page("/%3Cscript%3E%26/");
	behind(s, "<title>/&lt;script&gt;&amp;/</title>");
	behind(s, "<h1>/&lt;script&gt;&amp;/</h1>");
	assert_false(holds(s, "<script>"));
}

static void
test_hidden(void **state)
{
	struct str s;

	(void)state;
	folder_file(&place.folder, "d/.hidden", S("x"));
	folder_file(&place.folder, "d/..two", S("x"));
	folder_file(&place.folder, "d/shown", S("x"));
	s = page("/d/");
	assert_false(holds(s, "hidden"));
	assert_false(holds(s, "..two"));
	assert_true(holds(s, "shown"));
	place.site.shows_hidden = true;
	s = page("/d/");
	assert_true(holds(s, "\"./.hidden\""));
	assert_true(holds(s, "\"./..two\""));
	assert_false(holds(s, "\"./.\""));
	assert_false(holds(s, "\"./..\""));
}

/* A listing tells nothing of what a request would not be given. */
static void
test_links(void **state)
{
	struct str s;

	(void)state;
	folder_file(&place.folder, "target", S("12345"));
	folder_link(&place.folder, "d/to-file", "../target");
	folder_link(&place.folder, "d/to-dir", "../d");
	folder_link(&place.folder, "d/broken", "nothing");
	folder_link(&place.folder, "d/outside", "/etc/passwd");
	folder_link(&place.folder, "d/loop", "loop");
	s = page("/d/");
	behind(s, "<a href=\"./to-file\">to-file</a><td>5<td>2020-");
	behind(s, "<a href=\"./to-dir/\">to-dir/</a><td><td>");
	assert_false(holds(s, "broken"));
	assert_false(holds(s, "outside"));
	assert_false(holds(s, "loop"));
}

static void
test_head(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	loopback_send(l, "HEAD", "/d/", "");
	assert_int_equal(l->status, 200);
	loopback_expect(l, "Content-Type", "text/html; charset=utf-8");
}

/* As any page, and its tag is drawn from all that is in it. */
static void
test_conditions(void **state)
{
	struct loopback *l = &place.loopback;
	char fields[128], tag[64];
	struct str etag;

	(void)state;
	folder_file(&place.folder, "d/a", S("12345"));
	page("/d/");
	loopback_expect(l, "Last-Modified", NULL);
	etag = loopback_field(l, "ETag");
	assert_true(str_starts(etag, S("\"")));
	snprintf(tag, sizeof(tag), "%.*s", STR_ARG(etag));
	snprintf(fields, sizeof(fields), "If-None-Match: %s\r\n", tag);
	loopback_get(l, "/d/", fields);
	assert_int_equal(l->status, 304);
	folder_file(&place.folder, "d/a", S("123456"));
	loopback_get(l, "/d/", fields);
	assert_int_equal(l->status, 200);
	loopback_get(l, "/d/", "Range: bytes=0-8\r\n");
	assert_int_equal(l->status, 206);
	loopback_expect_content(l, S("<!doctype"));
	place.site.etag = ETAG_NONE;
	page("/d/");
	loopback_expect(l, "ETag", NULL);
}

/* Many slices of time; nothing is left behind, and nothing left out. */
#define MANY 1000

static void
fill(void)
{
	char name[160];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "d/%05d-%0100d",
		    (int)((unsigned)i * 7919u % MANY), i);
		folder_link(&place.folder, name, "..");
	}
}

static void
expect_all(struct str s)
{
	char name[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "<a href=\"./%05d-", i);
		s = behind(s, name);
	}
	s = behind(s, "</html>\n");
	assert_int_equal(s.n, 0);
}

static void
test_many(void **state)
{
	struct listings listings = { .left_bytes = 8 << 20 };

	(void)state;
	list_init(&listings.makings);
	place.site.listings = &listings;
	fill();
	expect_all(page("/d/"));
	assert_int_equal(place.loopback.length, place.loopback.content.n);
	assert_int_equal(listings.left_bytes, 8 << 20);
}

/* With a loop, each slice has a turn of its own. */
static void
woken(struct exchange *x)
{
	loop_stop(x->conn);
}

static void
ask_for_large(struct loop *loop)
{
	struct loopback *l = &place.loopback;

	place.site.loop = loop;
	loopback_ask(l, S("GET /d/ HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(l->x->is_pending);
	l->x->wake = woken;
	l->x->conn = loop;
}

static void
test_slices(void **state)
{
	struct loopback *l = &place.loopback;
	struct loop *loop;

	(void)state;
	fill();
	assert_int_equal(loop_open(NULL, &loop), 0);
	ask_for_large(loop);
	assert_int_equal(loop_run(loop), 0);
	assert_false(l->x->is_pending);
	l->length = l->x->res.length;
	loopback_finish(l);
	expect_all(buf_str(&l->content));
	loop_close(loop);
}

static void
test_left_while_made(void **state)
{
	struct listings listings = { .left_bytes = 8 << 20 };
	struct loopback *l = &place.loopback;
	struct loop *loop;

	(void)state;
	list_init(&listings.makings);
	place.site.listings = &listings;
	fill();
	assert_int_equal(loop_open(NULL, &loop), 0);
	ask_for_large(loop);
	exchange_end(&l->exchanges, l->x);
	assert_int_equal(listings.left_bytes, 8 << 20);
	assert_true(list_is_empty(&listings.makings));
	loop_close(loop);
}

/* More than all listings may take together. */
static void
test_budget(void **state)
{
	struct listings listings = { .left_bytes = 200000 };

	(void)state;
	list_init(&listings.makings);
	place.site.listings = &listings;
	fill();
	loopback_get(&place.loopback, "/d/", "");
	assert_int_equal(place.loopback.status, 503);
	assert_int_equal(listings.left_bytes, 200000);
	place.site.listings = NULL;
}

/* What is known of others is no reason to refuse one. */
static void
test_known_give_way(void **state)
{
	const struct cache_limits limits = {
		.bytes = 64 << 20, .descriptors = 9, .directories = 9,
	};
	struct listings listings = { .bytes = 500000, .left_bytes = 500000 };
	struct loop *loop;
	char target[160];

	(void)state;
	list_init(&listings.makings);
	place.site.listings = &listings;
	assert_int_equal(loop_open(NULL, &loop), 0);
	for (int i = 0; i < 10 * 200; i++) {
		snprintf(target, sizeof(target), "%d", i % 10);
		if (i < 10)
			folder_dir(&place.folder, target);
		snprintf(target, sizeof(target), "%d/%0100d", i % 10, i);
		folder_link(&place.folder, target, "..");
	}
	assert_int_equal(cache_open(loop, place.folder.fd, SYMLINKS_BENEATH,
	    &limits, &place.site.cache), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(target, sizeof(target), "/%d/", i % 10);
		page(target);
	}
	assert_true(listings.left_bytes < listings.bytes);
	cache_close(place.site.cache);
	assert_int_equal(listings.left_bytes, listings.bytes);
	loop_close(loop);
}

/* Whoever goes away in the middle leaves nothing behind. */
static void
test_left_alone(void **state)
{
	struct loopback *l = &place.loopback;
	char name[32];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d/%05d", i);
		folder_link(&place.folder, name, "..");
	}
	loopback_ask(l, S("GET /d/ HTTP/1.1\r\nHost: a\r\n\r\n"));
	exchange_end(&l->exchanges, l->x);
	assert_int_equal(l->status, 200);
}

int
main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_frame),
		WITH_PLACE(test_top),
		WITH_PLACE(test_rows),
		WITH_PLACE(test_order),
		WITH_PLACE(test_escapes),
		WITH_PLACE(test_escaped_title),
		WITH_PLACE(test_hidden),
		WITH_PLACE(test_links),
		WITH_PLACE(test_head),
		WITH_PLACE(test_conditions),
		WITH_PLACE(test_many),
		WITH_PLACE(test_left_alone),
		WITH_PLACE(test_slices),
		WITH_PLACE(test_left_while_made),
		WITH_PLACE(test_budget),
		WITH_PLACE(test_known_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
