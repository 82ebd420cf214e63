/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_FRESHNESS_H
#define SWS_SITE_FRESHNESS_H

/* What caches are told about a file (RFC 9111 5.2.2), by its path. */

#include "base/str.h"

#define FRESHNESS_RULES 32

struct freshness_rule {
	const char *glob;       /* of glob(7); NULL: whatever the path is */
	const char *value;      /* of Cache-Control; "" leaves it out */
};

/* The first rule that fits counts. */
struct freshness {
	unsigned n;
	struct freshness_rule rules[FRESHNESS_RULES];
};

/* Without a rule: to be kept, but asked about each time. */
#define FRESHNESS_DEFAULT "no-cache"

/*
 * The value for a path, decoded, below the root and NUL-terminated behind its
 * end.  A glob with a slash in it stands for a path, and a slash in front of
 * it for the root; one without for the last segment alone.  An asterisk stands
 * for slashes as well.  f may be NULL; the value lives as long as f.
 */
struct str freshness_of(const struct freshness *f, struct str path);

#endif
