/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_RESOLVE_H
#define SWS_SITE_RESOLVE_H

/*
 * From a decoded path to an open object below the root.  The kernel itself
 * keeps the look-up inside (openat2(2), RESOLVE_BENEATH): neither ".." nor a
 * symbolic link nor a race leads out.
 */

#include <stdbool.h>
#include <sys/stat.h>

struct found {
	int fd;                 /* open for reading; the caller closes it */
	struct stat st;
	bool has_links;         /* a symbolic link was followed on the way */
};

/*
 * Opens a regular file or a directory; other kinds are never opened.  `path`
 * is relative to the directory `root`; "" is the root itself.  Returns 0 or a
 * negative errno: -EXDEV when a link leads out, -ENXIO for a device, fifo or
 * socket, or as openat2(2).  has_links is told also on failure; after it,
 * a link was met.
 */
int resolve_open(int root, const char *path, struct found *out_found);

/*
 * What is at `path`, links followed as far as they stay below the root, but
 * nothing is opened.  0 or a negative errno.
 */
int resolve_stat(int root, const char *path, struct stat *out_st);

/*
 * A directory to go to (O_PATH); links are followed as far as they stay below
 * the root.  Returns the descriptor or a negative errno.
 */
int resolve_dir_followed(int root, const char *path);

/*
 * A directory to be watched, not read (O_PATH); links are not followed.
 * Returns the descriptor or a negative errno.
 */
int resolve_dir(int root, const char *path);

#endif
