/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_HISTOGRAM_H
#define SWS_SOCK_HISTOGRAM_H

/*
 * Times, counted in buckets that are 1/64 of their value wide at the most, so
 * that any number of them has a bounded size and percentiles are right to
 * 1.6 %.  All zero is empty.
 */

#include <stdint.h>

#define HISTOGRAM_BUCKETS (59 * 64)

struct histogram {
	uint64_t n, least, most;
	double sum;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);

/*
 * The least value that so many of all do not exceed, 0.99 for 99 %; never
 * less than that value in truth, and never more than the greatest.  0 when
 * there is none.
 */
uint64_t histogram_at(const struct histogram *h, double part);

#endif
