/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_CHUNK_H
#define SWS_H1_CHUNK_H

/*
 * Reads chunked content (RFC 9112 7.1), a part at a time.  Lines end in CR LF
 * and nothing else: a lone LF is where request smuggling begins.
 */

#include "h1/head.h"

struct chunk_reader {
	int state;
	unsigned digits;        /* of the chunk size, so far */
	uint64_t left;          /* bytes of this chunk to come */
	size_t spent;           /* bytes of extensions and trailers, so far */
};

void chunk_init(struct chunk_reader *r);

/*
 * Goes on in `in`.  *out_data is the next piece of content in it, perhaps
 * empty; *out_used says how far it read, content included.
 * PARSE_MORE: call again with what comes behind *out_used.
 * PARSE_DONE: the content and its trailers have ended.
 * PARSE_BAD: malformed, or too much that is not content.
 */
enum parse chunk_read(struct chunk_reader *r, struct str in,
    struct str *out_data, size_t *out_used);

#endif
