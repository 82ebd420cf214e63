/* SPDX-License-Identifier: ISC */
/*
 * A hash table of objects, and beside it a tree of watched directories that
 * mirrors the part of the site they lie in.  An event names a directory and an
 * entry in it: objects of that name are forgotten, and if the entry is itself
 * a watched directory, all below it.
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
	uint64_t seed;
	struct list lru;                /* struct object.lru, oldest first */
	struct cache_dir *top;          /* NULL until something is watched */
	struct object *buckets[BUCKETS];
	struct cache_dir *wd_buckets[WD_BUCKETS];
};

/* Objects */

static void
forget(struct cache *c, struct object *o)
{
	struct object **at = &c->buckets[o->hash % BUCKETS];

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	list_remove(&o->lru);
	list_remove(&o->leaf);
	c->n_objects--;
	if (o->content != NULL)
		c->bytes -= o->size;
	else
		c->n_descriptors--;
	free((char *)(uintptr_t)o->key.p);
	o->key = o->name = (struct str){ NULL, 0 };
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
	    (o->content != NULL && c->bytes + o->size > c->limits.bytes) ||
	    (o->content == NULL && c->n_descriptors >= c->limits.descriptors)))
		forget_oldest(c);
}

struct object *
cache_find(struct cache *c, struct str key)
{
	struct object *o;
	uint64_t hash;

	if (c == NULL)
		return NULL;
	hash = XXH3_64bits_withSeed(key.p, key.n, c->seed);
	for (o = c->buckets[hash % BUCKETS]; o != NULL; o = o->next) {
		if (o->hash == hash && str_eq(o->key, key))
			break;
	}
	if (o != NULL && c->lru.prev != &o->lru) {
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

	if (c->n_dirs >= c->limits.directories)
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

static struct str
last_segment(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash == NULL ? path :
	    str_from(slash + 1, path.p + path.n);
}

void
cache_add(struct cache *c, struct cache_dir *dir, struct str path,
    struct str key, struct object *o)
{
	struct str name = last_segment(path);
	struct object **bucket;
	char *text;

	if (dir == NULL || cache_find(c, key) != NULL ||
	    (o->content != NULL && o->size > c->limits.bytes / 4))
		return;
	text = malloc(key.n + name.n);
	if (text == NULL)
		return;
	make_room(c, o);
	memcpy(text, key.p, key.n);
	memcpy(text + key.n, name.p, name.n);
	o->key = (struct str){ text, key.n };
	o->name = (struct str){ text + key.n, name.n };
	o->hash = XXH3_64bits_withSeed(key.p, key.n, c->seed);
	bucket = &c->buckets[o->hash % BUCKETS];
	o->next = *bucket;
	*bucket = o;
	list_append(&c->lru, &o->lru);
	list_append(&dir->objects, &o->leaf);
	c->n_objects++;
	if (o->content != NULL)
		c->bytes += o->size;
	else
		c->n_descriptors++;
	object_ref(o);
}

/* Changes */

static void
forget_entry(struct cache *c, struct cache_dir *d, struct str name)
{
	struct cache_dir *child = child_by_name(d, name);
	struct list *l, *next;

	if (child != NULL)
		forget_dir(c, child);
	for (l = d->objects.next; l != &d->objects; l = next) {
		struct object *o = list_entry(l, struct object, leaf);

		next = l->next;
		if (str_eq(o->name, name))
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
on_readable(struct watch *w, unsigned ready)
{
	struct cache *c = list_entry(w, struct cache, watch);
	_Alignas(struct inotify_event) char events[16384];
	ssize_t n;

	(void)ready;
	while ((n = read(w->fd, events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e =
			    (const void *)(events + at);

			on_event(c, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
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
