/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_LAUNCH_H
#define SWS_SERVER_LAUNCH_H

/*
 * The beginning of a CGI program: what it finds when it runs is what its
 * message says, and nothing that the server left behind.
 */

#include <signal.h>
#include <sys/types.h>

#include "server/config.h"
#include "site/spawn_msg.h"

struct launcher {
	int root;               /* descriptor of the CGI directory */
	const struct config *config;    /* limits, and links to follow */
	int reset[NSIG];        /* signals that a program is to find as if no
	                           server had been there */
	unsigned n_reset;
};

/*
 * To be called when this process has set up its signals: those that it, or
 * whoever started the server (nohup(1)), ignores or catches, programs do not.
 * The root and the settings stay the caller's.
 */
void launcher_init(struct launcher *l, int root,
    const struct config *config);

/*
 * Runs the program below the root, in its own directory and as the leader of a
 * process group of its own; fds are its standard input, output and error.
 * Sets run->args[0], to what ends with the call.  Returns the process, which is
 * the caller's to wait for, or a negative errno: then it was never run.
 */
pid_t launch(const struct launcher *l, struct spawn_run *run,
    const int fds[3]);

#endif
