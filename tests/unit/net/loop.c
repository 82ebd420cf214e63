/* SPDX-License-Identifier: ISC */

/*
 * What every engine must do alike.  Each test writes a trace: a letter for
 * each call of a watch, a dot for each call of a timer, in their order.  In
 * which order an engine reports what is ready is its own affair, so whoever
 * is called first of two does to the other what the test is about.
 */

#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"

#include "engines.h"
#include "spy.h"

/* More than any engine reports at a time. */
#define CROWD 400

/* Descriptors */

static void
test_nothing(void **state)
{
	engine_run_for(*state, QUIET_MS);
	assert_string_equal(trace, "");
}

static void
test_readable(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_open(&a, e->loop, 'a');
	a.act = eat;
	feed(&a);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a");
	assert_int_equal(a.ready, READY_IN);
	drop(&a);
}

static void
stop_at_third(struct spy *s)
{
	if (s->calls == 3)
		loop_stop(s->loop);
}

/* What is not dealt with is reported again. */
static void
test_level(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_open(&a, e->loop, 'a');
	a.act = stop_at_third;
	feed(&a);
	engine_run(e);
	assert_string_equal(trace, "aaa");
	drop(&a);
}

static void
test_writable(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_pair(&a, e->loop, 'a');
	spy_add(&a, READY_OUT);
	a.act = want_nothing;
	feed(&a);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a");
	assert_int_equal(a.ready, READY_OUT);
	drop(&a);
}

static void
test_not_writable(void **state)
{
	static const char bytes[4096];
	struct rig *e = *state;
	struct spy a;

	spy_pair(&a, e->loop, 'a');
	while (write(a.watch.fd, bytes, sizeof(bytes)) > 0)
		;
	spy_add(&a, READY_IN | READY_OUT);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "");
	drop(&a);
}

/* Both conditions are told in one call, and only those wanted. */
static void
test_both(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_pair(&a, e->loop, 'a');
	feed(&a);
	spy_add(&a, READY_IN | READY_OUT);
	a.act = want_nothing;
	engine_run_for(e, 0);
	assert_string_equal(trace, "a");
	assert_int_equal(a.ready, READY_IN | READY_OUT);
	drop(&a);
}

static void
want_in(struct bell *b)
{
	assert_int_equal(loop_want(b->loop, &b->spy->watch, READY_IN), 0);
}

/* Known, but asleep, from the beginning; then awake, then asleep again. */
static void
test_asleep(void **state)
{
	struct rig *e = *state;
	struct spy a;
	struct bell wake = { .act = want_in, .spy = &a };

	spy_pair(&a, e->loop, 'a');
	spy_add(&a, 0);
	a.act = want_nothing;
	feed(&a);
	bell_start(&wake, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace, ".a");
	drop(&a);
}

/* Nor does the end of its peer wake who sleeps. */
static void
test_asleep_at_the_end(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_open(&a, e->loop, 'a');
	want_nothing(&a);
	shutdown(a.peer, SHUT_RDWR);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "");
	drop(&a);
}

static void
test_removed(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	spy_open(&a, e->loop, 'a');
	spy_open(&b, e->loop, 'b');
	b.act = eat;
	feed(&a);
	feed(&b);
	drop(&a);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "b");
	drop(&b);
}

/* Two that are ready, with something to do to each other. */
static void
open_two(struct rig *e, struct spy *a, struct spy *b,
    void (*act)(struct spy *s))
{
	spy_open(a, e->loop, 'a');
	spy_open(b, e->loop, 'b');
	a->other = b;
	b->other = a;
	a->act = b->act = act;
	feed(a);
	feed(b);
}

static void
put_both_to_sleep(struct spy *s)
{
	want_nothing(s);
	want_nothing(s->other);
}

static void
test_sleep_in_callback(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	open_two(e, &a, &b, put_both_to_sleep);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(a.calls + b.calls, 1);
	drop(&a);
	drop(&b);
}

static void
want_out_of_other(struct spy *s)
{
	want_nothing(s);
	s->act = s->other->act = want_nothing;
	assert_int_equal(loop_want(s->loop, &s->other->watch, READY_OUT), 0);
}

/* What is no longer wanted when its turn comes is not told. */
static void
test_want_less_in_callback(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	open_two(e, &a, &b, want_out_of_other);
	assert_int_equal(loop_want(e->loop, &a.watch, READY_IN | READY_OUT),
	    0);
	assert_int_equal(loop_want(e->loop, &b.watch, READY_IN | READY_OUT),
	    0);
	engine_run_for(e, 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(trace[0] == 'a' ? b.ready : a.ready, READY_OUT);
	drop(&a);
	drop(&b);
}

static void
drop_other(struct spy *s)
{
	want_nothing(s);
	drop(s->other);
}

static void
test_remove_in_callback(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	open_two(e, &a, &b, drop_other);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(a.calls + b.calls, 1);
	drop(a.calls == 1 ? &a : &b);
}

static void
test_remove_itself(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	open_two(e, &a, &b, drop);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
}

/* Added in a callback: called in the next turn, not in this. */
static struct bell end_of_turn;

static void
add_other(struct spy *s)
{
	bell_start(&end_of_turn, s->loop, 0);
	want_nothing(s);
	spy_add(s->other, READY_IN);
}

static void
test_add_in_callback(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	spy_open(&a, e->loop, 'a');
	spy_pair(&b, e->loop, 'b');
	a.other = &b;
	a.act = add_other;
	b.act = drop;
	feed(&a);
	feed(&b);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a.b");
	drop(&a);
}

/*
 * The number of a descriptor that was ready is given to another one, before
 * the loop came to the first.  `next` takes the number.
 */
static struct spy next;

static void
put_next_in_place(struct spy *s)
{
	int number = s->other->watch.fd;

	bell_start(&end_of_turn, s->loop, 0);
	want_nothing(s);
	loop_remove(s->loop, &s->other->watch);
	assert_int_equal(dup2(next.watch.fd, number), number);
	close(next.watch.fd);
	next.watch.fd = number;
	spy_add(&next, READY_IN);
}

static void
test_number_reused(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = feed_spy, .spy = &next, .letter = ',' };
	struct spy a, b;

	open_two(e, &a, &b, put_next_in_place);
	spy_pair(&next, e->loop, 'n');
	next.act = eat;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace + 1, ".,n");
	drop(&next);
	close(a.peer);
	close(b.peer);
	loop_remove(e->loop, a.calls == 1 ? &a.watch : &b.watch);
	close(a.calls == 1 ? a.watch.fd : b.watch.fd);
}

/* The same, when the new one is ready, too: still not in this turn. */
static void
test_number_reused_and_ready(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	open_two(e, &a, &b, put_next_in_place);
	spy_pair(&next, e->loop, 'n');
	next.act = eat;
	feed(&next);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace + 1, ".n");
	drop(&next);
	close(a.peer);
	close(b.peer);
	loop_remove(e->loop, a.calls == 1 ? &a.watch : &b.watch);
	close(a.calls == 1 ? a.watch.fd : b.watch.fd);
}

static void
add_again(struct spy *s)
{
	bell_start(&end_of_turn, s->loop, 0);
	s->act = want_nothing;
	loop_remove(s->loop, &s->watch);
	spy_add(s, READY_IN);
}

static void
test_remove_and_add_itself(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_open(&a, e->loop, 'a');
	a.act = add_again;
	feed(&a);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a.a");
	drop(&a);
}

/* Whatever their numbers are, the urgent are called first. */
static void
test_urgent(void **state)
{
	struct rig *e = *state;
	struct spy spies[5];

	for (size_t i = 0; i < COUNT(spies); i++) {
		bool is_urgent = i % 2 == 0;

		spy_pair(&spies[i], e->loop, is_urgent ? 'u' : 'n');
		spies[i].watch.is_urgent = is_urgent;
		spies[i].act = eat;
		spy_add(&spies[i], READY_IN);
		feed(&spies[i]);
	}
	engine_run_for(e, 0);
	assert_string_equal(trace, "uuunn");
	for (size_t i = 0; i < COUNT(spies); i++)
		drop(&spies[i]);
}

static void
feed_both(struct bell *b)
{
	feed(b->spy);
	spy_add(b->spy->other, READY_IN);
	feed(b->spy->other);
}

/* What is urgent and came first is told first, however fresh the other is. */
static void
test_urgent_came_first(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = feed_both };
	struct spy u, n;

	spy_pair(&u, e->loop, 'u');
	spy_pair(&n, e->loop, 'n');
	u.watch.is_urgent = true;
	u.act = n.act = eat;
	u.other = &n;
	later.spy = &u;
	spy_add(&u, READY_IN);
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace, ".un");
	drop(&u);
	drop(&n);
}

static void
test_urgent_removes(void **state)
{
	struct rig *e = *state;
	struct spy a, b;

	spy_open(&a, e->loop, 'a');
	spy_pair(&b, e->loop, 'u');
	b.watch.is_urgent = true;
	b.other = &a;
	b.act = drop_other;
	spy_add(&b, READY_IN);
	feed(&a);
	feed(&b);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "u");
	drop(&b);
}

static void
spy_open_ready(struct spy *s, struct loop *l, char letter)
{
	spy_pair(s, l, letter);
	s->watch.wanted = READY_IN;
	assert_int_equal(loop_add_ready(l, &s->watch), 0);
}

/* Added as ready: called behind the urgent, and again only for more. */
static void
test_add_ready(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = feed_spy, .letter = ',' };
	struct spy a, u;

	spy_open_ready(&a, e->loop, 'a');
	spy_pair(&u, e->loop, 'u');
	u.watch.is_urgent = true;
	spy_add(&u, READY_IN);
	a.act = u.act = eat;
	feed(&a);
	feed(&u);
	later.spy = &a;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace, "ua,a");
	assert_int_equal(a.ready, READY_IN);
	drop(&a);
	drop(&u);
}

static void
eat_if_any(struct spy *s)
{
	char c;

	s->act = eat;
	assert_true(read(s->watch.fd, &c, 1) == 1 || errno == EAGAIN);
}

/* It was not ready after all; once it is, it is told. */
static void
test_add_ready_too_early(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = feed_spy, .letter = ',' };
	struct spy a;

	spy_open_ready(&a, e->loop, 'a');
	a.act = eat_if_any;
	later.spy = &a;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(strchr(trace, ','), ",a");
	drop(&a);
}

static void
wake_spy(struct bell *b)
{
	b->spy->act = eat;
	assert_int_equal(loop_want(b->loop, &b->spy->watch, READY_IN), 0);
}

/* What is removed, or put to sleep, before its turn is not called. */
static void
test_add_ready_and_leave(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = wake_spy, .letter = ',' };
	struct spy a, b;

	spy_open_ready(&a, e->loop, 'a');
	spy_open_ready(&b, e->loop, 'b');
	feed(&a);
	feed(&b);
	want_nothing(&b);
	drop(&a);
	/* Most likely under the same number, and known to be silent. */
	spy_open(&a, e->loop, 'n');
	later.spy = &b;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace, ",b");
	drop(&a);
	drop(&b);
}

/* More than are tried without asking: the rest is asked about. */
static void
test_add_many_ready(void **state)
{
	static struct spy spies[CROWD];
	struct rig *e = *state;
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * CROWD + 50)
		skip();
	for (size_t i = 0; i < CROWD; i++) {
		spy_open_ready(&spies[i], e->loop, 'c');
		spies[i].act = eat;
		feed(&spies[i]);
	}
	engine_run_for(e, 2 * QUIET_MS);
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(spies[i].calls, 1);
		drop(&spies[i]);
	}
}

/* Closing is enough where the kernel keeps the set, and right elsewhere. */
static void
test_forget(void **state)
{
	struct rig *e = *state;
	struct bell later = { .act = feed_spy, .letter = ',' };
	struct spy a, b;

	spy_open(&a, e->loop, 'a');
	feed(&a);
	loop_forget(e->loop, &a.watch);
	close(a.watch.fd);
	close(a.peer);
	spy_open(&b, e->loop, 'b');
	assert_int_equal(b.watch.fd, a.watch.fd);
	b.act = eat;
	later.spy = &b;
	bell_start(&later, e->loop, QUIET_MS);
	engine_run_for(e, 3 * QUIET_MS);
	assert_string_equal(trace, ",b");
	drop(&b);
}

/* The other side's end is something to read; ours can go on. */
static void
test_half_close(void **state)
{
	struct rig *e = *state;
	struct spy a;
	char c;

	spy_pair(&a, e->loop, 'a');
	spy_add(&a, READY_IN | READY_OUT);
	shutdown(a.peer, SHUT_WR);
	a.act = want_nothing;
	engine_run_for(e, 0);
	assert_string_equal(trace, "a");
	assert_int_equal(a.ready, READY_IN | READY_OUT);
	assert_int_equal(read(a.watch.fd, &c, 1), 0);
	assert_int_equal(write(a.watch.fd, "x", 1), 1);
	assert_int_equal(read(a.peer, &c, 1), 1);
	drop(&a);
}

/* A pipe whose other end is gone wakes readers and writers. */
static void
test_broken(void **state)
{
	struct rig *e = *state;
	struct spy reader, writer;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fill(&reader, e->loop, 'r', ends[0], -1);
	close(ends[1]);
	assert_int_equal(pipe(ends), 0);
	fill(&writer, e->loop, 'w', ends[1], -1);
	close(ends[0]);
	reader.act = writer.act = want_nothing;
	spy_add(&reader, READY_IN);
	spy_add(&writer, READY_OUT);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(reader.ready, READY_IN);
	assert_int_equal(reader.calls, 1);
	assert_int_equal(writer.ready, READY_OUT);
	assert_int_equal(writer.calls, 1);
	drop(&reader);
	drop(&writer);
}

/* All are always ready. */
static void
test_crowd(void **state)
{
	static struct spy spies[CROWD];
	struct rig *e = *state;
	struct rlimit limit;
	int ends[2];

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < CROWD + 50)
		skip();
	assert_int_equal(pipe(ends), 0);
	feed(&(struct spy){ .peer = ends[1] });
	for (size_t i = 0; i < CROWD; i++) {
		fill(&spies[i], e->loop, 'c', dup(ends[0]), -1);
		spy_add(&spies[i], READY_IN);
	}
	engine_run_for(e, 2 * QUIET_MS);
	for (size_t i = 0; i < CROWD; i++) {
		if (spies[i].calls == 0)
			fail_msg("%zu of %d starved", i, CROWD);
		drop(&spies[i]);
	}
	close(ends[0]);
	close(ends[1]);
}

/* A descriptor too high is refused, and the others are served as before. */
static void
test_high_number(void **state)
{
	struct rig *e = *state;
	bool is_select = strstr(e->name, "select") != NULL;
	struct spy low, high;
	struct rlimit limit, old;
	int fd;

	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	if (limit.rlim_max < FD_SETSIZE + 8)
		skip();
	limit.rlim_cur = FD_SETSIZE + 8;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	spy_open(&low, e->loop, 'l');
	spy_pair(&high, e->loop, 'h');
	fd = fcntl(high.watch.fd, F_DUPFD_CLOEXEC, FD_SETSIZE);
	assert_true(fd >= FD_SETSIZE);
	close(high.watch.fd);
	high.watch.fd = fd;
	high.watch.wanted = READY_IN;
	low.act = high.act = eat;
	feed(&low);
	feed(&high);
	assert_int_equal(loop_add(e->loop, &high.watch),
	    is_select ? -EMFILE : 0);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(low.calls, 1);
	assert_int_equal(high.calls, is_select ? 0 : 1);
	drop(&low);
	if (!is_select)
		loop_remove(e->loop, &high.watch);
	close(fd);
	close(high.peer);
	setrlimit(RLIMIT_NOFILE, &old);
}

/* Timers */

static void
test_timers_in_order(void **state)
{
	struct rig *e = *state;
	struct bell a = { .letter = 'a' }, b = { .letter = 'b' };
	struct bell c = { .letter = 'c' };
	int64_t began_ms = loop_now_ms(e->loop);

	bell_start(&c, e->loop, 15);
	bell_start(&a, e->loop, 5);
	bell_start(&b, e->loop, 10);
	engine_run_for(e, 20);
	assert_string_equal(trace, "abc");
	assert_in_range(a.rung_ms - began_ms, 5, PATIENCE_MS);
	assert_in_range(b.rung_ms - began_ms, 10, PATIENCE_MS);
	assert_in_range(c.rung_ms - began_ms, 15, PATIENCE_MS);
}

static void
test_timers_moved(void **state)
{
	struct rig *e = *state;
	struct bell a = { .letter = 'a' }, b = { .letter = 'b' };
	struct bell c = { .letter = 'c' };
	int64_t began_ms = loop_now_ms(e->loop);

	bell_start(&a, e->loop, 5);
	bell_start(&b, e->loop, 20);
	bell_start(&c, e->loop, 1000);
	bell_start(&a, e->loop, 40);
	bell_start(&c, e->loop, 10);
	engine_run_for(e, 60);
	assert_string_equal(trace, "cba");
	assert_in_range(a.rung_ms - began_ms, 40, PATIENCE_MS);
}

static void
stop_other_bell(struct bell *b)
{
	loop_timer_stop(b->loop, &b->other->timer);
}

static void
test_timer_stopped_in_callback(void **state)
{
	struct rig *e = *state;
	struct bell b = { .letter = 'b' };
	struct bell a = { .letter = 'a', .act = stop_other_bell, .other = &b };

	bell_start(&a, e->loop, 5);
	bell_start(&b, e->loop, 5);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a");
}

static void
ring_again(struct bell *b)
{
	if (b->calls < 3)
		bell_start(b, b->loop, 2);
	else
		loop_stop(b->loop);
}

static void
test_timer_restarted_in_callback(void **state)
{
	struct rig *e = *state;
	struct bell a = { .letter = 'a', .act = ring_again };

	bell_start(&a, e->loop, 2);
	engine_run(e);
	assert_string_equal(trace, "aaa");
}

/* A timer may be for now; it waits for the descriptors of its turn. */
static void
test_timer_after_watches(void **state)
{
	struct rig *e = *state;
	struct bell now = { .letter = '.' };
	struct spy a;

	spy_open(&a, e->loop, 'a');
	a.act = eat;
	feed(&a);
	bell_start(&now, e->loop, 0);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a.");
	drop(&a);
}

static void
stop_bells(struct spy *s)
{
	eat(s);
	loop_timer_stop(s->loop, &end_of_turn.timer);
}

static void
test_timer_stopped_by_watch(void **state)
{
	struct rig *e = *state;
	struct spy a;

	spy_open(&a, e->loop, 'a');
	a.act = stop_bells;
	feed(&a);
	bell_start(&end_of_turn, e->loop, 0);
	engine_run_for(e, QUIET_MS);
	assert_string_equal(trace, "a");
	drop(&a);
}

#define BELLS 10000

static void
test_many_timers(void **state)
{
	static struct bell bells[BELLS];
	struct rig *e = *state;

	memset(bells, 0, sizeof(bells));
	for (int i = 0; i < BELLS; i++)
		bell_start(&bells[i], e->loop, i % 40);
	for (int i = 0; i < BELLS; i += 4)
		loop_timer_stop(e->loop, &bells[i].timer);
	engine_run_for(e, 60);
	for (int i = 0; i < BELLS; i++)
		assert_int_equal(bells[i].calls, i % 4 == 0 ? 0 : 1);
}

/* A signal wakes the loop; it waits on for what it waited for. */
static volatile sig_atomic_t interrupted;

static void
interrupt(int signo)
{
	(void)signo;
	interrupted++;
}

static void
test_interrupted(void **state)
{
	struct sigaction sa = { .sa_handler = interrupt };
	struct itimerval every_5_ms = { { 0, 5000 }, { 0, 5000 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct rig *e = *state;
	struct bell later = { .act = feed_spy };
	struct spy a;

	interrupted = 0;
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	spy_open(&a, e->loop, 'a');
	a.act = eat;
	later.spy = &a;
	bell_start(&later, e->loop, 30);
	setitimer(ITIMER_REAL, &every_5_ms, NULL);
	ENGINE_RUN_UNTIL(e, interrupted > 0 && a.calls > 0);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	assert_string_equal(trace, ".a");
	drop(&a);
}

int
main(void)
{
#define EACH(test) ON_EACH_ENGINE(test, begin)
	const struct CMUnitTest tests[] = {
		EACH(test_nothing),
		EACH(test_readable),
		EACH(test_level),
		EACH(test_writable),
		EACH(test_not_writable),
		EACH(test_both),
		EACH(test_asleep),
		EACH(test_asleep_at_the_end),
		EACH(test_removed),
		EACH(test_sleep_in_callback),
		EACH(test_want_less_in_callback),
		EACH(test_remove_in_callback),
		EACH(test_remove_itself),
		EACH(test_add_in_callback),
		EACH(test_number_reused),
		EACH(test_number_reused_and_ready),
		EACH(test_remove_and_add_itself),
		EACH(test_urgent),
		EACH(test_urgent_came_first),
		EACH(test_urgent_removes),
		EACH(test_add_ready),
		EACH(test_add_ready_too_early),
		EACH(test_add_ready_and_leave),
		EACH(test_add_many_ready),
		EACH(test_forget),
		EACH(test_half_close),
		EACH(test_broken),
		EACH(test_crowd),
		EACH(test_high_number),
		EACH(test_timers_in_order),
		EACH(test_timers_moved),
		EACH(test_timer_stopped_in_callback),
		EACH(test_timer_restarted_in_callback),
		EACH(test_timer_after_watches),
		EACH(test_timer_stopped_by_watch),
		EACH(test_many_timers),
		EACH(test_interrupted),
	};

	return run_on_engines(tests, COUNT(tests));
}
