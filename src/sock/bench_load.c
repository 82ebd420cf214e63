/* SPDX-License-Identifier: ISC */
/*
 * The load.  In the closed loop each client begins again when it is done, so
 * a slow server is asked less often and its bad moments are hidden.  In the
 * open loop each beginning has its time, whatever the server does; when no
 * client is free then, it begins later, but its time is counted from when it
 * was due.  What a client does then is bench_kinds.c's.
 */
#include "sock/bench_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "sock/call.h"
#include "sock/stop.h"

#define NS_PER_S 1000000000
#define HOPELESS 1000           /* failures before anything was done */
#define SPARE_FILES 32

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ----------------------------------------------------------------- clients */

static void
client_close(struct bench_client *c)
{
	loop_timer_stop(c->bench->loop, &c->timer);
	if (c->watch.fd < 0)
		return;
	loop_remove(c->bench->loop, &c->watch);
	call_close(c->watch.fd);
	c->watch.fd = -1;
}

int
bench_watch(struct bench_client *c, int fd)
{
	int err;

	c->watch.fd = fd;
	c->watch.wanted = READY_IN;
	err = loop_add(c->bench->loop, &c->watch);
	if (err < 0) {
		c->watch.fd = -1;
		call_close(fd);
	}
	return err;
}

/* ------------------------------------------------------------ beginnings */

static int64_t
due_of(const struct bench *b, uint64_t number)
{
	return b->since_ns + (int64_t)((double)number * NS_PER_S /
	    (double)b->rate);
}

static void
finish(struct bench *b)
{
	b->is_over = true;
	loop_stop(b->loop);
}

/* The clock rings when the next one is due. */
static void
set_clock(struct bench *b)
{
	int64_t due = due_of(b, b->begun);
	struct itimerspec t = {
		.it_value = { due / NS_PER_S, due % NS_PER_S },
	};

	timerfd_settime(b->clock.fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static bool
has_more(const struct bench *b)
{
	return !b->is_over &&
	    (b->job.count == 0 || b->begun < b->job.count);
}

/* May this client begin again now?  Otherwise it is idle, or there is none. */
static bool
may_begin(struct bench_client *c)
{
	struct bench *b = c->bench;

	c->due_ns = now_ns();
	if (has_more(b) && b->rate == 0) {
		b->begun++;
		return true;
	}
	if (has_more(b) && due_of(b, b->begun) <= c->due_ns) {
		c->due_ns = due_of(b, b->begun++);
		return true;
	}
	c->next = b->idle;
	b->idle = c;
	if (has_more(b))
		set_clock(b);
	return false;
}

static void
one_is_done(struct bench_client *c)
{
	struct bench *b = c->bench;

	histogram_add(&b->times, (uint64_t)(now_ns() - c->due_ns));
	c->is_busy = false;
	if (!b->kind->is_connected)
		client_close(c);
}

static void
leave_idle(struct bench_client *c)
{
	struct bench_client **at = &c->bench->idle;

	while (*at != NULL && *at != c)
		at = &(*at)->next;
	if (*at == c)
		*at = c->next;
}

/*
 * A client without its connection is gone; one that makes a connection each
 * time goes on, unless that has become hopeless.  Does it go on?
 */
static bool
one_has_failed(struct bench_client *c, int err)
{
	struct bench *b = c->bench;

	if (b->failed++ == 0)
		b->err = err;
	c->is_busy = false;
	client_close(c);
	if (!b->kind->is_connected && b->failed < HOPELESS)
		return true;
	leave_idle(c);
	if (--b->living == 0 || !b->kind->is_connected)
		finish(b);
	return false;
}

static bool
is_all_done(const struct bench *b)
{
	return b->job.count > 0 &&
	    b->times.n + b->failed + b->lost >= b->job.count;
}

static enum bench_step
begin(struct bench_client *c, int *out_err)
{
	struct bench *b = c->bench;

	c->out_at = c->in_at = 0;
	c->is_busy = true;
	if (!b->kind->is_stream &&
	    loop_timer_start(b->loop, &c->timer, b->job.timeout_ms) < 0) {
		*out_err = -ENOMEM;
		return STEP_FAILED;
	}
	return b->kind->begin(b, c, out_err);
}

/* What came of a step; then the client begins again, if it may. */
static void
after(struct bench_client *c, enum bench_step step, int err)
{
	struct bench *b = c->bench;
	bool lives = true;

	while (step != STEP_WAIT) {
		if (step == STEP_DONE)
			one_is_done(c);
		else
			lives = one_has_failed(c, err);
		if (is_all_done(b))
			finish(b);
		if (!lives || !may_begin(c))
			return;
		step = begin(c, &err);
	}
}

/* A client that has nothing to do: its peer has ended, or talks too much. */
static void
on_idle_ready(struct bench_client *c)
{
	ssize_t n = bench_receive(c, BENCH_IN_BYTES);

	if ((n == 0 && !bench_is_datagram(c->bench)) || (n < 0 && n != -EAGAIN))
		after(c, STEP_FAILED, n == 0 ? -ECONNRESET : (int)n);
}

static void
on_ready(struct watch *w, unsigned ready)
{
	struct bench_client *c = (struct bench_client *)w;
	enum bench_step step;
	int err = 0;

	(void)ready;
	if (!c->is_busy) {
		on_idle_ready(c);
		return;
	}
	step = c->bench->kind->go_on(c->bench, c, &err);
	after(c, step, err);
}

static void
on_late(struct timer *t)
{
	struct bench_client *c = list_entry(t, struct bench_client, timer);
	struct bench *b = c->bench;
	enum bench_step step;
	int err = 0;

	if (!c->is_busy)
		return;
	if (!bench_is_datagram(b)) {
		after(c, STEP_FAILED, -ETIMEDOUT);
		return;
	}
	b->lost++;
	c->is_busy = false;
	if (is_all_done(b)) {
		finish(b);
	} else if (may_begin(c)) {
		step = begin(c, &err);
		after(c, step, err);
	}
}

/* As many as are due now, as long as clients are free. */
static void
on_clock(struct watch *w, unsigned ready)
{
	struct bench *b = list_entry(w, struct bench, clock);
	struct bench_client *c;
	enum bench_step step;
	uint64_t rings;
	int err = 0;

	(void)ready;
	(void)!read(w->fd, &rings, sizeof(rings));
	while (b->idle != NULL && has_more(b) &&
	    due_of(b, b->begun) <= now_ns()) {
		c = b->idle;
		b->idle = c->next;
		c->due_ns = due_of(b, b->begun++);
		step = begin(c, &err);
		after(c, step, err);
	}
	if (b->idle != NULL && has_more(b))
		set_clock(b);
}

static void
on_stop(struct watch *w, unsigned ready)
{
	struct bench *b = list_entry(w, struct bench, stop);

	(void)ready;
	stop_taken(w->fd);
	finish(b);
}

static void
on_end(struct timer *t)
{
	finish(list_entry(t, struct bench, end));
}

/* -------------------------------------------------------------------- run */

/* As many descriptors as clients need, if we may. */
static void
raise_limit(const struct bench *b)
{
	struct rlimit r;
	rlim_t wanted = (rlim_t)b->clients + SPARE_FILES;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur >= wanted)
		return;
	r.rlim_cur = wanted < r.rlim_max ? wanted : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* What the kernel refuses is said once, not for each client. */
static enum outcome
try_socket(const struct bench *b)
{
	enum outcome o;
	int fd = endpoint_socket(&b->job, &b->target, &b->peer, &o);

	if (fd < 0)
		return o;
	o = endpoint_bind(&b->job, &b->target, fd, b->peer.u.sa.sa_family);
	call_close(fd);
	return o;
}

static enum outcome
open_clients(struct bench *b)
{
	struct bench_client *c = b->all;
	enum outcome o;
	int fd, err;

	o = try_socket(b);
	if (o != OUTCOME_DONE)
		return o;
	for (uint64_t i = 0; i < b->clients; i++, c++) {
		c->bench = b;
		c->watch = (struct watch){ .fn = on_ready, .fd = -1 };
		c->timer.fn = on_late;
		if (!b->kind->is_connected)
			continue;
		o = endpoint_connect(&b->job, &b->target, &fd);
		if (o != OUTCOME_DONE)
			return o;
		err = bench_watch(c, fd);
		if (err < 0)
			return say_error(OUTCOME_LOCAL, b->target.text,
			    "watch", err, NULL);
	}
	b->living = (unsigned)b->clients;
	return OUTCOME_DONE;
}

static int
open_clocks(struct bench *b)
{
	int err;

	b->clock = (struct watch){ .fn = on_clock, .wanted = READY_IN };
	b->stop = (struct watch){ .fn = on_stop, .wanted = READY_IN,
	    .is_urgent = true };
	b->end.fn = on_end;
	b->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC |
	    TFD_NONBLOCK);
	if (b->clock.fd == -1)
		return -errno;
	b->stop.fd = stop_open();
	if (b->stop.fd < 0)
		return b->stop.fd;
	err = loop_add(b->loop, &b->clock);
	if (err == 0)
		err = loop_add(b->loop, &b->stop);
	if (err == 0)
		err = loop_timer_start(b->loop, &b->end, b->job.for_ms);
	return err;
}

static int
run(struct bench *b)
{
	struct bench_client *c = b->all;
	enum bench_step step;
	int err = 0;

	b->since_ns = now_ns();
	for (uint64_t i = 0; i < b->clients && !b->is_over; i++, c++) {
		if (!may_begin(c))
			continue;
		step = begin(c, &err);
		after(c, step, err);
	}
	err = b->is_over ? 0 : loop_run(b->loop);
	b->seconds = (double)(now_ns() - b->since_ns) / NS_PER_S;
	while (b->rate > 0 && (b->job.count == 0 || b->begun < b->job.count) &&
	    due_of(b, b->begun) < b->since_ns + (int64_t)(b->seconds *
	    NS_PER_S)) {
		b->begun++;
		b->missed++;
	}
	return err;
}

static enum outcome
load(struct bench *b)
{
	enum outcome o;
	int err;

	raise_limit(b);
	o = open_clients(b);
	if (o == OUTCOME_DONE) {
		err = open_clocks(b);
		if (err == 0)
			err = run(b);
		if (err < 0)
			o = say_error(OUTCOME_LOCAL, b->target.text, "bench",
			    err, NULL);
	}
	for (uint64_t i = 0; i < b->clients; i++)
		if (b->all[i].bench != NULL)
			client_close(&b->all[i]);
	if (b->clock.fd > 0)
		close(b->clock.fd);
	if (b->stop.fd > 0)
		stop_close(b->stop.fd);
	return o;
}

enum outcome
bench_load(struct bench *b)
{
	enum outcome o = OUTCOME_LOCAL;
	int err;

	err = loop_open(NULL, &b->loop);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, NULL, "loop", err, NULL);
	b->all = calloc((size_t)b->clients, sizeof(*b->all));
	b->out = calloc(1, (size_t)b->size);
	b->in = malloc(BENCH_IN_BYTES > b->size ? BENCH_IN_BYTES :
	    (size_t)b->size);
	if (b->all != NULL && b->out != NULL && b->in != NULL)
		o = load(b);
	else
		say_error(o, NULL, "memory", ENOMEM, NULL);
	free(b->all);
	free(b->out);
	free(b->in);
	loop_close(b->loop);
	return o;
}
