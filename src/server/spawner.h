/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SPAWNER_H
#define SWS_SERVER_SPAWNER_H

/*
 * The process that runs CGI programs; the only one that executes anything.
 * It takes messages from workers (site/spawn_msg.h), each checked, and hands
 * their pipes to the programs.
 */

#include "server/config.h"

struct spawner_setup {
	const struct config *config;
	int cgi_root;           /* descriptor */
	int orders;             /* channel to the supervisor */
};

/*
 * Runs programs for the workers that ORDER_PEER introduces, until it is told
 * to stop (service_run).  What then still runs is ended.  Returns the exit
 * status of the process.
 */
int spawner_run(const struct spawner_setup *setup);

#endif
