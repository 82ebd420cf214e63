/* SPDX-License-Identifier: ISC */
/*
 * The relay waits by poll(2), since one of its ends may be a file, which
 * epoll(7) refuses.  Bytes between descriptors that allow it are moved inside
 * the kernel by splice(2), through a pipe of ours unless one end is a pipe
 * itself; where splice(2) says EINVAL they are copied through a buffer.
 *
 * Standard input and output may be shared with other processes, so they are
 * never made non-blocking: they are read once each time poll(2) says so.
 */
#include "sock/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sock/call.h"
#include "sock/stop.h"

#define CHUNK (256 * 1024)      /* of a stream */
#define DATAGRAM_SENT 8192      /* of a stream made into datagrams */
#define DATAGRAM_WAIT_MS 1000   /* what --wait is for those without an end */
#define TURN_MAX 64             /* chunks before the other way has its turn */

enum how {
	HOW_SPLICE,             /* through our pipe */
	HOW_SPLICE_IN,          /* the source is a pipe */
	HOW_SPLICE_OUT,         /* the target is */
	HOW_COPY,
	HOW_MESSAGES,           /* whole, one at a time */
	HOW_LINES,
};

/* One direction. */
struct flow {
	struct end *from, *to;
	uint64_t *passed;
	enum how how;
	int pipe[2];            /* of HOW_SPLICE; -1: none */
	char *buffer;           /* of the others */
	size_t at, n;           /* waiting: in the buffer, or in the pipe */
	bool is_ended;          /* the source has no more */
	bool is_done;           /* and that was passed on */
	bool is_tty;            /* the source is a terminal */
	bool has_message;       /* HOW_MESSAGES: n may be 0 */
	bool can_read, can_write;       /* says poll(2) */
	int failed;             /* negative errno, or 0 */
	bool has_failed_writing;
	uint64_t messages;
};

struct running {
	struct relay *relay;
	struct flow flows[2];
	unsigned n_flows;
	int stop_fd;
	int64_t last_byte_ms, until_ms, wait_until_ms;
	bool is_waiting;        /* wait_until_ms counts */
};

/* --------------------------------------------------------------- set up */

static bool
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static enum how
choose_how(const struct relay *r, const struct flow *f)
{
	if (r->has_lines && f->to == &r->ends[1])
		return HOW_LINES;
	if (f->from->has_messages || f->to->has_messages)
		return HOW_MESSAGES;
	if (r->shows_bytes || say_style()->shows_calls || f->from->has_limit)
		return HOW_COPY;
	if (is_pipe(f->from->in_fd))
		return HOW_SPLICE_IN;
	if (is_pipe(f->to->out_fd))
		return HOW_SPLICE_OUT;
	return HOW_SPLICE;
}

static int
use_buffer(struct flow *f, enum how how)
{
	f->how = how;
	if (f->buffer == NULL)
		f->buffer = malloc(CHUNK);
	return f->buffer == NULL ? -ENOMEM : 0;
}

static int
flow_open(const struct relay *r, struct flow *f)
{
	f->pipe[0] = f->pipe[1] = -1;
	f->is_tty = isatty(f->from->in_fd) == 1;
	f->how = choose_how(r, f);
	if (f->how == HOW_SPLICE) {
		if (pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) == -1)
			return -errno;
		/* Less room is fine, too. */
		fcntl(f->pipe[1], F_SETPIPE_SZ, CHUNK);
	} else if (f->how == HOW_SPLICE_IN) {
		fcntl(f->from->in_fd, F_SETPIPE_SZ, CHUNK);
	} else if (f->how == HOW_SPLICE_OUT) {
		fcntl(f->to->out_fd, F_SETPIPE_SZ, CHUNK);
	} else {
		return use_buffer(f, f->how);
	}
	return 0;
}

static void
flow_close(struct flow *f)
{
	if (f->pipe[0] != -1) {
		close(f->pipe[0]);
		close(f->pipe[1]);
	}
	free(f->buffer);
}

/* ----------------------------------------------------------------- bytes */

/* 16 a line, as tcpdump -X and hexdump -C have them. */
static void
show_line(char mark, uint64_t offset, const unsigned char *p, size_t n)
{
	char hex[3 * 16 + 1], text[16 + 1];
	struct record r;

	for (size_t i = 0; i < n; i++) {
		snprintf(hex + 3 * i, 4, "%02x ", p[i]);
		text[i] = p[i] >= ' ' && p[i] < 0x7f ? (char)p[i] : '.';
	}
	text[n] = '\0';
	record_begin(&r, "bytes");
	record_text(&r, "way", mark == '>' ? "there" : "back");
	record_number(&r, "offset", (int64_t)offset);
	record_text(&r, "hex", hex);
	record_text(&r, "text", text);
	record_say(&r, SAY_CALL, "%c %08llx  %-48s %s", mark,
	    (unsigned long long)offset, hex, text);
}

static void
show_bytes(const struct running *run, const struct flow *f, size_t n)
{
	const unsigned char *p = (unsigned char *)f->buffer + f->at;
	char mark = f->to == &run->relay->ends[1] ? '>' : '<';
	size_t one;

	if (!run->relay->shows_bytes)
		return;
	for (size_t i = 0; i < n; i += one) {
		one = n - i < 16 ? n - i : 16;
		show_line(mark, *f->passed + i, p + i, one);
	}
}

static void
flow_fail(struct flow *f, int err, bool is_writing)
{
	f->failed = err;
	f->has_failed_writing = is_writing;
	f->is_ended = f->is_done = true;
}

/* How much may be read at once; 0 once a source of a size has given it all. */
static size_t
read_size(const struct flow *f, size_t room)
{
	if (f->from->has_limit && f->from->left < room)
		room = (size_t)f->from->left;
	return room;
}

static ssize_t
read_some(struct flow *f, void *p, size_t room)
{
	/* With MSG_TRUNC a message tells its whole length. */
	int flags = MSG_DONTWAIT | (f->from->has_messages ? MSG_TRUNC : 0);
	ssize_t n;

	if (f->from->is_socket)
		n = call_recv(f->from->in_fd, p, room, flags);
	else
		n = call_read(f->from->in_fd, p, room);
	if (n > (ssize_t)room)
		return -EMSGSIZE;
	if (n > 0 && f->from->has_limit)
		f->from->left -= (uint64_t)n;
	return n;
}

/* A pipe that is writable takes PIPE_BUF bytes without waiting, not more. */
static ssize_t
write_some(struct flow *f, const char *p, size_t n)
{
	if (f->to->is_socket)
		return call_send(f->to->out_fd, p, n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (f->how == HOW_COPY && n > PIPE_BUF && is_pipe(f->to->out_fd))
		n = PIPE_BUF;
	return call_write(f->to->out_fd, p, n);
}

/* ---------------------------------------------------------------- splice */

/* A descriptor that cannot be spliced: what is in the pipe goes first. */
static int
give_up_splicing(struct flow *f)
{
	ssize_t n = 0;

	if (use_buffer(f, HOW_COPY) < 0)
		return -ENOMEM;
	f->at = 0;
	if (f->n > 0)
		n = read(f->pipe[0], f->buffer, CHUNK);
	if (n < 0)
		return -errno;
	f->n = (size_t)n;
	return 0;
}

static ssize_t
splice_some(int from, int to)
{
	ssize_t n = splice(from, NULL, to, NULL, CHUNK,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	return n == -1 ? -errno : n;
}

/* Into our pipe, or straight through where an end is a pipe. */
static ssize_t
splice_in(struct flow *f)
{
	if (f->how == HOW_SPLICE)
		return splice_some(f->from->in_fd, f->pipe[1]);
	return splice_some(f->from->in_fd, f->to->out_fd);
}

/* -------------------------------------------------------------- reading */

static bool
wants_bytes(const struct flow *f)
{
	if (f->is_ended)
		return false;
	if (f->how == HOW_LINES)
		return f->n < CHUNK && (f->n == 0 ||
		    memchr(f->buffer + f->at, '\n', f->n) == NULL);
	return f->n == 0 && !f->has_message;
}

static void
got(struct flow *f, ssize_t n)
{
	if (n > 0)
		f->n += (size_t)n;
	else if (n == 0)
		f->is_ended = true;
	else if (n != -EAGAIN && n != -EINTR)
		flow_fail(f, (int)n, false);
}

static void
fill_message(struct flow *f)
{
	size_t room = f->from->has_messages ? CHUNK : DATAGRAM_SENT;
	ssize_t n;

	f->at = 0;
	n = read_some(f, f->buffer, read_size(f, room));
	/* An empty datagram is a message like others. */
	f->has_message = n > 0 || (n == 0 && !f->from->has_end);
	if (!f->has_message)
		got(f, n);
	else
		f->n = (size_t)n;
}

static void
fill_buffer(struct flow *f)
{
	if (f->at > 0) {
		memmove(f->buffer, f->buffer + f->at, f->n);
		f->at = 0;
	}
	got(f, read_some(f, f->buffer + f->n, read_size(f, CHUNK - f->n)));
}

static void
fill_by_splice(struct flow *f)
{
	ssize_t n = splice_in(f);

	if (n == -EINVAL) {
		n = give_up_splicing(f);
		if (n < 0)
			flow_fail(f, (int)n, false);
		return;
	}
	if (f->how != HOW_SPLICE && n > 0) {
		*f->passed += (uint64_t)n;
		f->messages++;
		return;
	}
	if (f->how != HOW_SPLICE && n == -EPIPE)
		flow_fail(f, -EPIPE, true);
	else
		got(f, n);
}

static void
fill(struct flow *f)
{
	if (f->how == HOW_MESSAGES)
		fill_message(f);
	else if (f->how == HOW_COPY || f->how == HOW_LINES)
		fill_buffer(f);
	else
		fill_by_splice(f);
}

/* -------------------------------------------------------------- writing */

/* How much of what waits may go now: with lines, one of them. */
static size_t
write_size(const struct flow *f)
{
	const char *p, *end;

	if (f->how != HOW_LINES)
		return f->n;
	p = f->buffer + f->at;
	end = f->n > 0 ? memchr(p, '\n', f->n) : NULL;
	if (end != NULL)
		return (size_t)(end - p) + 1;
	return f->is_ended || f->n == CHUNK ? f->n : 0;
}

static bool
wants_to_write(const struct flow *f)
{
	return f->has_message || write_size(f) > 0;
}

static void
drain(struct running *run, struct flow *f)
{
	size_t size = write_size(f);
	ssize_t n;

	if (f->how == HOW_SPLICE) {
		n = splice_some(f->pipe[0], f->to->out_fd);
		if (n == -EINVAL) {
			n = give_up_splicing(f);
			if (n == 0)
				return;
		}
	} else {
		n = write_some(f, f->buffer + f->at, size);
	}
	if (n == -EAGAIN || n == -EINTR || n == -ENOBUFS)
		return;
	if (n < 0) {
		flow_fail(f, (int)n, true);
		return;
	}
	if (f->buffer != NULL)
		show_bytes(run, f, (size_t)n);
	*f->passed += (uint64_t)n;
	f->at += (size_t)n;
	f->n -= (size_t)n;
	f->messages += (size_t)n == size;
	f->has_message = f->has_message && f->n > 0;
}

/* -------------------------------------------------------------- waiting */

/* The end of the source is passed on once all before it is. */
static void
finish_if_empty(struct running *run, struct flow *f)
{
	if (!f->is_ended || f->is_done || wants_to_write(f))
		return;
	f->is_done = true;
	end_shut(f->to);
	run->last_byte_ms = clock_mono_ms();
}

/* Through without a buffer: source and target have to be ready at once. */
static bool
is_straight(const struct flow *f)
{
	return f->how == HOW_SPLICE_IN || f->how == HOW_SPLICE_OUT;
}

static bool
may_fill(const struct flow *f)
{
	return wants_bytes(f) && f->can_read &&
	    (!is_straight(f) || f->can_write);
}

static bool
may_drain(const struct flow *f)
{
	return !f->is_done && wants_to_write(f) && f->can_write;
}

/* Sockets of ours never make us wait, so they may be tried again. */
static bool
is_ours(const struct end *e)
{
	return e->is_socket && !e->is_stdio;
}

static uint64_t
progress_of(const struct flow *f)
{
	return *f->passed + f->messages + f->n + f->is_ended;
}

static void
step(struct running *run, struct flow *f)
{
	uint64_t before = progress_of(f);

	if (may_fill(f)) {
		fill(f);
		f->can_read = is_ours(f->from) && progress_of(f) != before;
		if (is_straight(f))
			f->can_write = f->can_read && is_ours(f->to);
	}
	before = *f->passed + f->messages;
	if (may_drain(f)) {
		drain(run, f);
		f->can_write = is_ours(f->to) &&
		    *f->passed + f->messages != before;
	}
}

/* Moves bytes as long as no descriptor would make us wait. */
static void
move(struct running *run, struct flow *f)
{
	uint64_t before = *f->passed + f->messages;

	for (int i = 0; i < TURN_MAX && (may_fill(f) || may_drain(f)); i++)
		step(run, f);
	finish_if_empty(run, f);
	if (*f->passed + f->messages != before)
		run->last_byte_ms = clock_mono_ms();
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When to look up although nothing happened; INT64_MAX: never. */
static int64_t
deadline_of(const struct running *run)
{
	const struct relay *r = run->relay;
	int64_t at = run->until_ms;

	if (r->timeout_ms > 0)
		at = sooner(at, run->last_byte_ms + r->timeout_ms);
	if (run->is_waiting)
		at = sooner(at, run->wait_until_ms);
	return at;
}

static int
poll_timeout(const struct running *run)
{
	int64_t at = deadline_of(run), left = at - clock_mono_ms();

	for (unsigned i = 0; i < run->n_flows; i++)
		if (may_fill(&run->flows[i]) || may_drain(&run->flows[i]))
			return 0;
	if (at == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/*
 * Asks about what is not known to be ready.  A target that has nothing to be
 * written is still looked at for errors: a peer that is gone ends the
 * direction to it.
 */
static void
ask(const struct flow *f, struct pollfd p[2])
{
	p[0] = (struct pollfd){ .fd = -1 };
	p[1] = (struct pollfd){ .fd = -1 };
	if (f->is_done)
		return;
	p[1].fd = f->to->out_fd;
	if (wants_bytes(f) && !f->can_read)
		p[0] = (struct pollfd){ f->from->in_fd, POLLIN, 0 };
	if (!f->can_write && (wants_to_write(f) ||
	    (is_straight(f) && f->can_read)))
		p[1].events = POLLOUT;
}

static void
take_answer(struct flow *f, const struct pollfd p[2])
{
	bool is_gone = (p[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;

	if (f->is_done)
		return;
	if (p[0].revents != 0)
		f->can_read = true;
	if (p[1].revents != 0)
		f->can_write = true;
	/* Nobody reads there any more, and nothing waits to be read. */
	if (is_gone && !wants_to_write(f) && !f->can_read && f->to->has_end)
		f->is_ended = f->is_done = true;
}

static bool
is_over(const struct running *run)
{
	const struct flow *a = &run->flows[0], *b = &run->flows[1];

	if (run->n_flows < 2)
		return a->is_done;
	if (a->is_done && b->is_done)
		return true;
	/* What a person might still type has nobody to read it. */
	if (a->is_done != b->is_done)
		return (b->is_done && a->is_tty) || (a->is_done && b->is_tty);
	return false;
}

/* --wait begins when the first direction has ended. */
static void
start_waiting(struct running *run)
{
	const struct relay *r = run->relay;
	bool has_end = true, is_one_done = false;

	for (unsigned i = 0; i < run->n_flows; i++) {
		if (run->flows[i].is_done)
			is_one_done = true;
		else
			has_end = run->flows[i].from->has_end;
	}
	if (!is_one_done || (has_end && !r->has_wait))
		return;
	run->is_waiting = true;
	run->wait_until_ms = run->last_byte_ms +
	    (r->has_wait ? r->wait_ms : DATAGRAM_WAIT_MS);
}

static bool
has_counted(const struct running *run)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < run->n_flows; i++)
		n += run->flows[i].messages;
	return run->relay->count > 0 && n >= run->relay->count;
}

static enum outcome
out_of_time(const struct running *run)
{
	int64_t now = clock_mono_ms();

	if (now >= run->until_ms ||
	    (run->is_waiting && now >= run->wait_until_ms))
		return OUTCOME_DONE;
	return say_error(OUTCOME_TIMEOUT, run->relay->ends[1].text,
	    "no byte came or went", ETIMEDOUT, NULL);
}

static bool
is_late(const struct running *run)
{
	return clock_mono_ms() >= deadline_of(run);
}

static enum outcome
wait_and_move(struct running *run)
{
	struct pollfd p[5] = { 0 };
	int n;

	while (!is_over(run) && !has_counted(run)) {
		start_waiting(run);
		if (is_late(run))
			return out_of_time(run);
		p[4] = (struct pollfd){ run->stop_fd, POLLIN, 0 };
		for (unsigned i = 0; i < 2; i++) {
			p[2 * i].fd = p[2 * i + 1].fd = -1;
			if (i < run->n_flows)
				ask(&run->flows[i], &p[2 * i]);
		}
		n = poll(p, 5, poll_timeout(run));
		if (n == -1 && errno != EINTR)
			return say_error(OUTCOME_LOCAL, NULL, "poll", errno,
			    NULL);
		if (p[4].revents != 0) {
			run->relay->stopped_by = stop_taken(run->stop_fd);
			break;
		}
		for (unsigned i = 0; n > 0 && i < run->n_flows; i++) {
			take_answer(&run->flows[i], &p[2 * i]);
			move(run, &run->flows[i]);
		}
	}
	return OUTCOME_DONE;
}

/* A reader who closed our output has had enough: no failure of ours. */
static enum outcome
tell_failure(const struct flow *f)
{
	const struct end *e = f->has_failed_writing ? f->to : f->from;
	const char *what, *why = NULL;

	if (f->failed == 0 || (f->failed == -EPIPE && !e->is_peer))
		return OUTCOME_DONE;
	if (f->failed == -EPIPE)
		return say_error(OUTCOME_PEER, e->text,
		    "the peer closed before it had all", EPIPE, NULL);
	if (f->failed == -ECONNREFUSED && !e->has_end)
		why = "nobody receives there (for UDP: ICMP port unreachable)";
	what = f->has_failed_writing ? "send" : "receive";
	if (!e->is_peer)
		return say_error(OUTCOME_LOCAL, e->text, what, f->failed, NULL);
	return say_error(outcome_of_peer(f->failed), e->text, what, f->failed,
	    why != NULL ? "%s" : NULL, why);
}

static unsigned
make_flows(struct relay *r, struct flow flows[2])
{
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct end *from = &r->ends[i], *to = &r->ends[1 - i];

		if (from->in_fd != -1 && to->out_fd != -1)
			flows[n++] = (struct flow){
				.from = from,
				.to = to,
				.passed = &r->passed[i],
			};
	}
	return n;
}

enum outcome
relay_run(struct relay *r)
{
	struct running run = { .relay = r, .until_ms = INT64_MAX };
	enum outcome o = OUTCOME_DONE, told;
	int err = 0;

	run.last_byte_ms = clock_mono_ms();
	if (r->for_ms > 0)
		run.until_ms = run.last_byte_ms + r->for_ms;
	run.n_flows = make_flows(r, run.flows);
	if (run.n_flows == 0)
		return say_error(OUTCOME_USAGE, r->ends[1].text,
		    "nothing can pass", 0, NULL);
	for (unsigned i = 0; i < run.n_flows && err == 0; i++)
		err = flow_open(r, &run.flows[i]);
	run.stop_fd = stop_open();
	if (err == 0)
		o = wait_and_move(&run);
	else
		o = say_error(OUTCOME_LOCAL, NULL, "relay", err, NULL);
	r->is_cut = !is_over(&run);
	for (unsigned i = 0; i < run.n_flows; i++) {
		told = tell_failure(&run.flows[i]);
		o = o > told ? o : told;
		flow_close(&run.flows[i]);
	}
	if (run.stop_fd >= 0)
		stop_close(run.stop_fd);
	return o;
}
