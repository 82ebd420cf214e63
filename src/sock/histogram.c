/* SPDX-License-Identifier: ISC */
/*
 * Values below 64 have a bucket each; above, each power of two has 64.
 */
#include "sock/histogram.h"

#define BITS 6
#define SUBS (1u << BITS)

static unsigned
index_of(uint64_t value)
{
	unsigned shift;

	if (value < SUBS)
		return (unsigned)value;
	shift = 63 - BITS - (unsigned)__builtin_clzll(value);
	return (shift + 1) * SUBS + (unsigned)(value >> shift & (SUBS - 1));
}

/* The greatest value of a bucket. */
static uint64_t
value_of(unsigned index)
{
	unsigned shift;

	if (index < SUBS)
		return index;
	shift = index / SUBS - 1;
	/* In this order the last bucket does not overflow. */
	return ((uint64_t)(SUBS + index % SUBS) << shift) +
	    (((uint64_t)1 << shift) - 1);
}

void
histogram_add(struct histogram *h, uint64_t value)
{
	if (h->n == 0 || value < h->least)
		h->least = value;
	if (value > h->most)
		h->most = value;
	h->n++;
	h->sum += (double)value;
	h->buckets[index_of(value)]++;
}

uint64_t
histogram_at(const struct histogram *h, double part)
{
	double wanted = part * (double)h->n;
	uint64_t below = 0, value;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += h->buckets[i];
		if (below == 0 || (double)below < wanted)
			continue;
		value = value_of(i);
		return value < h->most ? value : h->most;
	}
	return h->most;
}
