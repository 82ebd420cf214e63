/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_HOMES_H
#define SWS_SERVER_HOMES_H

/*
 * The process that looks users up and opens what is in their web directories.
 * A worker may do neither: the databases of users can block, and need files;
 * and its sandbox goes by where a file is, not by who handed out a directory.
 */

#include <pwd.h>

#include "server/config.h"

struct homes_setup {
	const struct config *config;    /* user_dir, user_dir_min_uid, index,
	                                   listings */
	int orders;                     /* channel to the supervisor */
	/* getpwnam_r(3), or what stands in for it; NULL is the former. */
	int (*find_user)(const char *name, struct passwd *entry, char *buffer,
	    size_t size, struct passwd **result);
};

/*
 * Replies to the workers that ORDER_PEER introduces, until it is told to stop
 * (service_run).  Returns the exit status of the process.
 */
int homes_run(const struct homes_setup *setup);

#endif
