/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_STOP_H
#define SWS_SOCK_STOP_H

/*
 * INT, TERM and HUP as something to poll: a verb that runs until it is told
 * to stop finishes its work, says what it did and ends with 0.  A second
 * signal, after stop_taken, ends the process at once.
 */

#include <stdbool.h>

/* A descriptor that is readable once a signal came, or a negative errno. */
int stop_open(void);

/* Says which signal it was, and gives the next ones their default action. */
int stop_taken(int stop_fd);

/* For a child that is about to execute something: signals as usual. */
void stop_forget(void);

void stop_close(int stop_fd);

#endif
