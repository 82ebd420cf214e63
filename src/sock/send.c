/* SPDX-License-Identifier: ISC */
/*
 * sock send: texts as messages, by each of the calls that can send, and with
 * the ends that a connection can be given: closed, half-closed, reset.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "sock/call.h"
#include "sock/endpoint.h"
#include "sock/sockopt.h"
#include "sock/verbs.h"

#define INPUT_BYTES 65536       /* of a stream from standard input at once */
#define DATAGRAM_BYTES 8192     /* of it in one datagram */
#define LINE_BYTES (256 * 1024) /* of a line; no datagram is so long */
#define REPLY_BYTES (256 * 1024)
#define REPLY_MS 5000
#define TICK_US 20000           /* between signals once --for is over */

struct send;

/* One way to send a message: bytes sent or a negative errno. */
struct via {
	const char *name;
	ssize_t (*send)(const struct send *s, struct str text, int flags);
};

struct send {
	struct job job;
	const char *via_name, *reply;
	bool is_urgent, resets, half_closes, has_lines;
	/* running */
	struct target target;
	struct endpoint peer;   /* of sendto on a socket without connection */
	const struct via *via;
	bool is_connected;
	int fd;
	int64_t until_ms;       /* of clock_mono_ms: --for */
	uint64_t messages, bytes;
};

#define OPTION(name, letter, value, type, field, about) \
	{ name, letter, value, type, offsetof(struct send, field), about }

static const struct option_row options[] = {
	OPTION("via", 0, "CALL", OPTION_TEXT, via_name,
	    "write, send, sendto or sendmsg"),
	OPTION("oob", 0, NULL, OPTION_FLAG, is_urgent,
	    "as urgent data (MSG_OOB): the last byte of each text"),
	OPTION("lines", 'l', NULL, OPTION_FLAG, has_lines,
	    "each line of standard input is a message of its own"),
	OPTION("reply", 0, "[T]", OPTION_TEXT, reply,
	    "print what is answered, until the end or T without a byte (5)"),
	OPTION("half-close", 0, NULL, OPTION_FLAG, half_closes,
	    "then shutdown(2), and print what is answered until the end"),
	OPTION("reset", 0, NULL, OPTION_FLAG, resets,
	    "then reset the connection instead of closing it"),
	{ .name = NULL },
};

#undef OPTION

/* ------------------------------------------------------------- the calls */

static ssize_t
via_write(const struct send *s, struct str text, int flags)
{
	(void)flags;
	return call_write(s->fd, text.p, text.n);
}

static ssize_t
via_send(const struct send *s, struct str text, int flags)
{
	return call_send(s->fd, text.p, text.n, flags | MSG_NOSIGNAL);
}

static ssize_t
via_sendto(const struct send *s, struct str text, int flags)
{
	if (s->is_connected)
		return call_sendto(s->fd, text.p, text.n, flags | MSG_NOSIGNAL,
		    NULL, 0);
	return call_sendto(s->fd, text.p, text.n, flags | MSG_NOSIGNAL,
	    &s->peer.u.sa, s->peer.len);
}

/* In two pieces, to show that they arrive as one. */
static ssize_t
via_sendmsg(const struct send *s, struct str text, int flags)
{
	struct iovec pieces[2];
	struct msghdr m = { .msg_iov = pieces, .msg_iovlen = 2 };
	char *copy = malloc(text.n + 1);
	ssize_t n;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, text.p, text.n);
	pieces[0] = (struct iovec){ copy, text.n / 2 };
	pieces[1] = (struct iovec){ copy + text.n / 2, text.n - text.n / 2 };
	n = call_sendmsg(s->fd, &m, flags | MSG_NOSIGNAL);
	free(copy);
	return n;
}

static const struct via vias[] = {
	{ "write", via_write },
	{ "send", via_send },
	{ "sendto", via_sendto },
	{ "sendmsg", via_sendmsg },
};

static const struct via *
find_via(const char *name)
{
	for (size_t i = 0; i < sizeof(vias) / sizeof(vias[0]); i++)
		if (strcmp(vias[i].name, name) == 0)
			return &vias[i];
	return NULL;
}

/* ----------------------------------------------------------------- --for */

static void
on_alarm(int signo)
{
	(void)signo;
}

/*
 * Once the time is over a signal ends what waits, be it for the peer or for
 * standard input.  It comes again and again, since the first may be there
 * just before the wait begins.
 */
static void
start_time(struct send *s)
{
	int64_t ms = s->job.for_ms;
	/* Without SA_RESTART. */
	const struct sigaction interrupts = { .sa_handler = on_alarm };
	const struct itimerval timer = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
		.it_interval = { 0, TICK_US },
	};

	s->until_ms = INT64_MAX;
	if (ms == 0)
		return;
	s->until_ms = clock_mono_ms() + ms;
	sigaction(SIGALRM, &interrupts, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static bool
is_over(const struct send *s)
{
	return clock_mono_ms() >= s->until_ms;
}

/* --------------------------------------------------------------- sending */

static enum outcome
failed(const struct send *s, const char *what, int err)
{
	bool is_urgent = s->is_urgent && err == -EOPNOTSUPP;

	return say_error(is_urgent ? OUTCOME_UNAVAILABLE :
	    outcome_of_peer(err), s->target.text, what, err,
	    err == -EMSGSIZE || is_urgent ? "%s" : NULL, is_urgent ?
	    "urgent data is for streams" :
	    "longer than one datagram can be");
}

/* A stream may take a part; a datagram is taken whole or not at all. */
static enum outcome
send_message(struct send *s, struct str text)
{
	int flags = s->is_urgent ? MSG_OOB : 0;
	ssize_t n;

	if (is_over(s))
		return OUTCOME_DONE;
	s->messages++;
	do {
		do
			n = s->via->send(s, text, flags);
		while (n == -EINTR && !is_over(s));
		if (n == -EINTR)
			return OUTCOME_DONE;
		/* Only SO_SNDTIMEO makes a socket that waits say so. */
		if (n == -EAGAIN)
			n = -ETIMEDOUT;
		if (n < 0)
			return failed(s, s->via->name, (int)n);
		s->bytes += (uint64_t)n;
		text = str_skip(text, (size_t)n);
	} while (text.n > 0);
	return OUTCOME_DONE;
}

static enum outcome
send_texts(struct send *s)
{
	uint64_t count = s->job.count > 0 ? s->job.count : 1;
	enum outcome o = OUTCOME_DONE;

	for (uint64_t i = 0; i < count && !is_over(s); i++)
		for (unsigned t = 1; t < s->job.n_operands; t++) {
			o = send_message(s, str_of(s->job.operands[t]));
			if (o != OUTCOME_DONE)
				return o;
		}
	return o;
}

/* The next line with its end, or what there is room for; 0 at the end. */
static size_t
read_line(char *p, size_t room)
{
	size_t n = 0;
	int c = 0;

	while (n < room && c != '\n' && (c = getc_unlocked(stdin)) != EOF)
		p[n++] = (char)c;
	return n;
}

/*
 * A line that is too long goes in pieces, which a stream does not mind, and
 * the first of which is more than a datagram can hold: EMSGSIZE tells.
 */
static enum outcome
send_lines(struct send *s)
{
	char *line = malloc(LINE_BYTES);
	enum outcome o = OUTCOME_DONE;
	size_t n;

	if (line == NULL)
		return say_error(OUTCOME_LOCAL, NULL, "memory", ENOMEM, NULL);
	while (o == OUTCOME_DONE && (n = read_line(line, LINE_BYTES)) > 0)
		o = send_message(s, (struct str){ line, n });
	if (o == OUTCOME_DONE && ferror(stdin) && !is_over(s))
		o = say_error(OUTCOME_LOCAL, NULL, "standard input", errno,
		    NULL);
	free(line);
	return o;
}

static enum outcome
send_input(struct send *s)
{
	bool is_stream = s->target.address.type == SOCK_STREAM;
	size_t room = is_stream ? INPUT_BYTES : DATAGRAM_BYTES;
	char *p = malloc(room);
	enum outcome o = OUTCOME_DONE;
	ssize_t n = 1;

	if (p == NULL)
		return say_error(OUTCOME_LOCAL, NULL, "memory", ENOMEM, NULL);
	while (o == OUTCOME_DONE && n > 0 && !is_over(s)) {
		n = read(STDIN_FILENO, p, room);
		if (n == -1 && errno == EINTR)
			n = 1;
		else if (n > 0)
			o = send_message(s, (struct str){ p, (size_t)n });
		else if (n == -1)
			o = say_error(OUTCOME_LOCAL, NULL, "standard input",
			    errno, NULL);
	}
	free(p);
	return o;
}

/* --------------------------------------------------------------- replies */

/* 0 when nothing came for so long; -1 waits for ever, or until --for. */
static int
await_bytes(const struct send *s, int64_t ms)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
	while (n == -1 && errno == EINTR && !is_over(s));
	return n;
}

static enum outcome
print_bytes(const char *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) == n && fflush(stdout) == 0)
		return OUTCOME_DONE;
	/* Only when --for is over is there a signal. */
	if (errno == EINTR)
		return OUTCOME_DONE;
	return say_error(OUTCOME_LOCAL, NULL, "standard output", errno, NULL);
}

static enum outcome
print_replies(struct send *s, char *p, int64_t ms)
{
	bool is_datagram = s->target.address.type == SOCK_DGRAM;
	enum outcome o = OUTCOME_DONE;
	uint64_t got = 0;
	ssize_t n;

	while (o == OUTCOME_DONE && !is_over(s)) {
		n = await_bytes(s, ms);
		if (n < 0)
			continue;
		if (n == 0)
			return got > 0 ? OUTCOME_DONE :
			    say_error(OUTCOME_TIMEOUT, s->target.text,
			    "no answer", ETIMEDOUT, NULL);
		n = call_recv(s->fd, p, REPLY_BYTES, 0);
		if (n == -EINTR)
			continue;
		if (n < 0)
			return failed(s, "receive", (int)n);
		if (n > 0)
			o = print_bytes(p, (size_t)n);
		if (n == 0 || is_datagram)
			return o;
		got += (uint64_t)n;
	}
	return o;
}

static enum outcome
receive_reply(struct send *s)
{
	int64_t ms = s->job.timeout_ms > 0 ? s->job.timeout_ms : -1;
	enum outcome o;
	char *p;

	if (s->reply != NULL && *s->reply == '\0')
		ms = REPLY_MS;
	else if (s->reply != NULL && options_time(s->reply, &ms) < 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--reply takes a time, like 5, 200ms or 2m");
	p = malloc(REPLY_BYTES);
	if (p == NULL)
		return say_error(OUTCOME_LOCAL, NULL, "memory", ENOMEM, NULL);
	o = print_replies(s, p, ms);
	free(p);
	return o;
}

/* ------------------------------------------------------------------- run */

/* As the lecture's senders: a datagram socket need not be connected. */
static enum outcome
open_unconnected(struct send *s)
{
	struct endpoint list[ENDPOINTS_MAX];
	enum outcome o;
	unsigned n;

	o = endpoint_resolve_peer(&s->job, &s->target, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	s->peer = list[0];
	s->fd = endpoint_socket(&s->job, &s->target, &list[0], &o);
	if (s->fd < 0)
		return o;
	o = endpoint_bind(&s->job, &s->target, s->fd,
	    list[0].u.sa.sa_family);
	if (o != OUTCOME_DONE)
		call_close(s->fd);
	return o;
}

/* --timeout is also for a peer who does not read. */
static void
set_timeout(const struct send *s)
{
	int64_t ms = s->job.timeout_ms;
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	if (ms > 0)
		call_setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static enum outcome
open_socket(struct send *s)
{
	bool is_datagram = s->target.address.type == SOCK_DGRAM;

	if (s->via_name == NULL)
		s->via_name = is_datagram || s->is_urgent ? "send" : "write";
	s->via = find_via(s->via_name);
	if (s->via == NULL)
		return say_error(OUTCOME_USAGE, NULL, "no such call", 0,
		    "%s; --via is write, send, sendto or sendmsg",
		    s->via_name);
	if (s->is_urgent && s->via->send == via_write)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "write(2) has no flags; --oob needs another call");
	s->is_connected = !is_datagram || s->via->send != via_sendto;
	if (!s->is_connected)
		return open_unconnected(s);
	return endpoint_connect(&s->job, &s->target, &s->fd);
}

/* An ICMP error of what was sent, if it came already (U5: often it has). */
static enum outcome
take_error(struct send *s)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (s->target.address.type != SOCK_DGRAM || !s->is_connected ||
	    call_getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ||
	    err == 0)
		return OUTCOME_DONE;
	return failed(s, "nobody receives there", -err);
}

static void
say_sent(const struct send *s)
{
	char text[SAY_UNIT_TEXT];
	struct record r;

	record_begin(&r, "sent");
	record_text(&r, "peer", s->target.text);
	record_text(&r, "via", s->via->name);
	record_number(&r, "messages", (int64_t)s->messages);
	record_number(&r, "bytes", (int64_t)s->bytes);
	record_say(&r, SAY_DETAIL, "%s: sent %s in %llu messages by %s",
	    s->target.text, say_bytes(s->bytes, text),
	    (unsigned long long)s->messages, s->via->name);
}

static enum outcome
finish(struct send *s)
{
	enum outcome o = take_error(s);

	if (o == OUTCOME_DONE && s->half_closes)
		call_shutdown(s->fd, SHUT_WR);
	if (o == OUTCOME_DONE && (s->half_closes || s->reply != NULL))
		o = receive_reply(s);
	if (o == OUTCOME_DONE && s->resets)
		o = sockopt_apply(s->fd, s->target.text, S("linger=0"));
	return o;
}

static enum outcome
send_run(struct job *job)
{
	struct send *s = (struct send *)job;
	enum outcome o;

	/* EPIPE says it, and what was on the way to standard output stays. */
	signal(SIGPIPE, SIG_IGN);
	o = target_parse(job->operands[0], &s->target);
	if (o == OUTCOME_DONE)
		o = open_socket(s);
	if (o != OUTCOME_DONE)
		return o;
	set_timeout(s);
	start_time(s);
	if (job->n_operands > 1)
		o = send_texts(s);
	else
		o = s->has_lines ? send_lines(s) : send_input(s);
	say_sent(s);
	if (o == OUTCOME_DONE)
		o = finish(s);
	call_close(s->fd);
	return o;
}

const struct verb verb_send = {
	.name = "send",
	.operands = "ADDR [TEXT...]",
	.least = 1,
	.most = 4096,
	.about = "send texts, each as a message, by a call of your choice",
	.details =
	    "Without a TEXT, standard input is sent.  --count sends the texts\n"
	    "so often.  With --via=sendto a datagram socket is not connected,\n"
	    "and so nobody tells it that nobody received.  Once --for is\n"
	    "over, nothing more is sent or awaited.\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct send),
	.run = send_run,
};
