/* SPDX-License-Identifier: ISC */
/*
 * The loop over one poller.  Its table, indexed by descriptor, is what makes
 * events safe: the poller reports numbers, and the table knows whom a number
 * belongs to and since which turn.
 */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/completion_priv.h"
#include "net/engine.h"
#include "net/fdtable_priv.h"
#include "net/poller_priv.h"
#include "net/pollset_priv.h"

#define EVENTS 256
#define URGENT_MAX 8
/* Watches that are taken to be ready without being asked about, in a turn. */
#define READY_MAX 256

struct slot {
	struct watch *watch;    /* NULL: not watched */
	unsigned since;         /* the turn in which it was added */
	bool is_ready;          /* it stands in loop.ready, and the poller does
	                           not know it yet */
};

struct loop {
	const struct poller_ops *ops;
	void *poller;
	struct slot *slots;
	size_t n_slots;
	struct timers timers;
	int64_t now_ms;
	unsigned turn;
	unsigned n_urgent, n_ready;
	int urgent[URGENT_MAX]; /* descriptors */
	bool is_stopped;
	int ready[READY_MAX];   /* descriptors, for the next turn */
	struct poller_event events[EVENTS];
	char scratch[LOOP_SCRATCH];
};

int
loop_open(const char *engine, struct loop **out_loop)
{
	const struct engine *e;
	struct loop *l;
	unsigned argument;
	int err;

	e = engine_find(engine, &argument);
	if (e == NULL)
		return -EINVAL;
	if (engine_lacks(e) != NULL)
		return -EOPNOTSUPP;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->ops = e->poller;
	err = l->ops->open(argument, &l->poller);
	if (err < 0) {
		free(l);
		return err;
	}
	timers_init(&l->timers);
	l->now_ms = clock_mono_ms();
	*out_loop = l;
	return 0;
}

void
loop_close(struct loop *l)
{
	l->ops->close(l->poller);
	timers_fini(&l->timers);
	free(l->slots);
	free(l);
}

int
loop_add(struct loop *l, struct watch *w)
{
	struct slot *slots;
	int err = 0;

	slots = fdtable_reach(l->slots, &l->n_slots, sizeof(*slots), w->fd);
	if (slots == NULL)
		return -ENOMEM;
	l->slots = slots;
	if (w->wanted != 0)
		err = l->ops->set(l->poller, w->fd, 0, w->wanted);
	if (err < 0)
		return err;
	l->slots[w->fd] = (struct slot){ .watch = w, .since = l->turn };
	if (w->is_urgent) {
		assert(l->n_urgent < URGENT_MAX);
		l->urgent[l->n_urgent++] = w->fd;
	}
	return 0;
}

int
loop_add_ready(struct loop *l, struct watch *w)
{
	unsigned char wanted = w->wanted;
	int err;

	if (!l->ops->is_in_kernel || l->n_ready == READY_MAX)
		return loop_add(l, w);
	w->wanted = 0;
	err = loop_add(l, w);
	w->wanted = wanted;
	if (err < 0)
		return err;
	l->slots[w->fd].is_ready = true;
	l->ready[l->n_ready++] = w->fd;
	return 0;
}

int
loop_want(struct loop *l, struct watch *w, unsigned wanted)
{
	int err = 0;

	if (w->wanted == wanted)
		return 0;
	if (!l->slots[w->fd].is_ready)
		err = l->ops->set(l->poller, w->fd, w->wanted, wanted);
	if (err == 0)
		w->wanted = (unsigned char)wanted;
	return err;
}

void
loop_remove(struct loop *l, struct watch *w)
{
	loop_want(l, w, 0);
	l->slots[w->fd] = (struct slot){ .watch = NULL };
	for (unsigned i = 0; w->is_urgent && i < l->n_urgent; i++)
		if (l->urgent[i] == w->fd)
			l->urgent[i] = l->urgent[--l->n_urgent];
}

void
loop_forget(struct loop *l, struct watch *w)
{
	if (l->ops->is_in_kernel)
		w->wanted = 0;
	loop_remove(l, w);
}

int
loop_timer_start(struct loop *l, struct timer *t, int64_t after_ms)
{
	return timers_start(&l->timers, t, l->now_ms + after_ms);
}

void
loop_timer_stop(struct loop *l, struct timer *t)
{
	timers_stop(&l->timers, t);
}

const struct completion_ops *
loop_completion(const struct loop *l, void **out_state)
{
	*out_state = l->poller;
	return l->ops->completion;
}

int64_t
loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

char *
loop_scratch(struct loop *l)
{
	return l->scratch;
}

static void
dispatch(struct loop *l, const struct poller_event *e, bool urgent)
{
	const struct slot *s = &l->slots[e->fd];
	struct watch *w = s->watch;

	if (w == NULL || s->since == l->turn || w->is_urgent != urgent)
		return;
	/* Earlier callbacks of this turn may have changed what is wanted. */
	if (e->ready & w->wanted)
		w->fn(w, e->ready & w->wanted);
}

/*
 * Most pollers look at one descriptor after the other, so they may find
 * somebody ready and have missed what was urgent and came before.  Who is
 * urgent is asked when they are through.
 */
static void
ask_urgent(struct loop *l)
{
	struct pollfd asked[URGENT_MAX];
	unsigned n = l->n_urgent;

	for (unsigned i = 0; i < n; i++)
		asked[i] = (struct pollfd){
			.fd = l->urgent[i],
			.events = POLLIN | POLLOUT,
		};
	if (n == 0 || poll(asked, n, 0) <= 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		struct poller_event e = {
			.fd = asked[i].fd,
			.ready = pollset_ready(asked[i].revents),
		};

		dispatch(l, &e, true);
	}
}

/* Returns 0, or a negative errno when the poller cannot take over. */
static int
try_ready(struct loop *l, int fd)
{
	struct watch *w = l->slots[fd].watch;
	int err = 0;

	/* Whoever was removed is not; a number may stand in the list twice. */
	if (!l->slots[fd].is_ready)
		return 0;
	if (w->wanted != 0)
		w->fn(w, w->wanted);
	if (l->slots[fd].watch != w)
		return 0;
	if (w->wanted != 0)
		err = l->ops->set(l->poller, fd, 0, w->wanted);
	l->slots[fd].is_ready = err < 0;
	return err;
}

/* Those that were added before this turn; new ones wait for the next. */
static void
dispatch_ready(struct loop *l, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		int fd = l->ready[i];

		/* The kernel is out of memory: it is tried each turn, then. */
		if (try_ready(l, fd) < 0)
			l->ready[kept++] = fd;
	}
	l->n_ready -= n - kept;
	memmove(l->ready + kept, l->ready + n,
	    (l->n_ready - kept) * sizeof(l->ready[0]));
}

static int
turn(struct loop *l)
{
	unsigned n_ready = l->n_ready;
	int n;

	n = l->ops->wait(l->poller, n_ready > 0 ? 0 :
	    timers_wait_ms(&l->timers, l->now_ms), l->events, EVENTS);
	if (n < 0)
		return n;
	l->turn++;
	l->now_ms = clock_mono_ms();
	if (n > 0 && !l->ops->keeps_order)
		ask_urgent(l);
	for (int i = 0; l->n_urgent > 0 && l->ops->keeps_order && i < n; i++)
		dispatch(l, &l->events[i], true);
	dispatch_ready(l, n_ready);
	for (int i = 0; i < n; i++)
		dispatch(l, &l->events[i], false);
	if (l->ops->completion != NULL)
		l->ops->completion->deliver(l->poller);
	timers_run(&l->timers, l->now_ms);
	return 0;
}

int
loop_run(struct loop *l)
{
	int err = 0;

	while (!l->is_stopped && err == 0)
		err = turn(l);
	l->is_stopped = false;
	return err;
}

void
loop_stop(struct loop *l)
{
	l->is_stopped = true;
}
