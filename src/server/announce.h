/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_ANNOUNCE_H
#define SWS_SERVER_ANNOUNCE_H

#include "server/config.h"
#include "server/listener.h"

/*
 * Tells whoever started the server where it can be reached: in the foreground
 * the directory and its URLs, on standard output when that is a terminal, else
 * on standard error; a daemon says nothing but a port that it was to choose.
 */
void announce(const struct config *config, const struct listeners *ls);

#endif
