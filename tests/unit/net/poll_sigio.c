/* SPDX-License-Identifier: ISC */

/* What only the engine of signals can do wrong. */

#include "net/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "engines.h"
#include "spy.h"

#define CROWD 50
#define QUEUE 5

static bool
is_pending(int signo)
{
	sigset_t set;

	assert_int_equal(sigpending(&set), 0);
	return sigismember(&set, signo) == 1;
}

/*
 * More happens than the queue of signals can hold.  Nobody is forgotten,
 * neither when all speak at once nor afterwards.
 */
static void
test_queue_full(void **state)
{
	struct rig *e = *state;
	struct rlimit limit, old;
	struct spy spies[CROWD];

	getrlimit(RLIMIT_SIGPENDING, &old);
	limit = old;
	limit.rlim_cur = QUEUE;
	assert_int_equal(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	for (int i = 0; i < CROWD; i++) {
		spy_open(&spies[i], e->loop, 's');
		spies[i].act = eat;
	}
	/* They have nothing to say, and are left alone until a signal. */
	engine_run_for(e, 0);
	for (unsigned round = 1; round <= 3; round++) {
		for (int i = 0; i < CROWD; i++)
			feed(&spies[i]);
		assert_true(is_pending(SIGIO));
		engine_run_for(e, QUIET_MS);
		for (int i = 0; i < CROWD; i++)
			assert_int_equal(spies[i].calls, round);
	}
	setrlimit(RLIMIT_SIGPENDING, &old);
	for (int i = 0; i < CROWD; i++)
		drop(&spies[i]);
}

/* Who is not watched any more sends no signals, also when the loop goes. */
static void
test_leaves_nothing(void **state)
{
	const struct engine *engine = engine_find("sigio", NULL);
	struct rig *e = *state;
	struct spy a, b;
	struct loop *l;
	sigset_t mask;

	loop_close(e->loop);
	assert_int_equal(loop_open(engine->name, &l), 0);
	spy_open(&a, l, 'a');
	spy_open(&b, l, 'b');
	assert_true(fcntl(a.watch.fd, F_GETFL) & O_ASYNC);
	drop(&a);
	feed(&b);
	assert_true(is_pending(SIGRTMIN));
	loop_close(l);
	assert_false(is_pending(SIGRTMIN));
	assert_false(fcntl(b.watch.fd, F_GETFL) & O_ASYNC);
	feed(&b);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGRTMIN), 0);
	assert_int_equal(sigismember(&mask, SIGIO), 0);
	close(b.watch.fd);
	close(b.peer);
	assert_int_equal(loop_open(engine->name, &e->loop), 0);
}

/* A signal that is under way when its number has a new owner. */
static void
test_late_signal(void **state)
{
	struct rig *e = *state;
	struct spy a, b;
	int number;

	spy_open(&a, e->loop, 'a');
	engine_run_for(e, 0);
	feed(&a);
	assert_true(is_pending(SIGRTMIN));
	number = a.watch.fd;
	drop(&a);
	spy_pair(&b, e->loop, 'b');
	assert_int_equal(b.watch.fd, number);
	spy_add(&b, READY_IN);
	b.act = eat;
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "");
	feed(&b);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "b");
	drop(&b);
}

static int
begin_sigio(void **state)
{
	*state = engine_state(engine_find("sigio", NULL));
	return begin(state);
}

int
main(void)
{
#define SIGIO_TEST(test) \
	cmocka_unit_test_setup_teardown(test, begin_sigio, engine_close)
	const struct CMUnitTest tests[] = {
		SIGIO_TEST(test_queue_full),
		SIGIO_TEST(test_leaves_nothing),
		SIGIO_TEST(test_late_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
