/* SPDX-License-Identifier: ISC */

/* A size in eight bytes, then a value: what is granted lies inside. */

#include "http/range.h"

#include "target.h"

static bool
has_byte_of(const struct range *a, const struct range *b)
{
	if (a->first <= b->first)
		return b->first - a->first < a->length;
	return a->first - b->first < b->length;
}

static unsigned
count_overlapping(const struct range *ranges, unsigned count)
{
	unsigned overlapping = 0;

	for (unsigned i = 0; i < count; i++) {
		bool does = false;

		for (unsigned k = 0; k < count; k++)
			if (k != i && has_byte_of(&ranges[i], &ranges[k]))
				does = true;
		overlapping += does;
	}
	return overlapping;
}

static void
check_ranges(const struct range *ranges, unsigned count, uint64_t size)
{
	assert(count >= 1 && count <= RANGE_MAX);
	assert(count_overlapping(ranges, count) <= 2);
	for (unsigned i = 0; i < count; i++) {
		assert(ranges[i].first < size);
		assert(ranges[i].length >= 1);
		assert(ranges[i].length <= size - ranges[i].first);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	uint64_t whole = take_u64(&in);
	struct range ranges[RANGE_MAX];
	const unsigned untouched = 4711;
	unsigned count = untouched;

	if (range_parse(in, whole, ranges, &count) == RANGE_PARTIAL)
		check_ranges(ranges, count, whole);
	else
		assert(count == untouched);
	return 0;
}
