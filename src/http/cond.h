/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_COND_H
#define SWS_HTTP_COND_H

#include <stdbool.h>
#include <time.h>

#include "base/str.h"

/* The condition fields of one request; a p of NULL means: not sent. */
struct cond {
	struct str if_match;
	struct str if_unmodified_since;
	struct str if_none_match;
	struct str if_modified_since;
	struct str if_range;
};

/* What the selected representation has to compare with. */
struct validators {
	struct str etag;        /* with quotes, W/ in front when weak; p NULL
	                           when there is none */
	time_t modified;        /* -1 when there is none */
	struct str modified_text;       /* the same as it is sent; p NULL when
	                                   nobody has it at hand */
};

enum cond_verdict {
	COND_GO_ON,
	COND_NOT_MODIFIED,      /* 304 */
	COND_FAILED,            /* 412 */
};

/*
 * Steps 1 to 4 of RFC 9110 13.2.2 for a representation that exists.  `is_get`
 * says GET or HEAD.  Dates that cannot be parsed are ignored, and so is
 * If-Modified-Since when its date lies after `now`.
 */
enum cond_verdict cond_check(const struct cond *c, const struct validators *v,
    bool is_get, time_t now);

/*
 * Step 5: does If-Range (when sent) let a Range count?  Tags are compared
 * strongly, dates exactly (RFC 9110 13.1.5), and a date counts as strong only
 * when it is at least one second older than `now` (8.8.2.2).
 */
bool cond_range_applies(const struct cond *c, const struct validators *v,
    time_t now);

/*
 * The first entity-tag of a list whose opaque part, quotes included, begins
 * with `prefix`: that part, inside the list; its p is NULL when there is none.
 */
struct str cond_find_tag(struct str list, struct str prefix);

#endif
