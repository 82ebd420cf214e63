/* SPDX-License-Identifier: ISC */
#include "site/encode_msg.h"

#include <string.h>

struct encode_state
encode_state_of(const struct stat *st)
{
	struct encode_state s;

	memset(&s, 0, sizeof(s));
	s.device = st->st_dev;
	s.inode = st->st_ino;
	s.size = (uint64_t)st->st_size;
	s.modified_s = st->st_mtim.tv_sec;
	s.modified_ns = st->st_mtim.tv_nsec;
	s.changed_s = st->st_ctim.tv_sec;
	s.changed_ns = st->st_ctim.tv_nsec;
	return s;
}

bool
encode_state_is(const struct encode_state *a, const struct encode_state *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool
encode_ask_is_valid(const struct encode_ask *ask, size_t n, unsigned n_fds)
{
	return n == sizeof(*ask) && n_fds == 1 &&
	    ask->coding >= CODING_REAL && ask->coding < CODING_COUNT;
}

bool
encode_reply_is_valid(const struct encode_reply *reply, size_t n,
    unsigned n_fds)
{
	return n == sizeof(*reply) && reply->kind < ENCODE_KINDS &&
	    n_fds == (reply->kind == ENCODE_MADE);
}

uint64_t
encode_worth(uint64_t size)
{
	return size - size / 32;
}
