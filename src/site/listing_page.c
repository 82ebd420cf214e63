/* SPDX-License-Identifier: ISC */
/*
 * The page: each name is looked at and written as a row.  Most of the time goes
 * into asking the kernel for size and date of each; the rest is kept small by a
 * table of what has to be escaped, and by remembering the last minute.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "http/date.h"
#include "http/path.h"
#include "site/html.h"
#include "site/listing_priv.h"
#include "site/resolve.h"

/* A byte becomes three in a URL, and six at most in text. */
#define ROW_MAX(n) (9 * (n) + 128)

/* The head */

/* What the rows are between, with room for it. */
static int
add_address(struct listing *l)
{
	struct buf *b = &l->page;
	int err = listing_reserve(l, b, 6 * (l->of.above.n + l->of.path.n));
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
	int err = listing_reserve(l, &l->page, s.n);

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

int
listing_begin_page(struct listing *l)
{
	l->step = listing_read_names;
	return write_head(l);
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
		memcpy(l->minute_text, iso, LISTING_MINUTE_LEN);
		l->minute = minute;
	}
	return str_put(at, (struct str){ l->minute_text, LISTING_MINUTE_LEN });
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

int
listing_write_rows(struct listing *l)
{
	const struct row *rows = (const void *)l->rows.p;
	struct stat st;
	struct str name;
	char *at;
	int err;

	for (unsigned i = 0; i < LISTING_BATCH && l->next < l->n; i++) {
		name = (struct str){ l->names.p + rows[l->next].at,
		    rows[l->next].n };
		l->next++;
		/* It is gone meanwhile, or a link that leads nowhere. */
		if (!stat_entry(l, name, &st))
			continue;
		err = listing_reserve(l, &l->page, ROW_MAX(name.n));
		if (err < 0)
			return err;
		at = put_row(l, l->page.p + l->page.n, name, &st);
		l->page.n = (size_t)(at - l->page.p);
	}
	if (l->next == l->n)
		l->step = write_foot;
	return 0;
}
