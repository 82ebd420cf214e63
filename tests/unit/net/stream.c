/* SPDX-License-Identifier: ISC */

/* One end is a stream, the other a plain socket that the test holds. */

#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "engines.h"
#include "tcp.h"

/* What the owner of the stream was told. */
struct owner {
	char bytes[64];
	size_t n;
	unsigned ends, writables;
	int broken;
	bool closes;            /* at whatever it is told first */
	struct stream *stream;  /* NULL once it is closed */
};

static void
maybe_close(struct stream *s)
{
	struct owner *o = s->owner;

	if (!o->closes)
		return;
	stream_close(s, false);
	o->stream = NULL;
}

static void
on_bytes(struct stream *s, struct str in)
{
	struct owner *o = s->owner;

	if (in.n == 0) {
		o->ends++;
		assert_int_equal(stream_want(s, 0), 0);
	}
	assert_true(in.n <= sizeof(o->bytes) - o->n);
	memcpy(o->bytes + o->n, in.p, in.n);
	o->n += in.n;
	maybe_close(s);
}

static void
on_writable(struct stream *s)
{
	struct owner *o = s->owner;

	o->writables++;
	assert_int_equal(stream_want(s, READY_IN), 0);
	maybe_close(s);
}

static void
on_broken(struct stream *s, int err)
{
	struct owner *o = s->owner;

	o->broken = err;
	assert_int_equal(stream_want(s, 0), 0);
	maybe_close(s);
}

static const struct stream_events events = {
	.on_bytes = on_bytes,
	.on_writable = on_writable,
	.on_broken = on_broken,
};

/* Over TCP, since only there a connection can be reset; gives the peer. */
static int
open_stream(struct rig *e, struct owner *o)
{
	int peer, ours = tcp_pair(&peer);

	*o = (struct owner){ .n = 0 };
	assert_int_equal(stream_open_socket(e->loop, ours, &events, o,
	    &o->stream), 0);
	return peer;
}

/* What was taken, or closed, has left after it. */
static void
let_go(struct rig *e)
{
	engine_run_for(e, 0);
}

static void
close_both(struct owner *o, int peer)
{
	if (o->stream != NULL)
		stream_close(o->stream, false);
	close(peer);
}

static void
test_bytes(void **state)
{
	struct rig *e = *state;
	struct owner o;
	int peer = open_stream(e, &o);

	assert_int_equal(send(peer, "hello", 5, 0), 5);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	ENGINE_RUN_UNTIL(e, o.ends > 0);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(o.n, 5);
	assert_memory_equal(o.bytes, "hello", 5);
	assert_int_equal(o.ends, 1);
	assert_int_equal(o.writables, 0);
	/* The other direction still stands. */
	assert_int_equal(stream_write(o.stream,
	    &(struct iovec){ o.bytes, 5 }, 1, false), 5);
	let_go(e);
	assert_int_equal(recv(peer, o.bytes, sizeof(o.bytes), 0), 5);
	close_both(&o, peer);
}

/* The owner may close in any callback, with more to come. */
static void
test_closed_in_callback(void **state)
{
	struct rig *e = *state;
	struct owner reader, writer;
	int reader_peer = open_stream(e, &reader);
	int writer_peer = open_stream(e, &writer);

	reader.closes = writer.closes = true;
	assert_int_equal(send(reader_peer, "hello", 5, 0), 5);
	assert_int_equal(shutdown(reader_peer, SHUT_WR), 0);
	assert_int_equal(send(writer_peer, "hello", 5, 0), 5);
	assert_int_equal(stream_want(writer.stream, READY_IN | READY_OUT), 0);
	ENGINE_RUN_UNTIL(e, reader.stream == NULL && writer.stream == NULL);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(reader.ends, 0);
	assert_int_equal(writer.writables + (writer.n > 0), 1);
	close(reader_peer);
	close(writer_peer);
}

static void
test_wants_nothing(void **state)
{
	struct rig *e = *state;
	struct owner o;
	int peer = open_stream(e, &o);

	assert_int_equal(stream_want(o.stream, 0), 0);
	assert_int_equal(send(peer, "hello", 5, 0), 5);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(o.n, 0);
	close_both(&o, peer);
}

static void
test_pieces(void **state)
{
	static char one[] = "one ", two[] = "two ", three[] = "three";
	const struct iovec iov[] = {
		{ one, 4 }, { two, 4 }, { two, 0 }, { three, 5 },
	};
	struct rig *e = *state;
	struct owner o;
	char got[32];
	int peer = open_stream(e, &o);

	assert_int_equal(stream_write(o.stream, iov, 4, true), 13);
	assert_int_equal(stream_write(o.stream, iov, 1, false), 4);
	let_go(e);
	assert_int_equal(recv(peer, got, 17, MSG_WAITALL), 17);
	assert_memory_equal(got, "one two threeone ", 17);
	close_both(&o, peer);
}

/* What is not taken is left to the caller, who is told when to go on. */
static void
test_full(void **state)
{
	static char bytes[65536];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct rig *e = *state;
	struct owner o;
	int peer = open_stream(e, &o);
	size_t sent = 0, got = 0;
	ssize_t n;

	while ((n = stream_write(o.stream, &iov, 1, false)) > 0)
		sent += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(stream_want(o.stream, READY_OUT), 0);
	while (got < sent) {
		n = recv(peer, bytes, sizeof(bytes), 0);
		assert_true(n > 0);
		got += (size_t)n;
	}
	ENGINE_RUN_UNTIL(e, o.writables > 0);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(o.writables, 1);
	assert_true(stream_write(o.stream, &iov, 1, false) > 0);
	close_both(&o, peer);
}

/* The peer is gone: an error, and no signal that would end the process. */
static void
test_write_to_nobody(void **state)
{
	static char byte[] = "x";
	struct iovec iov[] = { { byte, 1 }, { byte, 1 } };
	struct rig *e = *state;
	struct owner o;
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	int peer = open_stream(e, &o);
	ssize_t n = 0;

	close(peer);
	for (int i = 0; n >= 0 && clock_mono_ms() < end_ms; i++) {
		n = stream_write(o.stream, iov, 1 + i % 2, false);
		let_go(e);
	}
	assert_true(n == -EPIPE || n == -ECONNRESET);
	n = stream_write(o.stream, iov, 2, false);
	assert_true(n == -EPIPE || n == -ECONNRESET);
	stream_close(o.stream, false);
}

static int
file_of(size_t n)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	char byte;

	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		byte = (char)(i % 251);
		assert_int_equal(write(fd, &byte, 1), 1);
	}
	return fd;
}

static void
test_send_file(void **state)
{
	struct rig *e = *state;
	struct owner o;
	char got[1000];
	int peer = open_stream(e, &o), file = file_of(2000);
	size_t sent = 0;
	ssize_t n;

	while (sent < sizeof(got)) {
		n = stream_send_file(o.stream, file, 500 + sent,
		    sizeof(got) - sent);
		assert_true(n > 0);
		sent += (size_t)n;
	}
	assert_int_equal(sent, sizeof(got));
	assert_int_equal(recv(peer, got, sizeof(got), MSG_WAITALL),
	    sizeof(got));
	for (size_t i = 0; i < sizeof(got); i++)
		assert_int_equal((unsigned char)got[i], (500 + i) % 251);
	/* The file's own position is nobody's. */
	assert_int_equal(lseek(file, 0, SEEK_CUR), 2000);
	close(file);
	close_both(&o, peer);
}

/* A file that has shrunk: nothing stands in for what is missing. */
static void
test_send_short_file(void **state)
{
	struct rig *e = *state;
	struct owner o;
	int peer = open_stream(e, &o), file = file_of(100);

	assert_int_equal(stream_send_file(o.stream, file, 50, 100), 50);
	assert_int_equal(stream_send_file(o.stream, file, 100, 50), -ENODATA);
	assert_int_equal(stream_send_file(o.stream, file, 4711, 50),
	    -ENODATA);
	close(file);
	close_both(&o, peer);
}

static void
test_shut(void **state)
{
	struct rig *e = *state;
	struct owner o;
	char c;
	int peer = open_stream(e, &o);

	stream_shut(o.stream);
	let_go(e);
	assert_int_equal(recv(peer, &c, 1, 0), 0);
	assert_int_equal(send(peer, "last", 4, 0), 4);
	ENGINE_RUN_UNTIL(e, o.n > 0);
	assert_int_equal(o.n, 4);
	close_both(&o, peer);
}

/* Closed in order, or with a reset: the peer can tell. */
static void
test_close(void **state)
{
	struct rig *e = *state;
	struct owner o;
	char c;
	int peer = open_stream(e, &o);

	stream_close(o.stream, false);
	let_go(e);
	assert_int_equal(recv(peer, &c, 1, 0), 0);
	close(peer);

	peer = open_stream(e, &o);
	stream_close(o.stream, true);
	let_go(e);
	assert_int_equal(recv(peer, &c, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(peer);
}

static void
test_broken(void **state)
{
	struct linger reset = { .l_onoff = 1 };
	struct rig *e = *state;
	struct owner o;
	int peer = open_stream(e, &o);

	assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset,
	    sizeof(reset)), 0);
	close(peer);
	ENGINE_RUN_UNTIL(e, o.broken != 0);
	assert_int_equal(o.broken, -ECONNRESET);
	assert_int_equal(o.ends, 0);
	stream_close(o.stream, false);
}

/* What the engine cannot watch stays with who had it. */
static void
test_refused(void **state)
{
	struct rig *e = *state;
	struct rlimit limit, old;
	struct stream *s = NULL;
	int fd;

	if (strstr(e->name, "select") == NULL)
		skip();
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	if (limit.rlim_max < FD_SETSIZE + 8)
		skip();
	limit.rlim_cur = FD_SETSIZE + 8;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_SETSIZE);
	assert_int_equal(stream_open_socket(e->loop, fd, &events, NULL, &s),
	    -EMFILE);
	assert_null(s);
	assert_int_equal(close(fd), 0);
	setrlimit(RLIMIT_NOFILE, &old);
}

int
main(void)
{
#define EACH(test) ON_EACH_ENGINE(test, engine_open)
	const struct CMUnitTest tests[] = {
		EACH(test_bytes),
		EACH(test_closed_in_callback),
		EACH(test_wants_nothing),
		EACH(test_pieces),
		EACH(test_full),
		EACH(test_write_to_nobody),
		EACH(test_send_file),
		EACH(test_send_short_file),
		EACH(test_shut),
		EACH(test_close),
		EACH(test_broken),
		EACH(test_refused),
	};

	return run_on_engines(tests, COUNT(tests));
}
