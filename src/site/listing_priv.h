/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_LISTING_PRIV_H
#define SWS_SITE_LISTING_PRIV_H

/*
 * A listing, in files: listing.c is the whole, listing_names.c reads names and
 * sorts them, listing_page.c writes.
 */

#include "site/listing.h"

#define LISTING_BATCH 64u               /* between two looks at the clock */
#define LISTING_MINUTE_LEN 16           /* "2020-01-02 03:04" */

struct row {
	uint64_t key;           /* bytes behind the common prefix, as a number
	                           that sorts as they do */
	uint32_t at, n;         /* the name in `names`; a NUL follows it */
};

/* A bottom-up merge sort that can stop anywhere. */
struct merge {
	struct row *from, *to;
	size_t width;           /* of the runs that are merged */
	size_t out;             /* rows of `to` that are done */
	size_t a, a_end, b, b_end;
};

struct listing {
	int fd;
	struct listing_of of;
	size_t spent;           /* of the budget */
	struct buf names, page;
	struct buf rows, spare; /* of struct row */
	size_t n, next;
	size_t prefix;          /* bytes that all names begin with */
	struct merge merge;
	int (*step)(struct listing *l); /* NULL: done */
	int64_t minute;         /* what is written in */
	char minute_text[LISTING_MINUTE_LEN];
};

/* listing.c */

/* Room for so many bytes more in b.  0 or -ENOMEM, also by the budget. */
int listing_reserve(struct listing *l, struct buf *b, size_t more);

/* Frees b and gives back what it took of the budget. */
void listing_release(struct listing *l, struct buf *b);

/*
 * Steps, in their order: each goes on for a batch, and the last one of a file
 * is followed by the first of the other.  0 or a negative errno.
 */

/* listing_page.c */

int listing_begin_page(struct listing *l);
int listing_write_rows(struct listing *l);

/* listing_names.c */

int listing_read_names(struct listing *l);

#endif
