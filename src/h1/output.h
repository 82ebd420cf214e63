/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_OUTPUT_H
#define SWS_H1_OUTPUT_H

/*
 * The sending half of a connection.  Answers are staged in a buffer that all
 * connections of a worker share, so pipelined ones leave in one packet and an
 * idle connection owns no buffer.  What the peer does not take at once moves
 * to the connection.
 */

#include "base/buf.h"
#include "http/body.h"
#include "net/stream.h"

struct output {
	struct stream *stream;
	struct buf *staged;     /* shared; empty between callbacks */
	struct buf kept;        /* what the peer has still to take */
	unsigned moved;         /* bytes taken, for whoever resets it */
};

/* How far output got; a negative errno says that it cannot go on. */
enum {
	OUT_WAITS,              /* for the peer to take what is left */
	OUT_STARVES,            /* for what has yet to be made */
	OUT_DONE,
};

/* Where to append: behind what the peer has still to take, if anything. */
struct buf *output_buf(struct output *o);

/*
 * Hands on what is appended and then p, whose beginning is moved past what
 * was taken.  A small piece, or one to be sent as a chunk, is only appended.
 */
int output_piece(struct output *o, struct piece *p, bool is_chunked);

/* Hands on what is appended if that is much. */
int output_relieve(struct output *o);

/* Hands on what is appended; what is left is kept. */
int output_flush(struct output *o);

#endif
