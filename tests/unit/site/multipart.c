/* SPDX-License-Identifier: ISC */

/* Several ranges in one answer, byte for byte. */

#include "site/multipart.h"

#include "site/object.h"

#include "place.h"

static struct place place;

static int
begin(void **state)
{
	(void)state;
	place_open(&place);
	folder_file(&place.folder, "a.txt", S("0123456789"));
	folder_large(&place.folder, "large.png", OBJECT_CONTENT_MAX + 1000);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	place_close(&place);
	return 0;
}

/* The boundary that the answer names. */
static struct str
boundary(const struct loopback *l)
{
	static const struct str before =
	    STR("multipart/byteranges; boundary=");
	struct str type = loopback_field(l, "Content-Type");

	assert_true(str_starts(type, before));
	type = str_skip(type, before.n);
	assert_in_range(type.n, 16, 70);
	assert_true(field_is_token(type));
	return type;
}

/* Takes what must come next off *rest. */
static void
expect(struct str *rest, struct str next)
{
	if (!str_starts(*rest, next))
		fail_msg("got \"%.*s\", wanted \"%.*s\"", STR_ARG(*rest),
		    STR_ARG(next));
	*rest = str_skip(*rest, next.n);
}

static void
expect_part(struct str *rest, struct str bound, const char *type,
    const char *range, struct str content)
{
	expect(rest, S("--"));
	expect(rest, bound);
	expect(rest, S("\r\nContent-Type: "));
	expect(rest, str_of(type));
	expect(rest, S("\r\nContent-Range: "));
	expect(rest, str_of(range));
	expect(rest, S("\r\n\r\n"));
	expect(rest, content);
	expect(rest, S("\r\n"));
}

static void
expect_end(struct str *rest, struct str bound)
{
	expect(rest, S("--"));
	expect(rest, bound);
	expect(rest, S("--\r\n"));
	assert_int_equal(rest->n, 0);
}

static void
test_memory(void **state)
{
	static const char type[] = "text/plain; charset=utf-8";
	struct loopback *l = &place.loopback;
	struct str rest, bound;

	(void)state;
	loopback_get(l, "/a.txt", "Range: bytes=7-8, 0-1,-1\r\n");
	assert_int_equal(l->status, 206);
	loopback_expect(l, "Content-Range", NULL);
	loopback_expect(l, "Last-Modified", FOLDER_DATE);
	assert_int_not_equal(l->length, LENGTH_UNKNOWN);
	bound = boundary(l);
	rest = buf_str(&l->content);
	expect_part(&rest, bound, type, "bytes 7-8/10", S("78"));
	expect_part(&rest, bound, type, "bytes 0-1/10", S("01"));
	expect_part(&rest, bound, type, "bytes 9-9/10", S("9"));
	expect_end(&rest, bound);
}

static void
test_file(void **state)
{
	struct loopback *l = &place.loopback;
	struct str rest, bound;
	char first[40], second[] = "x";

	(void)state;
	for (size_t i = 0; i < sizeof(first); i++)
		first[i] = folder_byte(65500 + i);
	second[0] = folder_byte(0);
	loopback_get(l, "/large.png", "Range: bytes=65500-65539,0-0\r\n");
	assert_int_equal(l->status, 206);
	bound = boundary(l);
	rest = buf_str(&l->content);
	expect_part(&rest, bound, "image/png", "bytes 65500-65539/66536",
	    (struct str){ first, sizeof(first) });
	expect_part(&rest, bound, "image/png", "bytes 0-0/66536",
	    str_of(second));
	expect_end(&rest, bound);
}

/* Nobody can prepare a file that holds the next boundary. */
static void
test_boundaries_differ(void **state)
{
	struct loopback *l = &place.loopback;
	char first[71] = "";
	struct str bound;

	(void)state;
	loopback_get(l, "/a.txt", "Range: bytes=0-1,3-4\r\n");
	bound = boundary(l);
	memcpy(first, bound.p, bound.n);
	loopback_get(l, "/a.txt", "Range: bytes=0-1,3-4\r\n");
	assert_false(str_eq(boundary(l), str_of(first)));
}

/* One that lies behind the end is left out, and one is not several. */
static void
test_one_is_left(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	loopback_get(l, "/a.txt", "Range: bytes=2-3,10-20\r\n");
	assert_int_equal(l->status, 206);
	loopback_expect(l, "Content-Range", "bytes 2-3/10");
	loopback_expect_content(l, S("23"));
}

/* More than RANGE_MAX, or ever the same: the whole is sent. */
static void
test_abuse(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	loopback_get(l, "/a.txt", "Range: bytes=0-,0-,0-,0-\r\n");
	assert_int_equal(l->status, 200);
	loopback_get(l, "/large.png", "Range: bytes=0-0,2-2,4-4,6-6,8-8,"
	    "10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
	    "30-30\r\n");
	assert_int_equal(l->status, 206);
	loopback_get(l, "/large.png", "Range: bytes=0-0,2-2,4-4,6-6,8-8,"
	    "10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
	    "30-30,32-32\r\n");
	assert_int_equal(l->status, 200);
}

int
main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_memory),
		WITH_PLACE(test_file),
		WITH_PLACE(test_boundaries_differ),
		WITH_PLACE(test_one_is_left),
		WITH_PLACE(test_abuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
