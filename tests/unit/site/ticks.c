/* SPDX-License-Identifier: ISC */

/* Who waits for a tick is called on it or later, once, and never before. */

#include "site/ticks.h"

#include "../cases.h"

struct waiter {
	struct tick_wait wait;
	unsigned calls;
	bool waits_again;
	struct waiter *other;   /* NULL, or who is to leave */
};

static struct loop *loop;
static struct ticks ticks;
static unsigned n_due;          /* calls that are still to come */

static int
begin(void **state)
{
	(void)state;
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(ticks_open(&ticks, loop), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	ticks_close(&ticks);
	loop_close(loop);
	return 0;
}

static void
on_tick(struct tick_wait *w)
{
	struct waiter *who = list_entry(w, struct waiter, wait);

	assert_true(ticks_now() >= w->tick);
	who->calls++;
	if (who->other != NULL)
		list_remove(&who->other->wait.node);
	if (who->waits_again) {
		who->waits_again = false;
		ticks_wait(&ticks, w);
	}
	if (--n_due == 0)
		loop_stop(loop);
}

static void
wait_for(struct waiter *who, int64_t tick)
{
	who->wait.fn = on_tick;
	who->wait.tick = tick;
	ticks_wait(&ticks, &who->wait);
}

static void
run(unsigned calls)
{
	n_due = calls;
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(n_due, 0);
}

static void
test_order(void **state)
{
	struct waiter late = { .calls = 0 }, soon = late;
	int64_t now = ticks_now();

	(void)state;
	wait_for(&late, now + 4);
	wait_for(&soon, now + 2);
	run(2);
	assert_int_equal(late.calls, 1);
	assert_int_equal(soon.calls, 1);
}

/* A tick that is over stands for the next one. */
static void
test_over(void **state)
{
	struct waiter w = { .calls = 0 };
	int64_t now = ticks_now();

	(void)state;
	wait_for(&w, now - 10);
	assert_true(w.wait.tick > now);
	run(1);
	assert_int_equal(w.calls, 1);
}

static void
test_again(void **state)
{
	struct waiter w = { .waits_again = true };
	int64_t first;

	(void)state;
	wait_for(&w, 0);
	first = w.wait.tick;
	run(2);
	assert_int_equal(w.calls, 2);
	assert_true(w.wait.tick > first);
}

/* Also who is due on the same tick, and next. */
static void
test_leaves(void **state)
{
	struct waiter gone = { .calls = 0 }, last = gone;
	struct waiter first = { .other = &gone };
	int64_t tick = ticks_now() + 2;

	(void)state;
	wait_for(&first, tick);
	wait_for(&gone, tick);
	wait_for(&last, tick + 1);
	run(2);
	assert_int_equal(gone.calls, 0);
	assert_int_equal(last.calls, 1);
}

int
main(void)
{
#define WITH_TICKS(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_TICKS(test_order),
		WITH_TICKS(test_over),
		WITH_TICKS(test_again),
		WITH_TICKS(test_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
