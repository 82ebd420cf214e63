/* SPDX-License-Identifier: ISC */

/*
 * System calls that fail, or do less than they were asked for, in any order:
 * the linker puts ours in front of those of the C library.  The schedule comes
 * from a fixed number, so a failure comes again.
 */

#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "engines.h"
#include "tcp.h"

#define AMOUNT ((size_t)256 << 10)

/* What goes wrong; nothing outside of a test. */
static struct {
	bool is_on;
	uint32_t dice;
	int send_fails_with;    /* 0: as the dice say */
	unsigned failed, cut, interrupted;
} faults;

static unsigned
roll(unsigned sides)
{
	faults.dice = faults.dice * 1664525u + 1013904223u;
	return (faults.dice >> 16) % sides;
}

/* Returns whether the call fails, with errno set. */
static bool
fails(void)
{
	if (!faults.is_on || roll(3) != 0)
		return false;
	errno = roll(2) == 0 ? EAGAIN : EINTR;
	faults.failed++;
	return true;
}

/* How much of n is done. */
static size_t
some_of(size_t n)
{
	if (!faults.is_on || n < 2 || roll(2) == 0)
		return n;
	faults.cut++;
	return 1 + roll(n < 5000 ? (unsigned)n : 5000);
}

static bool
is_interrupted(void)
{
	if (!faults.is_on || roll(4) != 0)
		return false;
	errno = EINTR;
	faults.interrupted++;
	return true;
}

#define WRAP(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAP(ssize_t, recv, int fd, void *p, size_t n, int flags)
{
	return fails() ? -1 : __real_recv(fd, p, some_of(n), flags);
}

WRAP(ssize_t, send, int fd, const void *p, size_t n, int flags)
{
	if (faults.send_fails_with != 0) {
		errno = faults.send_fails_with;
		return -1;
	}
	return fails() ? -1 : __real_send(fd, p, some_of(n), flags);
}

/* Cut within its first piece. */
WRAP(ssize_t, sendmsg, int fd, const struct msghdr *m, int flags)
{
	if (fails())
		return -1;
	if (!faults.is_on || roll(2) == 0)
		return __real_sendmsg(fd, m, flags);
	return __real_send(fd, m->msg_iov->iov_base,
	    some_of(m->msg_iov->iov_len), flags);
}

WRAP(ssize_t, sendfile, int out, int in, off_t *at, size_t n)
{
	return fails() ? -1 : __real_sendfile(out, in, at, some_of(n));
}

WRAP(int, poll, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	return is_interrupted() ? -1 : __real_poll(fds, n, timeout_ms);
}

WRAP(int, epoll_wait, int fd, struct epoll_event *e, int max, int timeout_ms)
{
	return is_interrupted() ? -1 :
	    __real_epoll_wait(fd, e, max, timeout_ms);
}

WRAP(int, select, int n, fd_set *in, fd_set *out, fd_set *except,
    struct timeval *timeout)
{
	return is_interrupted() ? -1 :
	    __real_select(n, in, out, except, timeout);
}

WRAP(int, pselect, int n, fd_set *in, fd_set *out, fd_set *except,
    const struct timespec *timeout, const sigset_t *mask)
{
	return is_interrupted() ? -1 :
	    __real_pselect(n, in, out, except, timeout, mask);
}

/* A peer that sends what it is to get back, by calls that never fail. */
struct peer {
	struct watch watch;
	struct rig *rig;
	size_t sent, received;
};

static char
byte_at(size_t i)
{
	return (char)(i * 31 + i / 251);
}

static void
send_some(struct peer *p)
{
	char bytes[3000];
	size_t n = 0;
	ssize_t sent;

	for (; n < sizeof(bytes) && p->sent + n < AMOUNT; n++)
		bytes[n] = byte_at(p->sent + n);
	sent = write(p->watch.fd, bytes, n);
	if (sent > 0)
		p->sent += (size_t)sent;
	if (p->sent == AMOUNT)
		assert_int_equal(loop_want(p->rig->loop, &p->watch, READY_IN),
		    0);
}

static void
receive_some(struct peer *p)
{
	char bytes[5000];
	ssize_t n = read(p->watch.fd, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++)
		if (bytes[i] != byte_at(p->received++))
			fail_msg("byte %zu is wrong", p->received - 1);
	if (p->received == AMOUNT)
		loop_stop(p->rig->loop);
}

static void
on_peer(struct watch *w, unsigned ready)
{
	struct peer *p = list_entry(w, struct peer, watch);

	if (ready & READY_OUT)
		send_some(p);
	if (ready & READY_IN)
		receive_some(p);
}

/* The owner of the stream: an echo, in two pieces at a time. */
struct echo {
	struct stream *stream;
	struct buf kept;
	int broken;
};

static void
flush(struct echo *e)
{
	size_t half = e->kept.n / 2;
	struct iovec two[] = {
		{ e->kept.p, half },
		{ e->kept.p + half, e->kept.n - half },
	};
	ssize_t n = 0;

	if (half > 0)
		n = stream_write(e->stream, two, 2, false);
	else if (e->kept.n > 0)
		n = stream_write(e->stream, two + 1, 1, false);
	assert_true(n >= 0);
	buf_consume(&e->kept, (size_t)n);
	assert_int_equal(stream_want(e->stream,
	    e->kept.n > 0 ? READY_IN | READY_OUT : READY_IN), 0);
}

static void
on_bytes(struct stream *s, struct str in)
{
	struct echo *e = s->owner;

	assert_true(in.n > 0);
	assert_int_equal(buf_add(&e->kept, in), 0);
	flush(e);
}

static void
on_writable(struct stream *s)
{
	flush(s->owner);
}

static void
on_broken(struct stream *s, int err)
{
	struct echo *e = s->owner;

	e->broken = err;
	assert_int_equal(stream_want(s, 0), 0);
}

static const struct stream_events events = {
	.on_bytes = on_bytes,
	.on_writable = on_writable,
	.on_broken = on_broken,
};

static void
connect_both(struct rig *rig, struct echo *e, struct peer *p)
{
	int theirs, ours = tcp_pair(&theirs);

	assert_int_equal(fcntl(theirs, F_SETFL, O_NONBLOCK), 0);
	*e = (struct echo){ .broken = 0 };
	buf_init(&e->kept, 2 * AMOUNT);
	assert_int_equal(stream_open_socket(rig->loop, ours, &events, e,
	    &e->stream), 0);
	*p = (struct peer){
		.watch = { .fn = on_peer, .fd = theirs },
		.rig = rig,
	};
}

static void
close_both(struct rig *rig, struct echo *e, struct peer *p)
{
	stream_close(e->stream, false);
	buf_fini(&e->kept);
	loop_remove(rig->loop, &p->watch);
	close(p->watch.fd);
}

static void
run_with_faults(struct rig *rig)
{
	faults.is_on = true;
	faults.dice = 4711;
	engine_run(rig);
	faults.is_on = false;
}

/* All that was sent comes back, in its order. */
static void
test_echo(void **state)
{
	struct rig *rig = *state;
	struct peer p;
	struct echo e;

	connect_both(rig, &e, &p);
	p.watch.wanted = READY_IN | READY_OUT;
	assert_int_equal(loop_add(rig->loop, &p.watch), 0);
	run_with_faults(rig);
	assert_int_equal(p.received, AMOUNT);
	assert_int_equal(e.broken, 0);
	assert_int_equal(e.kept.n, 0);
	close_both(rig, &e, &p);
}

/* A file goes down the stream, as far as each call takes it. */
struct file_echo {
	struct echo echo;
	int fd;
	size_t sent;
};

static void
on_file_writable(struct stream *s)
{
	struct file_echo *f = s->owner;
	ssize_t n;

	n = stream_send_file(s, f->fd, f->sent, AMOUNT - f->sent);
	assert_true(n >= 0);
	f->sent += (size_t)n;
	if (f->sent == AMOUNT)
		assert_int_equal(stream_want(s, READY_IN), 0);
}

static const struct stream_events file_events = {
	.on_bytes = on_bytes,
	.on_writable = on_file_writable,
	.on_broken = on_broken,
};

static void
test_file(void **state)
{
	static char bytes[AMOUNT];
	struct rig *rig = *state;
	struct file_echo f = { .sent = 0 };
	struct peer p;

	connect_both(rig, &f.echo, &p);
	f.echo.stream->events = &file_events;
	f.echo.stream->owner = &f;
	f.fd = memfd_create("file", MFD_CLOEXEC);
	assert_true(f.fd >= 0);
	for (size_t i = 0; i < AMOUNT; i++)
		bytes[i] = byte_at(i);
	assert_int_equal(write(f.fd, bytes, AMOUNT), AMOUNT);
	p.watch.wanted = READY_IN;
	assert_int_equal(loop_add(rig->loop, &p.watch), 0);
	assert_int_equal(stream_want(f.echo.stream, READY_IN | READY_OUT), 0);
	run_with_faults(rig);
	assert_int_equal(p.received, AMOUNT);
	assert_int_equal(f.echo.broken, 0);
	close(f.fd);
	close_both(rig, &f.echo, &p);
}

/* Errors that are none of "later" end the connection, and no other. */
static void
test_hard_errors(void **state)
{
	static const int hard[] = {
		ENOBUFS, ENOMEM, EPIPE, ECONNRESET, ETIMEDOUT, EIO,
	};
	struct rig *rig = *state;
	char byte = 'x';
	struct iovec one = { &byte, 1 };
	struct peer p;
	struct echo e;

	/* There an error comes later, with the completion. */
	if (strcmp(rig->name, "uring") == 0)
		skip();
	connect_both(rig, &e, &p);
	assert_int_equal(loop_add(rig->loop, &p.watch), 0);
	for (size_t i = 0; i < COUNT(hard); i++) {
		faults.send_fails_with = hard[i];
		assert_int_equal(stream_write(e.stream, &one, 1, false),
		    -hard[i]);
	}
	faults.send_fails_with = 0;
	assert_int_equal(stream_write(e.stream, &one, 1, false), 1);
	close_both(rig, &e, &p);
}

/* That something did fail, or the tests above say nothing. */
static void
test_there_were_faults(void **state)
{
	(void)state;
	assert_true(faults.failed > 100);
	assert_true(faults.cut > 100);
	assert_true(faults.interrupted > 100);
}

int
main(void)
{
#define EACH(test) ON_EACH_ENGINE(test, engine_open)
	const struct CMUnitTest tests[] = {
		EACH(test_echo),
		EACH(test_file),
		EACH(test_hard_errors),
	};
	const struct CMUnitTest after[] = {
		cmocka_unit_test(test_there_were_faults),
	};

	return run_on_engines(tests, COUNT(tests)) +
	    cmocka_run_group_tests(after, NULL, NULL);
}
