/* SPDX-License-Identifier: ISC */

/* All codings, whole and in pieces, decoded by their libraries. */

#include "site/compress.h"

#include <errno.h>
#include <stdlib.h>

#include "../cases.h"
#include "../decode.h"

#define LARGE ((size_t)600 << 10)

static char *text;                      /* LARGE bytes that compress well */

static int
write_text(void **state)
{
	static const char words[] = "one two three four five six seven ";
	unsigned at = 1;

	(void)state;
	text = malloc(LARGE);
	if (text == NULL)
		return -1;
	for (size_t i = 0; i < LARGE; i++) {
		at = at * 1103515245 + 12345;
		text[i] = i % 64 == 0 ? (char)('a' + (at >> 16) % 26) :
		    words[(at >> 24) % 3 + i % (sizeof(words) - 4)];
	}
	return 0;
}

static int
free_text(void **state)
{
	(void)state;
	free(text);
	return 0;
}

/* Adds n bytes of the text in pieces, and then ends. */
static void
compress_text(enum coding c, enum effort e, uint64_t size, size_t n,
    size_t piece, struct buf *out)
{
	struct compressor *z = compressor_new(c, e, size);

	assert_non_null(z);
	for (size_t at = 0; at < n; at += piece) {
		size_t part = n - at < piece ? n - at : piece;

		assert_int_equal(compressor_add(z,
		    (struct str){ text + at, part }, COMPRESS_MORE, out), 0);
	}
	assert_int_equal(compressor_add(z, (struct str){ NULL, 0 },
	    COMPRESS_END, out), 0);
	compressor_free(z);
}

static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 511, 4096, 100000, LARGE };
	struct buf out;

	(void)state;
	buf_init(&out, LARGE);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		for (unsigned e = 0; e < EFFORT_COUNT; e++) {
			for (size_t i = 0; i < COUNT(sizes); i++) {
				out.n = 0;
				compress_text((enum coding)c, (enum effort)e,
				    sizes[i], sizes[i], 60000, &out);
				decode_expect((enum coding)c, buf_str(&out),
				    (struct str){ text, sizes[i] });
				if (sizes[i] > 1000)
					assert_true(out.n < sizes[i] / 2);
			}
		}
	}
	buf_fini(&out);
}

/* A stream of unknown length, in pieces of all sizes. */
static void
test_pieces(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, LARGE);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		for (size_t piece = 1; piece < 40000; piece = 3 * piece + 1) {
			out.n = 0;
			compress_text((enum coding)c, EFFORT_STREAM,
			    UINT64_MAX, 30000, piece, &out);
			decode_expect((enum coding)c, buf_str(&out),
			    (struct str){ text, 30000 });
		}
	}
	buf_fini(&out);
}

/* What was flushed can be read, though more will come. */
static void
test_flush(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, LARGE);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct compressor *z = compressor_new((enum coding)c,
		    EFFORT_STREAM, UINT64_MAX);

		out.n = 0;
		for (size_t at = 0; at < 50; at += 5) {
			assert_int_equal(compressor_add(z,
			    (struct str){ text + at, 5 }, COMPRESS_FLUSH,
			    &out), 0);
			decode_expect((enum coding)c, buf_str(&out),
			    (struct str){ text, at + 5 });
		}
		compressor_free(z);
	}
	buf_fini(&out);
}

/* The limit of the buffer is what a result may have. */
static void
test_limit(void **state)
{
	struct buf out;

	(void)state;
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct compressor *z = compressor_new((enum coding)c,
		    EFFORT_ONCE, LARGE);

		buf_init(&out, 1000);
		assert_int_equal(compressor_add(z,
		    (struct str){ text, LARGE }, COMPRESS_END, &out),
		    -ENOBUFS);
		assert_true(out.n <= 1000);
		buf_fini(&out);
		compressor_free(z);
	}
}

/* The tag says that the same bytes come of the same content. */
static void
test_same_again(void **state)
{
	struct buf first, second;

	(void)state;
	buf_init(&first, LARGE);
	buf_init(&second, LARGE);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		first.n = second.n = 0;
		compress_text((enum coding)c, EFFORT_ONCE, 200000, 200000,
		    131072, &first);
		compress_text((enum coding)c, EFFORT_ONCE, 200000, 200000,
		    131072, &second);
		assert_true(str_eq(buf_str(&first), buf_str(&second)));
	}
	buf_fini(&first);
	buf_fini(&second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_same_again),
	};

	return cmocka_run_group_tests(tests, write_text, free_text);
}
