/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_COMPRESS_H
#define SWS_SITE_COMPRESS_H

/*
 * Compression, piece by piece, into a buffer: the one place that names the
 * libraries for it.
 */

#include "base/buf.h"
#include "http/coding.h"

/* How much of the processor's time the result is worth. */
enum effort {
	EFFORT_ONCE,            /* made once, sent often */
	EFFORT_STREAM,          /* made for one client, who waits */
	EFFORT_COUNT
};

enum compress_step {
	COMPRESS_MORE,          /* there will be more; it may keep some back */
	COMPRESS_FLUSH,         /* all so far must be readable now */
	COMPRESS_END,
};

struct compressor;

/*
 * A compressor for one content in a real coding.  `size` is the length of the
 * content, UINT64_MAX where it is not known; EFFORT_ONCE wants it known.  NULL
 * when memory is out.
 */
struct compressor *compressor_new(enum coding c, enum effort e, uint64_t size);

/* NULL is fine. */
void compressor_free(struct compressor *z);

/*
 * Takes all of `in`, perhaps nothing, and appends what comes of it to out.
 * After COMPRESS_END nothing may follow.  0, -ENOBUFS when the buffer's limit
 * is too low, -ENOMEM; after a failure there is only compressor_free.
 */
int compressor_add(struct compressor *z, struct str in,
    enum compress_step step, struct buf *out);

#endif
