/* SPDX-License-Identifier: ISC */
/*
 * sock ping: echo requests to hosts, each at its own pace.  A ping socket
 * (icmp(7): DGRAM) needs only a group in a knob and is tried first; then a
 * raw one, which needs CAP_NET_RAW.  Each host has a socket of its own that is
 * connected to it, so the kernel sorts the answers.
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

#define HOSTS_MAX 256
#define NAME_BYTES 300
#define WAITING_MAX 1024        /* requests to a host that are not answered */
#define SIZE_MAX_BYTES 65000
#define RATE_MAX 1000
#define KNOB "/proc/sys/net/ipv4/ping_group_range"

struct ping {
	struct job job;
	uint64_t rate, size;

	struct ping_host *hosts;
	struct pollfd *polls;   /* of each host, and the last for signals */
	unsigned n;
	unsigned char *request, *answer;
	bool is_over;           /* no more requests */
};

/* A request that may still be answered. */
struct waiting {
	double at;
	uint16_t seq;
	bool is_there;
};

struct ping_host {
	char name[NAME_BYTES];  /* "icmp:" and what was given */
	struct target target;
	struct addr peer;
	char text[NAME_BYTES + ADDR_TEXT];
	int fd;
	bool is_raw;
	uint16_t id;
	double next_at;
	uint64_t sent, answered, lost, errors;
	double least, most, sum;        /* seconds */
	uint64_t waits_from;    /* all before are decided */
	struct waiting waiting[WAITING_MAX];
};

static const struct option_row options[] = {
	{ "rate", 'r', "N", OPTION_COUNT, offsetof(struct ping, rate),
	    "requests a second to each host (1)" },
	{ "size", 's', "SIZE", OPTION_SIZE, offsetof(struct ping, size),
	    "bytes behind the header (56)" },
	{ .name = NULL },
};

static void
ping_defaults(struct job *job)
{
	struct ping *p = (struct ping *)job;

	p->rate = 1;
	p->size = 56;
	job->timeout_ms = 1000;
}

/* ---------------------------------------------------------------- opening */

/* What forbids it, with the value of the knob. */
static enum outcome
not_permitted(const struct ping_host *h, int err)
{
	FILE *f = fopen(KNOB, "re");
	unsigned from = 0, to = 0;
	char line[32] = "", *rest;

	if (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		from = (unsigned)strtoul(line, &rest, 10);
		to = (unsigned)strtoul(rest, NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	return say_error(OUTCOME_UNAVAILABLE, h->name, "socket", err,
	    "a ping socket needs your group in "
	    "net.ipv4.ping_group_range=%u %u, a raw one CAP_NET_RAW", from, to);
}

static enum outcome
open_socket(struct ping_host *h)
{
	int family = h->peer.u.sa.sa_family;
	int protocol = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int type = SOCK_CLOEXEC | SOCK_NONBLOCK;

	h->fd = call_socket(family, SOCK_DGRAM | type, protocol);
	if (h->fd >= 0)
		return OUTCOME_DONE;
	h->is_raw = true;
	h->fd = call_socket(family, SOCK_RAW | type, protocol);
	if (h->fd >= 0)
		return OUTCOME_DONE;
	if (h->fd == -EPERM || h->fd == -EACCES)
		return not_permitted(h, h->fd);
	return say_error(outcome_of_local(h->fd), h->name, "socket", h->fd,
	    NULL);
}

static enum outcome
prepare_socket(const struct job *job, struct ping_host *h)
{
	int family = h->peer.u.sa.sa_family, on = 1, err;
	enum outcome o = endpoint_apply(job, &h->target, h->fd);

	if (o == OUTCOME_DONE)
		o = endpoint_bind(job, &h->target, h->fd, family);
	if (o != OUTCOME_DONE)
		return o;
	err = family == AF_INET6 ? call_setsockopt(h->fd, IPPROTO_IPV6,
	    IPV6_RECVHOPLIMIT, &on, sizeof(on)) :
	    call_setsockopt(h->fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	if (err == 0)
		err = icmp_want_errors(h->fd, family);
	if (err == 0)
		err = call_connect(h->fd, &h->peer.u.sa, h->peer.len);
	return err == 0 ? OUTCOME_DONE : say_error(outcome_of_peer(err),
	    h->name, "connect", err, NULL);
}

static enum outcome
find_host(const struct job *job, struct ping_host *h, const char *operand)
{
	bool has_kind = strncmp(operand, "icmp:", 5) == 0;
	struct endpoint list[ENDPOINTS_MAX];
	char host[ADDR_TEXT];
	enum outcome o;
	unsigned n;

	n = (unsigned)snprintf(h->name, sizeof(h->name), "%s%s",
	    has_kind ? "" : "icmp:", operand);
	if (n >= sizeof(h->name))
		return say_error(OUTCOME_USAGE, NULL, "no such host", 0,
		    "a name has 255 bytes at the most");
	o = target_parse(h->name, &h->target);
	if (o == OUTCOME_DONE)
		o = endpoint_resolve_peer(job, &h->target, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	h->peer.len = list[0].len;
	memcpy(&h->peer.u, &list[0].u, sizeof(h->peer.u));
	addr_host_text(&h->peer, host);
	if (strcmp(host, h->name + 5) == 0)
		snprintf(h->text, sizeof(h->text), "%s", host);
	else
		snprintf(h->text, sizeof(h->text), "%s (%s)", h->name + 5,
		    host);
	return OUTCOME_DONE;
}

static enum outcome
open_host(struct ping *p, const char *operand)
{
	struct ping_host *h = &p->hosts[p->n];
	enum outcome o = find_host(&p->job, h, operand);

	if (o != OUTCOME_DONE)
		return o;
	o = open_socket(h);
	if (o != OUTCOME_DONE)
		return o;
	o = prepare_socket(&p->job, h);
	if (o != OUTCOME_DONE) {
		call_close(h->fd);
		return o;
	}
	h->id = (uint16_t)((unsigned)getpid() + p->n);
	p->polls[p->n] = (struct pollfd){ .fd = h->fd, .events = POLLIN };
	p->n++;
	return OUTCOME_DONE;
}

/* ---------------------------------------------------------------- results */

static void
say_reply(const struct ping_host *h, uint16_t seq, int ttl, size_t bytes,
    double seconds)
{
	char text[SAY_UNIT_TEXT];
	struct record r;

	record_begin(&r, "reply");
	record_str(&r, "host", h->target.address.host);
	record_number(&r, "seq", seq);
	record_number(&r, "bytes", (int64_t)bytes);
	record_number(&r, "ttl", ttl);
	record_real(&r, "seconds", seconds);
	record_say(&r, SAY_ANSWER, "%s: seq %u, ttl %d, %zu bytes, %s",
	    h->text, seq, ttl, bytes, say_time(seconds, text));
}

static void
say_failed(const struct ping_host *h, int64_t seq, int err, const char *why)
{
	struct record r;

	record_begin(&r, "failed");
	record_str(&r, "host", h->target.address.host);
	record_number(&r, "seq", seq);
	record_errno(&r, "errno", err);
	record_text(&r, "why", why);
	record_say(&r, SAY_ANSWER, "%s: seq %" PRId64 ": %s", h->text, seq,
	    why);
}

/* The request of that number, if it still waits. */
static struct waiting *
find_waiting(struct ping_host *h, uint16_t seq)
{
	struct waiting *w = &h->waiting[seq % WAITING_MAX];

	return w->is_there && w->seq == seq ? w : NULL;
}

static void
count_reply(struct ping_host *h, double seconds)
{
	if (h->answered == 0 || seconds < h->least)
		h->least = seconds;
	if (seconds > h->most)
		h->most = seconds;
	h->sum += seconds;
	h->answered++;
}

/* ---------------------------------------------------------------- sending */

static void
take_errors(struct ping_host *h)
{
	char text[ICMP_ERROR_TEXT];
	struct icmp_error e;
	struct waiting *w;
	uint16_t seq;

	while (icmp_next_error(h->fd, &e) == 0) {
		if (e.sent_n < ICMP_HEAD_BYTES)
			continue;
		seq = (uint16_t)(e.sent[6] << 8 | e.sent[7]);
		w = find_waiting(h, seq);
		if (w == NULL)
			continue;
		w->is_there = false;
		h->errors++;
		say_failed(h, seq, e.err, icmp_error_text(&e, text));
	}
}

/* An error of an earlier request is told by the next call: then once more. */
static ssize_t
send_request(struct ping_host *h, const unsigned char *m, size_t n)
{
	ssize_t sent = call_send(h->fd, m, n, 0);

	if (sent >= 0)
		return sent;
	take_errors(h);
	return call_send(h->fd, m, n, 0);
}

/* The slot of an unanswered request from long ago is used again. */
static void
send_next(struct ping *p, struct ping_host *h, double now)
{
	/* Sequence numbers begin with 1, as people count. */
	struct echo e = { h->id, (uint16_t)(h->sent + 1) };
	size_t n = ICMP_HEAD_BYTES + (size_t)p->size;
	struct waiting *w = &h->waiting[e.seq % WAITING_MAX];
	ssize_t sent;

	icmp_write_echo(h->peer.u.sa.sa_family, &e, p->request, n);
	h->lost += w->is_there;
	*w = (struct waiting){ .at = say_seconds(), .seq = e.seq,
	    .is_there = true };
	sent = send_request(h, p->request, n);
	h->sent++;
	h->next_at += 1.0 / (double)p->rate;
	/* What could not be sent in time is not made up for in a burst. */
	if (h->next_at < now)
		h->next_at = now;
	if (sent >= 0)
		return;
	w->is_there = false;
	h->errors++;
	say_failed(h, e.seq, (int)sent, strerror((int)-sent));
}

static bool
may_send(const struct ping *p, const struct ping_host *h)
{
	return !p->is_over &&
	    (p->job.count == 0 || h->sent < p->job.count);
}

/* -------------------------------------------------------------- receiving */

static int
ttl_of(struct msghdr *msg)
{
	int ttl = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	    c = CMSG_NXTHDR(msg, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_HOPLIMIT))
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	return ttl;
}

/* One message; false when none is there. */
static bool
take_message(struct ping *p, struct ping_host *h)
{
	int family = h->peer.u.sa.sa_family;
	union {
		struct cmsghdr align;
		char space[128];
	} control;
	struct iovec piece = { p->answer, SIZE_MAX_BYTES };
	struct msghdr msg = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n = call_recvmsg(h->fd, &msg, MSG_DONTWAIT);
	struct str m = { (char *)p->answer, n > 0 ? (size_t)n : 0 };
	struct waiting *w;
	struct echo e;
	double took;

	if (n < 0)
		return n == -EINTR;
	if (!icmp_read_reply(family, h->is_raw && family == AF_INET, m, &e) ||
	    (h->is_raw && e.id != h->id))
		return true;
	w = find_waiting(h, e.seq);
	if (w == NULL)
		return true;
	w->is_there = false;
	took = say_seconds() - w->at;
	count_reply(h, took);
	if (h->is_raw && family == AF_INET)
		m = str_skip(m, (size_t)(m.p[0] & 15) * 4);
	say_reply(h, e.seq, ttl_of(&msg), m.n, took);
	return true;
}

/* Requests that were not answered in time; in the order of their numbers. */
static void
expire(const struct ping *p, struct ping_host *h, double now)
{
	double wait = (double)p->job.timeout_ms / 1e3;
	struct waiting *w;

	for (; h->waits_from < h->sent; h->waits_from++) {
		w = find_waiting(h, (uint16_t)(h->waits_from + 1));
		if (w == NULL)
			continue;
		if (w->at + wait > now)
			return;
		w->is_there = false;
		h->lost++;
		say_failed(h, w->seq, ETIMEDOUT, "no answer");
	}
}

/* ------------------------------------------------------------------- loop */

/* When has this host to be looked at again?  Negative: never. */
static double
next_time(const struct ping *p, struct ping_host *h)
{
	double wait = (double)p->job.timeout_ms / 1e3, at = -1;
	struct waiting *w;

	if (h->waits_from < h->sent) {
		w = find_waiting(h, (uint16_t)(h->waits_from + 1));
		at = w != NULL ? w->at + wait : 0;
	}
	if (may_send(p, h) && (at < 0 || h->next_at < at))
		at = h->next_at;
	return at;
}

/* What is due now; returns when something will be next, or -1: never. */
static double
turn(struct ping *p, double now)
{
	double first = -1, at;

	for (unsigned i = 0; i < p->n; i++) {
		struct ping_host *h = &p->hosts[i];

		if (may_send(p, h) && h->next_at <= now)
			send_next(p, h, now);
		expire(p, h, now);
		at = next_time(p, h);
		if (at >= 0 && (first < 0 || at < first))
			first = at;
	}
	return first;
}

static void
await(struct ping *p, double seconds)
{
	struct timespec t = { 0, 0 };

	if (seconds > 0) {
		t.tv_sec = (time_t)seconds;
		t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	}
	if (ppoll(p->polls, p->n + 1, &t, NULL) <= 0)
		return;
	for (unsigned i = 0; i < p->n; i++) {
		if (p->polls[i].revents & POLLERR)
			take_errors(&p->hosts[i]);
		if (p->polls[i].revents & POLLIN)
			while (take_message(p, &p->hosts[i]))
				;
	}
}

static void
ping_all(struct ping *p)
{
	double until = p->job.for_ms > 0 ?
	    say_seconds() + (double)p->job.for_ms / 1e3 : -1, now, next;

	for (unsigned i = 0; i < p->n; i++)
		p->hosts[i].next_at = say_seconds();
	for (;;) {
		now = say_seconds();
		if (until >= 0 && now >= until)
			p->is_over = true;
		next = turn(p, now);
		if (next < 0)
			return;
		if (until >= 0 && !p->is_over && until < next)
			next = until;
		await(p, next - say_seconds());
		if (p->polls[p->n].revents != 0) {
			stop_taken(p->polls[p->n].fd);
			return;
		}
	}
}

/* ---------------------------------------------------------------- summary */

static void
say_summary(const struct ping_host *h)
{
	char least[SAY_UNIT_TEXT], mean[SAY_UNIT_TEXT], most[SAY_UNIT_TEXT];
	double average = h->answered > 0 ? h->sum / (double)h->answered : 0;
	struct record r;

	record_begin(&r, "ping");
	record_str(&r, "host", h->target.address.host);
	record_text(&r, "by", h->is_raw ? "raw" : "dgram");
	record_number(&r, "sent", (int64_t)h->sent);
	record_number(&r, "answered", (int64_t)h->answered);
	record_number(&r, "errors", (int64_t)h->errors);
	if (h->answered > 0) {
		record_real(&r, "min", h->least);
		record_real(&r, "avg", average);
		record_real(&r, "max", h->most);
		record_say(&r, SAY_ANSWER, "%s: %" PRIu64 " sent, %" PRIu64
		    " answered; min %s, avg %s, max %s", h->text, h->sent,
		    h->answered, say_time(h->least, least),
		    say_time(average, mean), say_time(h->most, most));
		return;
	}
	record_say(&r, SAY_ANSWER, "%s: %" PRIu64 " sent, none answered",
	    h->text, h->sent);
}

static enum outcome
outcome_of_host(const struct ping_host *h)
{
	if (h->errors == 0 && h->lost == 0)
		return OUTCOME_DONE;
	if (h->answered > 0)
		return OUTCOME_PARTIAL;
	return h->errors > 0 ? OUTCOME_PEER : OUTCOME_TIMEOUT;
}

static enum outcome
summarize(struct ping *p)
{
	enum outcome all = OUTCOME_DONE, o;

	for (unsigned i = 0; i < p->n; i++) {
		say_summary(&p->hosts[i]);
		call_close(p->hosts[i].fd);
		o = outcome_of_host(&p->hosts[i]);
		if (i == 0)
			all = o;
		else if (o != all)
			all = OUTCOME_PARTIAL;
	}
	return all;
}

static bool
make_room(struct ping *p)
{
	p->hosts = calloc(p->job.n_operands, sizeof(*p->hosts));
	p->polls = calloc(p->job.n_operands + 1, sizeof(*p->polls));
	p->request = calloc(1, ICMP_HEAD_BYTES + (size_t)p->size);
	p->answer = malloc(SIZE_MAX_BYTES);
	return p->hosts != NULL && p->polls != NULL && p->request != NULL &&
	    p->answer != NULL;
}

static enum outcome
ping_hosts(struct ping *p)
{
	enum outcome o = OUTCOME_DONE, one;
	int stop_fd;

	for (unsigned i = 0; i < p->job.n_operands; i++) {
		one = open_host(p, p->job.operands[i]);
		if (one != OUTCOME_DONE)
			o = one;
	}
	if (p->n == 0)
		return o;
	stop_fd = stop_open();
	if (stop_fd < 0)
		return say_error(OUTCOME_LOCAL, NULL, "signalfd", stop_fd,
		    NULL);
	p->polls[p->n] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	ping_all(p);
	stop_close(stop_fd);
	one = summarize(p);
	return o == OUTCOME_DONE ? one : OUTCOME_PARTIAL;
}

static enum outcome
ping_run(struct job *job)
{
	struct ping *p = (struct ping *)job;
	enum outcome o;

	if (p->size > SIZE_MAX_BYTES - ICMP_HEAD_BYTES)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--size is %d at the most", SIZE_MAX_BYTES -
		    ICMP_HEAD_BYTES);
	if (p->rate == 0 || p->rate > RATE_MAX)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--rate is from 1 to %d", RATE_MAX);
	if (make_room(p))
		o = ping_hosts(p);
	else
		o = say_error(OUTCOME_UNAVAILABLE, NULL, "memory", ENOMEM,
		    NULL);
	free(p->hosts);
	free(p->polls);
	free(p->request);
	free(p->answer);
	return o;
}

const struct verb verb_ping = {
	.name = "ping",
	.operands = "HOST...",
	.least = 1,
	.most = HOSTS_MAX,
	.about = "ask hosts for an echo, by ICMP",
	.details =
	    "Until a signal comes, or --count requests were sent to each, or\n"
	    "--for is over.  --timeout is for each answer (1s).\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct ping),
	.defaults = ping_defaults,
	.run = ping_run,
};
