/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SUPERVISOR_H
#define SWS_SERVER_SUPERVISOR_H

#include "server/listener.h"
#include "server/privileges.h"
#include "server/sandbox.h"
#include "server/tree.h"
#include "site/site.h"

struct supervisor_setup {
	const struct config *config;    /* with absolute names */
	struct listeners *listeners;
	const struct site *site;        /* without root, cache and services */
	struct tree *tree;              /* what to serve at first; the
	                                   supervisor's to free */
	const struct identity *identity;        /* whom the others become */
	const struct sandbox_filter *filter;    /* of workers; or NULL */
	const char *log_path;           /* absolute; NULL: it has none */
	int log_fd;                     /* -1: nothing is logged */
	int ready;                      /* gets a byte once all run; or -1 */
};

/*
 * Forks the other processes, starts anew those that die, and passes signals on
 * as orders: TERM and INT stop (a second one at once), USR1 reopens the log.
 * When the names in the configuration come to lead to other directories, those
 * are served, by other processes; where they cannot be, nothing changes.
 * Reads nothing from the network.  Returns the exit status of the process.
 */
int supervisor_run(const struct supervisor_setup *setup);

#endif
