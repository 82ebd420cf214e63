/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_DECODE_H
#define SWS_TESTS_UNIT_DECODE_H

/* The inverse of our codings, by the libraries that clients use. */

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "http/coding.h"

/* All of these read a content that may still be under way. */

static inline void
decode_brotli(struct str in, struct buf *out)
{
	BrotliDecoderState *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	const uint8_t *next = (const uint8_t *)in.p;
	BrotliDecoderResult r;
	uint8_t *at;
	size_t room;

	do {
		assert_int_equal(buf_reserve(out, 4096), 0);
		at = (uint8_t *)out->p + out->n;
		room = 4096;
		r = BrotliDecoderDecompressStream(s, &in.n, &next, &room, &at,
		    NULL);
		out->n += 4096 - room;
	} while (r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
	assert_int_not_equal(r, BROTLI_DECODER_RESULT_ERROR);
	BrotliDecoderDestroyInstance(s);
}

static inline void
decode_zstd(struct str in, struct buf *out)
{
	ZSTD_DStream *s = ZSTD_createDStream();
	ZSTD_inBuffer from = { in.p, in.n, 0 };
	ZSTD_outBuffer to;

	do {
		assert_int_equal(buf_reserve(out, 4096), 0);
		to = (ZSTD_outBuffer){ out->p, out->n + 4096, out->n };
		assert_false(ZSTD_isError(ZSTD_decompressStream(s, &to,
		    &from)));
		out->n = to.pos;
	} while (from.pos < from.size || to.pos == to.size);
	ZSTD_freeDStream(s);
}

static inline void
decode_gzip(struct str in, struct buf *out)
{
	z_stream s = { .avail_in = (uInt)in.n };
	int r;

	s.next_in = (Bytef *)(uintptr_t)in.p;
	assert_int_equal(inflateInit2(&s, MAX_WBITS + 16), Z_OK);
	do {
		assert_int_equal(buf_reserve(out, 4096), 0);
		s.next_out = (Bytef *)out->p + out->n;
		s.avail_out = 4096;
		r = inflate(&s, Z_SYNC_FLUSH);
		assert_true(r == Z_OK || r == Z_STREAM_END ||
		    r == Z_BUF_ERROR);
		out->n += 4096 - s.avail_out;
	} while (s.avail_out == 0);
	inflateEnd(&s);
}

static inline void
decode(enum coding c, struct str in, struct buf *out)
{
	if (c == CODING_BR)
		decode_brotli(in, out);
	else if (c == CODING_ZSTD)
		decode_zstd(in, out);
	else
		decode_gzip(in, out);
}

/* Fails unless `coded` stands for `plain`, or for a beginning of it. */
static inline void
decode_expect(enum coding c, struct str coded, struct str plain)
{
	struct buf out;

	buf_init(&out, (size_t)64 << 20);
	decode(c, coded, &out);
	assert_true(str_eq(buf_str(&out), plain));
	buf_fini(&out);
}

#endif
