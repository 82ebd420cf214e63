/* SPDX-License-Identifier: ISC */

/*
 * What the world does to an engine: urgent data, others that read first, no
 * descriptors, storms of signals, a thousand descriptors, kinds of them that
 * behave differently.
 */

#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "engines.h"
#include "spy.h"
#include "tcp.h"

/* Two ends of a TCP connection, since only that has urgent data. */
static void
spy_tcp(struct spy *s, struct loop *l, char letter)
{
	int peer, ours = tcp_pair(&peer);

	fill(s, l, letter, ours, peer);
}

/* Urgent data that nobody asked for wakes nobody, and stops nothing. */
static void
test_urgent_data(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = feed_spy };
	struct spy a;

	spy_tcp(&a, e->loop, 'a');
	spy_add(&a, READY_IN);
	a.act = eat;
	later.spy = &a;
	assert_int_equal(send(a.peer, "!", 1, MSG_OOB), 1);
	bell_start(&later, e->loop, QUIET_MS);
	ENGINE_RUN_UNTIL(e, a.calls > 0);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, ".a");
	drop(&a);
}

static void
eat_if_any(struct spy *s)
{
	char c;

	if (read(s->watch.fd, &c, 1) == -1)
		assert_int_equal(errno, EAGAIN);
}

/* Two hear of one byte; who comes too late is not called again and again. */
static void
test_somebody_else_read(void **state)
{
	struct rig *e = *state;
	struct spy a, b;
	int fd;

	spy_open(&a, e->loop, 'a');
	fd = fcntl(a.watch.fd, F_DUPFD_CLOEXEC, 0);
	assert_true(fd >= 0);
	fill(&b, e->loop, 'b', fd, -1);
	spy_add(&b, READY_IN);
	a.act = b.act = eat_if_any;
	feed(&a);
	engine_run_for(e, QUIET_MS);
	assert_in_range(a.calls + b.calls, 1, 2);
	loop_remove(e->loop, &b.watch);
	close(fd);
	drop(&a);
}

/* Both halves of a connection end, one after the other. */
static void
test_ends_in_turn(void **state)
{
	struct rig *e = *state;
	struct spy a;
	char c;

	spy_tcp(&a, e->loop, 'a');
	spy_add(&a, READY_IN);
	a.act = want_nothing;
	assert_int_equal(shutdown(a.peer, SHUT_WR), 0);
	ENGINE_RUN_UNTIL(e, a.calls > 0);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a");
	assert_int_equal(read(a.watch.fd, &c, 1), 0);
	assert_int_equal(shutdown(a.watch.fd, SHUT_WR), 0);
	assert_int_equal(read(a.peer, &c, 1), 0);
	assert_int_equal(loop_want(e->loop, &a.watch, READY_IN | READY_OUT),
	    0);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "aa");
	assert_int_equal(a.ready, READY_IN | READY_OUT);
	drop(&a);
}

/* Kinds of descriptors that a server watches beside its connections. */

static void
eat_number(struct spy *s)
{
	uint64_t n;

	assert_int_equal(read(s->watch.fd, &n, sizeof(n)), sizeof(n));
}

static void
test_timerfd(void **state)
{
	struct itimerspec soon = { .it_value.tv_nsec = QUIET_MS * 1000000L };
	struct rig *e = *state;
	struct spy a;

	fill(&a, e->loop, 't', timerfd_create(CLOCK_MONOTONIC,
	    TFD_NONBLOCK | TFD_CLOEXEC), -1);
	spy_add(&a, READY_IN);
	a.act = eat_number;
	engine_run_for(e, 0);
	assert_int_equal(timerfd_settime(a.watch.fd, 0, &soon, NULL), 0);
	ENGINE_RUN_UNTIL(e, a.calls > 0);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "t");
	drop(&a);
}

static void
add_number(struct bell *b)
{
	uint64_t one = 1;

	assert_int_equal(write(b->spy->watch.fd, &one, sizeof(one)),
	    sizeof(one));
}

static void
test_eventfd(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = add_number };
	struct spy a;

	fill(&a, e->loop, 'e', eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), -1);
	spy_add(&a, READY_IN);
	a.act = eat_number;
	later.spy = &a;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace, ".e");
	drop(&a);
}

static void
eat_change(struct spy *s)
{
	char event[4096];

	assert_true(read(s->watch.fd, event, sizeof(event)) > 0);
}

static void
touch(struct bell *b)
{
	char name[] = "/tmp/sws-test-XXXXXX";
	int fd = mkstemp(name);

	(void)b;
	assert_true(fd >= 0);
	close(fd);
	unlink(name);
}

static void
test_inotify(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = touch };
	struct spy a;

	fill(&a, e->loop, 'i', inotify_init1(IN_NONBLOCK | IN_CLOEXEC), -1);
	assert_true(inotify_add_watch(a.watch.fd, "/tmp", IN_CREATE) > 0);
	spy_add(&a, READY_IN);
	a.act = eat_change;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_true(a.calls > 0);
	drop(&a);
}

/* Limits */

static void
limit_descriptors(rlim_t n, struct rlimit *out_old)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, out_old);
	limit = *out_old;
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Where no descriptor is left, a loop opens without one, or says so. */
static void
test_no_descriptors(void **state)
{
	struct rig *e = *state;
	struct loop *l = NULL;
	struct rlimit old;
	int free_fd, err;

	/* That library ends the whole process when it gets no descriptor. */
	if (strcmp(e->name, "libevent") == 0)
		skip();
	free_fd = dup(0);
	assert_true(free_fd >= 0);
	close(free_fd);
	limit_descriptors((rlim_t)free_fd, &old);
	err = loop_open(e->name, &l);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_true(err <= 0);
	if (err == 0)
		loop_close(l);
	else
		assert_null(l);
}

/* Nor does what is watched already need any. */
static void
test_works_without_descriptors(void **state)
{
	struct rig *e = *state;
	struct spy a, b;
	struct rlimit old;

	spy_open(&a, e->loop, 'a');
	spy_pair(&b, e->loop, 'b');
	a.act = b.act = eat;
	limit_descriptors(3, &old);
	spy_add(&b, READY_IN);
	feed(&a);
	feed(&b);
	engine_run_for(e, QUIET_MS);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	drop(&a);
	drop(&b);
}

/* A thousand, all known to the engine, of which one half speaks. */
#define PAIRS 500

static void
test_a_thousand(void **state)
{
	static struct spy spies[2 * PAIRS];
	struct rig *e = *state;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * PAIRS + 20)
		skip();
	for (int i = 0; i < PAIRS; i++) {
		struct spy *s = &spies[2 * i];

		spy_open(s, e->loop, 's');
		fill(s + 1, e->loop, 's', s->peer, s->watch.fd);
		spy_add(s + 1, READY_IN);
		s->act = s[1].act = eat;
	}
	engine_run_for(e, 0);
	for (int i = 0; i < PAIRS; i++)
		feed(&spies[2 * i + i % 2]);
	engine_run_for(e, 2 * QUIET_MS);
	for (int i = 0; i < PAIRS; i++) {
		assert_int_equal(spies[2 * i + i % 2].calls, 1);
		assert_int_equal(spies[2 * i + 1 - i % 2].calls, 0);
		loop_remove(e->loop, &spies[2 * i + 1].watch);
		drop(&spies[2 * i]);
	}
}

/* A ball goes to and fro, while signals interrupt whatever waits. */
#define BALLS 10
#define THROWS 2000

static volatile sig_atomic_t interrupted;

static void
interrupt(int signo)
{
	(void)signo;
	interrupted++;
}

static void
throw_back(struct spy *s)
{
	static int in_play;

	eat(s);
	if (s->calls + s->other->calls < THROWS) {
		in_play = in_play == 0 ? BALLS : in_play;
		feed(s);
	} else if (--in_play == 0) {
		loop_stop(s->loop);
	}
}

static void
test_storm(void **state)
{
	struct sigaction sa = { .sa_handler = interrupt };
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct spy spies[2 * BALLS];
	struct rig *e = *state;

	interrupted = 0;
	for (int i = 0; i < BALLS; i++) {
		struct spy *s = &spies[2 * i];

		spy_open(s, e->loop, 's');
		fill(s + 1, e->loop, 's', s->peer, s->watch.fd);
		spy_add(s + 1, READY_IN);
		s->act = s[1].act = throw_back;
		s->other = s + 1;
		s[1].other = s;
		feed(s);
	}
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	engine_run(e);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	assert_true(interrupted > 0);
	for (int i = 0; i < BALLS; i++) {
		assert_int_equal(spies[2 * i].calls + spies[2 * i + 1].calls,
		    THROWS);
		loop_remove(e->loop, &spies[2 * i + 1].watch);
		drop(&spies[2 * i]);
	}
}

int
main(void)
{
#define EACH(test) ON_EACH_ENGINE(test, begin)
	const struct CMUnitTest tests[] = {
		EACH(test_urgent_data),
		EACH(test_somebody_else_read),
		EACH(test_ends_in_turn),
		EACH(test_timerfd),
		EACH(test_eventfd),
		EACH(test_inotify),
		EACH(test_no_descriptors),
		EACH(test_works_without_descriptors),
		EACH(test_a_thousand),
		EACH(test_storm),
	};

	return run_on_engines(tests, COUNT(tests));
}
