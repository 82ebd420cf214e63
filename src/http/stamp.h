/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_STAMP_H
#define SWS_HTTP_STAMP_H

/*
 * The field lines that every response carries, "Server: ...\r\nDate: ...\r\n",
 * written once a second.
 */

#include <time.h>

#include "base/str.h"

struct stamp {
	time_t made;
	size_t n, date_at;
	char text[256];
};

#define STAMP_SERVER_MAX 200    /* bytes; with the rest it fits in text */

/* `server` is the value of Server, at most so long; "" leaves it out. */
void stamp_init(struct stamp *s, const char *server);

/* Lives until the next call with another time. */
struct str stamp_lines(struct stamp *s, time_t now);

#endif
