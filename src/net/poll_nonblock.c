/* SPDX-License-Identifier: ISC */
/*
 * Asking each descriptor in turn, without waiting, then sleeping: what one
 * does before one knows better.  An answer comes late by a nap at the most.
 * The nap grows from a millisecond to a bound while nothing happens, and is
 * left out as soon as something did.  The loop's urgent watches cut no nap
 * short; a signal does.
 */
#include <errno.h>
#include <stdlib.h>

#include "net/pollset_priv.h"

struct nonblock_state {
	struct pollset set;
	int nap_ms, nap_max_ms;
};

static int
nb_open(unsigned argument, void **out_state)
{
	struct nonblock_state *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->nap_max_ms = (int)argument;
	*out_state = s;
	return 0;
}

static int
nb_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct nonblock_state *s = state;

	(void)old;
	return pollset_put(&s->set, fd, wanted);
}

static void
sleep_a_while(struct nonblock_state *s, int timeout_ms)
{
	int ms = s->nap_ms;

	if (timeout_ms >= 0 && timeout_ms < ms)
		ms = timeout_ms;
	if (ms > 0)
		poll(NULL, 0, ms);
}

/* One system call for each: how many are ready? */
static int
scan(struct pollset *set)
{
	int ready = 0;

	for (nfds_t i = 0; i < set->n; i++) {
		struct pollfd *p = &set->fds[i];

		if (poll(p, 1, 0) == 1)
			ready++;
		else
			p->revents = 0;
	}
	return ready;
}

static int
longer(const struct nonblock_state *s)
{
	if (s->nap_ms == 0)
		return 1;
	return s->nap_ms < s->nap_max_ms / 2 ? 2 * s->nap_ms : s->nap_max_ms;
}

static int
nb_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct nonblock_state *s = state;
	int ready;

	sleep_a_while(s, timeout_ms);
	ready = scan(&s->set);
	s->nap_ms = ready > 0 ? 0 : longer(s);
	return pollset_events(&s->set, ready, events, max);
}

static void
nb_close(void *state)
{
	struct nonblock_state *s = state;

	pollset_fini(&s->set);
	free(s);
}

const struct poller_ops poller_nonblock = {
	.open = nb_open,
	.set = nb_set,
	.wait = nb_wait,
	.close = nb_close,
};
