/* SPDX-License-Identifier: ISC */
/*
 * Records are built as JSON (RFC 8259) in a bounded buffer and thrown away
 * where a line for people is wanted: sock says few things, and one way to say
 * them keeps both forms complete.  Each is written by one write(2), so that
 * what several processes say never interleaves.
 */
#include "sock/say.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES (256 * 1024)
#define LINE_BYTES 4096
#define HELD_BYTES (64 * 1024)

/* Rule Zero: as in base/log.c, how to say things belongs to the process. */
static struct {
	struct say_style style;
	double since;
	bool holds_answers;
	int lost_err;           /* of an answer that could not be written */
	size_t n_held;
	char held[HELD_BYTES];
} say_state;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
say_open(const struct say_style *style)
{
	say_state.style = *style;
	say_state.since = now();
}

const struct say_style *
say_style(void)
{
	return &say_state.style;
}

double
say_seconds(void)
{
	return now() - say_state.since;
}

bool
say_has_colour(int fd)
{
	const char *no = getenv("NO_COLOR");

	return (no == NULL || *no == '\0') && isatty(fd) == 1;
}

/* ---------------------------------------------------------------- JSON */

static void
add(struct record *r, struct str s)
{
	if (r->is_wanted && !r->is_cut && buf_add(&r->json, s) < 0)
		r->is_cut = true;
}

/* How many bytes the UTF-8 character at p has; 1 for what is none. */
static size_t
character_length(struct str s)
{
	unsigned char c = (unsigned char)s.p[0];
	size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > s.n || !str_is_utf8((struct str){ s.p, n }))
		n = 1;
	return n;
}

static void
add_escaped(struct record *r, unsigned char c)
{
	char text[8];
	int n;

	if (c == '"' || c == '\\')
		n = snprintf(text, sizeof(text), "\\%c", c);
	else if (c == '\n')
		n = snprintf(text, sizeof(text), "\\n");
	else
		n = snprintf(text, sizeof(text), "\\u%04x", c);
	add(r, (struct str){ text, (size_t)n });
}

static void
add_string(struct record *r, struct str s)
{
	unsigned char c;
	size_t n;

	if (!r->is_wanted)
		return;
	add(r, S("\""));
	for (; s.n > 0; s = str_skip(s, n)) {
		n = character_length(s);
		c = (unsigned char)s.p[0];
		if (n > 1 || (c >= ' ' && c < 0x7f && c != '"' && c != '\\'))
			add(r, (struct str){ s.p, n });
		else
			add_escaped(r, c);
	}
	add(r, S("\""));
}

/* The comma, unless the record or a list begins here, and the name. */
static void
add_name(struct record *r, const char *name)
{
	char last = r->json.n > 0 ? r->json.p[r->json.n - 1] : '{';

	if (!r->is_wanted)
		return;
	if (last != '{' && last != '[')
		add(r, S(","));
	if (name != NULL) {
		add_string(r, str_of(name));
		add(r, S(":"));
	}
}

void
record_begin(struct record *r, const char *event)
{
	buf_init(&r->json, RECORD_BYTES);
	r->is_cut = false;
	r->is_wanted = say_state.style.is_json;
	add(r, S("{"));
	if (!r->is_wanted)
		return;
	record_real(r, "t", say_seconds());
	record_text(r, "ev", event);
}

void
record_str(struct record *r, const char *name, struct str value)
{
	add_name(r, name);
	add_string(r, value);
}

void
record_text(struct record *r, const char *name, const char *value)
{
	if (value != NULL) {
		record_str(r, name, str_of(value));
		return;
	}
	add_name(r, name);
	add(r, S("null"));
}

void
record_number(struct record *r, const char *name, int64_t value)
{
	char text[24];
	int n;

	if (!r->is_wanted)
		return;
	n = snprintf(text, sizeof(text), "%lld", (long long)value);
	add_name(r, name);
	add(r, (struct str){ text, (size_t)n });
}

/* JSON has no words for what is not finite. */
void
record_real(struct record *r, const char *name, double value)
{
	char text[48];
	int n;

	if (!r->is_wanted)
		return;
	n = snprintf(text, sizeof(text), "%.9g", value);
	add_name(r, name);
	if (isfinite(value))
		add(r, (struct str){ text, (size_t)n });
	else
		add(r, S("null"));
}

void
record_bool(struct record *r, const char *name, bool value)
{
	add_name(r, name);
	add(r, value ? S("true") : S("false"));
}

void
record_errno(struct record *r, const char *name, int err)
{
	record_text(r, name, err == 0 ? NULL : strerrorname_np(abs(err)));
}

void
record_list_begin(struct record *r, const char *name)
{
	add_name(r, name);
	add(r, S("["));
}

void
record_list_end(struct record *r)
{
	add(r, S("]"));
}

void
record_drop(struct record *r)
{
	buf_fini(&r->json);
}

/* -------------------------------------------------------------- saying */

static void
write_now(int fd, const char *p, size_t n)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, n);
		/* A terminal is shared, and others may have it not wait. */
		if (done == -1 && errno == EAGAIN)
			poll(&writable, 1, -1);
		else if (done == -1 && errno != EINTR) {
			if (fd == STDOUT_FILENO)
				say_state.lost_err = errno;
			return;
		}
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
}

static void
write_held(void)
{
	write_now(STDOUT_FILENO, say_state.held, say_state.n_held);
	say_state.n_held = 0;
}

static void
write_all(int fd, const char *p, size_t n)
{
	if (!say_state.holds_answers || fd != STDOUT_FILENO) {
		write_now(fd, p, n);
		return;
	}
	if (n > HELD_BYTES - say_state.n_held)
		write_held();
	if (n > HELD_BYTES) {
		write_now(fd, p, n);
		return;
	}
	memcpy(say_state.held + say_state.n_held, p, n);
	say_state.n_held += n;
}

void
say_hold(void)
{
	say_state.holds_answers = true;
}

void
say_flush(void)
{
	write_held();
	say_state.holds_answers = false;
}

/* A name must not forge a second line, nor an escape reach a terminal. */
static size_t
blunt_controls(char *text)
{
	size_t n;

	for (n = 0; text[n] != '\0'; n++)
		if (((unsigned char)text[n] < ' ' && text[n] != '\t') ||
		    text[n] == '\x7f')
			text[n] = '?';
	return n;
}

static __attribute__((format(printf, 3, 0))) void
write_line(int fd, const char *prefix, const char *format, va_list args)
{
	static const char cut_mark[] = "...";
	char line[LINE_BYTES];
	size_t room, head;
	int n;

	head = (size_t)snprintf(line, sizeof(line), "%s", prefix);
	room = sizeof(line) - head - 1;         /* for the newline */
	n = vsnprintf(line + head, room, format, args);
	if (n >= 0 && (size_t)n >= room)
		memcpy(line + sizeof(line) - 1 - sizeof(cut_mark), cut_mark,
		    sizeof(cut_mark));
	head += blunt_controls(line + head);
	line[head++] = '\n';
	write_all(fd, line, head);
}

static void
write_json(struct record *r, int fd)
{
	/* Cut JSON is no JSON: say that there was something. */
	if (r->is_cut) {
		buf_fini(&r->json);
		r->is_cut = false;
		add(r, S("{\"ev\":\"cut\""));
	}
	add(r, S("}\n"));
	write_all(fd, r->json.p, r->json.n);
}

static int
events_fd(void)
{
	int fd = say_state.style.events_fd;

	return fd > 0 ? fd : STDERR_FILENO;
}

static bool
is_wanted(enum say_where where)
{
	if (where == SAY_STATUS)
		return !say_state.style.is_quiet;
	return where != SAY_DETAIL || say_state.style.is_verbose;
}

void
record_say(struct record *r, enum say_where where, const char *format, ...)
{
	int fd = where == SAY_ANSWER ? STDOUT_FILENO : events_fd();
	va_list args;

	if (is_wanted(where)) {
		if (say_state.style.is_json) {
			write_json(r, fd);
		} else {
			va_start(args, format);
			write_line(fd, "", format, args);
			va_end(args);
		}
	}
	record_drop(r);
}

/* "connect: connection refused (ECONNREFUSED)" */
static void
describe(char *text, size_t size, const char *what, int err)
{
	const char *name = strerrorname_np(err);
	int n = snprintf(text, size, "%s", what);

	if (err == 0 || n < 0 || (size_t)n >= size)
		return;
	snprintf(text + n, size - (size_t)n, ": %s (%s)", strerror(err),
	    name != NULL ? name : "?");
	/* strerror begins with a capital; we are inside a sentence. */
	if (text[n + 2] >= 'A' && text[n + 2] <= 'Z' &&
	    text[n + 3] >= 'a' && text[n + 3] <= 'z')
		text[n + 2] = (char)(text[n + 2] - 'A' + 'a');
}

static void
say_error_json(enum outcome o, const char *address, const char *what, int err,
    const char *why)
{
	struct record r;

	record_begin(&r, "error");
	record_text(&r, "address", address);
	record_text(&r, "what", what);
	record_errno(&r, "errno", err);
	record_text(&r, "why", why);
	record_number(&r, "exit", o);
	write_json(&r, events_fd());
	record_drop(&r);
}

static __attribute__((format(printf, 1, 2))) void
write_error(const char *format, ...)
{
	bool has_colour = say_has_colour(STDERR_FILENO);
	va_list args;

	va_start(args, format);
	write_line(STDERR_FILENO, has_colour ? "\x1b[31msock:\x1b[0m " :
	    "sock: ", format, args);
	va_end(args);
}

enum outcome
say_error(enum outcome o, const char *address, const char *what, int err,
    const char *format, ...)
{
	char text[512], why[1024] = "";
	va_list args;

	if (format != NULL) {
		va_start(args, format);
		vsnprintf(why, sizeof(why), format, args);
		va_end(args);
	}
	describe(text, sizeof(text), what, abs(err));
	if (say_state.style.is_json)
		say_error_json(o, address, what, err,
		    format != NULL ? why : NULL);
	/* An error that only a file knows would be missed. */
	if (!say_state.style.is_json || events_fd() != STDERR_FILENO)
		write_error("%s%s%s%s%s", address != NULL ? address : "",
		    address != NULL ? ": " : "", text,
		    *why != '\0' ? ": " : "", why);
	return o;
}

/* A reader who left had enough; a disk that is full has not. */
enum outcome
say_close(enum outcome o)
{
	if (say_state.lost_err == 0 || say_state.lost_err == EPIPE)
		return o;
	say_error(OUTCOME_LOCAL, NULL, "standard output", say_state.lost_err,
	    NULL);
	return o == OUTCOME_DONE ? OUTCOME_LOCAL : o;
}

/* ------------------------------------------------------------ outcomes */

enum outcome
outcome_of_peer(int err)
{
	switch (abs(err)) {
	case ETIMEDOUT:
		return OUTCOME_TIMEOUT;
	case EADDRINUSE:
	case EADDRNOTAVAIL:
		return OUTCOME_LOCAL;
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EPERM:
		return OUTCOME_UNAVAILABLE;
	default:
		return OUTCOME_PEER;
	}
}

enum outcome
outcome_of_local(int err)
{
	switch (abs(err)) {
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EOPNOTSUPP:
	case ENOSYS:
	case EPERM:
		return OUTCOME_UNAVAILABLE;
	default:
		return OUTCOME_LOCAL;
	}
}

/* --------------------------------------------------------------- units */

const char *
say_bytes(uint64_t n, char text[SAY_UNIT_TEXT])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	double v = (double)n / 1e3;
	size_t i = 0;

	if (n < 1000) {
		snprintf(text, SAY_UNIT_TEXT, "%u B", (unsigned)n);
		return text;
	}
	for (; v >= 999.95 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		v /= 1e3;
	snprintf(text, SAY_UNIT_TEXT, "%.1f %s", v, units[i]);
	return text;
}

const char *
say_time(double seconds, char text[SAY_UNIT_TEXT])
{
	if (seconds < 1e-3)
		snprintf(text, SAY_UNIT_TEXT, "%.0f us", seconds * 1e6);
	else if (seconds < 1)
		snprintf(text, SAY_UNIT_TEXT, "%.2f ms", seconds * 1e3);
	else
		snprintf(text, SAY_UNIT_TEXT, "%.2f s", seconds);
	return text;
}
