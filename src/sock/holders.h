/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_HOLDERS_H
#define SWS_SOCK_HOLDERS_H

/* Who has an address, for the message that it is in use. */

#include "sock/endpoint.h"

/*
 * Writes "nginx[123]", several with ", " between them, each once and as many
 * whole ones as fit: the processes with a socket that has the port, or path,
 * of `e`, in whatever state; and "a connection in TIME_WAIT for 41 s", which
 * no process has any more.  What cannot be found out
 * (other users' processes, a kernel without sock_diag) is "".  Reads /proc;
 * may take milliseconds.  Returns `text`; size is 1 or more.
 */
const char *holders_of(const struct endpoint *e, char *text, size_t size);

#endif
