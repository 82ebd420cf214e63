/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_BENCH_PRIV_H
#define SWS_SOCK_BENCH_PRIV_H

/* sock bench: bench.c asks and tells, bench_load.c makes the load. */

#include "net/loop.h"
#include "sock/endpoint.h"
#include "sock/histogram.h"

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

/* Runs it all. */
enum outcome bench_load(struct bench *b);

#endif
