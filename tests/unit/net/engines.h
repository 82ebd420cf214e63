/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_NET_ENGINES_H
#define SWS_TESTS_UNIT_NET_ENGINES_H

/*
 * Tests that are run once for each engine that serves many connections in one
 * process and can be used here, with a loop of its own.  A test's name ends in
 * the engine's.  What should end with loop_stop and does not is ended, and
 * failed, after a while.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "net/engine.h"
#include "net/loop.h"

#include "../cases.h"

#define PATIENCE_MS 60000
#define QUIET_MS 20     /* nothing more is to come, it seems */

struct rig {
	const char *name;       /* the engine's */
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

/* What is cmocka's state before is the engine. */
static inline int
engine_open(void **state)
{
	const struct engine *engine = *state;
	struct rig *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -1;
	e->name = engine->name;
	e->patience.fn = on_no_patience;
	*state = e;
	return loop_open(e->name, &e->loop);
}

static inline int
engine_close(void **state)
{
	struct rig *e = *state;

	loop_close(e->loop);
	free(e);
	return 0;
}

/* Until loop_stop, but not for ever. */
static inline void
engine_run(struct rig *e)
{
	assert_int_equal(loop_timer_start(e->loop, &e->patience, PATIENCE_MS),
	    0);
	assert_int_equal(loop_run(e->loop), 0);
	loop_timer_stop(e->loop, &e->patience);
}

static inline void
on_end(struct timer *t)
{
	struct rig *e = list_entry(t, struct rig, end);

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
engine_run_for(struct rig *e, int64_t ms)
{
	e->end.fn = on_end;
	e->more_turns = 4;
	assert_int_equal(loop_timer_start(e->loop, &e->end, ms), 0);
	engine_run(e);
}

/*
 * Until the sentence is true: for what the kernel brings in its own time, as
 * all that comes over TCP.
 */
#define ENGINE_RUN_UNTIL(e, is_so) \
	do { \
		int64_t end_ms = clock_mono_ms() + PATIENCE_MS; \
		while (!(is_so) && clock_mono_ms() < end_ms) \
			engine_run_for(e, 1); \
		assert_true(is_so); \
	} while (0)

/* `begin` calls engine_open, or is it. */
#define ON_EACH_ENGINE(test, begin) \
	cmocka_unit_test_setup_teardown(test, begin, engine_close)

/* cmocka does not change its tests' states, but takes no const. */
static inline void *
engine_state(const struct engine *engine)
{
	union {
		const struct engine *in;
		void *out;
	} u = { .in = engine };

	return u.out;
}

/* "test_level" and "epoll-et" make "test_level_epoll_et". */
static inline char *
engine_test_name(const char *test, const struct engine *engine)
{
	char *name;

	if (asprintf(&name, "%s_%s", test, engine->name) == -1)
		abort();
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '-' ? '_' : *p;
	return name;
}

static inline bool
is_for_engines(const struct engine *engine)
{
	return engine->policy == ENGINE_MANY && engine_lacks(engine) == NULL;
}

/* Runs n tests of ON_EACH_ENGINE; returns how many failed. */
static inline int
run_on_engines(const struct CMUnitTest *tests, size_t n)
{
	const struct engine *engine;
	struct CMUnitTest *all = NULL;
	size_t n_all = 0;
	int failed;

	for (size_t i = 0; (engine = engine_at(i)) != NULL; i++) {
		if (!is_for_engines(engine))
			continue;
		all = realloc(all, (n_all + n) * sizeof(*all));
		if (all == NULL)
			abort();
		for (size_t k = 0; k < n; k++, n_all++) {
			all[n_all] = tests[k];
			all[n_all].name =
			    engine_test_name(tests[k].name, engine);
			all[n_all].initial_state = engine_state(engine);
		}
	}
	failed = _cmocka_run_group_tests("tests", all, n_all, NULL, NULL);
	for (size_t i = 0; i < n_all; i++)
		free((char *)(uintptr_t)all[i].name);
	free(all);
	return failed;
}

#endif
