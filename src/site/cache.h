/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CACHE_H
#define SWS_SITE_CACHE_H

/*
 * Known objects, by their path in its one canonical spelling (site.c): a
 * request spelled so is found before it is decoded.  An object is known as long
 * as inotify(7) reports no change in any directory between the root and the
 * file.  For what goes past inotify (a second name that the file was given, a
 * mapping) the file is looked at again once a second; else a hit costs no
 * system call.
 *
 * Only what can be watched is kept: no file reached through a symbolic link or
 * with several names, nothing on a file system that does not tell (NFS, FUSE).
 */

#include "base/str.h"
#include "site/object.h"

struct cache;
struct loop;

struct cache_limits {
	size_t bytes;           /* of content in memory */
	unsigned objects;
	unsigned descriptors;   /* of objects too large for memory */
	unsigned directories;   /* watched */
};

/*
 * A cache for files below the directory `root`, which stays the caller's.
 * Changes are read by an urgent watch of the loop.  0 or a negative errno:
 * without inotify there is no cache.  The working directory is left and
 * returned to now and then.
 */
int cache_open(struct loop *l, int root, const struct cache_limits *limits,
    struct cache **out_cache);

/* NULL is fine.  Objects in use live on until they are let go. */
void cache_close(struct cache *c);

/* The object under this path, or NULL; c may be NULL.  Lent. */
struct object *cache_find(struct cache *c, struct str key);

/*
 * To be called before a file is opened that cache_add may be given: from here
 * on its directories are watched.  `path` is decoded; c may be NULL.  A NULL
 * ticket says that this path cannot be watched.  It holds until the next call
 * of cache_find or cache_watch.
 */
struct cache_dir *cache_watch(struct cache *c, struct str path);

/*
 * Keeps o (and takes a reference) under `key`.  `dir` is the
 * ticket of cache_watch for `path`.  Without room for it nothing happens.
 */
void cache_add(struct cache *c, struct cache_dir *dir, struct str path,
    struct str key, struct object *o);

#endif
