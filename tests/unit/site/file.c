/* SPDX-License-Identifier: ISC */

/* Conditions and ranges over a file of ten bytes. */

#include "site/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "place.h"

#define TAG "\"5e0d5da5.0-a\""
#define BEFORE "Thu, 02 Jan 2020 03:04:04 GMT"
#define AFTER "Thu, 02 Jan 2020 03:04:06 GMT"
#define SIZE 10
#define WHOLE "0123456789"

static struct place place;

static int
begin(void **state)
{
	(void)state;
	place_open(&place);
	folder_file(&place.folder, "a.txt", S(WHOLE));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	place_close(&place);
	return 0;
}

static const struct {
	const char *fields;
	unsigned status;
	const char *content;    /* of 200 and 206 */
	const char *content_range;
} cases[] = {
	{ "", 200, WHOLE, NULL },
	/* RFC 9110 13.2.2, step by step */
	{ "If-Match: " TAG "\r\n", 200, WHOLE, NULL },
	{ "If-Match: *\r\n", 200, WHOLE, NULL },
	{ "If-Match: \"x\"\r\n", 412, NULL, NULL },
	{ "If-Match: \"x\", " TAG "\r\n", 200, WHOLE, NULL },
	{ "If-Match: \"x\"\r\nIf-Match: " TAG "\r\n", 200, WHOLE, NULL },
	{ "If-Match: W/" TAG "\r\n", 412, NULL, NULL },
	{ "If-Unmodified-Since: " FOLDER_DATE "\r\n", 200, WHOLE, NULL },
	{ "If-Unmodified-Since: " BEFORE "\r\n", 412, NULL, NULL },
	{ "If-Unmodified-Since: never\r\n", 200, WHOLE, NULL },
	{ "If-Match: " TAG "\r\nIf-Unmodified-Since: " BEFORE "\r\n", 200,
	    WHOLE, NULL },
	{ "If-None-Match: " TAG "\r\n", 304, NULL, NULL },
	{ "If-None-Match: W/" TAG "\r\n", 304, NULL, NULL },
	{ "If-None-Match: *\r\n", 304, NULL, NULL },
	{ "If-None-Match: \"x\"\r\n", 200, WHOLE, NULL },
	{ "If-None-Match: \"x\"\r\nIf-None-Match: " TAG "\r\n", 304, NULL,
	    NULL },
	{ "If-Modified-Since: " FOLDER_DATE "\r\n", 304, NULL, NULL },
	{ "If-Modified-Since: " AFTER "\r\n", 304, NULL, NULL },
	{ "If-Modified-Since: " BEFORE "\r\n", 200, WHOLE, NULL },
	{ "If-Modified-Since: soon\r\n", 200, WHOLE, NULL },
	{ "If-Modified-Since: Thu, 02 Jan 9020 03:04:05 GMT\r\n", 200, WHOLE,
	    NULL },
	{ "If-None-Match: \"x\"\r\nIf-Modified-Since: " AFTER "\r\n", 200,
	    WHOLE, NULL },
	{ "If-Match: \"x\"\r\nIf-None-Match: " TAG "\r\n", 412, NULL, NULL },
	/* Ranges */
	{ "Range: bytes=2-4\r\n", 206, "234", "bytes 2-4/10" },
	{ "Range: bytes=0-0\r\n", 206, "0", "bytes 0-0/10" },
	{ "Range: bytes=7-\r\n", 206, "789", "bytes 7-9/10" },
	{ "Range: bytes=-3\r\n", 206, "789", "bytes 7-9/10" },
	{ "Range: bytes=0-\r\n", 206, WHOLE, "bytes 0-9/10" },
	{ "Range: bytes=5-4711\r\n", 206, "56789", "bytes 5-9/10" },
	{ "Range: bytes=10-\r\n", 416, NULL, "bytes */10" },
	{ "Range: bytes=-0\r\n", 416, NULL, "bytes */10" },
	{ "Range: bytes=4-2\r\n", 200, WHOLE, NULL },
	{ "Range: lines=1-2\r\n", 200, WHOLE, NULL },
	{ "Range: bytes=0-1\r\nRange: bytes=2-3\r\n", 200, WHOLE, NULL },
	/* Conditions come first; If-Range decides on the range alone. */
	{ "Range: bytes=2-4\r\nIf-None-Match: " TAG "\r\n", 304, NULL, NULL },
	{ "Range: bytes=2-4\r\nIf-Match: \"x\"\r\n", 412, NULL, NULL },
	{ "Range: bytes=10-\r\nIf-None-Match: " TAG "\r\n", 304, NULL, NULL },
	{ "Range: bytes=2-4\r\nIf-Range: " TAG "\r\n", 206, "234",
	    "bytes 2-4/10" },
	{ "Range: bytes=2-4\r\nIf-Range: W/" TAG "\r\n", 200, WHOLE, NULL },
	{ "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n", 200, WHOLE, NULL },
	{ "Range: bytes=2-4\r\nIf-Range: " FOLDER_DATE "\r\n", 206, "234",
	    "bytes 2-4/10" },
	{ "Range: bytes=2-4\r\nIf-Range: " AFTER "\r\n", 200, WHOLE, NULL },
	{ "If-Range: " TAG "\r\n", 200, WHOLE, NULL },
	{ "If-Range: \"x\"\r\n", 200, WHOLE, NULL },
};

static void
check_case(size_t i)
{
	const struct loopback *l = &place.loopback;
	bool has_file = cases[i].status < 400;

	if (l->status != cases[i].status)
		fail_msg("\"%s\": %u, not %u", cases[i].fields, l->status,
		    cases[i].status);
	loopback_expect(l, "Content-Range", cases[i].content_range);
	loopback_expect(l, "ETag", has_file ? TAG : NULL);
	loopback_expect(l, "Last-Modified", has_file ? FOLDER_DATE : NULL);
	loopback_expect(l, "Accept-Ranges", has_file ? "bytes" : NULL);
	if (cases[i].status == 304)
		loopback_expect(l, "Content-Type", NULL);
	else
		assert_true(loopback_field(l, "Content-Type").n > 0);
}

static void
test_get(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		loopback_get(l, "/a.txt", cases[i].fields);
		check_case(i);
		if (cases[i].content != NULL)
			loopback_expect_content(l, str_of(cases[i].content));
	}
}

/* Range is for GET only; all else is answered alike, without content. */
static void
test_head(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		loopback_send(l, "HEAD", "/a.txt", cases[i].fields);
		assert_int_equal(l->content.n, 0);
		if (cases[i].content_range != NULL) {
			assert_int_equal(l->status, 200);
			loopback_expect(l, "Content-Range", NULL);
		} else {
			check_case(i);
		}
		if (l->status == 200)
			assert_int_equal(l->length, SIZE);
	}
}

/* A file too large for memory is sent from where it lies. */
static void
test_large(void **state)
{
	const size_t size = OBJECT_CONTENT_MAX + 1000;
	struct loopback *l = &place.loopback;

	(void)state;
	folder_large(&place.folder, "large", size);
	loopback_get(l, "/large", "");
	assert_int_equal(l->status, 200);
	assert_int_equal(l->content.n, size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(l->content.p[i], folder_byte(i));

	loopback_get(l, "/large", "Range: bytes=65530-65539\r\n");
	assert_int_equal(l->status, 206);
	assert_int_equal(l->content.n, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(l->content.p[i], folder_byte(65530 + i));
}

static void
test_huge(void **state)
{
	const off_t size = ((off_t)6 << 30) + 5;
	struct loopback *l = &place.loopback;
	int fd = openat(place.folder.fd, "huge", O_RDWR | O_CREAT | O_CLOEXEC,
	    0644);

	(void)state;
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite(fd, "end", 3, size - 3), 3);
	close(fd);
	loopback_send(l, "HEAD", "/huge", "");
	assert_int_equal(l->length, size);
	loopback_get(l, "/huge", "Range: bytes=-3\r\n");
	loopback_expect(l, "Content-Range",
	    "bytes 6442450946-6442450948/6442450949");
	loopback_expect_content(l, S("end"));
}

/* It shrinks while it is sent: what is missing is not made up. */
static void
test_shrinks(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	folder_large(&place.folder, "large", 100000);
	loopback_ask(l, S("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
	folder_large(&place.folder, "large", 70000);
	loopback_finish(l);
	assert_int_equal(l->status, 200);
	assert_true(l->is_broken);
	assert_int_equal(l->content.n, 70000);
}

static void
test_empty(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	folder_file(&place.folder, "empty", S(""));
	loopback_get(l, "/empty", "");
	assert_int_equal(l->status, 200);
	assert_int_equal(l->length, 0);
	loopback_get(l, "/empty", "Range: bytes=0-\r\n");
	assert_int_equal(l->status, 200);
	assert_int_equal(l->length, 0);
	loopback_expect(l, "Content-Range", NULL);
}

int
main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_get),
		WITH_PLACE(test_head),
		WITH_PLACE(test_large),
		WITH_PLACE(test_huge),
		WITH_PLACE(test_shrinks),
		WITH_PLACE(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
