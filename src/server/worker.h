/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_WORKER_H
#define SWS_SERVER_WORKER_H

/* A process that serves: its loop, its listeners, its connections. */

#include "server/config.h"
#include "server/listener.h"
#include "server/sandbox.h"
#include "site/cgi.h"
#include "site/site.h"

struct worker_setup {
	const struct config *config;
	const struct listeners *listeners;
	const struct sandbox_filter *filter;    /* NULL: it makes its own */
	const struct site *site;        /* without cache and services */
	const struct cgi_setup *cgi;    /* NULL: no programs */
	unsigned number;                /* from 0 */
	int log_fd;                     /* the worker's to close; -1: none */
	int orders;                     /* channel to the supervisor */
	bool waits;                     /* serves when told to: ORDER_SERVE */
};

/* Which bounds it sets itself: those that its engine can live with. */
enum sandbox_role worker_sandbox(const struct config *config);

/*
 * Serves until told to stop or until the supervisor is gone.  Returns the
 * exit status of the process.
 */
int worker_run(const struct worker_setup *setup);

#endif
