/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SUPERVISOR_H
#define SWS_SERVER_SUPERVISOR_H

#include "server/listener.h"
#include "site/site.h"

/*
 * Forks the workers, starts anew those that die, passes signals on as orders:
 * TERM and INT stop (a second one at once), USR1 reopens the log at `log_path`
 * (absolute; NULL when there is none).  `ready`, when not -1, gets one byte
 * and is closed once all workers run.  Reads nothing from the network.
 * Returns the exit status of the process.
 */
int supervisor_run(const struct config *config, struct listeners *listeners,
    const struct site *site, int log_fd, const char *log_path, int ready);

#endif
