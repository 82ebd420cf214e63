/* SPDX-License-Identifier: ISC */
/*
 * The kinds of load: what one client of sock bench does again and again, step
 * by step.  When it begins, how long that took and what is done about failures
 * is bench_load.c's.
 */
#include "sock/bench_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "sock/call.h"

/* --------------------------------------------------------------- messages */

bool
bench_is_datagram(const struct bench *b)
{
	return b->peer.type == SOCK_DGRAM;
}

static void
want(struct bench_client *c, unsigned wanted)
{
	if (c->watch.wanted != wanted)
		loop_want(c->bench->loop, &c->watch, wanted);
}

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

ssize_t
bench_receive(struct bench_client *c, size_t n)
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
	size_t room = bench_is_datagram(b) ? BENCH_IN_BYTES :
	    (size_t)b->size - c->in_at;
	ssize_t n;

	for (;;) {
		n = bench_receive(c, room);
		if (n == -EAGAIN)
			return STEP_WAIT;
		if (n < 0 || (n == 0 && !bench_is_datagram(b))) {
			*out_err = n < 0 ? (int)n : -ECONNRESET;
			return STEP_FAILED;
		}
		/* An answer that comes after its time is nobody's. */
		if (bench_is_datagram(b) && is_own_answer(c, (size_t)n))
			return STEP_DONE;
		if (bench_is_datagram(b))
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
	if (bench_is_datagram(b) && b->size >= sizeof(c->number))
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
		n = bench_receive(c, BENCH_IN_BYTES);
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

	err = fd < 0 ? fd : bench_watch(c, fd);
	if (err == 0 &&
	    (endpoint_apply(&b->job, &b->target, fd) != OUTCOME_DONE ||
	    endpoint_bind(&b->job, &b->target, fd,
	    b->peer.u.sa.sa_family) != OUTCOME_DONE))
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
	ssize_t n = bench_receive(c, b->size < BENCH_IN_BYTES ?
	    (size_t)b->size : BENCH_IN_BYTES);

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
