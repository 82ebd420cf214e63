/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_WRITE_H
#define SWS_H1_WRITE_H

#include "http/exchange.h"

/* How the head promises that the content ends (RFC 9112 6.3). */
enum framing {
	FRAMING_LENGTH,         /* Content-Length, or none by its status */
	FRAMING_CHUNKED,
	FRAMING_CLOSE,          /* with the connection */
};

enum framing h1_framing(const struct exchange *x);

/* Is content to follow the head at all? */
bool h1_sends_content(const struct exchange *x);

/*
 * Appends the head of x's response; nothing for HTTP/0.9.  `stamp` are the
 * lines that every response carries.  Returns as buf_reserve.
 */
int h1_write_head(struct buf *out, const struct exchange *x, struct str stamp,
    bool keeps_alive);

/* Appends the line in front of a chunk of n bytes (RFC 9112 7.1). */
int h1_write_chunk_size(struct buf *out, uint64_t n);

#endif
