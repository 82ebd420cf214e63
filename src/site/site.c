/* SPDX-License-Identifier: ISC */
/*
 * From a target to an answer: a known object, else the path is decoded,
 * looked up below the root, and answered by what is found there.
 */
#include "site/site.h"

#include <errno.h>
#include <unistd.h>

#include "http/path.h"
#include "site/cache.h"
#include "site/cgi.h"
#include "site/dir.h"
#include "site/file.h"
#include "site/home.h"
#include "site/redirect.h"
#include "site/resolve.h"

#define ALLOWED S("GET, HEAD, OPTIONS")

static void
refuse_errno(struct exchange *x, int err)
{
	exchange_refuse(x, reason_of_errno(-err));
}

static struct str
last_segment(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash == NULL ? path : str_from(slash + 1, path.p + path.n);
}

/* Answers with an open file, which is then known for the next time. */
static void
answer_file(struct site *s, struct exchange *x, struct found *f,
    struct str path, struct cache_dir *dir)
{
	struct object *o;
	int err;

	err = object_open(f->fd, &f->st, last_segment(path), s->types,
	    s->sniffer, &o);
	if (err < 0) {
		refuse_errno(x, err);
		return;
	}
	/* A second name could be written through without our notice. */
	if (o->is_settled && !f->has_links && f->st.st_nlink == 1)
		cache_add(s->cache, dir, path, x->req.path, o);
	file_answer(x, o);
	object_unref(o);
}

/* A directory's own page, or the listing of what is in it. */
static void
answer_directory(struct site *s, struct exchange *x, int fd, struct str path)
{
	struct found f;
	struct str page;
	struct cache_dir *dir;
	int err;

	page = arena_printf(&x->arena, "%.*s%.*s%c", STR_ARG(path),
	    STR_ARG(s->index), '\0');
	if (page.p == NULL) {
		close(fd);
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	page.n--;
	dir = cache_watch(s->cache, page);
	err = resolve_open(s->root, page.p, &f);
	if (err == 0 && S_ISDIR(f.st.st_mode)) {
		close(f.fd);
		err = -ENOENT;
	}
	if (err != -ENOENT || !s->lists)
		close(fd);
	if (err == 0)
		answer_file(s, x, &f, page, dir);
	else if (err != -ENOENT)
		refuse_errno(x, err);
	else if (s->lists)
		dir_answer(s, x, fd, S(""), path);
	else
		exchange_refuse(x, REASON_NO_LISTING);
}

/* `path` is NUL-terminated behind its end. */
static void
answer_path(struct site *s, struct exchange *x, struct str path)
{
	bool wants_dir = path.n == 0 || path.p[path.n - 1] == '/';
	struct cache_dir *dir = wants_dir ? NULL :
	    cache_watch(s->cache, path);
	struct found f;
	int err;

	err = resolve_open(s->root, path.p, &f);
	if (err < 0) {
		refuse_errno(x, err);
	} else if (!S_ISDIR(f.st.st_mode)) {
		answer_file(s, x, &f, path, dir);
	} else if (wants_dir) {
		answer_directory(s, x, f.fd, path);
	} else {
		close(f.fd);
		redirect_slash(x, path);
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

/* The order of these is the order of the site's rules. */
static void
answer_target(struct site *s, struct exchange *x, struct str path)
{
	enum method m = x->req.method;

	if (s->cgi != NULL && cgi_is_path(path) && m != METHOD_TRACE)
		cgi_answer(s->cgi, s, x, path);
	else if (m != METHOD_GET && m != METHOD_HEAD)
		answer_other(x);
	else if (!s->shows_hidden && path_is_hidden(path))
		exchange_refuse(x, REASON_HIDDEN);
	else if (s->homes != NULL && home_is_path(path))
		home_answer(s->homes, s, x, path);
	else
		answer_path(s, x, path);
}

static struct object *
find_known(struct site *s, const struct exchange *x)
{
	enum method m = x->req.method;

	return m == METHOD_GET || m == METHOD_HEAD ?
	    cache_find(s->cache, x->req.path) : NULL;
}

void
site_serve(struct site *s, struct exchange *x)
{
	struct object *o = find_known(s, x);
	struct str path;
	char *decoded;

	if (o != NULL) {
		file_answer(x, o);
		return;
	}
	/* "*", or a CONNECT: there is no path. */
	if (x->req.path.n == 0) {
		answer_other(x);
		return;
	}
	decoded = arena_alloc(&x->arena, x->req.path.n + 1);
	if (decoded == NULL) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	path.p = decoded;
	if (path_decode(x->req.path, decoded, &path.n) < 0)
		exchange_refuse(x, REASON_PATH);
	else
		answer_target(s, x, path);
}
