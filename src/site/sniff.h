/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_SNIFF_H
#define SWS_SITE_SNIFF_H

/* Media types by content, the way magic(5) tells them. */

#include "base/str.h"

struct sniffer;

/*
 * Loads the database.  NULL when there is none: all that would be asked is
 * then application/octet-stream.
 */
struct sniffer *sniffer_new(void);
void sniffer_free(struct sniffer *s);

/*
 * The type of what begins with these bytes; s may be NULL.  The result lives
 * until the next call.
 */
struct str sniffer_type(struct sniffer *s, struct str beginning);

#endif
