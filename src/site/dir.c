/* SPDX-License-Identifier: ISC */
/*
 * Answers with listings: known ones are answered before this is called.
 * What a slice of time suffices for is made at once.
 */
#include "site/dir.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/loop.h"
#include "site/freshness.h"
#include "site/listing.h"
#include "site/variant.h"

#define PAUSE_MS 1              /* between slices: others go first */

/* What a listing is to become. */
struct shown {
	const struct site *site;
	struct listings *listings;      /* where it is counted; may be NULL */
	struct str cache_control;       /* the configuration's */
	bool has_etag;
};

/* A listing that is being made, and those who wait for it. */
struct making {
	struct list node;               /* in the site's listings */
	struct list waiters;
	struct listing *listing;
	struct shown shown;
	struct loop *loop;
	struct timer timer;             /* its next slice */
	struct cache_promise *promise;  /* NULL: not to be kept, nor shared */
	size_t key_len;
	char key[];
};

/* One exchange's; in its arena. */
struct waiter {
	struct list node;
	struct making *making;          /* NULL: the answer is given */
	struct exchange *x;
	const struct handler *outer;    /* whose exchange it is; may be NULL */
	void *outer_state;
};

/* Ends a listing that is done: 0 or a negative errno. */
static int
make_object(struct listing *l, const struct shown *shown,
    struct object **out_object)
{
	struct listings *listings = shown->listings;
	size_t counted;
	struct str page = listing_take(l, &counted);
	struct object *o;
	int err;

	err = object_of_page(page, S("text/html; charset=utf-8"),
	    shown->cache_control, shown->has_etag,
	    shown->site->compress_max > 0, &o);
	if (err < 0) {
		if (listings != NULL)
			listings->left_bytes += counted;
		return err;
	}
	if (listings != NULL) {
		o->budget = &listings->left_bytes;
		o->counted = counted;
	}
	*out_object = o;
	return 0;
}

static void
answer(const struct site *s, struct exchange *x, struct object *o, int err)
{
	if (o != NULL)
		variant_answer(s, x, o);
	else
		exchange_refuse(x, reason_of_errno(-err));
}

/*
 * The end of a listing, done or not (err): the object that it has become, or
 * NULL.
 */
static struct object *
end_listing(struct listing *l, const struct shown *shown,
    struct cache_promise *promise, int *err)
{
	struct object *o = NULL;

	if (*err >= 0)
		*err = make_object(l, shown, &o);
	if (promise != NULL)
		cache_fulfil(promise, o);
	listing_free(l);
	return o;
}

/* Waiting */

static void
making_free(struct making *m)
{
	loop_timer_stop(m->loop, &m->timer);
	list_remove(&m->node);
	free(m);
}

/* Nobody waits any more. */
static void
give_up(struct making *m)
{
	int err = -ECANCELED;

	end_listing(m->listing, &m->shown, m->promise, &err);
	making_free(m);
}

static void
waiter_content(struct exchange *x, struct str bytes)
{
	(void)x;
	(void)bytes;
}

static void
waiter_content_end(struct exchange *x)
{
	(void)x;
}

static void
waiter_end(struct exchange *x)
{
	struct waiter *w = x->handler_state;

	list_remove(&w->node);
	if (w->making != NULL && list_is_empty(&w->making->waiters))
		give_up(w->making);
	x->handler_state = w->outer_state;
	if (w->outer != NULL)
		w->outer->close(x);
}

static const struct handler waiter_handler = {
	.content = waiter_content,
	.content_end = waiter_content_end,
	.close = waiter_end,
};

static void
begin_waiting(struct making *m, struct waiter *w)
{
	struct exchange *x = w->x;

	w->making = m;
	w->outer = x->handler;
	w->outer_state = x->handler_state;
	list_append(&m->waiters, &w->node);
	x->is_pending = true;
	x->handler = &waiter_handler;
	x->handler_state = w;
}

static void
deliver(struct making *m, struct object *o, int err)
{
	const struct site *site = m->shown.site;
	struct list all;
	struct waiter *w;

	/* Who is answered may ask again, or leave: the list is taken first. */
	list_init(&all);
	while (!list_is_empty(&m->waiters)) {
		w = list_entry(m->waiters.next, struct waiter, node);
		list_remove(&w->node);
		list_append(&all, &w->node);
		w->making = NULL;
	}
	making_free(m);
	while (!list_is_empty(&all)) {
		w = list_entry(all.next, struct waiter, node);
		list_remove(&w->node);
		answer(site, w->x, o, err);
		w->x->is_pending = false;
		exchange_wake(w->x);
	}
	if (o != NULL)
		object_unref(o);
}

static void
on_turn(struct timer *t)
{
	struct making *m = list_entry(t, struct making, timer);
	struct object *o;
	int r;

	r = listing_go_on(m->listing);
	if (r == 0)
		r = loop_timer_start(m->loop, t, PAUSE_MS);
	if (r == 0)
		return;
	o = end_listing(m->listing, &m->shown, m->promise, &r);
	deliver(m, o, r);
}

/* One that is being made, and will be as if it was begun now. */
static struct making *
find_making(struct listings *listings, const struct dir *d)
{
	struct making *m;

	if (listings == NULL || d->place == NULL)
		return NULL;
	for (struct list *l = listings->makings.next; l != &listings->makings;
	    l = l->next) {
		m = list_entry(l, struct making, node);
		if (m->promise != NULL && cache_promise_holds(m->promise) &&
		    str_eq((struct str){ m->key, m->key_len }, d->place->key))
			return m;
	}
	return NULL;
}

/* Takes over the listing and the promise.  NULL without memory. */
static struct making *
making_new(const struct site *s, struct listing *l, const struct shown *shown,
    struct cache_promise *promise, struct str key)
{
	struct making *m = malloc(sizeof(*m) + key.n);

	if (m == NULL)
		return NULL;
	*m = (struct making){
		.listing = l,
		.shown = *shown,
		.loop = s->loop,
		.timer.fn = on_turn,
		.promise = promise,
		.key_len = key.n,
	};
	if (key.n > 0)
		memcpy(m->key, key.p, key.n);
	list_init(&m->node);
	list_init(&m->waiters);
	if (loop_timer_start(s->loop, &m->timer, PAUSE_MS) < 0) {
		free(m);
		return NULL;
	}
	if (s->listings != NULL)
		list_append(&s->listings->makings, &m->node);
	return m;
}

static struct waiter *
waiter_new(struct exchange *x)
{
	struct waiter *w = arena_alloc(&x->arena, sizeof(*w));

	if (w == NULL || exchange_retain(x) < 0)
		return NULL;
	*w = (struct waiter){ .x = x };
	list_init(&w->node);
	return w;
}

static void
answer_later(const struct site *s, struct exchange *x, struct listing *l,
    const struct shown *shown, struct cache_promise *promise, struct str key)
{
	struct waiter *w = waiter_new(x);
	struct making *m = NULL;
	int err = -ENOMEM;

	if (w != NULL)
		m = making_new(s, l, shown, promise, key);
	if (m != NULL) {
		begin_waiting(m, w);
		return;
	}
	end_listing(l, shown, promise, &err);
	exchange_refuse(x, REASON_MEMORY);
}

/*
 * Known listings count as long as they are known, which may be until the next
 * request for them: when much is taken, they give way.
 */
static void
make_room(const struct site *s)
{
	const struct listings *listings = s->listings;

	if (listings != NULL && listings->left_bytes < listings->bytes / 2)
		cache_shed_listings(s->cache);
}

/* Makes a new one. */
static void
list_dir(const struct site *s, struct exchange *x, const struct dir *d)
{
	struct listing_of of = {
		.root = d->root,
		.above = d->above,
		.path = d->path,
		.shows_hidden = s->shows_hidden,
		.symlinks = s->symlinks,
		.budget = s->listings != NULL ? &s->listings->left_bytes :
		    NULL,
	};
	struct shown shown = {
		.site = s,
		.listings = s->listings,
		.cache_control = freshness_of(s->freshness, d->path),
		.has_etag = s->etag != ETAG_NONE,
	};
	struct cache_promise *promise = NULL;
	struct listing *l;
	struct object *o;
	int r;

	make_room(s);
	r = listing_begin(d->fd, &of, &l);
	if (r < 0) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	if (d->place != NULL)
		promise = cache_promise(d->place);
	do
		r = listing_go_on(l);
	while (r == 0 && s->loop == NULL);
	if (r == 0) {
		answer_later(s, x, l, &shown, promise,
		    d->place != NULL ? d->place->key : S(""));
		return;
	}
	o = end_listing(l, &shown, promise, &r);
	answer(s, x, o, r);
	if (o != NULL)
		object_unref(o);
}

void
dir_answer(const struct site *s, struct exchange *x, const struct dir *d)
{
	struct making *m = find_making(s->listings, d);
	struct waiter *w = m != NULL ? waiter_new(x) : NULL;

	if (m == NULL) {
		list_dir(s, x, d);
		return;
	}
	close(d->fd);
	if (w != NULL)
		begin_waiting(m, w);
	else
		exchange_refuse(x, REASON_MEMORY);
}
