/* SPDX-License-Identifier: ISC */
/*
 * Four steps: names are read, sorted, each is looked at and written as a row.
 * Most of the time goes into asking the kernel for size and date of each; the
 * rest is kept small by keys that are compared as numbers, a table of what has
 * to be escaped, and one buffer.
 */
#include "site/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "http/date.h"
#include "http/path.h"
#include "site/html.h"

#define SLICE_NS 1000000
#define BATCH 64u                       /* between two looks at the clock */
#define BUF_MAX ((size_t)1 << 30)
#define LEAST ((size_t)16 << 10)        /* of a buffer */

/* A byte becomes three in a URL, and six at most in text. */
#define ROW_MAX(n) (9 * (n) + 128)

#define MINUTE_LEN 16                   /* "2020-01-02 03:04" */

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
	char minute_text[MINUTE_LEN];
};

/* Memory: what the budget allows, before it is taken. */
static int
reserve(struct listing *l, struct buf *b, size_t more)
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

static void
release(struct listing *l, struct buf *b)
{
	l->spent -= b->cap;
	if (l->of.budget != NULL)
		*l->of.budget += b->cap;
	buf_fini(b);
}

/* What the rows are between, with room for it. */
static int
add_address(struct listing *l)
{
	struct buf *b = &l->page;
	int err = reserve(l, b, 6 * (l->of.above.n + l->of.path.n));
	char *at;

	if (err < 0)
		return err;
	at = html_put(b->p + b->n, l->of.above);
	at = html_put(at, l->of.path);
	b->n = (size_t)(at - b->p);
	return 0;
}

static int
add(struct listing *l, struct str s)
{
	int err = reserve(l, &l->page, s.n);

	return err == 0 ? buf_add(&l->page, s) : err;
}

static int
write_head(struct listing *l)
{
	bool is_top = l->of.above.n + l->of.path.n == 0;
	int err;

	err = add(l, S("<!doctype html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>/"));
	if (err == 0)
		err = add_address(l);
	if (err == 0)
		err = add(l, S("</title>\n<style>\n"
	    "body { font-family: sans-serif; margin: 2em auto; "
	    "max-width: 60em; padding: 0 1em }\n"
	    "h1 { font-size: 1.3em; overflow-wrap: anywhere }\n"
	    "table { border-collapse: collapse; width: 100% }\n"
	    "th { text-align: left; border-bottom: 1px solid }\n"
	    "th, td { padding: .2em .6em .2em 0 }\n"
	    "td:first-child { overflow-wrap: anywhere }\n"
	    "td + td, th + th { text-align: right; white-space: nowrap; "
	    "font-variant-numeric: tabular-nums }\n"
	    "tr:hover td { background: color-mix(in srgb, currentColor 8%, "
	    "transparent) }\n"
	    "a { text-decoration: none }\n"
	    "</style>\n</head>\n<body>\n<h1>/"));
	if (err == 0)
		err = add_address(l);
	if (err == 0)
		err = add(l, S("</h1>\n<table>\n"
	    "<thead><tr><th>Name<th>Size<th>Modified (UTC)</thead>\n"
	    "<tbody>\n"));
	if (err == 0 && !is_top)
		err = add(l, S("<tr><td><a href=\"../\">../</a><td><td>\n"));
	return err;
}

/* Rows */

/*
 * What an entry is.  A link is followed as a request for it would be: never
 * out of the site, so a listing tells nothing that a request would not.
 */
static bool
stat_entry(const struct listing *l, struct str name, struct stat *out_st)
{
	char path[PATH_MAX];

	if (fstatat(l->fd, name.p, out_st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	if (!S_ISLNK(out_st->st_mode))
		return true;
	if (l->of.path.n + name.n >= sizeof(path))
		return false;
	*str_put(str_put(path, l->of.path), name) = '\0';
	return resolve_stat(l->of.root, path, l->of.symlinks, out_st) == 0;
}

/* YYYY-MM-DD HH:MM; files of one minute are many. */
static char *
put_minute(struct listing *l, char *at, time_t t)
{
	char iso[DATE_ISO_LEN];
	int64_t minute = t / 60 - (t % 60 < 0);

	if (minute != l->minute) {
		date_write_iso(iso, t);
		iso[10] = ' ';
		memcpy(l->minute_text, iso, MINUTE_LEN);
		l->minute = minute;
	}
	return str_put(at, (struct str){ l->minute_text, MINUTE_LEN });
}

static char *
put_row(struct listing *l, char *at, struct str name, const struct stat *st)
{
	unsigned asked = html_special(name);
	bool is_dir = S_ISDIR(st->st_mode);

	at = str_put(at, S("<tr><td><a href=\"./"));
	at = asked & HTML_IN_URL ? path_put_encoded(at, name) :
	    str_put(at, name);
	if (is_dir)
		*at++ = '/';
	at = str_put(at, S("\">"));
	at = asked & HTML_IN_TEXT ? html_put(at, name) : str_put(at, name);
	if (is_dir)
		*at++ = '/';
	at = str_put(at, S("</a><td>"));
	if (S_ISREG(st->st_mode))
		at = str_put_u64(at, (uint64_t)st->st_size);
	at = str_put(at, S("<td>"));
	at = put_minute(l, at, st->st_mtim.tv_sec);
	*at++ = '\n';
	return at;
}

static int
write_foot(struct listing *l)
{
	l->step = NULL;
	return add(l, S("</tbody>\n</table>\n</body>\n</html>\n"));
}

static int
write_rows(struct listing *l)
{
	const struct row *rows = (const void *)l->rows.p;
	struct stat st;
	struct str name;
	char *at;
	int err;

	for (unsigned i = 0; i < BATCH && l->next < l->n; i++) {
		name = (struct str){ l->names.p + rows[l->next].at,
		    rows[l->next].n };
		l->next++;
		/* It is gone meanwhile, or a link that leads nowhere. */
		if (!stat_entry(l, name, &st))
			continue;
		err = reserve(l, &l->page, ROW_MAX(name.n));
		if (err < 0)
			return err;
		at = put_row(l, l->page.p + l->page.n, name, &st);
		l->page.n = (size_t)(at - l->page.p);
	}
	if (l->next == l->n)
		l->step = write_foot;
	return 0;
}

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

	for (unsigned i = 0; i < 16 * BATCH; i++) {
		if (m->out == l->n) {
			swap_rows(l);
			if (2 * m->width >= l->n) {
				release(l, &l->spare);
				l->step = write_rows;
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

	for (unsigned i = 0; i < 16 * BATCH && l->next < l->n; i++) {
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

	l->step = l->n > 1 ? prepare_keys : write_rows;
	if (l->n > 1)
		err = reserve(l, &l->spare, l->rows.n);
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
	err = reserve(l, &l->names, n + 1);
	if (err == 0)
		err = reserve(l, &l->rows, sizeof(r));
	if (err < 0)
		return err;
	r.n = (uint32_t)n;
	l->prefix = l->n == 0 ? n : common(l, name);
	buf_add(&l->names, (struct str){ name, n + 1 });
	buf_add(&l->rows, (struct str){ (const char *)&r, sizeof(r) });
	l->n++;
	return 0;
}

static int
read_names(struct listing *l)
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

static int
begin_page(struct listing *l)
{
	l->step = read_names;
	return write_head(l);
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
		.step = begin_page,
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
