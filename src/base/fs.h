/* SPDX-License-Identifier: ISC */
#ifndef SWS_BASE_FS_H
#define SWS_BASE_FS_H

#include <stdbool.h>
#include <sys/vfs.h>

/*
 * Does inotify(7) tell of all changes on such a file system?  Not where other
 * machines make them, or the kernel itself.  `fs` is from statfs(2).
 */
bool fs_tells_changes(const struct statfs *fs);

#endif
