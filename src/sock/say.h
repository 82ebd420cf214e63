/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_SAY_H
#define SWS_SOCK_SAY_H

/*
 * What sock tells: lines for people, or with --json one object a line.
 *
 * Answers go to standard output, what happens meanwhile to standard error, so
 * that data and remarks never mix.  Each thing said is a record: its fields
 * make the object, and a sentence of its own makes the line.
 *
 *	struct record r;
 *
 *	record_begin(&r, "accept");
 *	record_text(&r, "peer", peer);
 *	record_number(&r, "fd", fd);
 *	record_say(&r, SAY_STATUS, "%s: connection from %s", local, peer);
 *
 * makes "tcp:127.0.0.1:80: connection from ..." or
 * {"t":0.000412,"ev":"accept","peer":"...","fd":5}.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* The exit status; the greatest of several verbs' parts is the whole's. */
enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_PARTIAL = 1,    /* some of many failed */
	OUTCOME_PEER = 2,       /* refused, unreachable, reset */
	OUTCOME_LOCAL = 3,      /* our own address: in use, not permitted */
	OUTCOME_NAME = 4,       /* no such host or service */
	OUTCOME_TIMEOUT = 5,
	OUTCOME_UNAVAILABLE = 6, /* not on this system, not for this user */
	OUTCOME_USAGE = 64,     /* sysexits.h calls it EX_USAGE */
	OUTCOME_LAB = 70,       /* what a lab expected did not happen */
};

enum say_where {
	SAY_ANSWER,             /* standard output: what was asked for */
	SAY_CALL,               /* standard error; asked for by --calls */
	SAY_STATUS,             /* standard error; not with -q */
	SAY_DETAIL,             /* standard error; only with -v */
};

struct say_style {
	bool is_json;
	bool is_quiet, is_verbose;
	bool shows_calls;       /* --calls, see call.h */
	/* Where JSON goes that is no answer; 0: to standard error. */
	int events_fd;
};

/* Sets how things are said; until then as without any option. */
void say_open(const struct say_style *style);
const struct say_style *say_style(void);

/* Seconds since say_open, to the nanosecond. */
double say_seconds(void);

/*
 * Answers are gathered and written in large pieces, for those who give
 * thousands; until say_flush, after which each is written at once again.
 */
void say_hold(void);
void say_flush(void);

/*
 * Once all is said: says if an answer could not be written, for which `o`, if
 * it is that all went well, becomes OUTCOME_LOCAL.  A pipe that nobody reads
 * any more is no such failure.
 */
enum outcome say_close(enum outcome o);

/* Is that descriptor a terminal that may be sent colours (NO_COLOR)? */
bool say_has_colour(int fd);

/*
 * Its bytes are bounded; a record that outgrew them is said cut, as such.
 * Without --json nothing is gathered.
 */
struct record {
	struct buf json;
	bool is_wanted, is_cut;
};

void record_begin(struct record *r, const char *event);

/* NULL is null.  Bytes that are no UTF-8 stand as the code points 80 to ff. */
void record_text(struct record *r, const char *name, const char *value);
void record_str(struct record *r, const char *name, struct str value);
void record_number(struct record *r, const char *name, int64_t value);
void record_real(struct record *r, const char *name, double value);
void record_bool(struct record *r, const char *name, bool value);
/* "ECONNREFUSED"; null for 0.  `err` may be negative. */
void record_errno(struct record *r, const char *name, int err);

/* A list of texts or numbers between; the names inside are NULL. */
void record_list_begin(struct record *r, const char *name);
void record_list_end(struct record *r);

/*
 * Says the record as a line of the format, or as JSON, and frees it.  In a
 * line, control characters that came with the arguments become '?'.
 */
void record_say(struct record *r, enum say_where where,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Frees a record that is not said after all. */
void record_drop(struct record *r);

/*
 * One line on standard error: "sock: ADDRESS: WHAT: reason (ERRNO): why".
 * `address` and `format` (the knob, the holder) may be NULL, `err` may be 0,
 * its sign does not matter.  Returns `o`, so that a verb can end with it.
 */
enum outcome say_error(enum outcome o, const char *address, const char *what,
    int err, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Which outcome a failed call on an address makes; `err` of either sign. */
enum outcome outcome_of_peer(int err);          /* connect, send, receive */
enum outcome outcome_of_local(int err);         /* socket, bind, listen */

/* "12 B", "4.1 MB"; "0.35 ms", "2.50 s".  They return `text`. */
#define SAY_UNIT_TEXT 24
const char *say_bytes(uint64_t n, char text[SAY_UNIT_TEXT]);
const char *say_time(double seconds, char text[SAY_UNIT_TEXT]);

#endif
