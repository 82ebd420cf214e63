/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_BENCH_PRIV_H
#define SWS_SOCK_BENCH_PRIV_H

/*
 * sock bench: bench.c asks and tells, bench_load.c makes the load, and
 * bench_kinds.c knows what one client does.
 */

#include "net/loop.h"
#include "sock/endpoint.h"
#include "sock/histogram.h"

#define BENCH_IN_BYTES (256 << 10)      /* room for what arrives, at least */

struct bench_client;

struct bench {
	struct job job;
	const char *measure, *text;
	uint64_t clients, size, rate;

	const struct bench_kind *kind;
	struct target target;
	struct endpoint peer;

	/* What came of it. */
	struct histogram times; /* of what was done, in ns */
	uint64_t bytes;         /* sent and received */
	uint64_t lost;          /* datagrams without an answer in time */
	uint64_t failed;
	int err;                /* of the first that failed, negative */
	uint64_t missed;        /* were due, and had not begun at the end */
	double seconds;

	/* While it runs. */
	struct loop *loop;
	struct bench_client *all, *idle;
	unsigned living;
	uint64_t begun;         /* so many were begun */
	int64_t since_ns;
	char *out, *in;         /* what all send; where all receive */
	struct watch clock, stop;
	struct timer end;
	bool is_over;
};

struct bench_client {
	struct watch watch;     /* first: it is how a callback finds us */
	struct bench *bench;
	struct timer timer;
	struct bench_client *next;      /* in the list of idle ones */
	int64_t due_ns;
	size_t out_at, in_at;   /* bytes of this message so far */
	uint32_t number;        /* of a datagram, to know its answer */
	bool is_connecting, is_busy;
};

enum bench_step {
	STEP_WAIT,              /* for the descriptor */
	STEP_DONE,
	STEP_FAILED,
};

/* What is measured: one thing that each client does again and again. */
struct bench_kind {
	const char *name, *about;
	const char *unit;       /* of what is done, for the line */
	uint64_t size;          /* unless the user says otherwise */
	bool is_connected;      /* a client has its connection from the start */
	bool is_stream;         /* bytes without an end: has no times */
	/* Begins one; then goes on after each STEP_WAIT.  *out_err: why not. */
	enum bench_step (*begin)(struct bench *b, struct bench_client *c,
	    int *out_err);
	enum bench_step (*go_on)(struct bench *b, struct bench_client *c,
	    int *out_err);
};

extern const struct bench_kind bench_kinds[];   /* ends with a NULL name */

/* Are these messages, and no stream? */
bool bench_is_datagram(const struct bench *b);

/*
 * Takes what has come, at most n bytes, to where all receive; n is at most
 * BENCH_IN_BYTES or the size of a message, whichever is more.  Returns how
 * many bytes, 0 at the end, or a negative errno: -EAGAIN when nothing is there.
 */
ssize_t bench_receive(struct bench_client *c, size_t n);

/*
 * The client has this descriptor from now on, and waits for input.  Returns 0,
 * or the negative errno of loop_add(); the descriptor is closed then.
 */
int bench_watch(struct bench_client *c, int fd);

/*
 * Opens the clients, has them work until the end, closes them, and fills in
 * what came of it.  Says itself what failed.
 */
enum outcome bench_load(struct bench *b);

#endif
