/* SPDX-License-Identifier: ISC */

/* Which representation is sent, with which fields. */

#include "site/variant.h"

#include <stdio.h>
#include <stdlib.h>

#include "place.h"

#include "../decode.h"

#define PLAIN_BYTES 4000

static struct place place;
static char plain[PLAIN_BYTES];

static int
begin(void **state)
{
	const struct folder *folder = &place.folder;

	(void)state;
	memset(plain, 'x', sizeof(plain));
	place_open(&place);
	place.site.compress_max = 1 << 20;
	folder_file(folder, "beside.txt", (struct str){ plain, PLAIN_BYTES });
	folder_file(folder, "beside.txt.br", S("brotli"));
	folder_file(folder, "beside.txt.gz", S("gzip!"));
	folder_file(folder, "alone.txt", (struct str){ plain, PLAIN_BYTES });
	folder_file(folder, "image.png", (struct str){ plain, PLAIN_BYTES });
	folder_file(folder, "image.png.gz", S("gzip!"));
	folder_dir(folder, "d");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	place_close(&place);
	return 0;
}

/* HEAD is answered with the fields of GET (RFC 9110 9.3.2). */
static void
ask(const char *target, const char *fields)
{
	struct loopback *l = &place.loopback;
	char *head;
	unsigned status;

	loopback_send(l, "HEAD", target, fields);
	head = strndup(l->fields.p, l->fields.n);
	assert_non_null(head);
	status = l->status;
	loopback_get(l, target, fields);
	assert_int_equal(l->status, status);
	assert_int_equal(l->fields.n, strlen(head));
	assert_memory_equal(l->fields.p, head, l->fields.n);
	free(head);
}

static void
accept(const char *target, const char *value)
{
	char fields[128];

	snprintf(fields, sizeof(fields), "Accept-Encoding: %s\r\n", value);
	ask(target, fields);
}

static void
test_choice(void **state)
{
	static const struct {
		const char *target, *accepted;
		unsigned status;
		const char *coding, *vary;
	} cases[] = {
		{ "/beside.txt", "", 200, NULL, "Accept-Encoding" },
		{ "/beside.txt", "br", 200, "br", "Accept-Encoding" },
		/* The smallest of those that are liked the same. */
		{ "/beside.txt", "br, gzip", 200, "gzip", "Accept-Encoding" },
		{ "/beside.txt", "*", 200, "gzip", "Accept-Encoding" },
		{ "/beside.txt", "br;q=0.5, gzip;q=0.4", 200, "br",
		    "Accept-Encoding" },
		{ "/beside.txt", "gzip;q=0, *", 200, "br", "Accept-Encoding" },
		{ "/beside.txt", "zstd", 200, NULL, "Accept-Encoding" },
		{ "/beside.txt", "identity, gzip;q=0.9", 200, NULL,
		    "Accept-Encoding" },
		{ "/beside.txt", "*;q=0", 406, NULL, "Accept-Encoding" },
		{ "/alone.txt", "identity;q=0", 406, NULL,
		    "Accept-Encoding" },
		{ "/alone.txt", "identity;q=0, zstd", 200, "zstd",
		    "Accept-Encoding" },
		{ "/image.png", "gzip", 200, NULL, NULL },
		{ "/image.png", "*;q=0", 200, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		accept(cases[i].target, cases[i].accepted);
		if (place.loopback.status != cases[i].status)
			fail_msg("%zu: %u", i, place.loopback.status);
		loopback_expect(&place.loopback, "Content-Encoding",
		    cases[i].coding);
		loopback_expect(&place.loopback, "Vary", cases[i].vary);
	}
}

/* Ranges are of what is chosen, and refusals vary as answers do. */
static void
test_ranges(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	ask("/beside.txt", "Accept-Encoding: br\r\nIf-Match: \"x\"\r\n");
	assert_int_equal(l->status, 412);
	loopback_expect(l, "Vary", "Accept-Encoding");
	loopback_get(l, "/beside.txt",
	    "Accept-Encoding: br\r\nRange: bytes=1-2\r\n");
	assert_int_equal(l->status, 206);
	loopback_expect(l, "Content-Encoding", "br");
	loopback_expect(l, "Content-Range", "bytes 1-2/6");
	loopback_expect(l, "Vary", "Accept-Encoding");
	loopback_expect_content(l, S("ro"));
	loopback_get(l, "/beside.txt",
	    "Accept-Encoding: br\r\nRange: bytes=6-\r\n");
	assert_int_equal(l->status, 416);
	loopback_expect(l, "Vary", "Accept-Encoding");
	loopback_expect(l, "Content-Range", "bytes */6");
}

/* What is compressed for one client: a weak tag, and no ranges. */
static void
test_streamed(void **state)
{
	struct loopback *l = &place.loopback;
	struct str tag;
	char weak[80];

	(void)state;
	loopback_get(l, "/alone.txt", "");
	tag = loopback_field(l, "ETag");
	snprintf(weak, sizeof(weak), "W/%.*s-gzip\"", (int)tag.n - 1, tag.p);
	ask("/alone.txt", "Accept-Encoding: gzip, identity;q=0\r\n"
	    "Range: bytes=0-1\r\n");
	assert_int_equal(l->status, 200);
	loopback_expect(l, "Content-Encoding", "gzip");
	loopback_expect(l, "Content-Type", "text/plain; charset=utf-8");
	loopback_expect(l, "ETag", weak);
	loopback_expect(l, "Accept-Ranges", NULL);
	loopback_expect(l, "Vary", "Accept-Encoding");
	decode_expect(CODING_GZIP, buf_str(&l->content),
	    (struct str){ plain, PLAIN_BYTES });
}

static void
test_listing(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	accept("/d/", "br");
	assert_int_equal(l->status, 200);
	loopback_expect(l, "Content-Encoding", "br");
	loopback_expect(l, "Vary", "Accept-Encoding");
	assert_true(str_starts(loopback_field(l, "ETag"), S("W/\"")));
}

/* A client that has what it would get, if not now then soon. */
static void
test_still_good(void **state)
{
	static const struct {
		const char *target;
		const char *before, *behind;    /* the tag of the file */
		const char *more;
		unsigned status;
	} cases[] = {
		{ "/alone.txt", "", "-br.0123abcd\"", "", 304 },
		{ "/alone.txt", "\"x\", ", "-br.0123abcd\"", "", 304 },
		{ "/alone.txt", "W/", "-br\"", "", 304 },
		{ "/alone.txt", "", "\"", "", 304 },
		{ "/alone.txt", "", "-gzip.0123abcd\"", "", 200 },
		{ "/alone.txt", "", "-brx\"", "", 200 },
		{ "/alone.txt", "", "-br.0123abcd\"", "If-Match: \"x\"\r\n",
		    412 },
		/* Of one that has a file, the tag is that of the file. */
		{ "/beside.txt", "", "-br.0123abcd\"", "", 200 },
	};
	struct loopback *l = &place.loopback;
	char fields[320];
	struct str tag;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		loopback_get(l, cases[i].target, "");
		tag = loopback_field(l, "ETag");
		snprintf(fields, sizeof(fields), "Accept-Encoding: br\r\n"
		    "If-None-Match: %s%.*s%s\r\n%s", cases[i].before,
		    (int)tag.n - 1, tag.p, cases[i].behind, cases[i].more);
		ask(cases[i].target, fields);
		if (l->status != cases[i].status)
			fail_msg("%zu: %u", i, l->status);
		loopback_expect(l, "Vary", "Accept-Encoding");
		if (l->status == 304) {
			assert_non_null(loopback_field(l, "ETag").p);
			loopback_expect(l, "Cache-Control", "no-cache");
		}
	}
}

static void
test_off(void **state)
{
	(void)state;
	place.site.compress_max = 0;
	accept("/alone.txt", "identity;q=0, br");
	assert_int_equal(place.loopback.status, 406);
	accept("/d/", "br");
	loopback_expect(&place.loopback, "Content-Encoding", NULL);
	loopback_expect(&place.loopback, "Vary", NULL);
	accept("/beside.txt", "br");
	loopback_expect(&place.loopback, "Content-Encoding", "br");
}

/* Streams: the coding is told by the status. */
static struct {
	struct str type;
	uint64_t length;
} stream;

static void
serve_stream(struct loopback *l, struct exchange *x)
{
	enum coding c = variant_of_stream(l->owner, x, stream.type,
	    stream.length);

	exchange_answer(x, 200 + c, S("text/plain"), S(""));
}

static void
test_stream(void **state)
{
	static const struct {
		const char *type;
		uint64_t length;
		const char *accepted;
		enum coding coding;
		const char *vary;
	} cases[] = {
		{ "text/html", LENGTH_UNKNOWN, "zstd", CODING_ZSTD,
		    "Accept-Encoding" },
		{ "text/html; charset=utf-8", 512, "gzip", CODING_GZIP,
		    "Accept-Encoding" },
		{ "text/html", 512, "", CODING_IDENTITY, "Accept-Encoding" },
		{ "text/html", 512, "identity;q=0", CODING_IDENTITY,
		    "Accept-Encoding" },
		{ "text/html", 511, "gzip", CODING_IDENTITY, NULL },
		{ "image/png", LENGTH_UNKNOWN, "gzip", CODING_IDENTITY, NULL },
	};
	struct loopback *l = &place.loopback;

	(void)state;
	l->serve = serve_stream;
	for (size_t i = 0; i < COUNT(cases); i++) {
		stream.type = str_of(cases[i].type);
		stream.length = cases[i].length;
		accept("/", cases[i].accepted);
		if (l->status != 200 + cases[i].coding)
			fail_msg("%zu: %u", i, l->status);
		loopback_expect(l, "Vary", cases[i].vary);
	}
}

int
main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_choice),
		WITH_PLACE(test_ranges),
		WITH_PLACE(test_streamed),
		WITH_PLACE(test_listing),
		WITH_PLACE(test_still_good),
		WITH_PLACE(test_off),
		WITH_PLACE(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
