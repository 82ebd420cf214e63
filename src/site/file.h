/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_FILE_H
#define SWS_SITE_FILE_H

#include "http/exchange.h"
#include "site/object.h"

/*
 * Answers GET or HEAD with an object: conditions (RFC 9110 13), then ranges
 * (14), then the whole.  The answer takes its own reference.
 */
void file_answer(struct exchange *x, struct object *o);

/* The same as if no range had been asked for. */
void file_answer_without_ranges(struct exchange *x, struct object *o);

#endif
