/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_NET_ENGINES_H
#define SWS_TESTS_UNIT_NET_ENGINES_H

/*
 * Tests that are run once for each engine, with a loop of its own.  A test's
 * name ends in the engine's.  What should end with loop_stop and does not is
 * ended, and failed, after a while.
 */

#include <stdlib.h>

#include "base/list.h"
#include "net/loop.h"

#include "../cases.h"

#define PATIENCE_MS 5000
#define QUIET_MS 20     /* nothing more is to come, it seems */

#define ENGINES(X) X(epoll) X(poll) X(pselect) X(select)

#define X(engine) static char name_##engine[] = #engine;
ENGINES(X)
#undef X

struct engine {
	const char *name;
	struct loop *loop;
	struct timer patience, end;
	int more_turns;
};

static inline void
on_no_patience(struct timer *t)
{
	(void)t;
	fail_msg("the loop was not stopped for %d ms", PATIENCE_MS);
}

/* What is cmocka's state before is the engine's name. */
static inline int
engine_open(void **state)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -1;
	e->name = *state;
	e->patience.fn = on_no_patience;
	*state = e;
	return loop_open(e->name, &e->loop);
}

static inline int
engine_close(void **state)
{
	struct engine *e = *state;

	loop_close(e->loop);
	free(e);
	return 0;
}

/* Until loop_stop, but not for ever. */
static inline void
engine_run(struct engine *e)
{
	assert_int_equal(loop_timer_start(e->loop, &e->patience, PATIENCE_MS),
	    0);
	assert_int_equal(loop_run(e->loop), 0);
	loop_timer_stop(e->loop, &e->patience);
}

static inline void
on_end(struct timer *t)
{
	struct engine *e = list_entry(t, struct engine, end);

	if (e->more_turns-- == 0)
		loop_stop(e->loop);
	else if (loop_timer_start(e->loop, t, 1) < 0)
		fail();
}

/*
 * For so long, and some turns more: on a busy machine much may be due in one
 * turn, and what it leads to comes in the next.
 */
static inline void
engine_run_for(struct engine *e, int64_t ms)
{
	e->end.fn = on_end;
	e->more_turns = 4;
	assert_int_equal(loop_timer_start(e->loop, &e->end, ms), 0);
	engine_run(e);
}

/* `begin` calls engine_open, or is it. */
#define ON_ENGINE(test, begin, engine) \
	{ #test "_" #engine, test, begin, engine_close, name_##engine }
#define ON_EACH_ENGINE(test, begin) \
	ON_ENGINE(test, begin, epoll), ON_ENGINE(test, begin, poll), \
	ON_ENGINE(test, begin, pselect), ON_ENGINE(test, begin, select)

#endif
