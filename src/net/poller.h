/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_POLLER_H
#define SWS_NET_POLLER_H

/* The ways to wait for many descriptors, by name (--engine=NAME). */

#include <stdbool.h>
#include <stdio.h>

/* Is there a poller of this name, and can it be used here? */
bool poller_exists(const char *name);

/* One line for each poller: its name, what it is, its limit. */
void poller_help(FILE *out);

#endif
