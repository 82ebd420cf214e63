/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_RANGE_H
#define SWS_HTTP_RANGE_H

#include <stdint.h>

#include "base/str.h"

#define RANGE_MAX 16    /* more parts than this is abuse: the whole is sent */

struct range {
	uint64_t first;         /* offset of the first byte */
	uint64_t length;        /* never 0 */
};

enum range_verdict {
	RANGE_IGNORE,           /* send the whole: other unit, malformed, or
	                           abusive (RFC 9110 14.2, 17.15), or there is
	                           nothing */
	RANGE_PARTIAL,          /* 206 with the ranges given back */
	RANGE_UNSATISFIABLE,    /* 416 */
};

/*
 * Reads a Range field's value against a representation of `size` bytes
 * (RFC 9110 14.1).  Ranges that lie behind the end are passed over; when none
 * is left the verdict is UNSATISFIABLE.  More than RANGE_MAX ranges, or more
 * than two that overlap another, are abuse: IGNORE.  On RANGE_PARTIAL
 * out_ranges holds *out_count (1 to RANGE_MAX) ranges in the order asked for.
 */
enum range_verdict range_parse(struct str value, uint64_t size,
    struct range out_ranges[RANGE_MAX], unsigned *out_count);

#endif
