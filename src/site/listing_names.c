/* SPDX-License-Identifier: ISC */
/*
 * The names in a directory, sorted by their bytes.  Most comparisons are of
 * two numbers, made of what follows the beginning that all names share.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/types.h>

#include "site/listing_priv.h"

/* Sorting */

static bool
is_less(const struct listing *l, const struct row *a, const struct row *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	return strcmp(l->names.p + a->at + l->prefix,
	    l->names.p + b->at + l->prefix) < 0;
}

/* The next two runs to be merged begin where the output ends. */
static void
next_runs(struct merge *m, size_t n)
{
	m->a = m->out;
	m->a_end = m->b = n - m->a > m->width ? m->a + m->width : n;
	m->b_end = n - m->b > m->width ? m->b + m->width : n;
}

static void
begin_pass(struct listing *l, size_t width)
{
	struct merge *m = &l->merge;

	m->from = (void *)l->rows.p;
	m->to = (void *)l->spare.p;
	m->width = width;
	m->out = 0;
	next_runs(m, l->n);
}

static void
swap_rows(struct listing *l)
{
	struct buf b = l->rows;

	l->rows = l->spare;
	l->spare = b;
}

static int
sort_rows(struct listing *l)
{
	struct merge *m = &l->merge;

	for (unsigned i = 0; i < 16 * LISTING_BATCH; i++) {
		if (m->out == l->n) {
			swap_rows(l);
			if (2 * m->width >= l->n) {
				listing_release(l, &l->spare);
				l->step = listing_write_rows;
				return 0;
			}
			begin_pass(l, 2 * m->width);
		}
		if (m->b == m->b_end || (m->a < m->a_end &&
		    !is_less(l, &m->from[m->b], &m->from[m->a])))
			m->to[m->out++] = m->from[m->a++];
		else
			m->to[m->out++] = m->from[m->b++];
		if (m->a == m->a_end && m->b == m->b_end)
			next_runs(m, l->n);
	}
	return 0;
}

/* Names */

static uint64_t
key_of(const char *name, size_t n)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof(key); i++)
		key = key << 8 | (i < n ? (unsigned char)name[i] : 0);
	return key;
}

static int
prepare_keys(struct listing *l)
{
	struct row *rows = (void *)l->rows.p;

	for (unsigned i = 0; i < 16 * LISTING_BATCH && l->next < l->n; i++) {
		struct row *r = &rows[l->next++];

		r->key = key_of(l->names.p + r->at + l->prefix,
		    r->n - l->prefix);
	}
	if (l->next == l->n) {
		l->next = 0;
		begin_pass(l, 1);
		l->step = sort_rows;
	}
	return 0;
}

static int
end_names(struct listing *l)
{
	int err = 0;

	l->step = l->n > 1 ? prepare_keys : listing_write_rows;
	if (l->n > 1)
		err = listing_reserve(l, &l->spare, l->rows.n);
	return err;
}

static bool
is_listed(const struct listing *l, const char *name)
{
	if (name[0] != '.')
		return true;
	if (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))
		return false;
	return l->of.shows_hidden;
}

/* How many bytes the first name and this one begin with. */
static size_t
common(const struct listing *l, const char *name)
{
	size_t n = 0;

	while (n < l->prefix && l->names.p[n] == name[n])
		n++;
	return n;
}

static int
add_name(struct listing *l, const char *name)
{
	struct row r = { .at = (uint32_t)l->names.n };
	size_t n = strlen(name);
	int err;

	if (l->names.n + n >= UINT32_MAX)
		return -ENOMEM;
	err = listing_reserve(l, &l->names, n + 1);
	if (err == 0)
		err = listing_reserve(l, &l->rows, sizeof(r));
	if (err < 0)
		return err;
	r.n = (uint32_t)n;
	l->prefix = l->n == 0 ? n : common(l, name);
	buf_add(&l->names, (struct str){ name, n + 1 });
	buf_add(&l->rows, (struct str){ (const char *)&r, sizeof(r) });
	l->n++;
	return 0;
}

int
listing_read_names(struct listing *l)
{
	_Alignas(struct dirent64) char entries[16384];
	const struct dirent64 *e;
	ssize_t n;
	int err = 0;

	n = getdents64(l->fd, entries, sizeof(entries));
	if (n == -1)
		return -errno;
	if (n == 0)
		return end_names(l);
	for (ssize_t at = 0; at < n && err == 0; at += e->d_reclen) {
		e = (const void *)(entries + at);
		if (is_listed(l, e->d_name))
			err = add_name(l, e->d_name);
	}
	return err;
}
