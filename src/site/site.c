/* SPDX-License-Identifier: ISC */
/*
 * From a target to an answer: a known object, else the path is decoded,
 * looked up below the root, and answered by what is found there.
 */
#include "site/site.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "http/path.h"
#include "site/cache.h"
#include "site/cgi.h"
#include "site/dir.h"
#include "site/freshness.h"
#include "site/home.h"
#include "site/redirect.h"
#include "site/variant.h"
#include "site/version.h"

#define ALLOWED S("GET, HEAD, OPTIONS")

static void
refuse_errno(struct exchange *x, int err)
{
	exchange_refuse(x, reason_of_errno(-err));
}

/* What is asked for. */
struct target {
	struct str path;        /* decoded, NUL-terminated behind its end */
	struct str key;         /* encoded again: one spelling for all */
};

/*
 * Is this the source of a CGI program, or the directory of them, reached in
 * the document root?  Spellings and links are many; the kernel knows where
 * the file is.  (Files of users are not asked about: nothing is run there.)
 */
static bool
is_source(const struct site *s, int fd)
{
	struct str root = s->cgi_path, path;
	char link[32], text[PATH_MAX];
	ssize_t n;

	if (root.n == 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlinkat(AT_FDCWD, link, text, sizeof(text));
	if (n == -1)
		return true;
	path = (struct str){ text, (size_t)n };
	return str_starts(path, root) &&
	    (path.n == root.n || path.p[root.n] == '/');
}

/* How a file is kept. */
struct kept {
	bool may_be;            /* later changes can be told from this state */
	bool is_shared;         /* it may be changed elsewhere: cache.h */
};

/* Opens what is at `path`; what a program is made of is not there. */
static int
open_found(const struct site *s, const char *path, struct found *out_found)
{
	int err;

	err = resolve_open(s->root, path, s->symlinks, out_found);
	if (err == 0 && is_source(s, out_found->fd)) {
		close(out_found->fd);
		/* That is no fact about the file, to be remembered. */
		out_found->has_links = true;
		err = -ENOENT;
	}
	return err;
}

/* Nothing was learnt of the file but that we cannot look now. */
static bool
is_passing(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/*
 * Has o know what lies beside the file in this coding.  A link that leads
 * nowhere, or a file with other names that is too old, may be one by and by,
 * and nobody tells.
 */
static void
open_sidecar(const struct site *s, struct str name, struct object *o,
    enum coding c, struct kept *io_kept)
{
	struct found f;
	int err;

	err = open_found(s, name.p, &f);
	io_kept->is_shared |= f.has_links;
	if (err < 0) {
		io_kept->may_be &= !is_passing(err);
		return;
	}
	io_kept->is_shared |= S_ISREG(f.st.st_mode) && f.st.st_nlink > 1;
	if (!version_fits(&f.st, &o->st)) {
		close(f.fd);
		return;
	}
	err = object_open_sidecar(f.fd, &f.st, o, c, &o->coded[c]);
	io_kept->may_be &= err == 0 && o->coded[c]->is_settled;
}

static void
open_sidecars(const struct site *s, struct exchange *x, struct str path,
    struct object *o, struct kept *io_kept)
{
	unsigned codings = variant_codings(s, x);
	struct str name;

	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		if (!(codings & 1u << c))
			continue;
		name = arena_printf(&x->arena, "%.*s%.*s%c", STR_ARG(path),
		    STR_ARG(coding_suffix((enum coding)c)), '\0');
		if (name.p != NULL)
			open_sidecar(s, name, o, (enum coding)c, io_kept);
		else
			io_kept->may_be = false;
	}
}

/* Answers with an open file, which is then known for the next time. */
static void
answer_file(struct site *s, struct exchange *x, struct found *f,
    const struct cache_place *p)
{
	struct object_look look = {
		.name = path_last(p->path),
		.types = s->types,
		.sniffer = s->sniffer,
		.cache_control = freshness_of(s->freshness, p->path),
		.is_negotiated = true,
		.etag = s->etag,
		.digester = s->digester,
		.content_max = s->content_max,
	};
	struct kept kept = {
		.is_shared = f->has_links || f->st.st_nlink > 1,
	};
	struct object *o;
	int err;

	err = object_open(f->fd, &f->st, &look, &o);
	if (err < 0) {
		refuse_errno(x, err);
		return;
	}
	kept.may_be = o->is_settled;
	if (o->is_negotiated)
		open_sidecars(s, x, p->path, o, &kept);
	if (kept.may_be)
		cache_add(p, o, kept.is_shared);
	variant_answer(s, x, o);
	object_unref(o);
}

/* Behind a link nobody tells of changes: that is listed each time. */
static void
answer_listing(struct site *s, struct exchange *x, const struct found *dir,
    const struct target *t)
{
	struct cache_place p = cache_watch(s->cache, t->path, t->key);
	struct dir d = {
		.fd = dir->fd,
		.root = s->root,
		.above = S(""),
		.path = t->path,
		.place = dir->has_links ? NULL : &p,
	};

	dir_answer(s, x, &d);
}

/* A directory's own page, or the listing of what is in it. */
static void
answer_directory(struct site *s, struct exchange *x, const struct found *dir,
    const struct target *t)
{
	struct cache_place p;
	struct found f;
	struct str page;
	int err;

	page = arena_printf(&x->arena, "%.*s%.*s%c", STR_ARG(t->path),
	    STR_ARG(s->index), '\0');
	if (page.p == NULL) {
		close(dir->fd);
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	page.n--;
	p = cache_watch(s->cache, page, t->key);
	err = open_found(s, page.p, &f);
	if (err == 0 && S_ISDIR(f.st.st_mode)) {
		close(f.fd);
		err = -ENOENT;
	}
	if (err != -ENOENT || !s->lists)
		close(dir->fd);
	if (err == 0)
		answer_file(s, x, &f, &p);
	else if (err != -ENOENT)
		refuse_errno(x, err);
	else if (s->lists)
		answer_listing(s, x, dir, t);
	else
		exchange_refuse(x, REASON_NO_LISTING);
}

static void
answer_path(struct site *s, struct exchange *x, const struct target *t)
{
	bool wants_dir = t->path.n == 0 || t->path.p[t->path.n - 1] == '/';
	struct cache_place p = cache_watch(s->cache, t->path, t->key);
	struct found f;
	int err;

	err = open_found(s, t->path.p, &f);
	if (err < 0) {
		if (err == -ENOENT && !f.has_links)
			cache_add_missing(&p);
		refuse_errno(x, err);
	} else if (!S_ISDIR(f.st.st_mode)) {
		answer_file(s, x, &f, &p);
	} else if (wants_dir) {
		answer_directory(s, x, &f, t);
	} else {
		close(f.fd);
		redirect_slash(x, t->path);
	}
}

/* What is not GET or HEAD, of a resource that takes no other method. */
static void
answer_other(struct exchange *x)
{
	enum method m = x->req.method;

	if (m == METHOD_UNKNOWN) {
		exchange_refuse(x, REASON_METHOD_UNKNOWN);
	} else if (m == METHOD_OPTIONS) {
		x->res.status = 200;
		exchange_add_field(x, S("Allow"), ALLOWED);
	} else {
		exchange_refuse(x, REASON_METHOD);
		exchange_add_field(x, S("Allow"), ALLOWED);
	}
}

static bool
is_get(const struct exchange *x)
{
	return x->req.method == METHOD_GET || x->req.method == METHOD_HEAD;
}

/* Answers with what is known, if there is something. */
static bool
answer_known(struct site *s, struct exchange *x, struct str key)
{
	struct object *o;
	enum cached found;

	if (!is_get(x))
		return false;
	found = cache_find(s->cache, key, &o);
	if (found == CACHE_FOUND)
		variant_answer(s, x, o);
	else if (found == CACHE_MISSING)
		refuse_errno(x, -ENOENT);
	return found != CACHE_UNKNOWN;
}

/* The order of these is the order of the site's rules. */
static void
answer_target(struct site *s, struct exchange *x, const struct target *t)
{
	if (s->cgi != NULL && cgi_is_path(t->path) &&
	    x->req.method != METHOD_TRACE)
		cgi_answer(s->cgi, s, x, t->path);
	else if (!is_get(x))
		answer_other(x);
	else if (!s->shows_hidden && path_is_hidden(t->path))
		exchange_refuse(x, REASON_HIDDEN);
	else if (s->homes != NULL && home_is_path(t->path))
		home_answer(s->homes, s, x, t->path);
	else if (str_eq(t->key, x->req.path) || !answer_known(s, x, t->key))
		answer_path(s, x, t);
}

/* 0, -EINVAL for a path that is none, or -ENOMEM. */
static int
decode(struct exchange *x, struct target *out_target)
{
	struct target t = { .key.n = 0 };
	struct buf key;
	char *text;

	text = arena_alloc(&x->arena, x->req.path.n + 1);
	if (text == NULL)
		return -ENOMEM;
	if (path_decode(x->req.path, text, &t.path.n) < 0)
		return -EINVAL;
	t.path.p = text;
	buf_init(&key, 3 * x->req.path.n + 1);
	if (buf_add_char(&key, '/') == 0 && path_encode(&key, t.path) == 0)
		t.key = arena_dup(&x->arena, buf_str(&key));
	buf_fini(&key);
	*out_target = t;
	return t.key.p == NULL ? -ENOMEM : 0;
}

void
site_serve(struct site *s, struct exchange *x)
{
	struct target t;
	int err;

	/* The usual case: a known path, as it is usually spelled. */
	if (answer_known(s, x, x->req.path))
		return;
	/* "*", or a CONNECT: there is no path. */
	if (x->req.path.n == 0) {
		answer_other(x);
		return;
	}
	err = decode(x, &t);
	if (err < 0)
		exchange_refuse(x, err == -EINVAL ? REASON_PATH :
		    REASON_MEMORY);
	else
		answer_target(s, x, &t);
}
