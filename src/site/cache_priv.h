/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CACHE_PRIV_H
#define SWS_SITE_CACHE_PRIV_H

/*
 * The cache, in files: cache_table.c holds the entries, cache.c decides which
 * there are and whether they are still true, cache_promise.c is about listings
 * that are being made.
 */

#include "base/list.h"
#include "site/cache.h"

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

/* cache_table.c */

/* Makes an empty table for c->limits.  0 or a negative errno. */
int cache_table_init(struct cache *c);

/* Forgets all entries.  Also of a table that could not be made. */
void cache_table_fini(struct cache *c);

/* The entry of this path, whatever it says; NULL: there is none. */
struct cache_entry *cache_entry_find(const struct cache *c, struct str key);

/* Frees the entry and lets go of its object. */
void cache_forget(struct cache *c, struct cache_entry *e);

/* Forgets what hangs on that name in d; on "", the listing of d. */
void cache_forget_name(struct cache *c, struct watched *d, struct str name);

/* It was asked for: others are forgotten before it. */
void cache_entry_touch(struct cache *c, struct cache_entry *e);

/* Keeps o, and takes a reference, if there is room. */
void cache_keep(const struct cache_place *p, struct object *o, bool is_shared,
    bool is_listing);

/* cache_promise.c */

/* Something in d has changed. */
void cache_break_promises(struct watched *d);

#endif
