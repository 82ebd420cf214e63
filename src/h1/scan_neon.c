/* SPDX-License-Identifier: ISC */
/* Sixteen bytes at a time by NEON, which each 64-bit ARM has. */
#include "h1/scan_priv.h"

#include <arm_neon.h>

/* Four bits for each byte of x that is not of the class. */
static inline uint64_t
strangers(uint8x16_t x, uint8x16_t low, uint8x16_t high)
{
	static const uint8_t bits[16] = { 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8x16_t lower = vandq_u8(x, vdupq_n_u8(0x0f));
	uint8x16_t member = vtstq_u8(vqtbl1q_u8(low, lower),
	    vqtbl1q_u8(vld1q_u8(bits), vshrq_n_u8(x, 4)));
	uint8x16_t found = vorrq_u8(member,
	    vandq_u8(vcgeq_u8(x, vdupq_n_u8(0x80)), high));
	uint16x8_t out = vreinterpretq_u16_u8(vmvnq_u8(found));

	return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(out, 4)), 0);
}

size_t
h1_span_neon(struct str s, enum h1_class class)
{
	const struct h1_columns *c = &h1_columns[class];
	uint8x16_t low = vld1q_u8(c->low);
	uint8x16_t high = vdupq_n_u8(c->takes_high ? 0xff : 0);
	uint64_t out;
	size_t i;

	for (i = 0; s.n - i >= 16; i += 16) {
		out = strangers(vld1q_u8((const uint8_t *)s.p + i), low, high);
		if (out != 0)
			return i + (size_t)__builtin_ctzll(out) / 4;
	}
	return i + h1_span_plain(str_skip(s, i), class);
}
