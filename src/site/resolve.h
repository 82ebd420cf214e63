/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_RESOLVE_H
#define SWS_SITE_RESOLVE_H

/*
 * From a decoded path to an open object below the root.  The kernel itself
 * keeps the look-up inside (openat2(2), RESOLVE_BENEATH): neither ".." nor a
 * symbolic link nor a race leads out.  Which links are followed inside is a
 * policy; one that is not makes the look-up fail with -EMLINK, which is what
 * open(2) of FreeBSD says, so that it differs from -ELOOP.
 */

#include <stdbool.h>
#include <sys/stat.h>

enum symlinks {
	SYMLINKS_BENEATH,       /* all that stay below the root */
	SYMLINKS_OWNER,         /* of these, those with the same owner as what
	                           they lead to in the end */
	SYMLINKS_NONE,
};

struct found {
	int fd;                 /* open for reading; the caller closes it */
	struct stat st;
	bool has_links;         /* a symbolic link was followed on the way */
};

/*
 * Opens a regular file or a directory; other kinds are never opened.  `path`
 * is relative to the directory `root`; "" is the root itself.  Returns 0 or a
 * negative errno: -EMLINK, -EXDEV when a link leads out, -ENXIO for a device,
 * fifo or socket, or as openat2(2).  has_links is told also on failure; after
 * it, a link was met.
 */
int resolve_open(int root, const char *path, enum symlinks symlinks,
    struct found *out_found);

/*
 * What is at `path`, links followed in the same way, but nothing is opened.
 * 0 or a negative errno.
 */
int resolve_stat(int root, const char *path, enum symlinks symlinks,
    struct stat *out_st);

/*
 * A directory to go to (O_PATH), links followed in the same way.  Returns the
 * descriptor or a negative errno.
 */
int resolve_dir_followed(int root, const char *path, enum symlinks symlinks);

/*
 * A directory to be watched, not read (O_PATH); links are not followed.
 * Returns the descriptor or a negative errno.
 */
int resolve_dir(int root, const char *path);

#endif
