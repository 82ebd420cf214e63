/* SPDX-License-Identifier: ISC */
/*
 * sock bench: how fast a server answers.  What is measured, with how many
 * clients, and whether they wait for the server (closed loop) or for the
 * clock (open loop) is said with the figures, which mean nothing without.
 */
#include "sock/bench_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sock/verbs.h"

#define CLIENTS_MAX 20000
#define SIZE_LIMIT (64 << 20)
#define RATE_MAX 10000000
#define DATAGRAM_MAX 65507

static const struct option_row options[] = {
	{ "clients", 'n', "N", OPTION_COUNT, offsetof(struct bench, clients),
	    "clients at a time (1)" },
	{ "measure", 'm', "WHAT", OPTION_TEXT, offsetof(struct bench, measure),
	    "trips, connections, send or receive (trips)" },
	{ "rate", 'r', "N", OPTION_COUNT, offsetof(struct bench, rate),
	    "open loop: so many a second, whatever the server does" },
	{ "size", 's', "SIZE", OPTION_SIZE, offsetof(struct bench, size),
	    "bytes of a message (64)" },
	{ "text", 0, "TEXT", OPTION_TEXT, offsetof(struct bench, text),
	    "what a connection sends, with \\r and \\n" },
	{ .name = NULL },
};

static void
bench_defaults(struct job *job)
{
	struct bench *b = (struct bench *)job;

	b->measure = "trips";
	b->clients = 1;
	job->for_ms = 2000;
}

/* ---------------------------------------------------------------- telling */

static const struct {
	const char *name;
	double part;
} percentiles[] = {
	{ "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 },
};

#define N_PERCENTILES (sizeof(percentiles) / sizeof(percentiles[0]))

static void
add_times(struct record *r, const struct histogram *h)
{
	record_real(r, "min", (double)h->least / 1e9);
	record_real(r, "mean", h->sum / (double)h->n / 1e9);
	for (size_t i = 0; i < N_PERCENTILES; i++)
		record_real(r, percentiles[i].name,
		    (double)histogram_at(h, percentiles[i].part) / 1e9);
	record_real(r, "max", (double)h->most / 1e9);
}

/* "p50 24 us, p90 30 us, ..., max 1.20 ms" */
static void
times_text(const struct histogram *h, char *text, size_t size)
{
	char time[SAY_UNIT_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < N_PERCENTILES; i++)
		n += (size_t)snprintf(text + n, size - n, "%s %s, ",
		    percentiles[i].name,
		    say_time((double)histogram_at(h, percentiles[i].part) /
		    1e9, time));
	snprintf(text + n, size - n, "max %s",
	    say_time((double)h->most / 1e9, time));
}

/* Lines for people; with --json all is in one object. */
static __attribute__((format(printf, 1, 2))) void
say_line(const char *format, ...)
{
	char text[256];
	struct record r;
	va_list args;

	if (say_style()->is_json)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	record_begin(&r, "line");
	record_say(&r, SAY_ANSWER, "%s", text);
}

static void
say_lines(const struct bench *b)
{
	char bytes[SAY_UNIT_TEXT], size[SAY_UNIT_TEXT], rate[64] = "";
	char times[160], of[SAY_UNIT_TEXT + 16] = "";

	if (b->kind->is_connected)
		snprintf(of, sizeof(of), ", %s a message",
		    say_bytes(b->size, size));

	if (b->rate > 0)
		snprintf(rate, sizeof(rate), " of %" PRIu64 " a second",
		    b->rate);
	say_line("%s: %" PRIu64 " clients%s, %s loop%s, %.2f s",
	    b->target.text, b->clients, of, b->rate > 0 ? "open" : "closed",
	    rate, b->seconds);
	say_bytes((uint64_t)((double)b->bytes / b->seconds), bytes);
	say_line("  %.0f %s a second, %s a second", (double)b->times.n /
	    b->seconds, b->kind->unit, bytes);
	if (!b->kind->is_stream && b->times.n > 0) {
		times_text(&b->times, times, sizeof(times));
		say_line("  %s", times);
	}
	if (b->missed + b->lost + b->failed > 0)
		say_line("  %" PRIu64 " failed, %" PRIu64 " lost, %" PRIu64
		    " due but not begun", b->failed, b->lost, b->missed);
}

static void
say_result(const struct bench *b)
{
	struct record r;

	say_lines(b);
	if (!say_style()->is_json)
		return;
	record_begin(&r, "bench");
	record_text(&r, "address", b->target.text);
	record_text(&r, "measure", b->kind->name);
	record_number(&r, "clients", (int64_t)b->clients);
	record_number(&r, "size", (int64_t)b->size);
	record_text(&r, "loop", b->rate > 0 ? "open" : "closed");
	record_number(&r, "rate", (int64_t)b->rate);
	record_real(&r, "seconds", b->seconds);
	record_number(&r, "done", (int64_t)b->times.n);
	record_real(&r, "per_second", (double)b->times.n / b->seconds);
	record_number(&r, "bytes", (int64_t)b->bytes);
	record_real(&r, "bytes_per_second", (double)b->bytes / b->seconds);
	record_number(&r, "failed", (int64_t)b->failed);
	record_number(&r, "lost", (int64_t)b->lost);
	record_number(&r, "missed", (int64_t)b->missed);
	if (!b->kind->is_stream && b->times.n > 0)
		add_times(&r, &b->times);
	record_say(&r, SAY_ANSWER, "%s", b->target.text);
}

/* -------------------------------------------------------------------- run */

static const struct bench_kind *
find_kind(const char *name)
{
	for (const struct bench_kind *k = bench_kinds; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

/* Requests of HTTP end in what a shell cannot easily write. */
static const char *
unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; at++) {
		if (at[0] == '\\' && (at[1] == 'r' || at[1] == 'n'))
			*to++ = *++at == 'r' ? '\r' : '\n';
		else
			*to++ = *at;
	}
	*to = '\0';
	return text;
}

static enum outcome
check_options(struct bench *b)
{
	uint64_t most = b->target.address.type == SOCK_DGRAM ? DATAGRAM_MAX :
	    SIZE_LIMIT;

	/* A SYN that was dropped is sent again after one second. */
	if (b->job.timeout_ms == 0)
		b->job.timeout_ms = b->target.address.type == SOCK_DGRAM ?
		    1000 : 5000;
	b->kind = find_kind(b->measure);
	if (b->kind == NULL)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--measure is trips, connections, send or receive");
	if (b->size == 0)
		b->size = b->target.address.type == SOCK_DGRAM &&
		    b->kind->is_stream ? 1024 : b->kind->size;
	if (b->clients == 0 || b->clients > CLIENTS_MAX || b->size > most ||
	    b->rate > RATE_MAX || b->job.for_ms == 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0, "at the "
		    "most: --clients %d, --size %" PRIu64 ", --rate %d; "
		    "--clients and --for are not 0", CLIENTS_MAX,
		    most, RATE_MAX);
	if (b->kind->is_stream && b->rate > 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--rate is for trips and connections");
	if (!b->kind->is_connected && b->target.address.type == SOCK_DGRAM)
		return say_error(OUTCOME_USAGE, b->target.text, "option", 0,
		    "datagram sockets have no connections");
	return OUTCOME_DONE;
}

static enum outcome
find_peer(struct bench *b)
{
	struct endpoint list[ENDPOINTS_MAX];
	enum outcome o;
	unsigned n;

	o = target_parse(b->job.operands[0], &b->target);
	if (o == OUTCOME_DONE)
		o = endpoint_resolve_peer(&b->job, &b->target, list, &n);
	if (o == OUTCOME_DONE)
		b->peer = list[0];
	return o;
}

static enum outcome
bench_run(struct job *job)
{
	struct bench *b = (struct bench *)job;
	char text[4096];
	enum outcome o;

	if (b->text != NULL) {
		if (strlen(b->text) >= sizeof(text))
			return say_error(OUTCOME_USAGE, NULL, "option", 0,
			    "--text has 4095 bytes at the most");
		*str_put(text, str_of(b->text)) = '\0';
		b->text = unescape(text);
	}
	o = find_peer(b);
	if (o == OUTCOME_DONE)
		o = check_options(b);
	if (o == OUTCOME_DONE)
		o = bench_load(b);
	if (o != OUTCOME_DONE)
		return o;
	if (b->times.n == 0)
		return b->failed > 0 ? say_error(outcome_of_peer(b->err),
		    b->target.text, "nothing was done", b->err, NULL) :
		    say_error(OUTCOME_TIMEOUT, b->target.text,
		    "nothing was done", 0, NULL);
	say_result(b);
	return b->failed + b->lost > 0 ? OUTCOME_PARTIAL : OUTCOME_DONE;
}

const struct verb verb_bench = {
	.name = "bench",
	.operands = "ADDR",
	.least = 1,
	.most = 1,
	.about = "measure how fast a server answers",
	.details =
	    "trips: messages that come back (serve --echo); connections:\n"
	    "connect, send --text, read to the end; send and receive: bytes\n"
	    "(serve --discard, --source).  --for is 2s, --timeout 5s, of UDP\n"
	    "1s.\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct bench),
	.defaults = bench_defaults,
	.run = bench_run,
};
