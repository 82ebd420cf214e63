/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_REDIRECT_H
#define SWS_SITE_REDIRECT_H

#include "http/exchange.h"

/*
 * Answers who asked for a directory, whose decoded path this is, without a
 * slash at its end (RFC 9110 15.4.2): the same with one, query and all.
 */
void redirect_slash(struct exchange *x, struct str path);

#endif
