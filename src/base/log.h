/* SPDX-License-Identifier: ISC */
#ifndef SWS_BASE_LOG_H
#define SWS_BASE_LOG_H

/*
 * What the operator is told about the server itself: one event, one line, said
 * once, by whoever knows what the failed call was for.  (Requests are logged
 * by server/access.c.)  Lines go to standard error, or to syslog(3) once the
 * process has detached.
 */

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* `name` begins each line and is kept as a pointer.  Default level: INFO. */
void log_open(const char *name, enum log_level most);

/* From here on to syslog(3), facility daemon. */
void log_use_syslog(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
