/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_ENCODE_MSG_H
#define SWS_SITE_ENCODE_MSG_H

/*
 * What a worker and the encoder say to each other, over a channel
 * (net/channel.h): questions with a file each, and replies, each in its own
 * time.  Both sides are one program, so structs travel as they are; but a
 * worker may have been taken over, so its questions are checked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "http/coding.h"

/* Which file, and in which state; zeroed before it is filled in, since it is
   compared as bytes. */
struct encode_state {
	uint64_t device, inode, size;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
};

struct encode_ask {
	uint32_t id;                    /* the worker's own */
	uint32_t coding;                /* a real one */
	struct encode_state state;      /* as the worker knows the file, whose
	                                   descriptor comes along */
};

enum encode_kind {
	ENCODE_FAILED,          /* no memory, or the file is another by now:
	                           may be asked again */
	ENCODE_NOT_SMALLER,     /* nor will it ever be */
	ENCODE_MADE,            /* sealed content comes along */
	ENCODE_KINDS
};

struct encode_reply {
	uint32_t id;                    /* as asked */
	uint32_t kind;
	uint32_t digest;                /* of the content made */
};

struct encode_state encode_state_of(const struct stat *st);
bool encode_state_is(const struct encode_state *a,
    const struct encode_state *b);

/* Is this a question, n bytes with n_fds descriptors? */
bool encode_ask_is_valid(const struct encode_ask *ask, size_t n,
    unsigned n_fds);

/* Is this a reply, n bytes with n_fds descriptors? */
bool encode_reply_is_valid(const struct encode_reply *reply, size_t n,
    unsigned n_fds);

/*
 * What must have been gained for a coded content to be worth its place: at
 * the most so many bytes are left of `size`.
 */
uint64_t encode_worth(uint64_t size);

#endif
