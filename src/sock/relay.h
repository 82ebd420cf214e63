/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_RELAY_H
#define SWS_SOCK_RELAY_H

/*
 * Carries bytes between two ends until both have ended.  The end of one
 * direction is passed on alone (shutdown(2)), so that a peer which reads to
 * the end before it answers still gets to answer.
 */

#include "sock/end.h"

struct relay {
	struct end ends[2];
	bool has_lines;         /* what goes to [1]: each line a message */
	bool shows_bytes;       /* -X: hex of what passes, on standard error */
	bool has_wait;
	int64_t wait_ms;        /* after the first end of the two */
	int64_t timeout_ms;     /* without any byte; 0: none */
	int64_t for_ms;         /* 0: for ever */
	uint64_t count;         /* messages to [1] and back; 0: no limit */
	/* What was done. */
	uint64_t passed[2];     /* bytes that left ends[0], ends[1] */
	int stopped_by;         /* a signal, or 0 */
	bool is_cut;            /* it was over before both ends were */
};

/* Runs it; says what went wrong.  The ends stay open. */
enum outcome relay_run(struct relay *r);

#endif
