/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SERVER_H
#define SWS_SERVER_SERVER_H

#include "server/config.h"

/*
 * The server from its start to its end: checks all that it needs, says in one
 * line what is wrong, else detaches (if it should), and serves.  Returns the
 * exit status of the process: 0, or 1 when it could not start.
 */
int server_run(const struct config *config);

#endif
