/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_DIR_H
#define SWS_SITE_DIR_H

#include "site/cache.h"
#include "site/site.h"

/* Which directory is to be listed. */
struct dir {
	int fd;                 /* the answer's to close */
	int root;               /* links lead no further; it must stay open
	                           until the exchange ends */
	struct str above;       /* what stands before the path in the address:
	                           "" unless the root is not the site's */
	struct str path;        /* decoded, below the root: "" or with a slash
	                           at its end */
	const struct cache_place *place;        /* NULL: not to be kept */
};

/*
 * Answers with a listing, at once or, if the directory is large, later: the
 * exchange is then pending.  Requests for a listing that is being made wait
 * for that one.
 */
void dir_answer(const struct site *s, struct exchange *x,
    const struct dir *d);

#endif
