/* SPDX-License-Identifier: ISC */
/*
 * A hash table of objects by path, and another by the entry that a file is in
 * its directory; beside them a tree of watched directories that mirrors the
 * part of the site they lie in.  An event names a directory and an entry in
 * it: objects of that name are forgotten, and if the entry is itself a watched
 * directory, all below it.
 */
#include "site/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/statfs.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "http/path.h"
#include "net/loop.h"
#include "site/resolve.h"

#define BUCKETS 4096u
#define WD_BUCKETS 1024u

#define EVENTS                                                       \
	(IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE |        \
	    IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | \
	    IN_MOVE_SELF)

struct cache_dir {
	struct cache_dir *parent;       /* NULL: the root */
	struct list children, sibling;
	struct list objects;            /* struct object.leaf */
	struct cache_dir *next;         /* in its wd bucket */
	int wd;
	size_t name_len;
	char name[];
};

struct cache {
	struct watch watch;             /* the inotify descriptor */
	struct loop *loop;
	int root;
	int cwd;                        /* where to return to */
	struct cache_limits limits;
	size_t bytes;
	unsigned n_objects, n_descriptors, n_dirs;
	bool lacks_room;                /* for one more directory */
	uint64_t seed;
	struct list lru;                /* struct object.lru, oldest first */
	struct cache_dir *top;          /* NULL until something is watched */
	int64_t drained_ms;             /* when events were last read */
	struct object *buckets[BUCKETS];
	struct object *by_name[BUCKETS];
	struct cache_dir *wd_buckets[WD_BUCKETS];
};

/* Objects */

static unsigned
name_bucket(const struct cache *c, const struct cache_dir *dir,
    struct str name)
{
	return (unsigned)(XXH3_64bits_withSeed(name.p, name.n,
	    c->seed ^ (uintptr_t)dir) % BUCKETS);
}

/* What an object takes, beside its descriptor. */
static size_t
weight(const struct object *o)
{
	return (o->content != NULL ? (size_t)o->size : 0) + o->key.n +
	    strlen(o->path);
}

static void
forget(struct cache *c, struct object *o)
{
	struct object **at = &c->buckets[o->hash % BUCKETS];

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	at = &c->by_name[name_bucket(c, o->dir, o->name)];
	while (*at != o)
		at = &(*at)->next_by_name;
	*at = o->next_by_name;
	list_remove(&o->lru);
	list_remove(&o->leaf);
	c->n_objects--;
	c->n_descriptors -= o->content == NULL;
	c->bytes -= weight(o);
	free((char *)(uintptr_t)o->key.p);
	o->key = o->name = (struct str){ NULL, 0 };
	o->path = NULL;
	object_unref(o);
}

static void
forget_oldest(struct cache *c)
{
	forget(c, list_entry(c->lru.next, struct object, lru));
}

/* Makes room as long as one more would be too many. */
static void
make_room(struct cache *c, const struct object *o)
{
	while (c->n_objects > 0 && (c->n_objects >= c->limits.objects ||
	    c->bytes + weight(o) > c->limits.bytes ||
	    (o->content == NULL && c->n_descriptors >= c->limits.descriptors)))
		forget_oldest(c);
}

/*
 * Events tell of all that goes through a watched directory.  A file may be
 * changed otherwise: by another name, or through memory.  So the file itself
 * is asked, once a second.
 */
static bool
is_current(struct cache *c, struct object *o)
{
	int64_t now_s = loop_now_ms(c->loop) / 1000;
	struct stat st;

	if (o->checked_s == now_s)
		return true;
	o->checked_s = now_s;
	return fstatat(c->root, o->path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == o->st.st_dev && st.st_ino == o->st.st_ino &&
	    st.st_size == o->st.st_size &&
	    st.st_mtim.tv_sec == o->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == o->st.st_mtim.tv_nsec &&
	    st.st_ctim.tv_sec == o->st.st_ctim.tv_sec &&
	    st.st_ctim.tv_nsec == o->st.st_ctim.tv_nsec;
}

static void read_events(struct cache *c);

/*
 * Events are read first in each turn of the loop.  In a long turn a request
 * may be received that is younger than that.
 */
static void
catch_up(struct cache *c)
{
	struct timespec t;
	int64_t now_ms;

	/* To a tick, which is good enough and nearly free. */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	now_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	if (now_ms > loop_now_ms(c->loop) && now_ms > c->drained_ms) {
		c->drained_ms = now_ms;
		read_events(c);
	}
}

static struct object *
find(struct cache *c, struct str key)
{
	uint64_t hash = XXH3_64bits_withSeed(key.p, key.n, c->seed);
	struct object *o = c->buckets[hash % BUCKETS];

	while (o != NULL && (o->hash != hash || !str_eq(o->key, key)))
		o = o->next;
	return o;
}

struct object *
cache_find(struct cache *c, struct str key)
{
	struct object *o;

	if (c == NULL)
		return NULL;
	catch_up(c);
	o = find(c, key);
	if (o == NULL)
		return NULL;
	if (!is_current(c, o)) {
		forget(c, o);
		return NULL;
	}
	if (c->lru.prev != &o->lru) {
		list_remove(&o->lru);
		list_append(&c->lru, &o->lru);
	}
	return o;
}

/* Directories */

static struct str
dir_name(const struct cache_dir *d)
{
	return (struct str){ d->name, d->name_len };
}

static struct cache_dir *
dir_by_wd(struct cache *c, int wd)
{
	struct cache_dir *d = c->wd_buckets[(unsigned)wd % WD_BUCKETS];

	while (d != NULL && d->wd != wd)
		d = d->next;
	return d;
}

static struct cache_dir *
child_by_name(struct cache_dir *d, struct str name)
{
	for (struct list *l = d->children.next; l != &d->children;
	    l = l->next) {
		struct cache_dir *child =
		    list_entry(l, struct cache_dir, sibling);

		if (str_eq(dir_name(child), name))
			return child;
	}
	return NULL;
}

static void
unlink_dir(struct cache *c, struct cache_dir *d)
{
	struct cache_dir **at = &c->wd_buckets[(unsigned)d->wd % WD_BUCKETS];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	list_remove(&d->sibling);
	if (d == c->top)
		c->top = NULL;
	c->n_dirs--;
	/* Fails when the directory itself is gone, and the watch with it. */
	inotify_rm_watch(c->watch.fd, d->wd);
	free(d);
}

/* The directory and all below it, leaves first, without recursion. */
static void
forget_dir(struct cache *c, struct cache_dir *d)
{
	struct cache_dir *at = d, *parent;

	for (;;) {
		while (!list_is_empty(&at->children))
			at = list_entry(at->children.next, struct cache_dir,
			    sibling);
		while (!list_is_empty(&at->objects))
			forget(c, list_entry(at->objects.next, struct object,
			    leaf));
		parent = at->parent;
		unlink_dir(c, at);
		if (at == d)
			return;
		at = parent;
	}
}

static void
forget_all(struct cache *c)
{
	if (c->top != NULL)
		forget_dir(c, c->top);
}

/* Does this file system report what other machines, or programs, change? */
static bool
tells_changes(int dir)
{
	static const unsigned long silent[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, 0xff534d42 /* CIFS */,
		0xfe534d42 /* SMB2 */, FUSE_SUPER_MAGIC, V9FS_MAGIC,
		AFS_SUPER_MAGIC, AFS_FS_MAGIC, CODA_SUPER_MAGIC,
		0x00c36400 /* Ceph */, OCFS2_SUPER_MAGIC,
		0x01161970 /* GFS2 */, PROC_SUPER_MAGIC, SYSFS_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(dir, &fs) == -1)
		return false;
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		if (((unsigned long)fs.f_type & 0xffffffff) == silent[i])
			return false;
	}
	return true;
}

/*
 * Returns a watch descriptor or a negative errno.  inotify takes a name only;
 * the one that surely stands for this directory, also where /proc/self/fd may
 * not be read, is "." in it.
 */
static int
watch_dir(struct cache *c, const char *path)
{
	int dir, wd = -EOPNOTSUPP;

	dir = resolve_dir(c->root, path);
	if (dir < 0)
		return dir;
	if (tells_changes(dir)) {
		wd = fchdir(dir) == -1 ? -1 :
		    inotify_add_watch(c->watch.fd, ".", EVENTS);
		if (wd == -1)
			wd = -errno;
		(void)!fchdir(c->cwd);
	}
	close(dir);
	return wd;
}

/* A node for the directory at `path`, whose last segment is `name`. */
static struct cache_dir *
add_dir(struct cache *c, struct cache_dir *parent, const char *path,
    struct str name)
{
	struct cache_dir *d;
	int wd;

	c->lacks_room = c->n_dirs >= c->limits.directories;
	if (c->lacks_room)
		return NULL;
	d = malloc(sizeof(*d) + name.n);
	if (d == NULL)
		return NULL;
	wd = watch_dir(c, path);
	/* A directory that is mounted in two places has but one watch. */
	if (wd < 0 || dir_by_wd(c, wd) != NULL) {
		free(d);
		return NULL;
	}
	*d = (struct cache_dir){
		.parent = parent,
		.wd = wd,
		.name_len = name.n,
	};
	memcpy(d->name, name.p, name.n);
	list_init(&d->children);
	list_init(&d->objects);
	list_init(&d->sibling);
	if (parent != NULL)
		list_append(&parent->children, &d->sibling);
	d->next = c->wd_buckets[(unsigned)wd % WD_BUCKETS];
	c->wd_buckets[(unsigned)wd % WD_BUCKETS] = d;
	c->n_dirs++;
	return d;
}

struct cache_dir *
cache_watch(struct cache *c, struct str path)
{
	struct cache_dir *d, *child;
	struct str rest = path, name;
	char upto[4096];

	if (c == NULL || path.n >= sizeof(upto))
		return NULL;
	/* Rather begin anew than keep for ever what was asked for first. */
	if (c->lacks_room)
		forget_all(c);
	c->lacks_room = false;
	if (c->top == NULL)
		c->top = add_dir(c, NULL, "", S(""));
	d = c->top;
	while (d != NULL && memchr(rest.p, '/', rest.n) != NULL &&
	    str_cut(&rest, '/', &name)) {
		child = child_by_name(d, name);
		if (child == NULL) {
			size_t n = (size_t)(name.p + name.n - path.p);

			memcpy(upto, path.p, n);
			upto[n] = '\0';
			child = add_dir(c, d, upto, name);
		}
		d = child;
	}
	return d;
}

/* Gives o copies of its key and path, in one block that the key begins. */
static bool
name_object(struct object *o, struct str key, struct str path)
{
	char *text = malloc(key.n + path.n + 1);

	if (text == NULL)
		return false;
	memcpy(text, key.p, key.n);
	memcpy(text + key.n, path.p, path.n);
	text[key.n + path.n] = '\0';
	o->key = (struct str){ text, key.n };
	o->path = text + key.n;
	o->name = path_last((struct str){ o->path, path.n });
	return true;
}

static void
link_object(struct cache *c, struct cache_dir *dir, struct object *o)
{
	struct object **bucket;

	o->hash = XXH3_64bits_withSeed(o->key.p, o->key.n, c->seed);
	bucket = &c->buckets[o->hash % BUCKETS];
	o->next = *bucket;
	*bucket = o;
	o->dir = dir;
	bucket = &c->by_name[name_bucket(c, dir, o->name)];
	o->next_by_name = *bucket;
	*bucket = o;
	list_append(&c->lru, &o->lru);
	list_append(&dir->objects, &o->leaf);
	c->n_objects++;
	c->n_descriptors += o->content == NULL;
	c->bytes += weight(o);
}

void
cache_add(struct cache *c, struct cache_dir *dir, struct str path,
    struct str key, struct object *o)
{
	if (dir == NULL || find(c, key) != NULL ||
	    (o->content != NULL && o->size > c->limits.bytes / 4) ||
	    !name_object(o, key, path))
		return;
	make_room(c, o);
	o->checked_s = loop_now_ms(c->loop) / 1000;
	link_object(c, dir, object_ref(o));
}

/* Changes */

static void
forget_entry(struct cache *c, struct cache_dir *d, struct str name)
{
	struct cache_dir *child = child_by_name(d, name);
	struct object *o, *next;

	if (child != NULL)
		forget_dir(c, child);
	for (o = c->by_name[name_bucket(c, d, name)]; o != NULL; o = next) {
		next = o->next_by_name;
		if (o->dir == d && str_eq(o->name, name))
			forget(c, o);
	}
}

static void
on_event(struct cache *c, const struct inotify_event *e)
{
	struct cache_dir *d;

	if (e->mask & IN_Q_OVERFLOW) {
		forget_all(c);
		return;
	}
	d = dir_by_wd(c, e->wd);
	if (d == NULL)
		return;
	if (e->len > 0)
		forget_entry(c, d, str_of(e->name));
	else
		forget_dir(c, d);
}

static void
read_events(struct cache *c)
{
	_Alignas(struct inotify_event) char events[16384];
	ssize_t n;

	while ((n = read(c->watch.fd, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e =
			    (const void *)(events + at);

			on_event(c, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
}

static void
on_readable(struct watch *w, unsigned ready)
{
	(void)ready;
	read_events(list_entry(w, struct cache, watch));
}

int
cache_open(struct loop *l, int root, const struct cache_limits *limits,
    struct cache **out_cache)
{
	struct cache *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (c == NULL)
		return err;
	c->loop = l;
	c->root = root;
	c->cwd = open(".", O_PATH | O_CLOEXEC);
	c->limits = *limits;
	list_init(&c->lru);
	c->watch = (struct watch){
		.fn = on_readable,
		.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
		.wanted = READY_IN,
		.is_urgent = true,
	};
	err = c->watch.fd == -1 || c->cwd == -1 ? -errno : 0;
	if (err == 0 && getrandom(&c->seed, sizeof(c->seed), 0) == -1)
		err = -errno;
	if (err == 0)
		err = loop_add(l, &c->watch);
	if (err < 0) {
		if (c->watch.fd != -1)
			close(c->watch.fd);
		if (c->cwd != -1)
			close(c->cwd);
		free(c);
		return err;
	}
	*out_cache = c;
	return 0;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	forget_all(c);
	loop_remove(c->loop, &c->watch);
	close(c->watch.fd);
	close(c->cwd);
	free(c);
}
