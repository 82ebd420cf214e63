/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_WATCHER_H
#define SWS_SITE_WATCHER_H

/*
 * Directories below the document root that inotify(7) watches, as a tree that
 * mirrors the part of the site they lie in.  Whoever knows something of an
 * entry is told when it may no longer be so.
 *
 * Links are not followed, and file systems that do not tell what other
 * machines or programs change (NFS, FUSE) are not watched.
 */

#include "base/list.h"
#include "base/str.h"

struct loop;
struct watcher;

/* A watched directory. */
struct watched {
	struct watched *parent;         /* NULL: the root */
	struct list children, sibling;
	struct list entries, promises;  /* its owner's, of what is known in it
	                                   and what will be; while there are
	                                   some it stays */
	struct watched *next, *next_by_name;    /* in their buckets */
	int wd;
	size_t name_len;
	char name[];
};

/* Where the way to a path leaves the watched directories. */
struct watch_spot {
	struct watched *dir;    /* the last of them; NULL: nobody would tell */
	struct str name;        /* the entry of it that is on the way */
	bool is_last;           /* of the segments of the path: else this
	                           entry is no directory, or missing */
};

/*
 * What this entry of d is has changed; a p of NULL: all that is in d, which
 * will be gone.  Its lists must then be left empty.
 */
typedef void watch_fn(void *owner, struct watched *d, struct str name);

/*
 * Watches up to max_dirs directories below `root`, a descriptor that stays
 * the caller's.  Changes are read by an urgent watch of the loop.  0 or a
 * negative errno.  The working directory is left and returned to now and then.
 */
int watcher_open(struct loop *l, int root, unsigned max_dirs, watch_fn *fn,
    void *owner, struct watcher **out_watcher);

/* Tells of everything first.  NULL is fine. */
void watcher_close(struct watcher *w);

/*
 * Watches the directories on the way to a decoded path.  The spot holds until
 * the next call, and its name points into `path`.
 */
struct watch_spot watcher_reach(struct watcher *w, struct str path);

/*
 * Changes are read first in each turn of the loop.  In a long turn a request
 * may be received that is younger than that: this reads those up to now.
 */
void watcher_catch_up(struct watcher *w);

#endif
