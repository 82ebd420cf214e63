/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CACHE_H
#define SWS_SITE_CACHE_H

/*
 * Known objects, by their path in its one canonical spelling (site.c): a
 * request spelled so is found before it is decoded.  That there is nothing
 * under a path can be known, too.
 *
 * What holds: a change that was over before a request was sent is seen by it,
 * wherever inotify(7) tells of changes in all directories from the root to the
 * file.  A file with several names, or reached through a symbolic link, can
 * change elsewhere: it is compared, by fstatat(2), at every request.  All else
 * is compared once a second, which bounds how long a change is missed that
 * nobody tells of: through memory, by a name given since, on a file system
 * that does not tell (NFS, FUSE) or that finds files by other spellings of
 * their names, where watches have run out, behind a mount.
 * What differs is looked up again, so no link leads out of the root by being
 * known; where not all links inside are followed, a look-up that obeys that
 * compares.  Without all this a hit costs no system call.  (For requests of
 * which a part was there before, "before" is to a tick of the clock.)
 */

#include "base/str.h"
#include "site/object.h"
#include "site/resolve.h"
#include "site/watcher.h"

struct cache;
struct loop;

struct cache_limits {
	size_t bytes;           /* of objects, with all that is known of them */
	unsigned descriptors;   /* of objects too large for memory */
	unsigned directories;   /* watched */
	unsigned missing;       /* paths where there is nothing; they neither
	                           take from the bytes nor push out objects */
};

/*
 * A cache for files below the directory `root`, which stays the caller's, as
 * far as links are followed there.
 * Changes are read by an urgent watch of the loop.  0 or a negative errno:
 * without inotify there is no cache.  The working directory is left and
 * returned to now and then.
 */
int cache_open(struct loop *l, int root, enum symlinks symlinks,
    const struct cache_limits *limits, struct cache **out_cache);

/* NULL is fine.  Objects in use live on until they are let go. */
void cache_close(struct cache *c);

enum cached {
	CACHE_UNKNOWN,
	CACHE_MISSING,          /* there is nothing */
	CACHE_FOUND,
};

/* What is known under this path.  The object is lent; c may be NULL. */
enum cached cache_find(struct cache *c, struct str key,
    struct object **out_object);

/* What something is to be kept under. */
struct cache_place {
	struct cache *cache;
	struct str path;        /* decoded, below the root */
	struct str key;
	struct watch_spot spot;
};

/*
 * To be called before something is looked up that may be kept: from here on
 * its directories are watched.  c may be NULL.  The place points to the
 * strings that it was given, and holds until the next call of cache_find or
 * cache_watch.
 */
struct cache_place cache_watch(struct cache *c, struct str path,
    struct str key);

/*
 * Keeps o (and takes a reference).  `is_shared` says that it has several
 * names or was reached through a link.  Without room for it nothing happens.
 */
void cache_add(const struct cache_place *p, struct object *o, bool is_shared);

/*
 * The decoded path of the file that a kept object was made from, below the
 * root; NULL for one that is not kept.
 */
const char *cache_path(const struct object *o);

/*
 * Takes notice that something was added to o, which must stay what it is for
 * who asks next: others may have to go for it, or o itself.
 */
void cache_grew(struct cache *c, struct object *o);

/*
 * The same for a listing of the directory at p->path, which is made over
 * several turns of the loop.  It stays known until something in the directory
 * changes, a second at most: what is in sub-directories, and where links lead,
 * nobody tells.  The promise is to be fulfilled; it is NULL when there is no
 * cache, or no memory.
 */
struct cache_promise *cache_promise(const struct cache_place *p);

/* Did nothing change since, as far as somebody tells? */
bool cache_promise_holds(const struct cache_promise *promise);

/* Keeps o, if the promise holds; o may be NULL.  The promise is gone. */
void cache_fulfil(struct cache_promise *promise, struct object *o);

/*
 * Forgets the listings that nobody is being sent: their memory is wanted for
 * others.  NULL is fine.
 */
void cache_shed_listings(struct cache *c);

/*
 * Keeps that a look-up found nothing (ENOENT), and no link on the way.
 */
void cache_add_missing(const struct cache_place *p);

#endif
