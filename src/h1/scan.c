/* SPDX-License-Identifier: ISC */
/*
 * One table says which bytes may stand where.  The few bytes at the end of a
 * buffer are looked up in it one by one, and so are all where a processor has
 * nothing better.
 */
#include "h1/scan.h"

#include "h1/scan_priv.h"

/* Fewer are looked up one by one: the others take so many at a time. */
#define LEAST 16

#define BIT(class) (1u << H1_##class)
#define B BIT(VALUE)
#define F (BIT(TOKEN) | BIT(VALUE))
#define V (BIT(TARGET) | BIT(VALUE))
#define H (BIT(TARGET) | BIT(VALUE) | BIT(HOST))
#define T (BIT(TOKEN) | BIT(TARGET) | BIT(VALUE))
#define A (BIT(TOKEN) | BIT(TARGET) | BIT(VALUE) | BIT(HOST))
#define HIGH V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V

/* clang-format off */
static const unsigned char classes[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, B, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
     /*    !  "  #  $  %  &  '  (  )  *  +  ,  -  .  /   */
	B, A, V, F, A, A, A, A, H, H, A, A, H, A, A, V,
     /* 0                          9  :  ;  <  =  >  ?   */
	A, A, A, A, A, A, A, A, A, A, V, H, V, H, V, V,
     /* @  A                                             */
	V, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
     /*                               Z  [  \  ]  ^  _   */
	A, A, A, A, A, A, A, A, A, A, A, V, V, V, T, A,
     /* `  a                                             */
	T, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
     /*                               z  {  |  }  ~      */
	A, A, A, A, A, A, A, A, A, A, A, V, T, V, A, 0,
	HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH,
};
/* clang-format on */

/* The same, turned by a quarter; the unit test proves it. */
const struct h1_columns h1_columns[H1_CLASSES] = {
	[H1_TOKEN] = {
		{ 0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
		  0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70 }, false,
	},
	[H1_TARGET] = {
		{ 0xf8, 0xfc, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc,
		  0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0x7c }, true,
	},
	[H1_VALUE] = {
		{ 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc,
		  0xfc, 0xfd, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0x7c }, true,
	},
	[H1_HOST] = {
		{ 0xa8, 0xfc, 0xf8, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc,
		  0xfc, 0xfc, 0xf4, 0x5c, 0x54, 0x5c, 0xd4, 0x70 }, false,
	},
};

size_t
h1_span_plain(struct str s, enum h1_class class)
{
	size_t i = 0;

	while (i < s.n && classes[(unsigned char)s.p[i]] >> class & 1)
		i++;
	return i;
}

static bool
is_anywhere(void)
{
	return true;
}

#ifdef __x86_64__
static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool
has_ssse3(void)
{
	return __builtin_cpu_supports("ssse3");
}
#endif

const struct h1_scanner h1_scanners[] = {
#ifdef __x86_64__
	{ "avx2", has_avx2, h1_span_avx2 },
	{ "ssse3", has_ssse3, h1_span_ssse3 },
#endif
#ifdef __aarch64__
	{ "neon", is_anywhere, h1_span_neon },
#endif
	{ "plain", is_anywhere, h1_span_plain },
};
const size_t h1_n_scanners = sizeof(h1_scanners) / sizeof(h1_scanners[0]);

size_t
h1_span(struct str s, enum h1_class class)
{
	if (s.n >= LEAST)
		for (const struct h1_scanner *f = h1_scanners;; f++)
			if (f->is_here())
				return f->span(s, class);
	return h1_span_plain(s, class);
}
