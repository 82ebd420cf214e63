/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_HOLDER_H
#define SWS_NET_HOLDER_H

#include <stddef.h>

/*
 * Who listens on this TCP port?  Writes "nginx[123]", several with ", "
 * between them in the order of their numbers, as many whole ones as fit; what
 * cannot be found out (other users' processes) is "".  Control bytes in names
 * become '?'.  Reads /proc; may take milliseconds.  Returns `text`.
 */
const char *holder_of_port(unsigned port, char *text, size_t size);

#endif
