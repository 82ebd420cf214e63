/* SPDX-License-Identifier: ISC */
/*
 * Nodes of the tree are found by the number that events name, and by their
 * name in their parent.  An event names a directory and an entry in it; if the
 * entry is itself a watched directory, all below it is told of as well.
 */
#include "site/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/fs.h"
#include "net/loop.h"
#include "site/resolve.h"

#define BUCKETS 1024u

#define EVENTS                                                       \
	(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE |        \
	    IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | \
	    IN_MOVE_SELF)

struct watcher {
	struct watch watch;             /* the inotify descriptor */
	struct loop *loop;
	watch_fn *fn;
	void *owner;
	int root;
	int cwd;                        /* where to return to */
	unsigned n_dirs, max_dirs;
	int64_t tidied_s;               /* when room was last looked for */
	int64_t drained_ms;             /* when events were last read */
	uint64_t seed;
	struct watched *top;            /* NULL until something is watched */
	struct watched *by_wd[BUCKETS];
	struct watched *by_name[BUCKETS];
};

/* Nodes */

static struct watched **
wd_bucket(struct watcher *w, int wd)
{
	return &w->by_wd[(unsigned)wd % BUCKETS];
}

static struct watched **
name_bucket(struct watcher *w, const struct watched *parent, struct str name)
{
	return &w->by_name[XXH3_64bits_withSeed(name.p, name.n,
	    w->seed ^ (uintptr_t)parent) % BUCKETS];
}

static struct str
name_of(const struct watched *d)
{
	return (struct str){ d->name, d->name_len };
}

static struct watched *
by_wd(struct watcher *w, int wd)
{
	struct watched *d = *wd_bucket(w, wd);

	while (d != NULL && d->wd != wd)
		d = d->next;
	return d;
}

static struct watched *
child_of(struct watcher *w, const struct watched *parent, struct str name)
{
	struct watched *d = *name_bucket(w, parent, name);

	while (d != NULL && (d->parent != parent || !str_eq(name_of(d), name)))
		d = d->next_by_name;
	return d;
}

static void
link_dir(struct watcher *w, struct watched *d)
{
	struct watched **bucket = wd_bucket(w, d->wd);

	d->next = *bucket;
	*bucket = d;
	bucket = name_bucket(w, d->parent, name_of(d));
	d->next_by_name = *bucket;
	*bucket = d;
	list_init(&d->children);
	list_init(&d->entries);
	list_init(&d->promises);
	list_init(&d->sibling);
	if (d->parent != NULL)
		list_append(&d->parent->children, &d->sibling);
	else
		w->top = d;
	w->n_dirs++;
}

static void
drop(struct watcher *w, struct watched *d)
{
	struct watched **at = wd_bucket(w, d->wd);

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	at = name_bucket(w, d->parent, name_of(d));
	while (*at != d)
		at = &(*at)->next_by_name;
	*at = d->next_by_name;
	list_remove(&d->sibling);
	if (d == w->top)
		w->top = NULL;
	w->n_dirs--;
	/* Fails when the directory itself is gone, and the watch with it. */
	inotify_rm_watch(w->watch.fd, d->wd);
	free(d);
}

/* The directory and all below it, leaves first, without recursion. */
static void
drop_tree(struct watcher *w, struct watched *d)
{
	struct watched *at = d, *parent;

	for (;;) {
		while (!list_is_empty(&at->children))
			at = list_entry(at->children.next, struct watched,
			    sibling);
		w->fn(w->owner, at, (struct str){ NULL, 0 });
		parent = at->parent;
		drop(w, at);
		if (at == d)
			return;
		at = parent;
	}
}

static void
drop_all(struct watcher *w)
{
	if (w->top != NULL)
		drop_tree(w, w->top);
}

static bool
is_bare(const struct watched *d)
{
	return list_is_empty(&d->children) && list_is_empty(&d->entries) &&
	    list_is_empty(&d->promises);
}

/* Lets go of d, and of its parents, as far as nothing is known there. */
static void
drop_bare(struct watcher *w, struct watched *d, const struct watched *kept)
{
	struct watched *parent;

	for (; d != NULL && d != kept && is_bare(d); d = parent) {
		parent = d->parent;
		drop(w, d);
	}
}

/*
 * Is there room for one more?  If need be it is made, once a second, of
 * directories where nothing is known any more; `kept` is in use.
 */
static bool
has_room(struct watcher *w, const struct watched *kept)
{
	int64_t now_s = loop_now_ms(w->loop) / 1000;
	struct watched *d;

	if (w->n_dirs < w->max_dirs)
		return true;
	if (w->tidied_s == now_s)
		return false;
	w->tidied_s = now_s;
	for (unsigned i = 0; i < BUCKETS; i++) {
		/* Parents may be in the same chain: begin again after each. */
		d = w->by_wd[i];
		while (d != NULL) {
			if (d == kept || !is_bare(d)) {
				d = d->next;
				continue;
			}
			drop_bare(w, d, kept);
			d = w->by_wd[i];
		}
	}
	return w->n_dirs < w->max_dirs;
}

/* Watching */

/*
 * Returns a watch descriptor or a negative errno.  inotify takes a name only;
 * the one that surely stands for this directory, also where /proc/self/fd may
 * not be read, is "." in it.
 */
static int
watch_dir(struct watcher *w, const char *path)
{
	struct statfs fs;
	int dir, wd = -EOPNOTSUPP;

	dir = resolve_dir(w->root, path);
	if (dir < 0)
		return dir;
	if (fstatfs(dir, &fs) == 0 && fs_tells_changes(&fs)) {
		wd = fchdir(dir) == -1 ? -1 :
		    inotify_add_watch(w->watch.fd, ".", EVENTS);
		if (wd == -1)
			wd = -errno;
		(void)!fchdir(w->cwd);
	}
	close(dir);
	/* A directory that is mounted in two places has but one watch. */
	return wd >= 0 && by_wd(w, wd) != NULL ? -EEXIST : wd;
}

/*
 * A node for the directory at `path`, whose last segment is `name`.  0 or a
 * negative errno.
 */
static int
add_dir(struct watcher *w, struct watched *parent, const char *path,
    struct str name, struct watched **out_dir)
{
	struct watched *d;
	int wd;

	if (!has_room(w, parent))
		return -ENOSPC;
	d = malloc(sizeof(*d) + name.n);
	if (d == NULL)
		return -ENOMEM;
	wd = watch_dir(w, path);
	if (wd < 0) {
		free(d);
		return wd;
	}
	*d = (struct watched){
		.parent = parent,
		.wd = wd,
		.name_len = name.n,
	};
	memcpy(d->name, name.p, name.n);
	link_dir(w, d);
	*out_dir = d;
	return 0;
}

/* The child `name` of d, which is at `path` up to the name's end. */
static int
enter(struct watcher *w, struct watched **d, struct str path, struct str name)
{
	struct watched *child = child_of(w, *d, name);
	size_t n = (size_t)(name.p + name.n - path.p);
	char upto[PATH_MAX];

	if (child != NULL) {
		*d = child;
		return 0;
	}
	memcpy(upto, path.p, n);
	upto[n] = '\0';
	return add_dir(w, *d, upto, name, d);
}

struct watch_spot
watcher_reach(struct watcher *w, struct str path)
{
	struct watch_spot spot = { .name = path, .is_last = true };
	struct str rest = path;
	const char *slash;
	int err = 0;

	if (path.n >= PATH_MAX)
		return spot;
	spot.dir = w->top;
	if (spot.dir == NULL)
		err = add_dir(w, NULL, "", S(""), &spot.dir);
	while (err == 0 && (slash = memchr(rest.p, '/', rest.n)) != NULL) {
		spot.name = str_from(rest.p, slash);
		rest = str_skip(rest, spot.name.n + 1);
		err = enter(w, &spot.dir, path, spot.name);
		if (err == 0)
			spot.name = rest;
	}
	spot.is_last = err == 0;
	if (err < 0 && err != -ENOENT && err != -ENOTDIR)
		spot.dir = NULL;
	return spot;
}

/* Changes */

static void
on_event(struct watcher *w, const struct inotify_event *e)
{
	struct watched *d, *child;
	struct str name;

	if (e->mask & IN_Q_OVERFLOW) {
		drop_all(w);
		return;
	}
	d = by_wd(w, e->wd);
	if (d == NULL)
		return;
	if (e->len == 0) {
		drop_tree(w, d);
		return;
	}
	name = str_of(e->name);
	child = child_of(w, d, name);
	if (child != NULL)
		drop_tree(w, child);
	w->fn(w->owner, d, name);
}

static void
read_events(struct watcher *w)
{
	_Alignas(struct inotify_event) char events[16384];
	ssize_t n;

	while ((n = read(w->watch.fd, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e =
			    (const void *)(events + at);

			on_event(w, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
}

static void
on_readable(struct watch *watch, unsigned ready)
{
	(void)ready;
	read_events(list_entry(watch, struct watcher, watch));
}

void
watcher_catch_up(struct watcher *w)
{
	struct timespec t;
	int64_t now_ms;

	/* To a tick, which is good enough and nearly free. */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	now_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	if (now_ms > loop_now_ms(w->loop) && now_ms > w->drained_ms) {
		w->drained_ms = now_ms;
		read_events(w);
	}
}

int
watcher_open(struct loop *l, int root, unsigned max_dirs, watch_fn *fn,
    void *owner, struct watcher **out_watcher)
{
	struct watcher *w = calloc(1, sizeof(*w));
	int err;

	if (w == NULL)
		return -ENOMEM;
	w->loop = l;
	w->fn = fn;
	w->owner = owner;
	w->root = root;
	w->max_dirs = max_dirs;
	w->cwd = open(".", O_PATH | O_CLOEXEC);
	w->watch = (struct watch){
		.fn = on_readable,
		.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
		.wanted = READY_IN,
		.is_urgent = true,
	};
	err = w->watch.fd == -1 || w->cwd == -1 ? -errno : 0;
	if (err == 0 && getrandom(&w->seed, sizeof(w->seed), 0) == -1)
		err = -errno;
	if (err == 0)
		err = loop_add(l, &w->watch);
	if (err < 0) {
		if (w->watch.fd != -1)
			close(w->watch.fd);
		if (w->cwd != -1)
			close(w->cwd);
		free(w);
		return err;
	}
	*out_watcher = w;
	return 0;
}

void
watcher_close(struct watcher *w)
{
	if (w == NULL)
		return;
	drop_all(w);
	loop_remove(w->loop, &w->watch);
	close(w->watch.fd);
	close(w->cwd);
	free(w);
}
