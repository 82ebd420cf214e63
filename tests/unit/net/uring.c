/* SPDX-License-Identifier: ISC */

/*
 * What only a completion engine can do wrong: run out of what it lent, mix up
 * the order of bytes, lose those on their way, forget what it cancelled.  Each
 * test runs with the engine as it is, and with two buffers, when everything
 * runs out all the time.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/intake.h"
#include "net/stream.h"
#include "net/uring_stream_priv.h"

#include "engines.h"
#include "tcp.h"

static char as_it_is[] = "uring", two_buffers[] = "uring:2";

/* Bytes of which each says where in the whole it stands, to some extent. */
static unsigned char
byte_at(size_t n)
{
	return (unsigned char)((n * 2654435761u) >> 13);
}

static void
fill(char *p, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)byte_at(from + i);
}

static void
assert_bytes(const char *p, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] != byte_at(from + i))
			fail_msg("byte %zu is another one", from + i);
}

/* A stream and its peer, a plain socket that does not wait. */
struct end {
	struct stream *stream;
	int peer;
	size_t received, ends, writables;
	int err;
};

static void
on_bytes(struct stream *s, struct str in)
{
	struct end *e = s->owner;

	assert_int_equal(e->ends, 0);
	if (in.n == 0)
		e->ends++;
	assert_bytes(in.p, in.n, e->received);
	e->received += in.n;
}

static void
on_writable(struct stream *s)
{
	struct end *e = s->owner;

	e->writables++;
	assert_int_equal(stream_want(s, 0), 0);
}

static void
on_broken(struct stream *s, int err)
{
	struct end *e = s->owner;

	e->err = err;
}

static const struct stream_events events = {
	.on_bytes = on_bytes,
	.on_writable = on_writable,
	.on_broken = on_broken,
};

static int
open_rig(void **state)
{
	struct rig *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return -1;
	e->name = *state;
	e->patience.fn = on_no_patience;
	*state = e;
	return loop_open(e->name, &e->loop);
}

static void
turn(struct rig *e)
{
	engine_run_for(e, 0);
}

static void
open_end(struct rig *e, struct end *end)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	*end = (struct end){ .peer = ends[1] };
	assert_int_equal(stream_open_socket(e->loop, ends[0], &events, end,
	    &end->stream), 0);
}

static void
close_end(struct end *end)
{
	stream_close(end->stream, false);
	close(end->peer);
}

/* As many bytes as the peer's socket takes, at most until `to`. */
static size_t
feed(const struct end *end, size_t from, size_t to)
{
	char bytes[4096];
	ssize_t sent;

	while (from < to) {
		size_t n = to - from < sizeof(bytes) ? to - from :
		    sizeof(bytes);

		fill(bytes, n, from);
		sent = send(end->peer, bytes, n, 0);
		if (sent <= 0)
			break;
		from += (size_t)sent;
	}
	return from;
}

#define CROWD 40
#define MUCH ((size_t)300 << 10)

/* All send at once what no number of buffers holds. */
static void
test_receive_much(void **state)
{
	struct rig *e = *state;
	struct end ends[CROWD];
	size_t fed[CROWD] = { 0 }, all = 0;

	for (int i = 0; i < CROWD; i++)
		open_end(e, &ends[i]);
	for (int turns = 0; all < CROWD * MUCH && turns < 5000; turns++) {
		all = 0;
		for (int i = 0; i < CROWD; i++)
			fed[i] = feed(&ends[i], fed[i], MUCH);
		turn(e);
		for (int i = 0; i < CROWD; i++)
			all += ends[i].received;
	}
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(ends[i].received, MUCH);
		close_end(&ends[i]);
	}
}

/* What nobody wants now is wanted later, and then the end. */
static void
test_kept(void **state)
{
	struct rig *e = *state;
	struct end end;
	size_t fed = 0, stuck;

	open_end(e, &end);
	turn(e);
	assert_int_equal(stream_want(end.stream, 0), 0);
	do {
		stuck = fed;
		fed = feed(&end, fed, 64 * MUCH);
		turn(e);
	} while (fed > stuck);
	assert_int_equal(end.received, 0);
	/* The peer has to wait in the end; it was not all taken in. */
	assert_true(fed < 64 * MUCH);
	assert_int_equal(shutdown(end.peer, SHUT_WR), 0);
	turn(e);
	assert_int_equal(end.ends, 0);
	assert_int_equal(stream_want(end.stream, READY_IN), 0);
	for (int i = 0; i < 5000 && end.ends == 0; i++)
		turn(e);
	assert_int_equal(end.ends, 1);
	assert_int_equal(end.received, fed);
	close_end(&end);
}

/* Wanted and not wanted, turn by turn. */
static void
test_now_and_then(void **state)
{
	struct rig *e = *state;
	struct end end;
	size_t fed = 0;

	open_end(e, &end);
	for (int i = 0; i < 20000 && end.received < 4 * MUCH; i++) {
		fed = feed(&end, fed, fed + 50000 < 4 * MUCH ? fed + 50000 :
		    4 * MUCH);
		assert_int_equal(stream_want(end.stream,
		    i % 3 == 0 ? READY_IN : 0), 0);
		turn(e);
	}
	assert_int_equal(end.received, 4 * MUCH);
	close_end(&end);
}

/* What is sent by all ways in turn: copied, at once, out of a file. */
static ssize_t
send_some(struct end *end, int file, size_t from, size_t way)
{
	static char bytes[20000];
	size_t sizes[] = { 1, 700, URING_SEND, 20000, 3000, 9000 };
	size_t n = sizes[way % COUNT(sizes)];
	struct iovec iov[2] = {
		{ bytes, n / 3 }, { bytes + n / 3, n - n / 3 },
	};

	if (way % COUNT(sizes) == 5)
		return stream_send_file(end->stream, file, from, n);
	fill(bytes, n, from);
	return stream_write(end->stream, iov, 2, way % COUNT(sizes) == 4);
}

static size_t
take(const struct end *end, size_t from)
{
	char bytes[30000];
	ssize_t n;

	n = recv(end->peer, bytes, sizeof(bytes), 0);
	if (n <= 0)
		return from;
	assert_bytes(bytes, (size_t)n, from);
	return from + (size_t)n;
}

static int
file_of(size_t n)
{
	int fd = memfd_create("content", MFD_CLOEXEC);
	char bytes[4096];

	assert_true(fd >= 0);
	for (size_t at = 0; at < n; at += sizeof(bytes)) {
		fill(bytes, sizeof(bytes), at);
		assert_int_equal(write(fd, bytes, sizeof(bytes)),
		    sizeof(bytes));
	}
	return fd;
}

static void
test_order(void **state)
{
	struct rig *e = *state;
	struct end end;
	int file = file_of(2 * MUCH);
	size_t sent = 0, taken = 0;

	open_end(e, &end);
	for (size_t i = 0; i < 20000 && taken < MUCH; i++) {
		ssize_t n = 0;

		if (sent < MUCH)
			n = send_some(&end, file, sent, i);
		assert_true(n >= 0);
		sent += (size_t)n;
		/* Sometimes much is on its way, sometimes nothing. */
		if (i % 7 == 0)
			turn(e);
		if (i / 50 % 2 == 0)
			taken = take(&end, taken);
	}
	assert_true(taken >= MUCH);
	assert_int_equal(end.err, 0);
	close(file);
	close_end(&end);
}

static struct uring_stream *
inside(const struct end *end)
{
	return list_entry(end->stream, struct uring_stream, stream);
}

/* As if the kernel had brought these n bytes, and would bring more. */
static void
bring(const struct end *end, size_t from, size_t n)
{
	struct uring_stream *s = inside(end);

	fill(s->u->buffers, n, from);
	uring_stream_received(s->u, s, (int)n, IORING_CQE_F_MORE);
}

/*
 * Another stream's callback wants this one's bytes again, and more of them
 * come in the same delivery: what is kept comes before them.
 */
static void
test_kept_comes_first(void **state)
{
	struct rig *e = *state;
	struct end end;

	open_end(e, &end);
	assert_int_equal(stream_want(end.stream, 0), 0);
	bring(&end, 0, 100);
	assert_int_equal(end.received, 0);
	assert_int_equal(stream_want(end.stream, READY_IN), 0);
	bring(&end, 100, 100);
	assert_int_equal(end.received, 0);
	turn(e);
	assert_int_equal(end.received, 200);
	close_end(&end);
}

static void
send_bytes(struct end *end, size_t from, size_t n)
{
	char bytes[URING_SEND];
	struct iovec iov = { bytes, n };

	fill(bytes, n, from);
	assert_int_equal(stream_write(end->stream, &iov, 1, false), n);
}

/*
 * A send came back undone, or half done, while the second buffer was filled
 * behind it: what is written then is not put before that.
 */
static void
test_undone_send(void **state)
{
	struct rig *e = *state;
	struct uring_stream *s;
	struct end end;

	open_end(e, &end);
	s = inside(&end);
	send_bytes(&end, 0, 10);
	s->armed |= URING_BIT(URING_SEND_SOME);
	send_bytes(&end, 10, 10);
	uring_stream_sent(s->u, s, -EAGAIN, 0);
	send_bytes(&end, 20, 10);
	turn(e);
	turn(e);
	assert_int_equal(take(&end, 0), 30);
	close_end(&end);
}

/* The peer's side is full, and then some is taken still. */
static size_t
send_too_much(struct rig *e, struct end *end)
{
	static char bytes[20000];
	struct iovec iov = { bytes, sizeof(bytes) };
	size_t sent = 0;
	ssize_t n;

	do {
		fill(bytes, sizeof(bytes), sent);
		n = stream_write(end->stream, &iov, 1, false);
		assert_true(n >= 0);
		sent += (size_t)n;
	} while (n > 0);
	iov.iov_len = 1000;
	do {
		fill(bytes, 1000, sent);
		n = stream_write(end->stream, &iov, 1, false);
		assert_true(n >= 0);
		sent += (size_t)n;
		turn(e);
	} while (n > 0);
	return sent;
}

static void
test_writable_again(void **state)
{
	struct rig *e = *state;
	struct end end;
	size_t sent, taken = 0;

	open_end(e, &end);
	sent = send_too_much(e, &end);
	assert_int_equal(stream_want(end.stream, READY_OUT), 0);
	turn(e);
	assert_int_equal(end.writables, 0);
	assert_true(stream_queued(end.stream) > 2000);
	for (int i = 0; i < 1000 && taken < sent; i++) {
		taken = take(&end, taken);
		turn(e);
	}
	assert_int_equal(taken, sent);
	assert_int_equal(end.writables, 1);
	assert_int_equal(stream_queued(end.stream), 0);
	close_end(&end);
}

/* Closed and shut in the middle: all that was taken arrives, then the end. */
static void
test_last_bytes(void **state)
{
	struct rig *e = *state;

	for (int shuts = 0; shuts < 2; shuts++) {
		struct end end;
		size_t sent, taken = 0;
		char c;

		open_end(e, &end);
		sent = send_too_much(e, &end);
		if (shuts)
			stream_shut(end.stream);
		else
			stream_close(end.stream, false);
		for (int i = 0; i < 1000 && taken < sent; i++) {
			taken = take(&end, taken);
			turn(e);
		}
		assert_int_equal(taken, sent);
		assert_int_equal(recv(end.peer, &c, 1, 0), 0);
		if (shuts)
			stream_close(end.stream, false);
		close(end.peer);
	}
}

/* The loop ends with bytes on their way, which a slow peer takes. */
static void
test_last_bytes_of_all(void **state)
{
	struct rig *e = *state;
	struct end end;
	size_t sent, taken = 0;
	int status;
	pid_t pid;

	open_end(e, &end);
	sent = send_too_much(e, &end);
	stream_close(end.stream, false);
	assert_int_equal(fcntl(end.peer, F_SETFL, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		while (taken < sent)
			taken = take(&end, taken);
		_exit(7);
	}
	loop_close(e->loop);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	close(end.peer);
	assert_int_equal(loop_open(e->name, &e->loop), 0);
}

/* A reset throws away what is on its way, and nothing waits for it. */
static void
test_aborted(void **state)
{
	struct rig *e = *state;
	struct end end;

	open_end(e, &end);
	send_too_much(e, &end);
	stream_close(end.stream, true);
	loop_close(e->loop);
	close(end.peer);
	assert_int_equal(loop_open(e->name, &e->loop), 0);
}

/* A file is not waited for; receiving goes on beside it. */
static void
test_file(void **state)
{
	struct rig *e = *state;
	struct end end;
	int file = file_of(MUCH);
	ssize_t n;

	open_end(e, &end);
	n = stream_send_file(end.stream, file, 0, MUCH);
	assert_in_range(n, 1, MUCH - 1);
	assert_int_equal(stream_send_file(end.stream, file, (size_t)n, MUCH),
	    0);
	assert_int_equal(feed(&end, 0, 10000), 10000);
	turn(e);
	assert_int_equal(end.received, 10000);
	close(file);
	close_end(&end);
}

/* Sending finds out that the peer is gone, also when nothing is wanted. */
static void
test_broken_by_sending(void **state)
{
	static char bytes[10];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct rig *e = *state;
	struct end end;

	open_end(e, &end);
	assert_int_equal(stream_want(end.stream, 0), 0);
	turn(e);
	close(end.peer);
	assert_int_equal(stream_write(end.stream, &iov, 1, false), 10);
	turn(e);
	assert_int_equal(end.err, -EPIPE);
	assert_int_equal(stream_write(end.stream, &iov, 1, false), -EPIPE);
	assert_int_equal(stream_send_file(end.stream, 0, 0, 1), -EPIPE);
	stream_close(end.stream, false);
}

/* Accepting */

struct gate {
	struct intake intake;
	struct addr addr;
	unsigned accepted;
};

static void
on_accept(struct intake *in, int fd, const struct addr *peer)
{
	struct gate *g = list_entry(in, struct gate, intake);

	g->accepted++;
	assert_int_equal(peer->u.sa.sa_family, AF_INET);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void
on_full(struct intake *in)
{
	(void)in;
	fail();
}

static void
open_gate(struct rig *e, struct gate *g, bool one_by_one)
{
	int listener;

	*g = (struct gate){ .intake = { on_accept, on_full, .fd = -1 } };
	assert_int_equal(addr_resolve("127.0.0.1", 0, &g->addr, 1), 1);
	listener = socket_listen(&g->addr);
	assert_true(listener >= 0);
	assert_int_equal(intake_open(&g->intake, e->loop, listener,
	    one_by_one), 0);
}

/*
 * The client knows that it is connected; that the other side does, too, is
 * sure when what it then says is acknowledged.
 */
static void
arrive(int fd)
{
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	int unknown = 1;

	assert_int_equal(send(fd, "x", 1, 0), 1);
	while (unknown > 0 && clock_mono_ms() < end_ms) {
		assert_int_equal(ioctl(fd, SIOCOUTQ, &unknown), 0);
		usleep(100);
	}
	assert_int_equal(unknown, 0);
}

static int
knock(const struct gate *g)
{
	int fd = tcp_connect(&g->addr);

	arrive(fd);
	return fd;
}

static void
test_accept(void **state)
{
	struct rig *e = *state;

	for (int one_by_one = 0; one_by_one < 2; one_by_one++) {
		struct gate g;
		int clients[20];

		open_gate(e, &g, one_by_one);
		turn(e);
		for (int i = 0; i < 20; i++)
			clients[i] = knock(&g);
		turn(e);
		assert_int_equal(g.accepted, 20);
		intake_want(&g.intake, false);
		turn(e);
		close(clients[0]);
		clients[0] = knock(&g);
		turn(e);
		assert_int_equal(g.accepted, 20);
		intake_want(&g.intake, true);
		turn(e);
		assert_int_equal(g.accepted, 21);
		assert_int_equal(intake_take(&g.intake), -EAGAIN);
		intake_close(&g.intake);
		close(g.intake.fd);
		for (int i = 0; i < 20; i++)
			close(clients[i]);
	}
}

/*
 * The kernel wakes one of those that wait at a socket: from when it is closed
 * on, that is not an intake which would not take who knocks.
 */
static void
test_closed_for_another(void **state)
{
	struct rig *e = *state, other = *e;
	struct gate first, second = { .accepted = 0 };
	int client;

	assert_int_equal(loop_open(e->name, &other.loop), 0);
	open_gate(e, &first, false);
	turn(e);
	second.intake = (struct intake){ on_accept, on_full, .fd = -1 };
	assert_int_equal(intake_open(&second.intake, other.loop,
	    first.intake.fd, false), 0);
	turn(&other);
	intake_close(&first.intake);
	client = knock(&first);
	turn(&other);
	assert_int_equal(second.accepted, 1);
	intake_close(&second.intake);
	loop_close(other.loop);
	close(first.intake.fd);
	close(client);
}

/* Who knocked before the end is taken, or left in the queue, but not lost. */
static void
test_closed_in_time(void **state)
{
	struct rig *e = *state;
	struct gate g;
	int client, fd;

	open_gate(e, &g, false);
	turn(e);
	client = knock(&g);
	intake_close(&g.intake);
	fd = intake_take(&g.intake);
	assert_int_equal(g.accepted + (fd >= 0), 1);
	if (fd >= 0)
		close(fd);
	close(g.intake.fd);
	close(client);
}

/*
 * A socket that another process is to go on with: what had been received is
 * delivered, and what comes later is left in it.
 */
static void
test_leaves(void **state)
{
	struct rig *e = *state;
	struct end end;
	char bytes[100], later[50];
	int fd;

	open_end(e, &end);
	turn(e);
	assert_int_equal(stream_want(end.stream, 0), 0);
	fill(bytes, sizeof(bytes), 0);
	assert_int_equal(write(end.peer, bytes, 50), 50);
	turn(e);
	assert_int_equal(stream_socket(end.stream), -EAGAIN);
	turn(e);
	assert_int_equal(end.received, 50);
	assert_int_equal(end.writables, 1);
	assert_int_equal(write(end.peer, bytes + 50, 50), 50);
	turn(e);
	assert_int_equal(end.received, 50);
	fd = stream_socket(end.stream);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, later, 50), 50);
	assert_bytes(later, 50, 50);
	close_end(&end);
}

/* Makes room for the one that knocks. */
struct full {
	struct gate gate;
	int reserve;
	unsigned told, refused;
};

static void
refuse(struct intake *in)
{
	struct full *f = list_entry(list_entry(in, struct gate, intake),
	    struct full, gate);
	int fd;

	f->told++;
	close(f->reserve);
	fd = intake_take(in);
	if (fd >= 0) {
		f->refused++;
		close(fd);
	}
	f->reserve = dup(in->fd);
	assert_true(f->reserve >= 0);
}

/* With no descriptor left it waits for somebody to refuse, and is silent. */
static void
test_full(void **state)
{
	struct rlimit all, now;
	struct rig *e = *state;
	struct full f = { .told = 0 };
	int clients[3];

	for (int i = 0; i < 3; i++)
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	open_gate(e, &f.gate, false);
	f.gate.intake.on_full = refuse;
	f.reserve = dup(f.gate.intake.fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	now = all;
	now.rlim_cur = (rlim_t)f.reserve + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	turn(e);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(f.told, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(connect(clients[i], &f.gate.addr.u.sa,
		    f.gate.addr.len), 0);
		arrive(clients[i]);
		engine_run_for(e, QUIET_MS);
		assert_int_equal(f.refused, i + 1);
	}
	assert_int_equal(f.told, 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_int_equal(connect(clients[2], &f.gate.addr.u.sa,
	    f.gate.addr.len), 0);
	arrive(clients[2]);
	engine_run_for(e, QUIET_MS);
	assert_int_equal(f.gate.accepted, 1);
	intake_close(&f.gate.intake);
	close(f.gate.intake.fd);
	close(f.reserve);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
}

/* The port is free when the loop has ended. */
static void
test_port_is_free(void **state)
{
	struct rig *e = *state;
	struct gate g;
	int again;

	open_gate(e, &g, false);
	turn(e);
	intake_close(&g.intake);
	close(g.intake.fd);
	loop_close(e->loop);
	again = socket_listen(&g.addr);
	assert_true(again >= 0);
	close(again);
	assert_int_equal(loop_open(e->name, &e->loop), 0);
}

/* The ring does what it is for, and nothing else. */
static void
test_restricted(void **state)
{
	struct rig *e = *state;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	struct uring *u;
	void *poller;

	assert_non_null(loop_completion(e->loop, &poller));
	u = poller;
	sqe = uring_sqe(u);
	io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	assert_int_equal(io_uring_submit(&u->ring), 1);
	assert_int_equal(io_uring_wait_cqe(&u->ring, &cqe), 0);
	assert_int_equal(cqe->res, -EACCES);
	io_uring_cqe_seen(&u->ring, cqe);
	assert_int_equal(io_uring_register_files_sparse(&u->ring, 4), -EACCES);
}

/* A process that may make no ring: io_uring_disabled has the same effect. */
static void
forbid_rings(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(1);
}

static void
test_forbidden(void **state)
{
	const struct engine *uring = engine_find("uring", NULL);
	struct loop *l;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		forbid_rings();
		if (engine_lacks(uring) == NULL ||
		    strstr(engine_lacks(uring), "forbidden") == NULL)
			_exit(2);
		_exit(loop_open("uring", &l) == -EOPNOTSUPP ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(uring->instead, "epoll");
}

#define BOTH(test) \
	{ #test, test, open_rig, engine_close, as_it_is }, \
	{ #test "_two_buffers", test, open_rig, engine_close, two_buffers }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden),
		BOTH(test_receive_much),
		BOTH(test_kept),
		BOTH(test_now_and_then),
		BOTH(test_kept_comes_first),
		BOTH(test_order),
		BOTH(test_undone_send),
		BOTH(test_writable_again),
		BOTH(test_last_bytes),
		BOTH(test_last_bytes_of_all),
		BOTH(test_aborted),
		BOTH(test_file),
		BOTH(test_broken_by_sending),
		BOTH(test_accept),
		BOTH(test_full),
		BOTH(test_closed_for_another),
		BOTH(test_closed_in_time),
		BOTH(test_leaves),
		BOTH(test_port_is_free),
		BOTH(test_restricted),
	};

	/* Where the kernel has none, the engine's absence is all to test. */
	if (engine_lacks(engine_find("uring", NULL)) != NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
