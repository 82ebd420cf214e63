/* SPDX-License-Identifier: ISC */
/*
 * Steps, each of a batch at most: the head of the page is written, names are
 * read and sorted, each is looked at and written as a row.  All memory comes
 * out of a budget, before it is taken.
 */
#include "site/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "site/listing_priv.h"

#define SLICE_NS 1000000
#define BUF_MAX ((size_t)1 << 30)
#define LEAST ((size_t)16 << 10)        /* of a buffer */

/* Memory */

int
listing_reserve(struct listing *l, struct buf *b, size_t more)
{
	size_t cap = b->cap > LEAST ? b->cap : LEAST, added;

	if (b->cap - b->n >= more)
		return 0;
	while (cap - b->n < more)
		cap *= 2;
	added = cap - b->cap;
	if (l->of.budget != NULL && added > *l->of.budget)
		return -ENOMEM;
	if (buf_reserve(b, cap - b->n) < 0)
		return -ENOMEM;
	l->spent += added;
	if (l->of.budget != NULL)
		*l->of.budget -= added;
	return 0;
}

void
listing_release(struct listing *l, struct buf *b)
{
	l->spent -= b->cap;
	if (l->of.budget != NULL)
		*l->of.budget += b->cap;
	buf_fini(b);
}

/* The whole */

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int
listing_go_on(struct listing *l)
{
	int64_t end = now_ns() + SLICE_NS;
	int err = 0;

	while (err == 0 && l->step != NULL && now_ns() < end)
		err = l->step(l);
	return err < 0 ? err : l->step == NULL;
}

int
listing_begin(int fd, const struct listing_of *of,
    struct listing **out_listing)
{
	struct listing *l;
	char *text;

	l = malloc(sizeof(*l) + of->above.n + of->path.n);
	if (l == NULL) {
		close(fd);
		return -ENOMEM;
	}
	*l = (struct listing){
		.fd = fd,
		.of = *of,
		.step = listing_begin_page,
		.minute = INT64_MIN,
	};
	text = (char *)(l + 1);
	l->of.above.p = text;
	text = str_put(text, of->above);
	l->of.path.p = text;
	str_put(text, of->path);
	buf_init(&l->names, BUF_MAX);
	buf_init(&l->rows, BUF_MAX);
	buf_init(&l->spare, BUF_MAX);
	buf_init(&l->page, BUF_MAX);
	*out_listing = l;
	return 0;
}

struct str
listing_take(struct listing *l, size_t *out_counted)
{
	size_t unused = l->page.cap - l->page.n;
	struct str page = buf_str(&l->page);
	char *trimmed = realloc(l->page.p, page.n);

	if (trimmed != NULL) {
		page.p = trimmed;
		l->spent -= unused;
		if (l->of.budget != NULL)
			*l->of.budget += unused;
	}
	*out_counted = page.n + (trimmed != NULL ? 0 : unused);
	l->spent -= *out_counted;
	buf_init(&l->page, BUF_MAX);
	return page;
}

void
listing_free(struct listing *l)
{
	if (l == NULL)
		return;
	if (l->of.budget != NULL)
		*l->of.budget += l->spent;
	close(l->fd);
	buf_fini(&l->names);
	buf_fini(&l->rows);
	buf_fini(&l->spare);
	buf_fini(&l->page);
	free(l);
}
