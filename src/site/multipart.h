/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_MULTIPART_H
#define SWS_SITE_MULTIPART_H

#include "http/exchange.h"
#include "http/range.h"
#include "site/object.h"

/*
 * Answers 206 with n ranges of o as multipart/byteranges (RFC 9110 14.6), in
 * the order given.  The answer takes its own reference.
 */
void multipart_answer(struct exchange *x, struct object *o,
    const struct range *ranges, unsigned n);

#endif
