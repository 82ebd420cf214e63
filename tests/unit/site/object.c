/* SPDX-License-Identifier: ISC */

/* Files as objects: where their content is, what is said of them. */

#include "site/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/mime.h"

#include "../../folder.h"
#include "../cases.h"

/* Of one test. */
static struct folder folder;
static struct mime_table *types;
static unsigned descriptors;

static int
begin(void **state)
{
	(void)state;
	descriptors = folder_descriptors();
	folder_open(&folder);
	types = mime_new();
	return types == NULL ? -1 : 0;
}

static int
end(void **state)
{
	(void)state;
	mime_free(types);
	folder_close(&folder);
	assert_int_equal(folder_descriptors(), descriptors);
	return 0;
}

static int
open_as(int fd, const struct stat *st, struct str name,
    struct object **out_object)
{
	struct object_look look = {
		.name = name,
		.types = types,
		.content_max = OBJECT_CONTENT_MAX,
	};

	return object_open(fd, st, &look, out_object);
}

static struct object *
open_object(const char *name)
{
	int fd = openat(folder.fd, name, O_RDONLY | O_CLOEXEC);
	struct object *o = NULL;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(open_as(fd, &st, str_of(name), &o), 0);
	assert_int_equal(o->refs, 1);
	assert_int_equal(o->size, st.st_size);
	return o;
}

static void
expect_str(struct str got, const char *wanted)
{
	if (!str_eq(got, str_of(wanted)))
		fail_msg("got \"%.*s\", wanted \"%s\"", STR_ARG(got), wanted);
}

/* By the name and by how it begins; it is not compressed once more. */
static void
test_svgz(void **state)
{
	static const struct {
		const char *name;
		struct str content;
		const char *type;
		enum coding coding;
	} cases[] = {
		{ "a.svgz", STR("\x1f\x8b\x08"), "image/svg+xml", CODING_GZIP },
		{ "A.SVGZ", STR("\x1f\x8b\x08"), "image/svg+xml", CODING_GZIP },
		{ "a.svgz", STR("<svg/>"), "image/svg+xml", CODING_IDENTITY },
		{ "a.svgz", STR("\x1f"), "image/svg+xml", CODING_IDENTITY },
		{ "a.svgz", STR(""), "image/svg+xml", CODING_IDENTITY },
		{ "a.svg", STR("\x1f\x8b"), "image/svg+xml", CODING_IDENTITY },
		{ "a.gz", STR("\x1f\x8b"), "application/gzip",
		    CODING_IDENTITY },
	};
	struct object *o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		folder_file(&folder, cases[i].name, cases[i].content);
		o = open_object(cases[i].name);
		expect_str(o->type, cases[i].type);
		assert_int_equal(o->coding, cases[i].coding);
		object_unref(o);
	}
	folder_file(&folder, "b.svgz", S("\x1f\x8b\x08"));
	o = open_object("b.svgz");
	expect_str(o->block, "Content-Type: image/svg+xml\r\n"
	    "Content-Encoding: gzip\r\n"
	    "Last-Modified: " FOLDER_DATE "\r\n"
	    "ETag: \"5e0d5da5.0-3-gzip\"\r\n"
	    "Accept-Ranges: bytes\r\n");
	object_unref(o);
}

static void
test_block(void **state)
{
	struct object *o;

	(void)state;
	folder_file(&folder, "a.html", S("<p>hello"));
	o = open_object("a.html");
	assert_true(o->is_settled);
	expect_str(o->type, "text/html; charset=utf-8");
	expect_str(o->validators.etag, "\"5e0d5da5.0-8\"");
	assert_int_equal(o->validators.modified, FOLDER_TIME);
	expect_str(o->validators.modified_text, FOLDER_DATE);
	expect_str(o->block, "Content-Type: text/html; charset=utf-8\r\n"
	    "Last-Modified: " FOLDER_DATE "\r\n"
	    "ETag: \"5e0d5da5.0-8\"\r\n"
	    "Accept-Ranges: bytes\r\n");
	expect_str(str_skip(o->block, o->content_lines), "Last-Modified: "
	    FOLDER_DATE "\r\nETag: \"5e0d5da5.0-8\"\r\n"
	    "Accept-Ranges: bytes\r\n");
	object_unref(o);
}

static void
test_types(void **state)
{
	static const struct {
		const char *name;
		struct str content;
		const char *type;
	} cases[] = {
		{ "a.txt", STR("hello"), "text/plain; charset=utf-8" },
		{ "b.txt", STR("h\xc3\xa4llo"), "text/plain; charset=utf-8" },
		{ "latin1.txt", STR("h\xe4llo"), "text/plain" },
		{ "cut.txt", STR("h\xc3"), "text/plain" },
		{ "empty.txt", STR(""), "text/plain; charset=utf-8" },
		{ "a.wasm", STR("\0asm"), "application/wasm" },
		{ "a.png", STR("text"), "image/png" },
		{ "a.js", STR("x"), "text/javascript; charset=utf-8" },
		/* The name says nothing, and nobody here knows magic. */
		{ "nothing", STR("hello"), "application/octet-stream" },
		{ "empty", STR(""), "text/plain; charset=utf-8" },
	};
	struct object *o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		folder_file(&folder, cases[i].name, cases[i].content);
		o = open_object(cases[i].name);
		expect_str(o->type, cases[i].type);
		object_unref(o);
	}
}

/* Only the beginning is looked at; a character may be cut in two there. */
static void
test_charset_at_cut(void **state)
{
	enum { LOOKED_AT = 64 << 10, SIZE = LOOKED_AT + 100 };
	char *text = malloc(SIZE);
	struct object *o;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < SIZE; i++)
		text[i] = "\xe2\x82\xac"[i % 3];
	text[SIZE - 1] = 'x';
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'x', shift);
		folder_file(&folder, "euro.txt", (struct str){ text, SIZE });
		o = open_object("euro.txt");
		/* With one x the first character is broken from the start. */
		expect_str(o->type, shift == 0 ? "text/plain; charset=utf-8" :
		    "text/plain");
		object_unref(o);
	}
	free(text);
}

static void
test_small(void **state)
{
	struct object *o;
	struct piece p;

	(void)state;
	folder_large(&folder, "a", OBJECT_CONTENT_MAX);
	o = open_object("a");
	assert_non_null(o->content);
	assert_int_equal(o->fd, -1);
	p = object_piece(o, 1000, 50);
	assert_int_equal(p.n, 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(p.p[i], folder_byte(1000 + i));
	object_unref(o);
}

static void
test_large(void **state)
{
	struct object *o;
	struct piece p;
	char byte;

	(void)state;
	folder_large(&folder, "a", OBJECT_CONTENT_MAX + 1);
	o = open_object("a");
	assert_null(o->content);
	p = object_piece(o, 65000, 50);
	assert_null(p.p);
	assert_int_equal(p.n, 50);
	assert_int_equal(p.offset, 65000);
	assert_int_equal(pread(p.fd, &byte, 1, 65000), 1);
	assert_int_equal(byte, folder_byte(65000));
	object_unref(o);
}

static void
test_empty(void **state)
{
	struct object *o;
	struct body b;
	struct piece p;

	(void)state;
	folder_file(&folder, "a", S(""));
	o = open_object("a");
	assert_int_equal(o->size, 0);
	object_body(&b, o, 0, 0);
	object_unref(o);
	assert_int_equal(body_pull(&b, &p), PULL_END);
	body_close(&b);
}

/* The content outlives whoever opened it. */
static void
test_body(void **state)
{
	struct object *o;
	struct body b;
	struct piece p;

	(void)state;
	folder_file(&folder, "a", S("0123456789"));
	o = open_object("a");
	object_body(&b, o, 2, 5);
	object_unref(o);
	assert_int_equal(unlinkat(folder.fd, "a", 0), 0);
	assert_int_equal(body_pull(&b, &p), PULL_PIECE);
	assert_int_equal(p.n, 5);
	assert_memory_equal(p.p, "23456", 5);
	assert_int_equal(body_pull(&b, &p), PULL_END);
	body_close(&b);
}

/* So young that its time could stay while it changes: a weak tag. */
static void
test_young(void **state)
{
	struct timespec now[2];
	struct object *o;

	(void)state;
	folder_file(&folder, "a", S("hello"));
	clock_gettime(CLOCK_REALTIME_COARSE, &now[0]);
	now[1] = now[0];
	assert_int_equal(utimensat(folder.fd, "a", now, 0), 0);
	o = open_object("a");
	/* Unless the test was held up just here. */
	if (!o->is_settled)
		assert_true(str_starts(o->validators.etag, S("W/\"")));
	else
		assert_true(str_starts(o->validators.etag, S("\"")));
	object_unref(o);
}

/* Each version of a file has its own tag, also within a second. */
static void
test_tags_differ(void **state)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct object *a, *b, *c;

	(void)state;
	folder_file(&folder, "a", S("hello"));
	assert_int_equal(utimensat(folder.fd, "a", times, 0), 0);
	a = open_object("a");
	times[1].tv_nsec = 1;
	assert_int_equal(utimensat(folder.fd, "a", times, 0), 0);
	b = open_object("a");
	folder_file(&folder, "a", S("hello!"));
	assert_int_equal(utimensat(folder.fd, "a", times, 0), 0);
	c = open_object("a");
	assert_false(str_eq(a->validators.etag, b->validators.etag));
	assert_false(str_eq(b->validators.etag, c->validators.etag));
	object_unref(a);
	object_unref(b);
	object_unref(c);
}

/* What cannot be read is closed all the same. */
static void
test_unreadable(void **state)
{
	struct stat st = { .st_mode = S_IFREG, .st_size = 100 };
	struct object *o = NULL;
	int fd;

	(void)state;
	folder_file(&folder, "a", S("hello"));
	fd = openat(folder.fd, "a", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(open_as(fd, &st, S("a"), &o), -EBADF);
	assert_null(o);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* It has shrunk since it was looked at: never sent from memory as it was. */
static void
test_shrunk(void **state)
{
	struct object *o;
	struct stat st;
	int fd;

	(void)state;
	folder_file(&folder, "a", S("0123456789"));
	fd = openat(folder.fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	folder_file(&folder, "a", S("01234"));
	assert_int_equal(open_as(fd, &st, S("a"), &o), 0);
	assert_null(o->content);
	assert_int_equal(o->size, 10);
	object_unref(o);
}

int
main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_block),
		WITH_FOLDER(test_svgz),
		WITH_FOLDER(test_types),
		WITH_FOLDER(test_charset_at_cut),
		WITH_FOLDER(test_small),
		WITH_FOLDER(test_large),
		WITH_FOLDER(test_empty),
		WITH_FOLDER(test_body),
		WITH_FOLDER(test_young),
		WITH_FOLDER(test_tags_differ),
		WITH_FOLDER(test_unreadable),
		WITH_FOLDER(test_shrunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
