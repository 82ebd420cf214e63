/* SPDX-License-Identifier: ISC */
/*
 * The load.  In the closed loop each client begins again when it is done, so
 * a slow server is asked less often and its bad moments are hidden.  In the
 * open loop each beginning has its time, whatever the server does; when no
 * client is free then, it begins later, but its time is counted from when it
 * was due.
 */
#include "sock/bench_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "sock/call.h"
#include "sock/stop.h"

#define NS_PER_S 1000000000
#define IN_BYTES (256 << 10)
#define HOPELESS 1000           /* failures before anything was done */
#define SPARE_FILES 32

struct bench_client {
	struct watch watch;     /* first: it is how a callback finds us */
	struct bench *bench;
	struct timer timer;
	struct bench_client *next;      /* in the list of idle ones */
	int64_t due_ns;
	size_t out_at, in_at;   /* bytes of this message so far */
	uint32_t number;        /* of a datagram, to know its answer */
	bool is_connecting, is_busy;
};

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

static int
client_watch(struct bench_client *c, int fd)
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

static void
want(struct bench_client *c, unsigned wanted)
{
	if (c->watch.wanted != wanted)
		loop_want(c->bench->loop, &c->watch, wanted);
}

static bool
is_datagram(const struct bench *b)
{
	return b->peer.type == SOCK_DGRAM;
}

/* --------------------------------------------------------------- messages */

/* Sends n bytes, in pieces if it must; 1 when they are gone. */
static int
send_rest(struct bench_client *c, const char *p, size_t n)
{
	ssize_t sent;

	while (c->out_at < n) {
		sent = call_send(c->watch.fd, p + c->out_at, n - c->out_at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent == -EAGAIN || sent == -EINTR)
			return 0;
		if (sent < 0)
			return (int)sent;
		c->out_at += (size_t)sent;
		c->bench->bytes += (uint64_t)sent;
	}
	return 1;
}

/* Bytes that came, 0 at the end, or a negative errno. */
static ssize_t
receive_some(struct bench_client *c, size_t n)
{
	ssize_t got = call_recv(c->watch.fd, c->bench->in, n, MSG_DONTWAIT);

	if (got > 0)
		c->bench->bytes += (uint64_t)got;
	return got == -EINTR ? -EAGAIN : got;
}

static bool
is_own_answer(const struct bench_client *c, size_t n)
{
	uint32_t number;

	if (n < sizeof(number))
		return true;
	memcpy(&number, c->bench->in, sizeof(number));
	return number == c->number;
}

static enum bench_step
receive_echo(struct bench *b, struct bench_client *c, int *out_err)
{
	size_t room = is_datagram(b) ? IN_BYTES : (size_t)b->size - c->in_at;
	ssize_t n;

	for (;;) {
		n = receive_some(c, room);
		if (n == -EAGAIN)
			return STEP_WAIT;
		if (n < 0 || (n == 0 && !is_datagram(b))) {
			*out_err = n < 0 ? (int)n : -ECONNRESET;
			return STEP_FAILED;
		}
		/* An answer that comes after its time is nobody's. */
		if (is_datagram(b) && is_own_answer(c, (size_t)n))
			return STEP_DONE;
		if (is_datagram(b))
			continue;
		c->in_at += (size_t)n;
		if (c->in_at >= b->size)
			return STEP_DONE;
		room = (size_t)b->size - c->in_at;
	}
}

/* ------------------------------------------------------------------ trips */

static enum bench_step
trip_go_on(struct bench *b, struct bench_client *c, int *out_err)
{
	int sent = send_rest(c, b->out, (size_t)b->size);

	if (sent < 0) {
		*out_err = sent;
		return STEP_FAILED;
	}
	/* The echo of the beginning may fill what the end has to go through. */
	want(c, sent > 0 ? READY_IN : READY_IN | READY_OUT);
	return receive_echo(b, c, out_err);
}

/* The echo takes its time: to look at once would be a call in vain. */
static enum bench_step
trip_begin(struct bench *b, struct bench_client *c, int *out_err)
{
	int sent;

	c->number++;
	if (is_datagram(b) && b->size >= sizeof(c->number))
		memcpy(b->out, &c->number, sizeof(c->number));
	sent = send_rest(c, b->out, (size_t)b->size);
	want(c, sent > 0 ? READY_IN : READY_IN | READY_OUT);
	*out_err = sent;
	return sent < 0 ? STEP_FAILED : STEP_WAIT;
}

/* ------------------------------------------------------------ connections */

static enum bench_step
connection_go_on(struct bench *b, struct bench_client *c, int *out_err)
{
	socklen_t len = sizeof(int);
	ssize_t n;

	if (c->is_connecting && (call_getsockopt(c->watch.fd, SOL_SOCKET,
	    SO_ERROR, out_err, &len) < 0 || *out_err != 0)) {
		*out_err = -*out_err;
		return STEP_FAILED;
	}
	c->is_connecting = false;
	if (b->text == NULL)
		return STEP_DONE;
	n = send_rest(c, b->text, strlen(b->text));
	want(c, n > 0 ? READY_IN : READY_IN | READY_OUT);
	while (n >= 0) {
		n = receive_some(c, IN_BYTES);
		if (n == 0)
			return STEP_DONE;
		if (n == -EAGAIN)
			return STEP_WAIT;
	}
	*out_err = (int)n;
	return STEP_FAILED;
}

/*
 * Where a listener's queue is full, connect(2) of a unix socket fails at once
 * unless it may wait: so it may.
 */
static int
open_socket(const struct bench *b)
{
	bool is_unix = b->peer.u.sa.sa_family == AF_UNIX;
	struct timeval t = {
		.tv_sec = b->job.timeout_ms / 1000,
		.tv_usec = b->job.timeout_ms % 1000 * 1000,
	};
	int fd;

	fd = call_socket(b->peer.u.sa.sa_family, b->peer.type | SOCK_CLOEXEC |
	    (is_unix ? 0 : SOCK_NONBLOCK), b->peer.protocol);
	if (fd >= 0 && is_unix)
		call_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	return fd;
}

static enum bench_step
connection_begin(struct bench *b, struct bench_client *c, int *out_err)
{
	int fd = open_socket(b), err;

	err = fd < 0 ? fd : client_watch(c, fd);
	if (err == 0 && endpoint_apply(&b->job, &b->target, fd) !=
	    OUTCOME_DONE)
		err = -EINVAL;
	if (err == 0)
		err = call_connect(fd, &b->peer.u.sa, b->peer.len);
	*out_err = err;
	if (err < 0 && err != -EINPROGRESS)
		return STEP_FAILED;
	/* Also what is connected at once waits: others have their turn. */
	c->is_connecting = true;
	want(c, READY_OUT);
	return STEP_WAIT;
}

/* ---------------------------------------------------------------- streams */

/* They begin when the descriptor is ready, so that all have their turn. */
static enum bench_step
send_begin(struct bench *b, struct bench_client *c, int *out_err)
{
	(void)b;
	(void)out_err;
	want(c, READY_OUT);
	return STEP_WAIT;
}

static enum bench_step
send_go_on(struct bench *b, struct bench_client *c, int *out_err)
{
	int sent = send_rest(c, b->out, (size_t)b->size);

	*out_err = sent;
	return sent < 0 ? STEP_FAILED : sent > 0 ? STEP_DONE : STEP_WAIT;
}

static enum bench_step
receive_begin(struct bench *b, struct bench_client *c, int *out_err)
{
	(void)b;
	(void)c;
	(void)out_err;
	return STEP_WAIT;
}

static enum bench_step
receive_go_on(struct bench *b, struct bench_client *c, int *out_err)
{
	ssize_t n = receive_some(c, b->size < IN_BYTES ? (size_t)b->size :
	    IN_BYTES);

	*out_err = n == 0 ? -ECONNRESET : (int)n;
	return n > 0 ? STEP_DONE : n == -EAGAIN ? STEP_WAIT : STEP_FAILED;
}

const struct bench_kind bench_kinds[] = {
	{
		.name = "trips", .unit = "round trips", .size = 64,
		.about = "messages that come back: serve --echo",
		.is_connected = true,
		.begin = trip_begin, .go_on = trip_go_on,
	},
	{
		.name = "connections", .unit = "connections", .size = 1,
		.about = "connect, --text, what is answered, until its end",
		.begin = connection_begin, .go_on = connection_go_on,
	},
	{
		.name = "send", .unit = "sends", .size = 64 << 10,
		.about = "bytes to a server: serve --discard",
		.is_connected = true, .is_stream = true,
		.begin = send_begin, .go_on = send_go_on,
	},
	{
		.name = "receive", .unit = "receives", .size = 64 << 10,
		.about = "bytes from a server: serve --source",
		.is_connected = true, .is_stream = true,
		.begin = receive_begin, .go_on = receive_go_on,
	},
	{ .name = NULL },
};

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
	ssize_t n = receive_some(c, IN_BYTES);

	if ((n == 0 && !is_datagram(c->bench)) || (n < 0 && n != -EAGAIN))
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
	if (!is_datagram(b)) {
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

/* An option that the kernel refuses is said once, not for each client. */
static enum outcome
try_socket(const struct bench *b)
{
	enum outcome o;
	int fd = endpoint_socket(&b->job, &b->target, &b->peer, &o);

	if (fd >= 0)
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
		err = client_watch(c, fd);
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
	b->in = malloc(IN_BYTES > b->size ? IN_BYTES : (size_t)b->size);
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
