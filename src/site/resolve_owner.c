/* SPDX-License-Identifier: ISC */
/*
 * Links are followed that have the owner of what they lead to: the kernel has
 * no such rule, so the way is walked here, a name at a time.  A link is asked
 * for its owner and read through one descriptor, so no other can be put in its
 * place in between.  What the walk comes to must then be what the kernel opens
 * under the same path: it knows rules of its own (a file system mounted with
 * nosymfollow, fs.protected_symlinks in proc(5)).
 *
 * Of several links that lead to one another each must have the owner of what
 * is at their end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "site/resolve_priv.h"

#define LINKS_MAX 40u           /* as path_resolution(7) */
#define STEPS_MAX 1024u         /* names in a path and in all its links */
#define TRIES 3u                /* while somebody moves things about */

struct link {
	uid_t owner;
	size_t end;             /* of what it leads to, in walk.todo */
};

struct walk {
	int root;
	int fd;                 /* where it is; O_PATH, or the root */
	struct stat st;         /* of that */
	size_t n;
	char path[PATH_MAX];    /* to it: n bytes and a NUL, without links */
	size_t at;
	char todo[PATH_MAX];    /* what is left of the way, from `at` on */
	struct link links[LINKS_MAX];   /* that are not at their end yet */
	unsigned n_links, n_followed;
};

static void
walk_end(struct walk *w)
{
	if (w->fd != w->root)
		close(w->fd);
}

/* Goes to fd, which is the walk's then; or it is a negative errno. */
static int
go_to(struct walk *w, int fd)
{
	struct stat st;
	int err;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == -1) {
		err = -errno;
		close(fd);
		return err;
	}
	walk_end(w);
	w->fd = fd;
	w->st = st;
	return 0;
}

/*
 * By the way it came, not by "..": the directory may have been moved, and lie
 * outside of the root by now.
 */
static int
go_up(struct walk *w)
{
	int fd;

	if (w->n == 0)
		return -EXDEV;
	while (w->n > 0 && w->path[--w->n] != '/')
		continue;
	w->path[w->n] = '\0';
	fd = resolve_beneath(w->root, w->path, O_PATH | O_DIRECTORY,
	    RESOLVE_NO_SYMLINKS);
	/* There was no link a moment ago. */
	return go_to(w, fd == -ELOOP ? -EMLINK : fd);
}

/* Puts what is in the link before the rest of the way. */
static int
follow(struct walk *w, int link, uid_t owner)
{
	char target[PATH_MAX];
	ssize_t n;

	if (w->n_followed++ == LINKS_MAX)
		return -ELOOP;
	n = readlinkat(link, "", target, sizeof(target));
	if (n == -1)
		return -errno;
	if (n == 0)
		return -ENOENT;
	if (target[0] == '/')
		return -EXDEV;
	if ((size_t)n > w->at)
		return -ENAMETOOLONG;
	w->links[w->n_links++] = (struct link){ owner, w->at };
	w->at -= (size_t)n;
	memcpy(w->todo + w->at, target, (size_t)n);
	return 0;
}

static int
enter(struct walk *w, struct str name)
{
	char text[NAME_MAX + 1];
	struct stat st;
	int fd, err;

	if (name.n > NAME_MAX || w->n + name.n + 2 > sizeof(w->path))
		return -ENAMETOOLONG;
	*str_put(text, name) = '\0';
	fd = resolve_beneath(w->fd, text, O_PATH | O_NOFOLLOW,
	    RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return fd;
	err = fstat(fd, &st) == -1 ? -errno : 0;
	if (err == 0 && S_ISLNK(st.st_mode))
		err = follow(w, fd, st.st_uid);
	else if (err == 0) {
		if (w->n > 0)
			w->path[w->n++] = '/';
		*str_put(w->path + w->n, name) = '\0';
		w->n += name.n;
		return go_to(w, fd);
	}
	close(fd);
	return err;
}

static void
skip_slashes(struct walk *w)
{
	while (w->at < sizeof(w->todo) && w->todo[w->at] == '/')
		w->at++;
}

static int
step(struct walk *w)
{
	struct str rest = { w->todo + w->at, sizeof(w->todo) - w->at }, name;

	if (!S_ISDIR(w->st.st_mode))
		return -ENOTDIR;
	str_cut(&rest, '/', &name);
	w->at += name.n;
	if (str_eq(name, S(".")))
		return 0;
	return str_eq(name, S("..")) ? go_up(w) : enter(w, name);
}

/* Do the links whose end is here belong to the owner of what is here? */
static bool
are_owned(struct walk *w)
{
	while (w->n_links > 0 && w->links[w->n_links - 1].end <= w->at)
		if (w->links[--w->n_links].owner != w->st.st_uid)
			return false;
	return true;
}

static int
go_all_the_way(struct walk *w)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && w->at < sizeof(w->todo); i++) {
		err = i == STEPS_MAX ? -ELOOP : step(w);
		if (err == 0)
			skip_slashes(w);
		if (err == 0 && !are_owned(w))
			err = -EMLINK;
	}
	/* "file/" is no file. */
	if (err == 0 && w->todo[sizeof(w->todo) - 1] == '/' &&
	    !S_ISDIR(w->st.st_mode))
		err = -ENOTDIR;
	return err;
}

/* 0 or a negative errno; walk_end must follow. */
static int
walk_begin(struct walk *w, int root, const char *path)
{
	struct str way = str_of(path);

	w->root = root;
	w->fd = root;
	w->n = 0;
	w->path[0] = '\0';
	w->n_links = 0;
	w->n_followed = 0;
	if (way.n >= sizeof(w->todo))
		return -ENAMETOOLONG;
	if (str_starts(way, S("/")))
		return -EXDEV;
	w->at = sizeof(w->todo) - way.n;
	str_put(w->todo + w->at, way);
	return fstat(root, &w->st) == -1 ? -errno : 0;
}

/* -EAGAIN: what the kernel came to is something else. */
static int
open_once(struct walk *w, const char *path, int flags)
{
	struct stat st;
	int fd, err;

	err = go_all_the_way(w);
	if (err < 0)
		return err;
	fd = resolve_beneath(w->root, path, flags, 0);
	if (fd < 0)
		return fd;
	/* The walk's descriptor is open: no other file has its number. */
	err = fstat(fd, &st) == -1 ? -errno : 0;
	if (err == 0 && (st.st_dev != w->st.st_dev ||
	    st.st_ino != w->st.st_ino))
		err = -EAGAIN;
	if (err < 0)
		close(fd);
	return err < 0 ? err : fd;
}

int
resolve_owned(int root, const char *path, int flags)
{
	struct walk w;
	int fd = -EAGAIN;

	for (unsigned i = 0; fd == -EAGAIN && i < TRIES; i++) {
		fd = walk_begin(&w, root, path);
		if (fd == 0)
			fd = open_once(&w, path, flags);
		walk_end(&w);
	}
	return fd == -EAGAIN ? -EMLINK : fd;
}
