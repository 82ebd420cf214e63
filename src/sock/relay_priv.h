/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_RELAY_PRIV_H
#define SWS_SOCK_RELAY_PRIV_H

/*
 * One direction of a relay.  relay.c waits and says when it is to be filled
 * or drained; relay_flow.c does that, by relay_splice.c where the kernel can
 * move the bytes itself.
 *
 * A direction that fails ends: what went wrong stands in `failed` and is said
 * by relay.c when all is over.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sock/relay.h"

#define RELAY_CHUNK (256 * 1024)        /* bytes of a stream at once */

enum how {
	HOW_SPLICE,             /* through our pipe */
	HOW_SPLICE_IN,          /* the source is a pipe */
	HOW_SPLICE_OUT,         /* the target is */
	HOW_COPY,
	HOW_MESSAGES,           /* whole, one at a time */
	HOW_LINES,
};

/* The ends and what is counted belong to the relay. */
struct flow {
	struct end *from, *to;
	uint64_t *passed;
	enum how how;
	int pipe[2];            /* of HOW_SPLICE; -1: none */
	char *buffer;           /* of the others */
	size_t at, n;           /* waiting: in the buffer, or in the pipe */
	bool is_ended;          /* the source has no more */
	bool is_done;           /* and that was passed on */
	bool is_tty;            /* the source is a terminal */
	bool has_message;       /* HOW_MESSAGES: n may be 0 */
	bool can_read, can_write;       /* says poll(2) */
	int failed;             /* negative errno, or 0 */
	bool has_failed_writing;
	uint64_t messages;
};

/*
 * Chooses how the bytes go from f->from to f->to and gets what that needs:
 * -ENOMEM, or an error of pipe2(2).  flow_close() releases it, after a failure
 * too.
 */
int flow_open(const struct relay *r, struct flow *f);
void flow_close(struct flow *f);

/* Through without a buffer: both ends have to be ready at once. */
bool flow_is_straight(const struct flow *f);

/* There is room and the source has not ended; flow_fill() reads once. */
bool flow_wants_bytes(const struct flow *f);
void flow_fill(struct flow *f);

/* Something waits that may go now; flow_drain() writes once. */
bool flow_wants_to_write(const struct flow *f);
void flow_drain(const struct relay *r, struct flow *f);

/* What read(2) or splice(2) gave: bytes, 0 at the end, or negative errno. */
void flow_got(struct flow *f, ssize_t n);
/* err is a negative errno, of the target if `is_writing`. */
void flow_fail(struct flow *f, int err, bool is_writing);
/* Goes that way from now on, through a buffer; -ENOMEM. */
int flow_use_buffer(struct flow *f, enum how how);

/* The pipe of HOW_SPLICE and more room in those that are there; -errno. */
int splice_open(struct flow *f);
/* Into our pipe, or from end to end where one of them is a pipe. */
void splice_fill(struct flow *f);
/*
 * Out of our pipe, of HOW_SPLICE: bytes, or negative errno; -EAGAIN also where
 * it cannot be done and all that was in the pipe is in the buffer now.
 */
ssize_t splice_drain(struct flow *f);

/* With -X: the next n bytes of the buffer, before they are counted. */
void relay_show_bytes(const struct relay *r, const struct flow *f, size_t n);

#endif
