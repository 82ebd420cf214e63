/* SPDX-License-Identifier: ISC */
/*
 * A hash table of entries by path, and another by the directory entry that
 * decides whether they still hold.  Objects are bounded by the memory they
 * take, missing files by their number: whoever asks for names at random moves
 * only those.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "net/loop.h"
#include "site/cache_priv.h"

#define MISSING_PATH_MAX ((size_t)512)  /* longer ones are looked up */
#define BUCKETS_LEAST 1024u
#define BUCKETS_MOST (1u << 20)

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

struct cache_entry *
cache_entry_find(const struct cache *c, struct str key)
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

void
cache_forget(struct cache *c, struct cache_entry *e)
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
	cache_forget(c, list_entry(lru->next, struct cache_entry, lru));
}

void
cache_forget_name(struct cache *c, struct watched *d, struct str name)
{
	struct cache_entry *e, *next;

	for (e = *name_bucket(c, d, name); e != NULL; e = next) {
		next = e->next_by_name;
		if (e->dir == d && str_eq(e->name, name))
			cache_forget(c, e);
	}
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

void
cache_entry_touch(struct cache *c, struct cache_entry *e)
{
	struct list *lru = lru_of(c, e);

	if (lru->prev != &e->lru) {
		list_remove(&e->lru);
		list_append(lru, &e->lru);
	}
}

/* Keeping */

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
void
cache_keep(const struct cache_place *p, struct object *o, bool is_shared,
    bool is_listing)
{
	struct cache *c = p->cache;
	struct cache_entry *e;
	size_t bytes = object_bytes(o);

	if (cache_entry_find(c, p->key) != NULL || bytes > c->limits.bytes / 4)
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
	    p->key.n + p->path.n > MISSING_PATH_MAX ||
	    cache_entry_find(c, p->key) != NULL)
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

/* The whole */

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
cache_table_init(struct cache *c)
{
	list_init(&c->objects);
	list_init(&c->listings);
	list_init(&c->missing);
	c->n_buckets = bucket_count(&c->limits);
	c->by_key = calloc(c->n_buckets, sizeof(*c->by_key));
	c->by_name = calloc(c->n_buckets, sizeof(*c->by_name));
	if (c->by_key == NULL || c->by_name == NULL)
		return -ENOMEM;
	return getrandom(&c->seed, sizeof(c->seed), 0) == -1 ? -errno : 0;
}

void
cache_table_fini(struct cache *c)
{
	while (!list_is_empty(&c->objects))
		forget_oldest(c, &c->objects);
	while (!list_is_empty(&c->listings))
		forget_oldest(c, &c->listings);
	while (!list_is_empty(&c->missing))
		forget_oldest(c, &c->missing);
	free(c->by_key);
	free(c->by_name);
}
