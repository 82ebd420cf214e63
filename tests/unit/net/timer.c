/* SPDX-License-Identifier: ISC */

/* Deadlines against a clock that only the test moves. */

#include "net/timer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

#include "../cases.h"

/* A timer that notes when it was called, and may do something then. */
struct alarm {
	struct timer timer;
	unsigned calls;
	unsigned rank;          /* it was called as the how-manyth */
	void (*act)(struct alarm *a);
	struct alarm *other;
};

/* Of one test. */
static struct timers timers;
static unsigned rung;

static void
ring(struct timer *t)
{
	struct alarm *a = list_entry(t, struct alarm, timer);

	a->calls++;
	a->rank = ++rung;
	if (a->act != NULL)
		a->act(a);
}

static void
set(struct alarm *a, int64_t deadline_ms)
{
	a->timer.fn = ring;
	assert_int_equal(timers_start(&timers, &a->timer, deadline_ms), 0);
}

static int
begin(void **state)
{
	(void)state;
	timers_init(&timers);
	rung = 0;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	timers_fini(&timers);
	return 0;
}

static void
test_none(void **state)
{
	struct alarm a = { .calls = 0 };

	(void)state;
	assert_int_equal(timers_wait_ms(&timers, 0), -1);
	timers_run(&timers, INT64_MAX);
	timers_stop(&timers, &a.timer);
	assert_int_equal(timers_wait_ms(&timers, 0), -1);
}

static void
test_wait(void **state)
{
	struct alarm a = { .calls = 0 }, b = { .calls = 0 };

	(void)state;
	set(&a, 100);
	assert_int_equal(timers_wait_ms(&timers, 0), 100);
	assert_int_equal(timers_wait_ms(&timers, 99), 1);
	assert_int_equal(timers_wait_ms(&timers, 100), 0);
	assert_int_equal(timers_wait_ms(&timers, 101), 0);
	set(&b, 50);
	assert_int_equal(timers_wait_ms(&timers, 0), 50);
	timers_stop(&timers, &b.timer);
	assert_int_equal(timers_wait_ms(&timers, 0), 100);
	set(&b, INT64_MAX);
	timers_stop(&timers, &a.timer);
	assert_int_equal(timers_wait_ms(&timers, 0), INT_MAX);
}

static void
test_due(void **state)
{
	struct alarm a = { .calls = 0 };

	(void)state;
	set(&a, 100);
	timers_run(&timers, 99);
	assert_int_equal(a.calls, 0);
	timers_run(&timers, 100);
	assert_int_equal(a.calls, 1);
	timers_run(&timers, 1000);
	assert_int_equal(a.calls, 1);
	assert_int_equal(timers_wait_ms(&timers, 1000), -1);
}

static void
test_order(void **state)
{
	static const int deadlines[] = { 50, 20, 80, 10, 70, 30, 60, 40 };
	struct alarm alarms[COUNT(deadlines)];

	(void)state;
	memset(alarms, 0, sizeof(alarms));
	for (size_t i = 0; i < COUNT(deadlines); i++)
		set(&alarms[i], deadlines[i]);
	timers_run(&timers, 40);
	assert_int_equal(rung, 4);
	timers_run(&timers, 1000);
	for (size_t i = 0; i < COUNT(deadlines); i++)
		assert_int_equal(10 * alarms[i].rank, deadlines[i]);
}

static void
test_moved_later(void **state)
{
	struct alarm a = { .calls = 0 }, b = { .calls = 0 };

	(void)state;
	set(&a, 10);
	set(&b, 20);
	set(&a, 30);
	timers_run(&timers, 10);
	assert_int_equal(rung, 0);
	timers_run(&timers, 29);
	assert_int_equal(b.calls, 1);
	assert_int_equal(a.calls, 0);
	timers_run(&timers, 30);
	assert_int_equal(a.calls, 1);
}

static void
test_moved_earlier(void **state)
{
	struct alarm a = { .calls = 0 }, b = { .calls = 0 };

	(void)state;
	set(&a, 20);
	set(&b, 30);
	set(&b, 10);
	assert_int_equal(timers_wait_ms(&timers, 0), 10);
	timers_run(&timers, 10);
	assert_int_equal(b.calls, 1);
	assert_int_equal(a.calls, 0);
}

/* Later, and then not quite so late. */
static void
test_moved_to_and_fro(void **state)
{
	struct alarm a = { .calls = 0 };

	(void)state;
	set(&a, 10);
	set(&a, 50);
	set(&a, 30);
	timers_run(&timers, 29);
	assert_int_equal(a.calls, 0);
	set(&a, 40);
	timers_run(&timers, 39);
	assert_int_equal(a.calls, 0);
	set(&a, 5);
	assert_int_equal(timers_wait_ms(&timers, 0), 5);
	timers_run(&timers, 40);
	timers_run(&timers, 100);
	assert_int_equal(a.calls, 1);
}

/* Who is late is late in order, wherever it stood before. */
static void
test_moved_and_late(void **state)
{
	struct alarm a = { .calls = 0 }, b = { .calls = 0 };

	(void)state;
	set(&a, 10);
	set(&b, 20);
	set(&a, 30);
	timers_run(&timers, 1000);
	assert_int_equal(b.rank, 1);
	assert_int_equal(a.rank, 2);
}

static void
test_stopped(void **state)
{
	struct alarm a = { .calls = 0 }, b = { .calls = 0 };

	(void)state;
	set(&a, 10);
	set(&b, 10);
	timers_stop(&timers, &a.timer);
	timers_stop(&timers, &a.timer);
	timers_run(&timers, 10);
	assert_int_equal(a.calls, 0);
	assert_int_equal(b.calls, 1);
	timers_stop(&timers, &b.timer);
	set(&a, 20);
	timers_run(&timers, 20);
	assert_int_equal(a.calls, 1);
}

static void
stop_other(struct alarm *a)
{
	timers_stop(&timers, &a->other->timer);
}

static void
test_stopped_by_another(void **state)
{
	struct alarm b = { .calls = 0 };
	struct alarm a = { .act = stop_other, .other = &b };

	(void)state;
	set(&a, 10);
	set(&b, 11);
	timers_run(&timers, 100);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0);
}

static void
start_other(struct alarm *a)
{
	set(a->other, 50);
}

static void
test_started_by_another(void **state)
{
	struct alarm b = { .calls = 0 };
	struct alarm a = { .act = start_other, .other = &b };

	(void)state;
	set(&a, 10);
	timers_run(&timers, 10);
	assert_int_equal(b.calls, 0);
	timers_run(&timers, 50);
	assert_int_equal(b.calls, 1);
}

static void
restart(struct alarm *a)
{
	set(a, a->timer.deadline_ms + 10);
}

static void
test_restarted_by_itself(void **state)
{
	struct alarm a = { .act = restart };

	(void)state;
	set(&a, 10);
	for (int64_t now_ms = 0; now_ms < 100; now_ms++)
		timers_run(&timers, now_ms);
	assert_int_equal(a.calls, 9);
	timers_stop(&timers, &a.timer);
}

static void
stop_itself(struct alarm *a)
{
	timers_stop(&timers, &a->timer);
}

static void
test_stopped_by_itself(void **state)
{
	struct alarm a = { .act = stop_itself }, b = { .calls = 0 };

	(void)state;
	set(&a, 10);
	set(&b, 10);
	timers_run(&timers, 10);
	timers_run(&timers, 20);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
}

/* The model to compare with: a deadline each, -1 when it does not run. */
#define MANY 10000
#define SPAN_MS 1000

static struct alarm many[MANY];
static int64_t deadlines[MANY];

static void
check_model(int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < MANY; i++) {
		bool is_due = deadlines[i] >= 0 && deadlines[i] <= now_ms;

		if (many[i].calls != (is_due ? 1 : 0))
			fail_msg("%zu at %d, due %d: %u calls", i,
			    (int)now_ms, (int)deadlines[i], many[i].calls);
		many[i].calls = 0;
		if (is_due)
			deadlines[i] = -1;
		else if (deadlines[i] >= 0 && deadlines[i] < next)
			next = deadlines[i];
	}
	/* It may wake too early, never too late. */
	assert_int_equal(timers.n == 0, next == INT64_MAX);
	if (timers.n > 0)
		assert_in_range(timers_wait_ms(&timers, now_ms), 0,
		    next - now_ms);
}

static void
change_model(int64_t now_ms)
{
	size_t i = (size_t)rand() % MANY;

	if (rand() % 4 == 0) {
		timers_stop(&timers, &many[i].timer);
		deadlines[i] = -1;
	} else {
		deadlines[i] = now_ms + 1 + rand() % SPAN_MS;
		set(&many[i], deadlines[i]);
	}
}

/* Any order of starts, moves and stops, beside a model too plain to err. */
static void
test_many(void **state)
{
	(void)state;
	srand(1);
	memset(many, 0, sizeof(many));
	for (size_t i = 0; i < MANY; i++) {
		deadlines[i] = rand() % SPAN_MS;
		set(&many[i], deadlines[i]);
	}
	for (int64_t now_ms = 0; now_ms < 2 * SPAN_MS; now_ms += 10) {
		timers_run(&timers, now_ms);
		check_model(now_ms);
		for (int i = 0; now_ms < SPAN_MS && i < 500; i++)
			change_model(now_ms);
	}
	assert_int_equal(timers.n, 0);
}

int
main(void)
{
#define WITH_TIMERS(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_TIMERS(test_none),
		WITH_TIMERS(test_wait),
		WITH_TIMERS(test_due),
		WITH_TIMERS(test_order),
		WITH_TIMERS(test_moved_later),
		WITH_TIMERS(test_moved_earlier),
		WITH_TIMERS(test_moved_to_and_fro),
		WITH_TIMERS(test_moved_and_late),
		WITH_TIMERS(test_stopped),
		WITH_TIMERS(test_stopped_by_another),
		WITH_TIMERS(test_started_by_another),
		WITH_TIMERS(test_restarted_by_itself),
		WITH_TIMERS(test_stopped_by_itself),
		WITH_TIMERS(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
