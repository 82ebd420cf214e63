/* SPDX-License-Identifier: ISC */
/*
 * The relay waits by poll(2), since one of its ends may be a file, which
 * epoll(7) refuses.  How the bytes of a direction go stands in relay_flow.c
 * and relay_splice.c.
 *
 * Standard input and output may be shared with other processes, so they are
 * never made non-blocking: they are read once each time poll(2) says so.
 */
#include "sock/relay.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>

#include "base/clock.h"
#include "sock/relay_priv.h"
#include "sock/stop.h"

#define DATAGRAM_WAIT_MS 1000   /* what --wait is for those without an end */
#define TURN_MAX 64             /* chunks before the other way has its turn */

struct running {
	struct relay *relay;
	struct flow flows[2];
	unsigned n_flows;
	int stop_fd;
	int64_t last_byte_ms, until_ms, wait_until_ms;
	bool is_waiting;        /* wait_until_ms counts */
};

/* The end of the source is passed on once all before it is. */
static void
finish_if_empty(struct running *run, struct flow *f)
{
	if (!f->is_ended || f->is_done || flow_wants_to_write(f))
		return;
	f->is_done = true;
	end_shut(f->to);
	run->last_byte_ms = clock_mono_ms();
}

static bool
may_fill(const struct flow *f)
{
	return flow_wants_bytes(f) && f->can_read &&
	    (!flow_is_straight(f) || f->can_write);
}

static bool
may_drain(const struct flow *f)
{
	return !f->is_done && flow_wants_to_write(f) && f->can_write;
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
		flow_fill(f);
		f->can_read = is_ours(f->from) && progress_of(f) != before;
		if (flow_is_straight(f))
			f->can_write = f->can_read && is_ours(f->to);
	}
	before = *f->passed + f->messages;
	if (may_drain(f)) {
		flow_drain(run->relay, f);
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
	if (flow_wants_bytes(f) && !f->can_read)
		p[0] = (struct pollfd){ f->from->in_fd, POLLIN, 0 };
	if (!f->can_write && (flow_wants_to_write(f) ||
	    (flow_is_straight(f) && f->can_read)))
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
	if (is_gone && !flow_wants_to_write(f) && !f->can_read &&
	    f->to->has_end)
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
				.pipe = { -1, -1 },
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
