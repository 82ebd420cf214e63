/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_FRESHNESS_H
#define SWS_SITE_FRESHNESS_H

/* What caches are told about a file (RFC 9111 5.2.2), by its path. */

#include "base/str.h"

#define FRESHNESS_RULES 32
#define FRESHNESS_GLOB 255      /* bytes of one at the most */
#define FRESHNESS_VALUE 512

/* To be kept, but asked about each time. */
#define FRESHNESS_DEFAULT "no-cache"

/* The first rule whose glob fits counts; values live elsewhere. */
struct freshness {
	const char *otherwise;  /* of Cache-Control; "" leaves it out */
	unsigned n;
	struct freshness_rule {
		char glob[FRESHNESS_GLOB + 1];
		const char *value;
	} rules[FRESHNESS_RULES];
};

/*
 * The value for a path, decoded, below the root and NUL-terminated behind its
 * end.  A glob with a slash in it stands for a path, and a slash in front of
 * it for the root; one without for the last segment alone.  An asterisk stands
 * for slashes as well.  NULL for f is FRESHNESS_DEFAULT.
 */
struct str freshness_of(const struct freshness *f, struct str path);

#endif
