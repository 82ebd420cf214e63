/* SPDX-License-Identifier: ISC */
/*
 * A hash table of entries by path, and another by the directory entry that
 * decides whether they still hold.  Objects are bounded by the memory they
 * take, missing files by their number: whoever asks for names at random moves
 * only those.
 */
#include "site/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "net/loop.h"
#include "site/version.h"

#define MALLOC_COST 16                  /* beside what was asked for */
#define MISSING_PATH_MAX ((size_t)512)  /* longer ones are looked up */
#define BUCKETS_LEAST 1024u
#define BUCKETS_MOST (1u << 20)

struct cache_entry {
	struct list lru;
	struct list leaf;               /* in dir->entries, or alone */
	struct cache_entry *next, *next_by_name;        /* in their buckets */
	uint64_t hash;
	struct object *object;          /* NULL: there is nothing */
	struct watched *dir;            /* NULL: nobody tells */
	size_t bytes;
	unsigned descriptors;
	int64_t checked_s;
	bool is_shared;
	bool is_listing;
	struct str key;
	struct str name;                /* of what it hangs on in dir */
	const char *path;               /* decoded, below the root */
	char text[];
};

/* Of a listing that is being made. */
struct cache_promise {
	struct list node;               /* in dir->promises, or alone */
	struct cache *cache;
	struct watched *dir;            /* NULL: nobody tells */
	bool is_broken;
	size_t path_len, key_len;
	char text[];                    /* the path, the key */
};

struct cache {
	struct loop *loop;
	struct watcher *watcher;
	int root;
	enum symlinks symlinks;
	struct cache_limits limits;
	size_t bytes;
	unsigned n_descriptors, n_missing;
	uint64_t seed;
	struct list objects, listings, missing; /* by lru, the oldest first */
	unsigned n_buckets;             /* a power of two */
	struct cache_entry **by_key, **by_name;
};

/* Buckets */

static struct cache_entry **
key_bucket(const struct cache *c, uint64_t hash)
{
	return &c->by_key[hash & (c->n_buckets - 1)];
}

static struct cache_entry **
name_bucket(const struct cache *c, const struct watched *dir, struct str name)
{
	return &c->by_name[XXH3_64bits_withSeed(name.p, name.n,
	    c->seed ^ (uintptr_t)dir) & (c->n_buckets - 1)];
}

static uint64_t
hash_of(const struct cache *c, struct str key)
{
	return XXH3_64bits_withSeed(key.p, key.n, c->seed);
}

static struct cache_entry *
find(const struct cache *c, struct str key)
{
	uint64_t hash = hash_of(c, key);
	struct cache_entry *e = *key_bucket(c, hash);

	while (e != NULL && (e->hash != hash || !str_eq(e->key, key)))
		e = e->next;
	return e;
}

/* Entries */

static void
link_entry(struct cache *c, struct cache_entry *e)
{
	struct cache_entry **bucket = key_bucket(c, e->hash);

	e->next = *bucket;
	*bucket = e;
	list_init(&e->leaf);
	if (e->dir == NULL)
		return;
	bucket = name_bucket(c, e->dir, e->name);
	e->next_by_name = *bucket;
	*bucket = e;
	list_append(&e->dir->entries, &e->leaf);
}

static void
unlink_entry(struct cache *c, struct cache_entry *e)
{
	struct cache_entry **at = key_bucket(c, e->hash);

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	list_remove(&e->leaf);
	if (e->dir == NULL)
		return;
	at = name_bucket(c, e->dir, e->name);
	while (*at != e)
		at = &(*at)->next_by_name;
	*at = e->next_by_name;
}

static void
forget(struct cache *c, struct cache_entry *e)
{
	unlink_entry(c, e);
	list_remove(&e->lru);
	if (e->object == NULL) {
		c->n_missing--;
	} else {
		c->bytes -= e->bytes;
		c->n_descriptors -= e->descriptors;
		e->object->entry = NULL;
		object_unref(e->object);
	}
	free(e);
}

static void
forget_oldest(struct cache *c, struct list *lru)
{
	forget(c, list_entry(lru->next, struct cache_entry, lru));
}

static struct cache_entry *
entry_new(const struct cache_place *p, struct object *o)
{
	const struct cache *c = p->cache;
	size_t size = sizeof(struct cache_entry) + p->key.n + p->path.n + 1;
	struct cache_entry *e = malloc(size);
	char *text;

	if (e == NULL)
		return NULL;
	text = str_put(e->text, p->key);
	*str_put(text, p->path) = '\0';
	*e = (struct cache_entry){
		.object = o,
		.hash = hash_of(c, p->key),
		.dir = p->spot.dir,
		.bytes = size + MALLOC_COST,
		.checked_s = loop_now_ms(c->loop) / 1000,
		.key = { e->text, p->key.n },
		.name = { text + (p->spot.name.p - p->path.p),
		    p->spot.name.n },
		.path = text,
	};
	return e;
}

/* Where an entry waits for its end. */
static struct list *
lru_of(struct cache *c, const struct cache_entry *e)
{
	if (e->object == NULL)
		return &c->missing;
	return e->is_listing ? &c->listings : &c->objects;
}

/* Asking */

/*
 * A link to the same file may have come, or got another owner: by comparing
 * files that would not be seen.
 */
static int
look_at(const struct cache *c, const char *path, int flags,
    struct stat *out_st)
{
	if (c->symlinks != SYMLINKS_BENEATH)
		return resolve_stat(c->root, path, c->symlinks, out_st);
	return fstatat(c->root, path, out_st, flags) == -1 ? -errno : 0;
}

/*
 * Is what lies beside the file in this coding what is known of it?  Where
 * events tell, that is known already.
 */
static bool
is_same_sidecar(const struct cache *c, const struct cache_entry *e,
    enum coding coding)
{
	const struct object *known = e->object->coded[coding];
	struct str suffix = coding_suffix(coding);
	size_t n = strlen(e->path);
	char path[PATH_MAX];
	struct stat st;

	if (n + suffix.n >= sizeof(path))
		return true;
	*str_put(str_put(path, (struct str){ e->path, n }), suffix) = '\0';
	if (look_at(c, path, 0, &st) < 0 ||
	    !version_fits(&st, &e->object->st))
		return known == NULL || !known->is_sidecar;
	return known != NULL && known->is_sidecar &&
	    version_is_same(&st, &known->st);
}

static bool
are_sidecars_same(const struct cache *c, const struct cache_entry *e)
{
	if (e->dir != NULL || !e->object->is_negotiated)
		return true;
	for (unsigned i = CODING_REAL; i < CODING_COUNT; i++)
		if (!is_same_sidecar(c, e, (enum coding)i))
			return false;
	return true;
}

/* May this still be so?  The file system is asked when it is time to. */
static bool
is_current(const struct cache *c, struct cache_entry *e)
{
	int64_t now_s = loop_now_ms(c->loop) / 1000;
	struct stat st;
	int err;

	if (e->checked_s == now_s && !e->is_shared)
		return true;
	e->checked_s = now_s;
	if (e->is_listing)
		return false;
	err = look_at(c, e->path, e->is_shared ? 0 : AT_SYMLINK_NOFOLLOW, &st);
	if (e->object == NULL)
		return err == -ENOENT;
	return err == 0 && version_is_same(&st, &e->object->st) &&
	    are_sidecars_same(c, e);
}

enum cached
cache_find(struct cache *c, struct str key, struct object **out_object)
{
	struct cache_entry *e;
	struct list *lru;

	if (c == NULL)
		return CACHE_UNKNOWN;
	watcher_catch_up(c->watcher);
	e = find(c, key);
	if (e == NULL)
		return CACHE_UNKNOWN;
	if (!is_current(c, e)) {
		forget(c, e);
		return CACHE_UNKNOWN;
	}
	lru = lru_of(c, e);
	if (lru->prev != &e->lru) {
		list_remove(&e->lru);
		list_append(lru, &e->lru);
	}
	if (e->object == NULL)
		return CACHE_MISSING;
	*out_object = e->object;
	return CACHE_FOUND;
}

/* Keeping */

struct cache_place
cache_watch(struct cache *c, struct str path, struct str key)
{
	struct cache_place p = { .cache = c, .path = path, .key = key };

	if (c != NULL)
		p.spot = watcher_reach(c->watcher, path);
	return p;
}

/*
 * Makes room for so much more.  Listings go first: they are known for a second
 * only, and have no descriptors.
 */
static void
make_room(struct cache *c, size_t bytes, unsigned descriptors)
{
	while (!list_is_empty(&c->listings) &&
	    c->bytes + bytes > c->limits.bytes)
		forget_oldest(c, &c->listings);
	while (!list_is_empty(&c->objects) &&
	    (c->bytes + bytes > c->limits.bytes || (descriptors > 0 &&
	    c->n_descriptors + descriptors > c->limits.descriptors)))
		forget_oldest(c, &c->objects);
}

/* Keeps o, if there is room. */
static void
keep(const struct cache_place *p, struct object *o, bool is_shared,
    bool is_listing)
{
	struct cache *c = p->cache;
	struct cache_entry *e;
	size_t bytes = object_bytes(o);

	if (find(c, p->key) != NULL || bytes > c->limits.bytes / 4)
		return;
	e = entry_new(p, o);
	if (e == NULL)
		return;
	e->is_shared = is_shared;
	e->is_listing = is_listing;
	e->bytes += bytes;
	e->descriptors = object_descriptors(o);
	make_room(c, e->bytes, e->descriptors);
	object_ref(o);
	link_entry(c, e);
	list_append(lru_of(c, e), &e->lru);
	c->bytes += e->bytes;
	c->n_descriptors += e->descriptors;
	o->entry = e;
}

void
cache_add(const struct cache_place *p, struct object *o, bool is_shared)
{
	struct cache_place at = *p;

	if (p->cache == NULL)
		return;
	/* What is asked about each time needs nobody who tells, and what is
	   not whole on a watched way has nobody. */
	if (is_shared || !p->spot.is_last)
		at.spot.dir = NULL;
	keep(&at, o, is_shared, false);
}

const char *
cache_path(const struct object *o)
{
	return o->entry == NULL ? NULL : o->entry->path;
}

void
cache_grew(struct cache *c, struct object *o)
{
	struct cache_entry *e = o->entry;
	size_t bytes;

	if (e == NULL)
		return;
	bytes = sizeof(*e) + MALLOC_COST + e->key.n + strlen(e->path) + 1 +
	    object_bytes(o);
	c->bytes += bytes - e->bytes;
	e->bytes = bytes;
	c->n_descriptors += object_descriptors(o) - e->descriptors;
	e->descriptors = object_descriptors(o);
	make_room(c, 0, e->descriptors > 0 && c->n_descriptors >
	    c->limits.descriptors);
}

void
cache_add_missing(const struct cache_place *p)
{
	struct cache *c = p->cache;
	struct cache_entry *e;

	if (c == NULL || p->spot.dir == NULL || c->limits.missing == 0 ||
	    p->key.n + p->path.n > MISSING_PATH_MAX || find(c, p->key) != NULL)
		return;
	e = entry_new(p, NULL);
	if (e == NULL)
		return;
	if (c->n_missing >= c->limits.missing)
		forget_oldest(c, &c->missing);
	link_entry(c, e);
	list_append(&c->missing, &e->lru);
	c->n_missing++;
}

/* Promises */

struct cache_promise *
cache_promise(const struct cache_place *p)
{
	struct cache_promise *promise;

	if (p->cache == NULL)
		return NULL;
	promise = malloc(sizeof(*promise) + p->path.n + p->key.n);
	if (promise == NULL)
		return NULL;
	*promise = (struct cache_promise){
		.cache = p->cache,
		.dir = p->spot.is_last ? p->spot.dir : NULL,
		.path_len = p->path.n,
		.key_len = p->key.n,
	};
	str_put(str_put(promise->text, p->path), p->key);
	list_init(&promise->node);
	if (promise->dir != NULL)
		list_append(&promise->dir->promises, &promise->node);
	return promise;
}

bool
cache_promise_holds(const struct cache_promise *promise)
{
	return promise->dir != NULL && !promise->is_broken;
}

void
cache_fulfil(struct cache_promise *promise, struct object *o)
{
	const char *text = promise->text;
	struct cache_place p = {
		.cache = promise->cache,
		.path = { text, promise->path_len },
		.key = { text + promise->path_len, promise->key_len },
		/* Of all the directory, none of whose entries is named "". */
		.spot = {
			.dir = promise->dir,
			.name = { text + promise->path_len, 0 },
			.is_last = true,
		},
	};

	list_remove(&promise->node);
	if (o != NULL && !promise->is_broken)
		keep(&p, o, false, true);
	free(promise);
}

void
cache_shed_listings(struct cache *c)
{
	struct list *l, *next;
	struct cache_entry *e;

	if (c == NULL)
		return;
	for (l = c->listings.next; l != &c->listings; l = next) {
		next = l->next;
		e = list_entry(l, struct cache_entry, lru);
		if (e->object->refs == 1)
			forget(c, e);
	}
}

static void
break_promises(struct watched *d)
{
	struct list *l;

	while ((l = d->promises.next) != &d->promises) {
		list_entry(l, struct cache_promise, node)->is_broken = true;
		list_remove(l);
	}
}

/* Changes */

static void
forget_name(struct cache *c, struct watched *d, struct str name)
{
	struct cache_entry *e, *next;

	for (e = *name_bucket(c, d, name); e != NULL; e = next) {
		next = e->next_by_name;
		if (e->dir == d && str_eq(e->name, name))
			forget(c, e);
	}
}

/* What is beside a file decides about it, too: site.c */
static void
forget_plain(struct cache *c, struct watched *d, struct str name)
{
	struct str suffix;

	for (unsigned i = CODING_REAL; i < CODING_COUNT; i++) {
		suffix = coding_suffix((enum coding)i);
		if (str_ends(name, suffix))
			forget_name(c, d, (struct str){ name.p,
			    name.n - suffix.n });
	}
}

static void
on_change(void *owner, struct watched *d, struct str name)
{
	struct cache *c = owner;

	break_promises(d);
	if (name.p != NULL) {
		forget_name(c, d, name);
		forget_plain(c, d, name);
		/* The listing. */
		forget_name(c, d, S(""));
		return;
	}
	while (!list_is_empty(&d->entries))
		forget(c, list_entry(d->entries.next, struct cache_entry,
		    leaf));
}

/* One for each object of the size that most have. */
static unsigned
bucket_count(const struct cache_limits *limits)
{
	unsigned n = BUCKETS_LEAST;

	while (n < BUCKETS_MOST && n < limits->bytes / 1024)
		n *= 2;
	return n;
}

int
cache_open(struct loop *l, int root, enum symlinks symlinks,
    const struct cache_limits *limits, struct cache **out_cache)
{
	struct cache *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (c == NULL)
		return err;
	c->loop = l;
	c->root = root;
	c->symlinks = symlinks;
	c->limits = *limits;
	list_init(&c->objects);
	list_init(&c->listings);
	list_init(&c->missing);
	c->n_buckets = bucket_count(limits);
	c->by_key = calloc(c->n_buckets, sizeof(*c->by_key));
	c->by_name = calloc(c->n_buckets, sizeof(*c->by_name));
	if (c->by_key == NULL || c->by_name == NULL)
		goto out;
	err = getrandom(&c->seed, sizeof(c->seed), 0) == -1 ? -errno : 0;
	if (err == 0)
		err = watcher_open(l, root, limits->directories, on_change, c,
		    &c->watcher);
out:
	if (err < 0)
		cache_close(c);
	else
		*out_cache = c;
	return err;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	while (!list_is_empty(&c->objects))
		forget_oldest(c, &c->objects);
	while (!list_is_empty(&c->listings))
		forget_oldest(c, &c->listings);
	while (!list_is_empty(&c->missing))
		forget_oldest(c, &c->missing);
	watcher_close(c->watcher);
	free(c->by_key);
	free(c->by_name);
	free(c);
}
