/* SPDX-License-Identifier: ISC */
/* Sixteen bytes at a time by SSSE3, thirty-two by AVX2. */
#include "h1/scan_priv.h"

#include <immintrin.h>

/* 1 << n for each half that ASCII can have; by no load: it is a constant. */
#define ROWS 1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0

/*
 * One bit for each byte of x that is not of the class.  A shuffle looks at the
 * lower half of each byte, and gives 0 for bytes above ASCII.
 */
__attribute__((target("ssse3"))) static inline unsigned
strangers16(__m128i x, __m128i low, unsigned high)
{
	const __m128i rows = _mm_setr_epi8(ROWS);
	__m128i upper = _mm_and_si128(_mm_srli_epi16(x, 4),
	    _mm_set1_epi8(0x0f));
	__m128i member = _mm_and_si128(_mm_shuffle_epi8(low, x),
	    _mm_shuffle_epi8(rows, upper));
	__m128i none = _mm_cmpeq_epi8(member, _mm_setzero_si128());

	return (unsigned)_mm_movemask_epi8(none) &
	    ~((unsigned)_mm_movemask_epi8(x) & high);
}

__attribute__((target("avx2"))) static inline unsigned
strangers32(__m256i x, __m256i low, unsigned high)
{
	const __m256i rows = _mm256_setr_epi8(ROWS, ROWS);
	__m256i upper = _mm256_and_si256(_mm256_srli_epi16(x, 4),
	    _mm256_set1_epi8(0x0f));
	__m256i member = _mm256_and_si256(_mm256_shuffle_epi8(low, x),
	    _mm256_shuffle_epi8(rows, upper));
	__m256i none = _mm256_cmpeq_epi8(member, _mm256_setzero_si256());

	return (unsigned)_mm256_movemask_epi8(none) &
	    ~((unsigned)_mm256_movemask_epi8(x) & high);
}

__attribute__((target("ssse3"))) size_t
h1_span_ssse3(struct str s, enum h1_class class)
{
	const struct h1_columns *c = &h1_columns[class];
	__m128i low = _mm_loadu_si128((const void *)c->low);
	unsigned high = c->takes_high ? ~0u : 0, out;
	size_t i;

	for (i = 0; s.n - i >= 16; i += 16) {
		out = strangers16(_mm_loadu_si128((const void *)(s.p + i)),
		    low, high);
		if (out != 0)
			return i + (size_t)__builtin_ctz(out);
	}
	return i + h1_span_plain(str_skip(s, i), class);
}

__attribute__((target("avx2"))) size_t
h1_span_avx2(struct str s, enum h1_class class)
{
	const struct h1_columns *c = &h1_columns[class];
	__m128i half = _mm_loadu_si128((const void *)c->low);
	__m256i low = _mm256_broadcastsi128_si256(half);
	unsigned high = c->takes_high ? ~0u : 0, out;
	size_t i;

	for (i = 0; s.n - i >= 32; i += 32) {
		out = strangers32(_mm256_loadu_si256((const void *)(s.p + i)),
		    low, high);
		if (out != 0)
			return i + (size_t)__builtin_ctz(out);
	}
	if (s.n - i >= 16) {
		out = strangers16(_mm_loadu_si128((const void *)(s.p + i)),
		    half, high);
		if (out != 0)
			return i + (size_t)__builtin_ctz(out);
		i += 16;
	}
	return i + h1_span_plain(str_skip(s, i), class);
}
