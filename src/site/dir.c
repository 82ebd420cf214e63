/* SPDX-License-Identifier: ISC */
/*
 * A directory's listing.  The names are read and sorted at once; the page is
 * written row by row as the client takes it, so a hundred thousand entries
 * cost their names and one buffer.
 */
#include "site/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/date.h"
#include "http/path.h"
#include "site/resolve.h"

#define NAMES_MAX ((size_t)256 << 20)   /* bytes of names in one directory */
#define PAGE_BYTES ((size_t)16 << 10)   /* a piece of the page */

struct listing {
	int fd;                 /* the directory */
	int root;
	bool is_top;            /* of all the site: nothing above */
	struct str above;       /* all decoded and in the exchange's arena */
	char *path;
	struct buf names;       /* NUL-terminated, one behind the other */
	const char **sorted;
	size_t n, next;
	enum { HEAD, ROWS, FOOT, END } part;
	struct buf page;
	struct listing_budget *budget;
	size_t spent;           /* of it */
};

/* Text in HTML.  What is not a character is shown as the sign for that. */
static int
add_escaped(struct buf *b, struct str s)
{
	int err = 0;

	for (size_t i = 0; i < s.n && err == 0;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = 1;

		if (c >= 0xc2) {
			n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
			if (n > s.n - i ||
			    !str_is_utf8((struct str){ s.p + i, n }))
				n = 1;
		}
		if (c == '&')
			err = buf_add(b, S("&amp;"));
		else if (c == '<')
			err = buf_add(b, S("&lt;"));
		else if (c == '>')
			err = buf_add(b, S("&gt;"));
		else if (c == '"')
			err = buf_add(b, S("&quot;"));
		else if (c < ' ' || c == 0x7f || (c >= 0x80 && n == 1))
			err = buf_add(b, S("\xef\xbf\xbd"));
		else
			err = buf_add(b, (struct str){ s.p + i, n });
		i += n;
	}
	return err;
}

static int
write_head(struct listing *l)
{
	struct buf *b = &l->page;

	buf_add(b, S("<!doctype html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>/"));
	add_escaped(b, l->above);
	add_escaped(b, str_of(l->path));
	buf_add(b, S("</title>\n<style>\n"
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
	add_escaped(b, l->above);
	add_escaped(b, str_of(l->path));
	return buf_add(b, l->is_top ? S("</h1>\n<table>\n"
	    "<thead><tr><th>Name<th>Size<th>Modified (UTC)</thead>\n"
	    "<tbody>\n") : S("</h1>\n<table>\n"
	    "<thead><tr><th>Name<th>Size<th>Modified (UTC)</thead>\n"
	    "<tbody>\n"
	    "<tr><td><a href=\"../\">../</a><td><td>\n"));
}

/*
 * What an entry is.  A link is followed as a request for it would be: never
 * out of the site, so a listing tells nothing that a request would not.
 */
static bool
stat_entry(const struct listing *l, const char *name, struct stat *out_st)
{
	char path[PATH_MAX];
	size_t n;

	if (fstatat(l->fd, name, out_st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	if (!S_ISLNK(out_st->st_mode))
		return true;
	n = strlen(l->path);
	if (n + strlen(name) >= sizeof(path))
		return false;
	memcpy(path, l->path, n);
	memcpy(path + n, name, strlen(name) + 1);
	return resolve_stat(l->root, path, out_st) == 0;
}

/* YYYY-MM-DD HH:MM */
static int
add_time(struct buf *b, time_t t)
{
	char iso[DATE_ISO_LEN];

	date_write_iso(iso, t);
	iso[10] = ' ';
	return buf_add(b, (struct str){ iso, 16 });
}

static int
write_row(struct listing *l, const char *name)
{
	struct buf *b = &l->page;
	struct str slash = S("/");
	struct stat st;
	bool is_dir;

	/* It is gone meanwhile, or a link that leads nowhere. */
	if (!stat_entry(l, name, &st))
		return 0;
	is_dir = S_ISDIR(st.st_mode);
	if (!is_dir)
		slash.n = 0;
	buf_add(b, S("<tr><td><a href=\"./"));
	path_encode(b, str_of(name));
	buf_add(b, slash);
	buf_add(b, S("\">"));
	add_escaped(b, str_of(name));
	buf_add(b, slash);
	buf_add(b, S("</a><td>"));
	if (S_ISREG(st.st_mode))
		buf_add_u64(b, (uint64_t)st.st_size);
	buf_add(b, S("<td>"));
	add_time(b, st.st_mtim.tv_sec);
	return buf_add(b, S("\n"));
}

/* Fills the page with what comes next. */
static int
write_page(struct listing *l)
{
	int err = 0;

	l->page.n = 0;
	if (l->part == HEAD) {
		err = write_head(l);
		l->part = ROWS;
	}
	while (err == 0 && l->part == ROWS && l->page.n < PAGE_BYTES) {
		if (l->next < l->n)
			err = write_row(l, l->sorted[l->next++]);
		else
			l->part = FOOT;
	}
	if (err == 0 && l->part == FOOT && l->page.n < PAGE_BYTES) {
		err = buf_add(&l->page,
		    S("</tbody>\n</table>\n</body>\n</html>\n"));
		l->part = END;
	}
	return err;
}

static enum pull
listing_pull(struct body *b, struct piece *out_piece)
{
	struct listing *l = b->state;

	/* The first page is written before the head of the answer. */
	if (b->at++ > 0 && write_page(l) < 0)
		return PULL_FAIL;
	if (l->page.n == 0)
		return PULL_END;
	*out_piece = (struct piece){ .p = l->page.p, .n = l->page.n };
	return PULL_PIECE;
}

static void
listing_fini(struct listing *l)
{
	if (l->budget != NULL)
		l->budget->left_bytes += l->spent;
	close(l->fd);
	free(l->sorted);
	buf_fini(&l->names);
	buf_fini(&l->page);
}

static void
listing_close(struct body *b)
{
	listing_fini(b->state);
}

static const struct body_ops listing_ops = {
	.pull = listing_pull,
	.close = listing_close,
};

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_listed(const struct site *s, const char *name)
{
	if (name[0] != '.')
		return true;
	if (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))
		return false;
	return s->shows_hidden;
}

/* Clients that ask for large listings and do not read them are many. */
static int
spend(struct listing *l)
{
	size_t bytes = l->names.cap + l->n * sizeof(*l->sorted);

	if (l->budget == NULL)
		return 0;
	if (bytes > l->budget->left_bytes)
		return -ENOMEM;
	l->budget->left_bytes -= bytes;
	l->spent = bytes;
	return 0;
}

static int
sort_names(struct listing *l)
{
	size_t at = 0;
	int err;

	if (l->n == 0)
		return 0;
	err = spend(l);
	if (err < 0)
		return err;
	l->sorted = malloc(l->n * sizeof(*l->sorted));
	if (l->sorted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		l->sorted[i] = l->names.p + at;
		at += strlen(l->names.p + at) + 1;
	}
	qsort(l->sorted, l->n, sizeof(*l->sorted), by_bytes);
	return 0;
}

static int
read_names(struct listing *l, const struct site *s)
{
	struct dirent *e;
	int err = 0, copy;
	DIR *dir;

	copy = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	dir = copy == -1 ? NULL : fdopendir(copy);
	if (dir == NULL) {
		err = -errno;
		if (copy != -1)
			close(copy);
		return err;
	}
	while (err == 0 && (errno = 0, e = readdir(dir)) != NULL) {
		if (!is_listed(s, e->d_name))
			continue;
		err = buf_add(&l->names,
		    (struct str){ e->d_name, strlen(e->d_name) + 1 });
		l->n++;
	}
	if (err == 0 && errno != 0)
		err = -errno;
	closedir(dir);
	return err == 0 ? sort_names(l) : err;
}

void
dir_answer(const struct site *s, struct exchange *x, int fd, struct str above,
    struct str path)
{
	struct listing *l = arena_alloc(&x->arena, sizeof(*l));
	int err = -ENOMEM;

	if (l == NULL) {
		close(fd);
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	*l = (struct listing){
		.fd = fd,
		.root = s->root,
		.budget = s->listings,
		.is_top = above.n + path.n == 0,
		.above = arena_dup(&x->arena, above),
		.path = arena_cstr(&x->arena, path),
	};
	buf_init(&l->names, NAMES_MAX);
	/* A row is short of 16 KiB even if each byte of its name is escaped. */
	buf_init(&l->page, PAGE_BYTES + ((size_t)64 << 10));
	if (l->above.p != NULL && l->path != NULL)
		err = x->req.method == METHOD_HEAD ? 0 : read_names(l, s);
	if (err == 0)
		err = write_page(l);
	if (err < 0) {
		listing_fini(l);
		exchange_refuse(x, reason_of_errno(-err));
		return;
	}
	x->res.status = 200;
	x->res.length = l->part == END && x->req.method != METHOD_HEAD ?
	    l->page.n : LENGTH_UNKNOWN;
	exchange_add_field(x, S("Content-Type"), S("text/html; charset=utf-8"));
	x->res.body = (struct body){ .ops = &listing_ops, .state = l };
}
