/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_DATE_H
#define SWS_HTTP_DATE_H

#include <time.h>

#include "base/str.h"

#define DATE_LEN 29     /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define DATE_ISO_LEN 20 /* "1994-11-06T08:49:37Z" */

/*
 * The three forms of RFC 9110 5.6.7: IMF-fixdate, RFC 850, asctime.  `now`
 * decides the century of two-digit years (more than 50 years ahead means the
 * past).  The day's name is not checked against the date.  Strict otherwise:
 * -EINVAL leaves *out_time alone.  A leap second (:60) counts as :59.
 */
int date_parse(struct str s, time_t now, time_t *out_time);

/*
 * Writes exactly DATE_LEN bytes (IMF-fixdate) or DATE_ISO_LEN bytes, no NUL.
 * Times outside the years 0 to 9999 are moved to the nearest end.
 */
void date_write(char *at, time_t t);
void date_write_iso(char *at, time_t t);

#endif
