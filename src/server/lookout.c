/* SPDX-License-Identifier: ISC */
/*
 * Each step of a path is watched for what could lead it elsewhere: a directory
 * for being renamed or removed itself; the directory of a link, or of what is
 * missing, for a new entry of that name.  So a busy directory such as /tmp
 * wakes nobody as long as the way only passes through it.
 *
 * Where inotify does not tell (network file systems), or cannot be had, the
 * owner is called once a second instead.
 */
#include "server/lookout.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/list.h"

#define LINKS_MAX 40            /* as many as the kernel follows */
#define BLIND_MS 1000

#define ITSELF (IN_MOVE_SELF | IN_DELETE_SELF)
#define ENTRIES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)

/* A path on the way: where it is, without links, and what is left of it. */
struct way {
	char dir[PATH_MAX];             /* "" is the root directory */
	char rest[PATH_MAX];
	unsigned links;
};

/* name NULL: the directory itself. */
static int
add_sight(struct lookout *l, const char *dir, const char *name)
{
	struct sight *s = &l->sights[l->n];
	const char *path = *dir == '\0' ? "/" : dir;
	struct statfs fs;

	if (l->n == LOOKOUT_SIGHTS || statfs(path, &fs) == -1 ||
	    !fs_tells_changes(&fs))
		return -ENOTSUP;
	s->wd = inotify_add_watch(l->watch.fd, path, IN_ONLYDIR | IN_MASK_ADD |
	    (name == NULL ? ITSELF : ITSELF | ENTRIES));
	if (s->wd == -1)
		return -errno;
	s->name = NULL;
	if (name != NULL && (s->name = strdup(name)) == NULL)
		return -ENOMEM;
	l->n++;
	return 0;
}

/* Cuts the next name off; "" when there is none. */
static void
next_name(struct way *w, char name[NAME_MAX + 1])
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");

	if (n > NAME_MAX)
		n = NAME_MAX;
	memcpy(name, from, n);
	name[n] = '\0';
	memmove(w->rest, from + n, strlen(from + n) + 1);
}

static int
follow(struct way *w, const char *link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n;

	n = readlink(link, target, sizeof(target) - 1);
	if (n == -1)
		return -errno;
	target[n] = '\0';
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	memcpy(rest, w->rest, sizeof(rest));
	n = snprintf(w->rest, sizeof(w->rest), "%s/%s", target, rest);
	if ((size_t)n >= sizeof(w->rest))
		return -ENAMETOOLONG;
	if (*target == '/')
		*w->dir = '\0';
	return 0;
}

static void
climb(struct way *w)
{
	char *slash = strrchr(w->dir, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* One step: 1, 0 where the way ends, or a negative errno. */
static int
step(struct lookout *l, struct way *w, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int n, err;

	n = snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	if ((size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		err = add_sight(l, w->dir, NULL);
		memcpy(w->dir, path, sizeof(path));
		return err < 0 ? err : 1;
	}
	/* What becomes of the name after this is told. */
	err = add_sight(l, w->dir, name);
	if (err < 0 || lstat(path, &st) == -1)
		return err;
	if (!S_ISLNK(st.st_mode))
		return 0;
	err = follow(w, path);
	return err < 0 ? err : 1;
}

static int
walk(struct lookout *l, const char *path)
{
	char name[NAME_MAX + 1];
	struct way w = { .dir = "" };
	int r = 1;

	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, strlen(path) + 1);
	while (r == 1) {
		next_name(&w, name);
		if (*name == '\0')
			return add_sight(l, w.dir, NULL);
		if (strcmp(name, "..") == 0)
			climb(&w);
		else if (strcmp(name, ".") != 0)
			r = step(l, &w, name);
	}
	return r;
}

static void
forget(struct lookout *l)
{
	if (l->watch.fd != -1) {
		loop_remove(l->loop, &l->watch);
		close(l->watch.fd);
		l->watch.fd = -1;
	}
	while (l->n > 0)
		free(l->sights[--l->n].name);
}

static bool
is_news(const struct lookout *l, const struct inotify_event *e)
{
	if (e->mask & (ITSELF | IN_IGNORED | IN_Q_OVERFLOW | IN_UNMOUNT))
		return true;
	for (unsigned i = 0; i < l->n; i++) {
		const struct sight *s = &l->sights[i];

		if (s->wd == e->wd && s->name != NULL && e->len > 0 &&
		    strcmp(s->name, e->name) == 0)
			return true;
	}
	return false;
}

static void
on_events(struct watch *w, unsigned ready)
{
	struct lookout *l = list_entry(w, struct lookout, watch);
	union {
		struct inotify_event align;
		char bytes[16384];
	} u;
	struct inotify_event *e;
	bool has_news = false;
	ssize_t n;

	(void)ready;
	n = read(w->fd, u.bytes, sizeof(u.bytes));
	for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
		e = (void *)(u.bytes + at);
		has_news |= is_news(l, e);
	}
	if (has_news)
		l->changed(l);
}

static void
on_timer(struct timer *t)
{
	struct lookout *l = list_entry(t, struct lookout, timer);

	l->changed(l);
}

void
lookout_open(struct lookout *l, struct loop *loop)
{
	l->loop = loop;
	l->watch = (struct watch){
		.fn = on_events,
		.fd = -1,
		.wanted = READY_IN,
	};
	l->timer = (struct timer){ .fn = on_timer };
	l->n = 0;
}

void
lookout_close(struct lookout *l)
{
	if (l->loop == NULL)
		return;
	loop_timer_stop(l->loop, &l->timer);
	forget(l);
}

void
lookout_return(struct lookout *l, unsigned after_ms)
{
	loop_timer_start(l->loop, &l->timer, after_ms);
}

static int
watch_all(struct lookout *l)
{
	int err;

	l->watch.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (l->watch.fd == -1)
		return -errno;
	l->watch.wanted = READY_IN;
	err = loop_add(l->loop, &l->watch);
	if (err < 0) {
		close(l->watch.fd);
		l->watch.fd = -1;
		return err;
	}
	for (unsigned i = 0; i < LOOKOUT_PATHS && err >= 0; i++)
		if (l->paths[i] != NULL)
			err = walk(l, l->paths[i]);
	return err;
}

void
lookout_look(struct lookout *l)
{
	loop_timer_stop(l->loop, &l->timer);
	forget(l);
	if (watch_all(l) < 0)
		lookout_return(l, BLIND_MS);
}
