/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_LISTING_H
#define SWS_SITE_LISTING_H

/*
 * The page that lists a directory, made in slices: with a hundred thousand
 * names it takes a tenth of a second, and others want their turn.
 */

#include "base/buf.h"
#include "site/resolve.h"

/* What is listed, and where. */
struct listing_of {
	int root;               /* of the site: links lead no further */
	struct str above;       /* stands before the path in the address */
	struct str path;        /* below the root; "" or with a slash behind */
	bool shows_hidden;
	enum symlinks symlinks; /* which are followed; others are left out */
	size_t *budget;         /* bytes that are left; NULL: no bound */
};

struct listing;

/*
 * Begins with the directory open as `fd`, which is then the listing's to
 * close (also on failure).  The strings are copied; the root must stay open.
 * 0 or a negative errno.
 */
int listing_begin(int fd, const struct listing_of *of,
    struct listing **out_listing);

/*
 * Goes on, for about a millisecond.  1 when all is done, 0 when not, or a
 * negative errno: -ENOMEM when the budget is used up.
 */
int listing_go_on(struct listing *l);

/*
 * Takes the page of a listing that is done.  It is the caller's to free(3),
 * and to give back the bytes that it is counted with in the budget.
 */
struct str listing_take(struct listing *l, size_t *out_counted);

/* NULL is fine. */
void listing_free(struct listing *l);

#endif
