/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_WORKER_H
#define SWS_SERVER_WORKER_H

/* A process that serves: its loop, its listeners, its connections. */

#include "server/config.h"
#include "server/listener.h"
#include "site/site.h"

/* What the supervisor tells its workers; one byte a message. */
enum order {
	ORDER_STOP = 1,         /* finish what runs, within the grace */
	ORDER_STOP_NOW,
	ORDER_LOG,              /* log to the descriptor that comes along */
};

struct worker_setup {
	const struct config *config;
	const struct listeners *listeners;
	const struct site *site;        /* without its cache */
	unsigned number;                /* from 0 */
	int log_fd;                     /* the worker's to close; -1: none */
	int orders;                     /* channel to the supervisor, or -1:
	                                   then signals are the orders */
};

/*
 * Serves until told to stop or until the supervisor is gone.  Returns the
 * exit status of the process.
 */
int worker_run(const struct worker_setup *setup);

#endif
