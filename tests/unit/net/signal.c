/* SPDX-License-Identifier: ISC */

/* Signals arrive as callbacks of the loop, whatever it waits with. */

#include "net/signal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "engines.h"

static const int caught[] = { SIGUSR1, SIGALRM };

/* Of one test. */
static struct signals signals;
static int got[8];
static unsigned n_got;
static bool stops;              /* the loop, at the first signal */

static void
on_signal(struct signals *s, int signo)
{
	if (n_got < COUNT(got))
		got[n_got] = signo;
	n_got++;
	if (stops)
		loop_stop(s->loop);
}

static int
begin(void **state)
{
	struct rig *e;
	int err;

	n_got = 0;
	stops = false;
	err = engine_open(state);
	if (err < 0)
		return err;
	e = *state;
	signals.fn = on_signal;
	return signals_open(&signals, e->loop, caught, COUNT(caught));
}

static void
end(void)
{
	signals_close(&signals, caught, COUNT(caught));
}

/* Not in the handler: only once the loop runs. */
static void
test_called_by_the_loop(void **state)
{
	struct rig *e = *state;

	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(raise(SIGALRM), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(n_got, 0);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(n_got, 3);
	assert_int_equal(got[0], SIGUSR1);
	assert_int_equal(got[1], SIGALRM);
	assert_int_equal(got[2], SIGUSR1);
	end();
}

/* It comes while the loop waits, with nothing else to wake it. */
static void
test_wakes(void **state)
{
	struct itimerval soon = { .it_value.tv_usec = 10000 };
	struct rig *e = *state;

	stops = true;
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	engine_run(e);
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0], SIGALRM);
	end();
}

/* More of them than the pipe holds do no harm. */
static void
test_flood(void **state)
{
	struct rig *e = *state;

	assert_true(fcntl(signals.write_end, F_SETPIPE_SZ, 4096) >= 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(raise(SIGUSR1), 0);
	engine_run_for(e, QUIET_MS);
	assert_in_range(n_got, 1, 10000);
	end();
}

static bool
is_default(int signo)
{
	struct sigaction now;

	assert_int_equal(sigaction(signo, NULL, &now), 0);
	return now.sa_handler == SIG_DFL;
}

static void
test_closed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(caught); i++)
		assert_false(is_default(caught[i]));
	end();
	for (size_t i = 0; i < COUNT(caught); i++)
		assert_true(is_default(caught[i]));
	assert_int_equal(fcntl(signals.write_end, F_GETFD), -1);
	assert_int_equal(fcntl(signals.watch.fd, F_GETFD), -1);
}

int
main(void)
{
#define EACH(test) ON_EACH_ENGINE(test, begin)
	const struct CMUnitTest tests[] = {
		EACH(test_called_by_the_loop),
		EACH(test_wakes),
		EACH(test_flood),
		EACH(test_closed),
	};

	return run_on_engines(tests, COUNT(tests));
}
