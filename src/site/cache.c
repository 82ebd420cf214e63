/* SPDX-License-Identifier: ISC */
/*
 * What is kept, and whether it is still so: where somebody tells of changes
 * they are heard of first, elsewhere the file system is asked.
 */
#include "site/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "net/loop.h"
#include "site/cache_priv.h"
#include "site/version.h"

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

	if (c == NULL)
		return CACHE_UNKNOWN;
	watcher_catch_up(c->watcher);
	e = cache_entry_find(c, key);
	if (e == NULL)
		return CACHE_UNKNOWN;
	if (!is_current(c, e)) {
		cache_forget(c, e);
		return CACHE_UNKNOWN;
	}
	cache_entry_touch(c, e);
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
	cache_keep(&at, o, is_shared, false);
}

const char *
cache_path(const struct object *o)
{
	return o->entry == NULL ? NULL : o->entry->path;
}

/* Changes */

/* What is beside a file decides about it, too: site.c */
static void
forget_plain(struct cache *c, struct watched *d, struct str name)
{
	struct str suffix;

	for (unsigned i = CODING_REAL; i < CODING_COUNT; i++) {
		suffix = coding_suffix((enum coding)i);
		if (str_ends(name, suffix))
			cache_forget_name(c, d, (struct str){ name.p,
			    name.n - suffix.n });
	}
}

static void
on_change(void *owner, struct watched *d, struct str name)
{
	struct cache *c = owner;

	cache_break_promises(d);
	if (name.p != NULL) {
		cache_forget_name(c, d, name);
		forget_plain(c, d, name);
		/* The listing. */
		cache_forget_name(c, d, S(""));
		return;
	}
	while (!list_is_empty(&d->entries))
		cache_forget(c, list_entry(d->entries.next, struct cache_entry,
		    leaf));
}

/* The whole */

int
cache_open(struct loop *l, int root, enum symlinks symlinks,
    const struct cache_limits *limits, struct cache **out_cache)
{
	struct cache *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return -ENOMEM;
	c->loop = l;
	c->root = root;
	c->symlinks = symlinks;
	c->limits = *limits;
	err = cache_table_init(c);
	if (err == 0)
		err = watcher_open(l, root, limits->directories, on_change, c,
		    &c->watcher);
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
	/* Entries are in lists of the watcher's. */
	cache_table_fini(c);
	watcher_close(c->watcher);
	free(c);
}
