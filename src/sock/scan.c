/* SPDX-License-Identifier: ISC */
/*
 * sock scan: which ports of a host are open.  A bounded number is asked at a
 * time, in the order of their numbers.
 *
 * Of UDP a closed port is known only by an ICMP error, and a host sends few of
 * those: Linux six at once, then one a second to each peer (icmp(7):
 * icmp_ratelimit).  So once there were errors and then silence, the scan goes
 * on at that pace, says so, and asks the silent ports a second time.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sock/call.h"
#include "sock/scan_priv.h"
#include "sock/stop.h"
#include "sock/verbs.h"

#define PARALLEL_MAX 1024
#define RATE_MAX 100000
#define TRIES_MAX 10
#define NAME_BYTES 300
#define SLOW_S 1.05             /* a little more than the limit's second */

static const struct option_row options[] = {
	{ "all", 'a', NULL, OPTION_FLAG, offsetof(struct scan, shows_all),
	    "show the ports that are not open, too" },
	{ "parallel", 'p', "N", OPTION_COUNT, offsetof(struct scan, parallel),
	    "ports asked at a time (tcp: 64, udp: 6)" },
	{ "quic", 0, NULL, OPTION_FLAG, offsetof(struct scan, is_quic),
	    "ask which versions of QUIC are spoken" },
	{ "rate", 'r', "N", OPTION_COUNT, offsetof(struct scan, rate),
	    "ports asked a second, at the most" },
	{ "text", 0, "TEXT", OPTION_TEXT, offsetof(struct scan, text),
	    "what is sent to ports of UDP" },
	{ "tries", 'n', "N", OPTION_COUNT, offsetof(struct scan, tries),
	    "how often a silent port is asked (tcp: 1, udp: 2)" },
	{ .name = NULL },
};

static void
scan_defaults(struct job *job)
{
	job->timeout_ms = 1200;
	((struct scan *)job)->text = "\n";
}

static const char *const state_names[PORT_STATES] = {
	[PORT_WAITING] = "waiting",
	[PORT_OPEN] = "open",
	[PORT_CLOSED] = "closed",
	[PORT_SILENT] = "silent",
	[PORT_UNREACHABLE] = "unreachable",
};

/* The work: which ports are asked now, and what came of them. */
struct work {
	struct scan *scan;
	struct ports *now, *later;      /* this round's, the next one's */
	struct probe *probes;
	struct pollfd *polls;           /* of each, then the signals */
	unsigned flying, room;
	uint64_t round;
	double interval, next_at, until;
	uint64_t counts[PORT_STATES];
	bool is_stopped, is_slow;
};

/* ---------------------------------------------------------------- telling */

static void
say_port(const struct scan *s, const struct probe *p, enum port_state state)
{
	bool is_udp = s->target.address.type == SOCK_DGRAM;
	struct servent *service = getservbyport(htons((uint16_t)p->port),
	    is_udp ? "udp" : "tcp");
	const char *name = service != NULL ? service->s_name : "-";
	double took = say_seconds() - p->at;
	char text[ENDPOINT_TEXT], time[SAY_UNIT_TEXT];
	struct endpoint e = s->peer;
	struct record r;

	if (state != PORT_OPEN && !s->shows_all)
		return;
	e.u.in.sin_port = htons((uint16_t)p->port);
	endpoint_text(&e, text);
	record_begin(&r, "port");
	record_text(&r, "address", text);
	record_number(&r, "port", p->port);
	record_text(&r, "state", state_names[state]);
	record_text(&r, "service", service != NULL ? name : NULL);
	record_text(&r, "why", *p->why != '\0' ? p->why : NULL);
	record_real(&r, "seconds", took);
	record_say(&r, SAY_ANSWER, "%-28s %-11s %-12s %9s  %s", text,
	    state_names[state], name, say_time(took, time), p->why);
}

static void
say_slow(const struct work *w)
{
	unsigned left = w->now->n - (unsigned)(w->counts[PORT_OPEN] +
	    w->counts[PORT_CLOSED] + w->counts[PORT_UNREACHABLE]);
	struct record r;

	record_begin(&r, "pace");
	record_number(&r, "left", left);
	record_real(&r, "interval", SLOW_S);
	record_say(&r, SAY_STATUS, "%s: silence after errors: the host limits "
	    "them (net.ipv4.icmp_ratelimit); one port a second from here, "
	    "about %.0f s for %u; --rate=N does otherwise",
	    w->scan->target.text, left * SLOW_S, left);
}

static enum outcome
summarize(const struct work *w)
{
	const uint64_t *n = w->counts;
	uint64_t others = n[PORT_CLOSED] + n[PORT_SILENT] +
	    n[PORT_UNREACHABLE];
	struct record r;

	record_begin(&r, "scan");
	record_text(&r, "address", w->scan->target.text);
	for (int i = PORT_OPEN; i < PORT_STATES; i++)
		record_number(&r, state_names[i], (int64_t)n[i]);
	record_real(&r, "seconds", say_seconds());
	record_say(&r, SAY_STATUS, "%s: %" PRIu64 " open, %" PRIu64
	    " closed, %" PRIu64 " silent, %" PRIu64 " unreachable",
	    w->scan->target.text, n[PORT_OPEN], n[PORT_CLOSED],
	    n[PORT_SILENT], n[PORT_UNREACHABLE]);
	if (w->is_stopped)
		return OUTCOME_PARTIAL;
	if (n[PORT_OPEN] > 0)
		return others == 0 ? OUTCOME_DONE : OUTCOME_PARTIAL;
	return n[PORT_SILENT] == others ? OUTCOME_TIMEOUT : OUTCOME_PEER;
}

/* ----------------------------------------------------------------- probes */

/* Errors and then silence: from now on at the pace of the errors. */
static void
slow_down(struct work *w)
{
	if (w->is_slow || !w->scan->kind->has_slow_answers ||
	    w->scan->rate > 0 || w->counts[PORT_CLOSED] == 0)
		return;
	w->is_slow = true;
	w->interval = SLOW_S;
	w->next_at = say_seconds() + SLOW_S;
	say_slow(w);
}

static void
decide(struct work *w, struct probe *p, enum port_state state)
{
	call_close(p->fd);
	if (state == PORT_SILENT)
		slow_down(w);
	if (state == PORT_SILENT && w->round + 1 < w->scan->tries) {
		ports_add(w->later, p->port);
		return;
	}
	w->counts[state]++;
	say_port(w->scan, p, state);
}

/* The last of those in flight takes its place. */
static void
land(struct work *w, unsigned i, enum port_state state)
{
	decide(w, &w->probes[i], state);
	w->flying--;
	w->probes[i] = w->probes[w->flying];
	w->polls[i] = w->polls[w->flying];
	w->polls[w->flying] = w->polls[w->flying + 1];
}

static int
open_probe(const struct scan *s, struct probe *p)
{
	int family = s->peer.u.sa.sa_family, err;

	p->fd = call_socket(family, s->peer.type | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, s->peer.protocol);
	if (p->fd < 0)
		return p->fd;
	/* Without the errors' senders it works as well. */
	(void)icmp_want_errors(p->fd, family);
	if (endpoint_apply(&s->job, &s->target, p->fd) != OUTCOME_DONE ||
	    endpoint_bind(&s->job, &s->target, p->fd, family) != OUTCOME_DONE)
		err = -ECANCELED;
	else
		err = s->kind->ask(s, p);
	if (err < 0)
		call_close(p->fd);
	return err;
}

/* Asks a port.  0, or a negative errno when it could not be asked. */
static int
launch(struct work *w, unsigned port)
{
	struct probe *p = &w->probes[w->flying];
	int state;

	*p = (struct probe){ .port = port, .at = say_seconds() };
	state = open_probe(w->scan, p);
	if (state < 0)
		return state;
	if (state != PORT_WAITING) {
		decide(w, p, (enum port_state)state);
		return 0;
	}
	w->polls[w->flying + 1] = w->polls[w->flying];
	w->polls[w->flying] = (struct pollfd){
		.fd = p->fd,
		.events = w->scan->peer.type == SOCK_STREAM ? POLLOUT : POLLIN,
	};
	w->flying++;
	return 0;
}

/* ------------------------------------------------------------------ round */

static bool
is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS ||
	    err == -ENOMEM || err == -EAGAIN;
}

/*
 * Asks as many as may be asked now; *port is the next one.  When there are no
 * descriptors for more at a time, then it goes on with fewer.
 */
static int
launch_some(struct work *w, unsigned *port)
{
	int err;

	while (*port != 0 && w->flying < w->room &&
	    say_seconds() >= w->next_at) {
		err = launch(w, *port);
		if (is_shortage(err) && w->flying > 0) {
			w->room = w->flying;
			return 0;
		}
		if (err < 0)
			return err;
		*port = ports_next(w->now, *port + 1);
		w->next_at += w->interval;
	}
	return 0;
}

/* Seconds until something has to be done. */
static double
time_left(const struct work *w, unsigned port)
{
	double wait = (double)w->scan->job.timeout_ms / 1e3;
	double now = say_seconds(), first = now + 1;

	for (unsigned i = 0; i < w->flying; i++)
		if (w->probes[i].at + wait < first)
			first = w->probes[i].at + wait;
	if (port != 0 && w->flying < w->room && w->next_at < first)
		first = w->next_at;
	return first > now ? first - now : 0;
}

static void
await(struct work *w, unsigned port)
{
	double left = time_left(w, port);
	struct timespec t = { .tv_sec = (time_t)left };
	enum port_state state;

	t.tv_nsec = (long)((left - (double)t.tv_sec) * 1e9);
	if (ppoll(w->polls, w->flying + 1, &t, NULL) <= 0)
		return;
	if (w->polls[w->flying].revents != 0) {
		stop_taken(w->polls[w->flying].fd);
		w->is_stopped = true;
		return;
	}
	for (unsigned i = 0; i < w->flying;) {
		state = PORT_WAITING;
		if (w->polls[i].revents != 0)
			state = w->scan->kind->look(w->scan, &w->probes[i]);
		/* Landing puts another one in its place. */
		if (state != PORT_WAITING)
			land(w, i, state);
		else
			i++;
	}
}

/* What came while nobody looked has come; all else of it is silence. */
static enum port_state
last_look(const struct work *w, unsigned i)
{
	enum port_state state = PORT_WAITING;

	if (poll(&w->polls[i], 1, 0) == 1)
		state = w->scan->kind->look(w->scan, &w->probes[i]);
	return state == PORT_WAITING ? PORT_SILENT : state;
}

static void
expire(struct work *w)
{
	double now = say_seconds();
	double wait = (double)w->scan->job.timeout_ms / 1e3;

	for (unsigned i = 0; i < w->flying;)
		if (w->probes[i].at + wait <= now)
			land(w, i, last_look(w, i));
		else
			i++;
	if (w->until > 0 && now >= w->until)
		w->is_stopped = true;
}

static int
scan_round(struct work *w)
{
	unsigned port = ports_next(w->now, 1);
	int err = 0;

	while ((port != 0 || w->flying > 0) && !w->is_stopped && err == 0) {
		err = launch_some(w, &port);
		if (err == 0 && w->flying + port > 0)
			await(w, port);
		expire(w);
	}
	while (w->flying > 0)
		call_close(w->probes[--w->flying].fd);
	return err;
}

static enum outcome
scan_all(struct work *w)
{
	const struct scan *s = w->scan;
	struct ports *swap;
	int err = 0;

	for (; w->round < s->tries && err == 0 && !w->is_stopped &&
	    w->now->n > 0; w->round++) {
		memset(w->later, 0, sizeof(*w->later));
		err = scan_round(w);
		swap = w->now;
		w->now = w->later;
		w->later = swap;
	}
	if (err < 0 && err != -ECANCELED)
		return say_error(outcome_of_local(err), s->target.text,
		    "scan", err, NULL);
	return err < 0 ? OUTCOME_LOCAL : summarize(w);
}

/* -------------------------------------------------------------------- run */

/* "tcp:host:22,80-90": what stands behind the last colon are the ports. */
static enum outcome
read_operand(struct scan *s, char name[NAME_BYTES], struct ports *ports)
{
	const char *text = s->job.operands[0], *colon = strrchr(text, ':');
	struct endpoint list[ENDPOINTS_MAX];
	const char *wrong = NULL;
	bool is_number;
	enum outcome o;
	unsigned n;

	if (colon == NULL || strlen(text) + 2 > NAME_BYTES)
		return say_error(OUTCOME_USAGE, text, "no such address", 0,
		    "HOST:PORTS is wanted, like localhost:1-1024");
	is_number = colon[1] >= '0' && colon[1] <= '9';
	snprintf(name, NAME_BYTES, "%.*s:%s", (int)(colon - text), text,
	    is_number ? "1" : colon + 1);
	o = target_parse(name, &s->target);
	if (o == OUTCOME_DONE && s->target.address.kind != ADDRESS_INET)
		o = say_error(OUTCOME_USAGE, text, "it has no ports", 0, NULL);
	if (o == OUTCOME_DONE)
		o = endpoint_resolve_peer(&s->job, &s->target, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	s->peer = list[0];
	s->target.text = text;
	memset(ports, 0, sizeof(*ports));
	if (is_number)
		wrong = ports_parse(str_of(colon + 1), ports);
	else
		ports_add(ports, ntohs(s->peer.u.in.sin_port));
	return wrong == NULL ? OUTCOME_DONE :
	    say_error(OUTCOME_USAGE, text, "no such ports", 0, "%s", wrong);
}

static enum outcome
check_options(struct scan *s)
{
	bool is_udp = s->target.address.type == SOCK_DGRAM;

	s->kind = is_udp ? &scan_udp : &scan_tcp;
	if (s->parallel == 0)
		s->parallel = s->kind->parallel;
	if (s->tries == 0)
		s->tries = s->kind->tries;
	if (s->is_quic && !is_udp)
		return say_error(OUTCOME_USAGE, s->target.text, "option", 0,
		    "QUIC is spoken over UDP: udp:HOST:PORTS");
	if (s->is_quic && getrandom(&s->ids, sizeof(s->ids), 0) !=
	    sizeof(s->ids))
		return say_error(OUTCOME_UNAVAILABLE, NULL, "getrandom", errno,
		    NULL);
	if (s->parallel > PARALLEL_MAX || s->tries > TRIES_MAX ||
	    s->rate > RATE_MAX || s->job.timeout_ms == 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "at the most: --parallel %d, --tries %d, --rate %d; and "
		    "--timeout is not 0", PARALLEL_MAX, TRIES_MAX, RATE_MAX);
	return OUTCOME_DONE;
}

static enum outcome
start(struct work *w)
{
	const struct job *job = &w->scan->job;
	int stop_fd = stop_open();
	enum outcome o;

	if (stop_fd < 0)
		return say_error(OUTCOME_LOCAL, NULL, "signalfd", stop_fd,
		    NULL);
	w->polls[0] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	w->room = (unsigned)w->scan->parallel;
	if (w->scan->rate > 0)
		w->interval = 1.0 / (double)w->scan->rate;
	w->next_at = say_seconds();
	if (job->for_ms > 0)
		w->until = say_seconds() + (double)job->for_ms / 1e3;
	o = scan_all(w);
	stop_close(stop_fd);
	return o;
}

static enum outcome
scan_run(struct job *job)
{
	struct scan *s = (struct scan *)job;
	struct work w = { .scan = s };
	char name[NAME_BYTES];
	enum outcome o;

	w.now = calloc(1, sizeof(*w.now));
	w.later = calloc(1, sizeof(*w.later));
	w.probes = calloc(PARALLEL_MAX, sizeof(*w.probes));
	w.polls = calloc(PARALLEL_MAX + 1, sizeof(*w.polls));
	if (w.now == NULL || w.later == NULL || w.probes == NULL ||
	    w.polls == NULL) {
		o = say_error(OUTCOME_UNAVAILABLE, NULL, "memory", ENOMEM,
		    NULL);
	} else {
		o = read_operand(s, name, w.now);
		if (o == OUTCOME_DONE)
			o = check_options(s);
		if (o == OUTCOME_DONE)
			o = start(&w);
	}
	free(w.now);
	free(w.later);
	free(w.probes);
	free(w.polls);
	return o;
}

const struct verb verb_scan = {
	.name = "scan",
	.operands = "HOST:PORTS",
	.least = 1,
	.most = 1,
	.about = "show which ports of a host are open: tcp:host:1-1024",
	.details =
	    "PORTS are numbers and ranges, 22,80-90, or a service.  TCP is\n"
	    "asked by connect(2), UDP by a datagram; --timeout is for each\n"
	    "answer (1.2s).  The exit status is 0 when all are open.\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct scan),
	.defaults = scan_defaults,
	.run = scan_run,
};
