/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_DIGEST_H
#define SWS_SITE_DIGEST_H

/*
 * Digests (XXH3, 128 bits) of files that are too large to be read at once,
 * made one after the other, a slice in each turn of the loop.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include <xxhash.h>

struct digester;
struct loop;

/* 0 or a negative errno. */
int digester_open(struct loop *l, struct digester **out_digester);

/* NULL is fine. */
void digester_close(struct digester *d);

/*
 * The digest of the open file of which fstat(2) has said `st`.  When it is
 * not known it is false, and will be known after a while; one that cannot be
 * remembered, or waits behind too many others, has to be asked for again.  d
 * may be NULL: then none is known, ever.
 */
bool digester_find(struct digester *d, int fd, const struct stat *st,
    XXH128_hash_t *out_digest);

#endif
