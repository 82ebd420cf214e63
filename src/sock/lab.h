/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_H
#define SWS_SOCK_LAB_H

/*
 * A lab is one experiment end to end: it makes its network, lets its actors
 * call, and says what it expects of the answers.  It runs in a process of its
 * own, and what it does is shown as one line of time: calls, packets, states.
 *
 * How a lab is written, here one that shows that a closed port says so:
 *
 *	void
 *	lesson_refused(struct lab *lab)
 *	{
 *		struct lab_addr nobody = lab_inet("127.0.0.1", 1);
 *		int fd = lab_socket(lab, AF_INET, SOCK_STREAM, 0);
 *
 *		lab_expect(lab, lab_connect(lab, fd, &nobody) == -ECONNREFUSED,
 *		    "connect to a port where nobody listens: ECONNREFUSED");
 *		lab_expect(lab, lab_await(lab, 1, (struct lab_wanted){
 *		    .kind = PACKET_TCP, .flags = PACKET_RST }),
 *		    "the refusal is a segment with RST");
 *		lab_close(lab, fd);
 *		lab_say(lab, "A host that is there answers for its ports.");
 *	}
 *
 * and one line in lab_list.h: X(refused, "refused", "T4", LAB_LOOPBACK, "...").
 *
 * - The calls of lab_calls.h are noted with their result; they return what the
 *   system call returns, or the negative errno.  A call in a loop is made
 *   without them and summed up by lab_note.
 * - Nothing is expected that a slow machine could break: states are awaited,
 *   knobs are read, times are compared only where physics is sure.
 * - Descriptors, actors and files (the lab stands in an empty directory of
 *   its own) may be left behind: all that is cleaned when the lab's process
 *   is gone, at its deadline at the latest.
 * - What the kernel lacks is skipped in so many words: lab_skip.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sock/packet.h"

#define LAB_TEXT 240            /* one event, with its NUL */
#define LAB_CLAIMS 21           /* numbered 1 to 21, see lab_claims.c */

struct lab;

enum lab_needs {
	LAB_ALONE = 0,          /* no network at all: pipes, files */
	LAB_LOOPBACK = 1,       /* without a private one, the machine's own */
	LAB_NETWORK = 2,        /* only in a private network */
	LAB_MOUNTS = 4,         /* mounts of its own */
	LAB_ROOT = 8,           /* root in earnest: two users */
};

struct lab_entry {
	const char *name;
	const char *rows;       /* of the checklist: "T11 T12" */
	unsigned needs;
	const char *title;      /* one line */
	void (*run)(struct lab *lab);
};

/* All labs, in the order of the lecture; ends with a NULL name. */
extern const struct lab_entry lab_table[];

/* What the lecture says, whether right or wrong, and which lab measures it. */
struct lab_statement {
	const char *text;
	const char *lab;
};
extern const struct lab_statement lab_statements[LAB_CLAIMS + 1];

/* ------------------------------------------------------- what is told */

/* Counts an expectation, with a sentence that holds the numbers. */
bool lab_expect(struct lab *lab, bool is_so, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A sentence of the paragraph "what you saw". */
void lab_say(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An event of the line of time that is no single call. */
void lab_note(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A state of a socket, of a queue, of a process. */
void lab_state(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One of the lecture's statements: does it hold, and the value measured. */
void lab_claim(struct lab *lab, unsigned number, bool holds,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A part that cannot be shown here; a lab of only such parts is skipped. */
void lab_skip(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Who acts from here on, in this process: "client".  A literal. */
void lab_as(struct lab *lab, const char *who);

/* The number that was given behind the lab's name, or `otherwise`. */
long lab_number(const struct lab *lab, long otherwise);

/* ------------------------------------------------------------- actors */

/* A process of its own that ends with what act() returns.  Its pid. */
pid_t lab_fork(struct lab *lab, const char *who,
    int (*act)(struct lab *lab, void *arg), void *arg);

/* Waits for it: its status as of waitpid(2), or a negative errno. */
int lab_wait(struct lab *lab, pid_t pid);

/* Milliseconds on a clock that only goes forward, with fractions. */
double lab_ms(void);

/*
 * How long is waited for what must come: only who waits in vain has to wait so
 * long, so it is long enough for a machine that stands still for a while.
 */
#define LAB_AWAIT_MS 15000

/* Waits until is_so(arg), at most so long; returns whether it was. */
bool lab_until(bool (*is_so)(void *arg), void *arg, unsigned max_ms);

/* For what has no event: a pause that the lesson itself asks for. */
void lab_pause(unsigned ms);

/* ------------------------------------------------------------ network */

#define LAB_HOSTS 8

/* Is this a network of its own, where packets are seen? */
bool lab_is_private(const struct lab *lab);

/* Host 0, "A", is there from the start.  One more; all failures end the lab. */
unsigned lab_host(struct lab *lab, const char *name);

/* The process is at that host from here on; its sockets stay where they are. */
void lab_go(struct lab *lab, unsigned host);

/*
 * A cable between two hosts, with an address each ("10.0.0.1/24") or NULL.  It
 * is called "to" and the name of the host at its other end.
 */
void lab_link(struct lab *lab, unsigned a, const char *a_prefix, unsigned b,
    const char *b_prefix);

/* At the present host; of a route, no gateway (NULL) is a black hole. */
void lab_address(struct lab *lab, const char *interface, const char *prefix);
void lab_route(struct lab *lab, const char *prefix, const char *gateway);
/* What leaves by it is slowed; -ENOENT where the kernel has no such limit. */
int lab_limit(struct lab *lab, const char *interface, unsigned bytes_per_s);
void lab_bridge(struct lab *lab, const char *name);
void lab_plug(struct lab *lab, const char *interface, const char *bridge);
void lab_set_up(struct lab *lab, const char *interface, bool is_up);

/* Writes a knob below /proc/sys; returns 0 or a negative errno. */
int lab_knob(struct lab *lab, const char *knob, const char *value);

/* Ends the lab, as failed, when err is negative. */
void lab_must(struct lab *lab, int err, const char *what);

/* Which packets; what is 0 may be anything. */
struct lab_wanted {
	enum packet_kind kind;
	unsigned flags, no_flags;       /* of TCP */
	unsigned from_port, to_port;
	bool has_icmp_type;
	unsigned icmp_type, icmp_code;
	bool has_payload;
};

/* How many of them have arrived anywhere in this network so far. */
unsigned lab_packets(struct lab *lab, struct lab_wanted wanted);

/* The nth of them by time, from 0; NULL when there are fewer. */
const struct packet *lab_packet(struct lab *lab, unsigned nth,
    struct lab_wanted wanted);

/* Waits until at least n have arrived; false when they did not. */
bool lab_await(struct lab *lab, unsigned n, struct lab_wanted wanted);

#endif
