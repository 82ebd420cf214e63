/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_VERSION_H
#define SWS_SITE_VERSION_H

/* What stat(2) tells of the version of a file that it was asked about. */

#include <stdbool.h>
#include <sys/stat.h>

/* Are these the same file, with nothing done to it in between? */
bool version_is_same(const struct stat *a, const struct stat *b);

/*
 * Will the next version have another time?  A second change within the clock's
 * grain leaves the time as it is, so a file that young cannot be told from its
 * next version (RFC 9110 8.8.1).
 */
bool version_is_settled(const struct stat *st);

/*
 * May what lies beside the file `plain`, with a coding's suffix, stand for its
 * content?  It must be a regular file, not empty, and as new as that.  A time
 * that a compressor has cut to seconds (utime(2), as of brotli -k) or
 * microseconds (utimes(2)) is compared as far as it goes, as long as nothing
 * was done to `plain` since.
 */
bool version_fits(const struct stat *side, const struct stat *plain);

#endif
