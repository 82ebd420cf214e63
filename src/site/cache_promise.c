/* SPDX-License-Identifier: ISC */
/*
 * A listing is made over several turns of the loop.  The promise that it will
 * be kept hangs on the directory meanwhile, so that a change breaks it.
 */
#include <stdlib.h>

#include "site/cache_priv.h"

/* Of a listing that is being made. */
struct cache_promise {
	struct list node;               /* in dir->promises, or alone */
	struct cache *cache;
	struct watched *dir;            /* NULL: nobody tells */
	bool is_broken;
	size_t path_len, key_len;
	char text[];                    /* the path, the key */
};

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
		cache_keep(&p, o, false, true);
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
			cache_forget(c, e);
	}
}

void
cache_break_promises(struct watched *d)
{
	struct list *l;

	while ((l = d->promises.next) != &d->promises) {
		list_entry(l, struct cache_promise, node)->is_broken = true;
		list_remove(l);
	}
}
