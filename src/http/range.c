/* SPDX-License-Identifier: ISC */

/*
 * The Range field (RFC 9110 14.1, 14.2).  A server may ignore it whenever it
 * likes, so all that is odd is answered with the whole representation; only
 * what is well-formed and lies outside it is a 416.
 */

#include "http/range.h"

#include <errno.h>

#include "http/field.h"

#define OVERLAPPING_MAX 2

/* A range as it was written: both ends count, or the last `suffix` bytes. */
struct spec {
	bool is_suffix;
	uint64_t first, last, suffix;
};

/*
 * A run of digits; a number that is too big becomes the biggest, which lies
 * behind the end of anything.
 */
static bool
parse_pos(struct str s, uint64_t *out_pos)
{
	int err = str_to_u64(s, out_pos);

	if (err == -ERANGE)
		*out_pos = UINT64_MAX;
	return err == 0 || err == -ERANGE;
}

static bool
parse_spec(struct str s, struct spec *out)
{
	struct str first;

	if (!str_cut(&s, '-', &first) || s.p == NULL)
		return false;
	*out = (struct spec){ .is_suffix = first.n == 0, .last = UINT64_MAX };
	if (out->is_suffix)
		return parse_pos(s, &out->suffix);
	if (!parse_pos(first, &out->first))
		return false;
	if (s.n > 0 && !parse_pos(s, &out->last))
		return false;
	return out->first <= out->last;
}

/* Lays spec over a representation; false when the two do not meet. */
static bool
resolve_spec(const struct spec *spec, uint64_t size, struct range *out)
{
	uint64_t first = spec->first, last = spec->last;

	if (spec->is_suffix && spec->suffix == 0)
		return false;
	if (spec->is_suffix)
		first = spec->suffix < size ? size - spec->suffix : 0;
	if (first >= size)
		return false;
	if (last > size - 1)
		last = size - 1;
	*out = (struct range){ first, last - first + 1 };
	return true;
}

static bool
do_overlap(const struct range *a, const struct range *b)
{
	return a->first < b->first + b->length &&
	    b->first < a->first + a->length;
}

static bool
overlaps_another(const struct range *ranges, unsigned count, unsigned which)
{
	for (unsigned i = 0; i < count; i++)
		if (i != which && do_overlap(&ranges[i], &ranges[which]))
			return true;
	return false;
}

static bool
is_abuse(const struct range *ranges, unsigned count)
{
	unsigned overlapping = 0;

	for (unsigned i = 0; i < count; i++)
		overlapping += overlaps_another(ranges, count, i);
	return overlapping > OVERLAPPING_MAX;
}

enum range_verdict
range_parse(struct str value, uint64_t size,
    struct range out_ranges[RANGE_MAX], unsigned *out_count)
{
	struct range ranges[RANGE_MAX];
	struct spec spec;
	struct str unit, item;
	unsigned asked = 0, count = 0;

	if (!str_cut(&value, '=', &unit) || !str_eq_nocase(unit, S("bytes")))
		return RANGE_IGNORE;
	while (field_list_next(&value, &item)) {
		if (++asked > RANGE_MAX || !parse_spec(item, &spec))
			return RANGE_IGNORE;
		count += resolve_spec(&spec, size, &ranges[count]);
	}
	/*
	 * The last bytes of nothing can be sent (14.1.2), but no Content-Range
	 * can tell of them; and who begins at 0 has got all there is.
	 */
	if (asked == 0 || size == 0 || is_abuse(ranges, count))
		return RANGE_IGNORE;
	if (count == 0)
		return RANGE_UNSATISFIABLE;
	memcpy(out_ranges, ranges, count * sizeof(ranges[0]));
	*out_count = count;
	return RANGE_PARTIAL;
}
