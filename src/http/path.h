/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_PATH_H
#define SWS_HTTP_PATH_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Decodes the path of a target ("/a%20b/../c") once and normalises it:
 * percent-encoding is taken off, "." and ".." segments are resolved (RFC 3986
 * 5.2.4), runs of slashes become one.  The result is relative to the root:
 * no slash in front, one at the end when the path names a directory, "" for
 * the root itself.
 *
 * `out` must hold raw.n + 1 bytes; the result is NUL-terminated there and
 * *out_len does not count that NUL.  `out` may be raw's own memory; what it
 * holds after a failure is of no use.
 *
 * Returns 0, or -EINVAL for what must never reach the file system: a path
 * that does not begin with a slash, a broken escape, an encoded NUL or slash,
 * a path that climbs above the root.
 */
int path_decode(struct str raw, char *out, size_t *out_len);

/*
 * Appends s to b, percent-encoded for use as (part of) a path in a URL: all
 * but unreserved characters, "/" and the harmless among the sub-delimiters.
 * Returns as buf_add.
 */
int path_encode(struct buf *b, struct str s);

/* The same to memory where there is room for 3 * s.n bytes; its end. */
char *path_put_encoded(char *at, struct str s);

/* The last segment of a path: a file's own name. */
struct str path_last(struct str path);

/*
 * Does a segment of this decoded path begin with a dot?  The segment
 * ".well-known" (RFC 8615) at the very front does not count.
 */
bool path_is_hidden(struct str decoded);

#endif
