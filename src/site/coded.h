/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CODED_H
#define SWS_SITE_CODED_H

/*
 * Content that is compressed on its way to one client: of programs, and what
 * else is made for one answer.
 */

#include "http/coding.h"
#include "http/exchange.h"

/*
 * Has the content of x's response, which is already there, sent in a real
 * coding, and says so in Content-Encoding; all other fields are the caller's.
 * What the content pauses behind is sent before the pause.  0 or -ENOMEM, after
 * which the response is as it was.
 */
int coded_begin(struct exchange *x, enum coding c);

#endif
