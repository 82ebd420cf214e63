/* SPDX-License-Identifier: ISC */
/*
 * sock trace: the way to a host, by UDP datagrams that may pass one router
 * more each time.  Where the TTL ends, the router says so by ICMP, and the
 * socket's error queue tells us: that needs no privilege.
 *
 * Each datagram goes to a port of its own, so that a late answer is known for
 * what it is.  Routers send only so many errors a second (on Linux:
 * net.ipv4.icmp_ratelimit), so a silent hop is asked again.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/endpoint.h"
#include "sock/icmp.h"
#include "sock/stop.h"
#include "sock/verbs.h"

#define FIRST_PORT 33434        /* as traceroute(8) has it: nobody's */
#define PORTS 16000
#define NAME_BYTES 300
#define TTL_MAX 255
#define HOPS_DEFAULT 30

struct trace {
	struct job job;
	uint64_t hops, tries;

	struct target target;
	struct addr peer;
	int fd, stop_fd;
	unsigned probes;        /* sent so far; each has its port */
};

static const struct option_row options[] = {
	{ "hops", 'm', "N", OPTION_COUNT, offsetof(struct trace, hops),
	    "routers to pass at the most (30)" },
	{ "tries", 'n', "N", OPTION_COUNT, offsetof(struct trace, tries),
	    "datagrams to a hop that is silent (3)" },
	{ .name = NULL },
};

static void
trace_defaults(struct job *job)
{
	struct trace *t = (struct trace *)job;

	t->hops = HOPS_DEFAULT;
	t->tries = 3;
	/* Longer than a second, after which the limit lets one error pass. */
	job->timeout_ms = 1200;
	job->count = 1;
}

/* What came of one datagram. */
struct answer {
	enum {
		ANSWER_NONE,
		ANSWER_HOP,             /* the TTL ended there */
		ANSWER_ARRIVED,
		ANSWER_REFUSED,         /* by somebody on the way */
		ANSWER_STOPPED,         /* a signal came */
	} kind;
	struct icmp_error error;        /* not of a datagram that came back */
	bool has_error;
	double seconds;
};

/* ---------------------------------------------------------------- opening */

static enum outcome
find_host(struct trace *t, char name[NAME_BYTES])
{
	struct endpoint list[ENDPOINTS_MAX];
	enum outcome o;
	unsigned n;

	if (snprintf(name, NAME_BYTES, "icmp:%s", t->job.operands[0]) >=
	    NAME_BYTES)
		return say_error(OUTCOME_USAGE, NULL, "no such host", 0,
		    "a name has 255 bytes at the most");
	o = target_parse(name, &t->target);
	if (o == OUTCOME_DONE)
		o = endpoint_resolve_peer(&t->job, &t->target, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	t->peer.len = list[0].len;
	memcpy(&t->peer.u, &list[0].u, sizeof(t->peer.u));
	return OUTCOME_DONE;
}

static enum outcome
open_socket(struct trace *t)
{
	int family = t->peer.u.sa.sa_family, err;
	enum outcome o;

	t->fd = call_socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (t->fd < 0)
		return say_error(outcome_of_local(t->fd), t->target.text,
		    "socket", t->fd, NULL);
	o = endpoint_apply(&t->job, &t->target, t->fd);
	if (o == OUTCOME_DONE)
		o = endpoint_bind(&t->job, &t->target, t->fd, family);
	err = icmp_want_errors(t->fd, family);
	if (o == OUTCOME_DONE && err < 0)
		o = say_error(OUTCOME_UNAVAILABLE, t->target.text, "errors",
		    err, NULL);
	if (o != OUTCOME_DONE)
		call_close(t->fd);
	return o;
}

/* ---------------------------------------------------------------- probing */

static int
set_ttl(const struct trace *t, int ttl)
{
	return t->peer.u.sa.sa_family == AF_INET6 ?
	    call_setsockopt(t->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl,
	    sizeof(ttl)) :
	    call_setsockopt(t->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
}

/* An error of an earlier datagram is told by the next call: then again. */
static int
send_probe(struct trace *t)
{
	static const char payload[] = "sock trace";
	struct icmp_error old;
	ssize_t n = -EAGAIN;

	addr_set_port(&t->peer, FIRST_PORT + t->probes++ % PORTS);
	for (int i = 0; i < 2 && n < 0; i++) {
		while (i > 0 && icmp_next_error(t->fd, &old) == 0)
			;
		n = call_sendto(t->fd, payload, sizeof(payload) - 1, 0,
		    &t->peer.u.sa, t->peer.len);
	}
	return n < 0 ? (int)n : 0;
}

static bool
is_of_this(const struct trace *t, const struct icmp_error *e)
{
	return addr_port(&e->to) == addr_port(&t->peer);
}

static bool
is_ttl_over(const struct icmp_error *e)
{
	bool is_v6 = e->from.u.sa.sa_family == AF_INET6;

	return !e->is_local && e->code == 0 && e->type == (is_v6 ? 3 : 11);
}

/* Errors of earlier datagrams are passed over: they came too late. */
static void
read_answer(struct trace *t, struct answer *out)
{
	struct addr from = { .len = sizeof(from.u) };
	char byte;

	while (icmp_next_error(t->fd, &out->error) == 0) {
		if (!is_of_this(t, &out->error))
			continue;
		out->has_error = true;
		out->kind = is_ttl_over(&out->error) ? ANSWER_HOP :
		    icmp_is_closed_port(&out->error) ? ANSWER_ARRIVED :
		    ANSWER_REFUSED;
		return;
	}
	/* Somebody has that port, and even answers. */
	if (call_recvfrom(t->fd, &byte, 1, 0, &from.u.sa, &from.len) >= 0 &&
	    addr_port(&from) == addr_port(&t->peer))
		out->kind = ANSWER_ARRIVED;
}

static void
await_answer(struct trace *t, double since, struct answer *out)
{
	double left;
	struct pollfd p[] = {
		{ .fd = t->fd, .events = POLLIN },
		{ .fd = t->stop_fd, .events = POLLIN },
	};

	while (out->kind == ANSWER_NONE) {
		left = (double)t->job.timeout_ms - (say_seconds() - since) *
		    1e3;
		/* Also when we were late, what has come is looked at. */
		if (poll(p, 2, left > 0 ? (int)left + 1 : 0) == 0)
			return;
		out->seconds = say_seconds() - since;
		if (p[1].revents != 0)
			out->kind = ANSWER_STOPPED;
		else
			read_answer(t, out);
	}
}

/* ---------------------------------------------------------------- telling */

static void
say_hop(const struct trace *t, unsigned ttl, const struct answer *a)
{
	const struct addr *from = a->has_error ? &a->error.from : &t->peer;
	char host[ADDR_TEXT], took[SAY_UNIT_TEXT], why[ICMP_ERROR_TEXT] = "";
	struct record r;

	addr_host_text(from, host);
	if (a->has_error && a->kind != ANSWER_HOP)
		icmp_error_text(&a->error, why);
	record_begin(&r, "hop");
	record_number(&r, "ttl", ttl);
	record_text(&r, "from", host);
	record_real(&r, "seconds", a->seconds);
	if (a->has_error) {
		record_number(&r, "type", a->error.type);
		record_number(&r, "code", a->error.code);
	}
	record_bool(&r, "arrived", a->kind == ANSWER_ARRIVED);
	record_say(&r, SAY_ANSWER, "%3u  %-20s %9s%s%s", ttl, host,
	    say_time(a->seconds, took), *why != '\0' ? "  " : "",
	    *why != '\0' ? strchr(why, ' ') + 1 : "");
}

static void
say_silent(const struct trace *t, unsigned ttl)
{
	struct record r;

	record_begin(&r, "hop");
	record_number(&r, "ttl", ttl);
	record_text(&r, "from", NULL);
	record_bool(&r, "arrived", false);
	record_say(&r, SAY_ANSWER, "%3u  *                    no answer to %"
	    PRIu64, ttl, t->tries);
}

/* ------------------------------------------------------------------- run */

/* One answer of this hop, or silence after all tries. */
static enum outcome
ask_hop(struct trace *t, unsigned ttl, struct answer *out)
{
	int err = set_ttl(t, (int)ttl);
	double since;

	for (uint64_t i = 0; err == 0 && i < t->tries; i++) {
		*out = (struct answer){ .kind = ANSWER_NONE };
		since = say_seconds();
		err = send_probe(t);
		if (err == 0)
			await_answer(t, since, out);
		if (out->kind != ANSWER_NONE)
			break;
	}
	if (err < 0)
		return say_error(outcome_of_peer(err), t->target.text, "send",
		    err, NULL);
	if (out->kind == ANSWER_NONE)
		say_silent(t, ttl);
	else if (out->kind != ANSWER_STOPPED)
		say_hop(t, ttl, out);
	return OUTCOME_DONE;
}

/* --count answers of each hop. */
static enum outcome
ask_all(struct trace *t)
{
	struct answer a = { .kind = ANSWER_NONE };
	char why[ICMP_ERROR_TEXT];
	enum outcome o;

	for (unsigned ttl = 1; ttl <= t->hops; ttl++) {
		for (uint64_t i = 0; i < t->job.count; i++) {
			o = ask_hop(t, ttl, &a);
			if (o != OUTCOME_DONE || a.kind == ANSWER_STOPPED)
				return o;
			if (a.kind == ANSWER_NONE)
				break;
		}
		if (a.kind == ANSWER_ARRIVED)
			return OUTCOME_DONE;
		if (a.kind == ANSWER_REFUSED)
			return say_error(OUTCOME_PEER, t->target.text,
			    "not reached", a.error.err, "%s",
			    icmp_error_text(&a.error, why));
	}
	return say_error(OUTCOME_TIMEOUT, t->target.text, "not reached", 0,
	    "within %" PRIu64 " hops", t->hops);
}

static void
say_goal(const struct trace *t)
{
	char host[ADDR_TEXT];
	struct record r;

	addr_host_text(&t->peer, host);
	record_begin(&r, "trace");
	record_text(&r, "address", host);
	record_say(&r, SAY_STATUS, "to %s (%s), at most %" PRIu64 " hops",
	    t->job.operands[0], host, t->hops);
}

static enum outcome
trace_run(struct job *job)
{
	struct trace *t = (struct trace *)job;
	char name[NAME_BYTES];
	enum outcome o;

	if (t->hops == 0 || t->hops > TTL_MAX || t->tries == 0 ||
	    job->count == 0 || job->timeout_ms == 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0, "--hops is "
		    "from 1 to %d; tries, count and timeout are 1 or more",
		    TTL_MAX);
	o = find_host(t, name);
	if (o == OUTCOME_DONE)
		o = open_socket(t);
	if (o != OUTCOME_DONE)
		return o;
	t->stop_fd = stop_open();
	if (t->stop_fd < 0)
		return say_error(OUTCOME_LOCAL, NULL, "signalfd", t->stop_fd,
		    NULL);
	say_goal(t);
	o = ask_all(t);
	stop_close(t->stop_fd);
	call_close(t->fd);
	return o;
}

const struct verb verb_trace = {
	.name = "trace",
	.operands = "HOST",
	.least = 1,
	.most = 1,
	.about = "show the routers on the way to a host",
	.details =
	    "--count is how often each hop is asked (1), --timeout how long\n"
	    "an answer may take (1.2s).  Nobody needs a privilege for it.\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct trace),
	.defaults = trace_defaults,
	.run = trace_run,
};
