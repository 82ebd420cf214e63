/* SPDX-License-Identifier: ISC */

/*
 * One event, one line, one write(2), so that the lines of several processes
 * never interleave.  A failure to log has nowhere to be told and is dropped.
 */

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_BYTES 1024
#define HEAD_BYTES 64 /* of them, at most, for the name */

/* Shows that a message was longer than a line may be. */
static const char cut_mark[] = "...";

static struct {
	const char *name;
	enum log_level most;
	bool to_syslog;
} log_state = { "sws", LOG_LEVEL_INFO, false };

/*
 * Names of files and hosts come from outside: a newline in one must not forge
 * a second line, nor an escape sequence reach a terminal.
 */
static void
blunt_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			*text = '?';
}

/* Writes "name: message"; returns the offset of the message. */
static __attribute__((format(printf, 2, 0))) size_t
format_line(char line[LINE_BYTES], const char *format, va_list args)
{
	int head = snprintf(line, HEAD_BYTES, "%s: ", log_state.name);
	char *message = line + head;
	int room, len;

	assert(head > 0 && head < HEAD_BYTES);
	/* The last byte stays free: the newline takes the place of the NUL. */
	room = LINE_BYTES - 1 - head;
	len = vsnprintf(message, (size_t)room, format, args);
	if (len < 0)
		*message = '\0';
	else if (len >= room)
		memcpy(message + room - sizeof(cut_mark), cut_mark,
		    sizeof(cut_mark));
	blunt_controls(line);
	return (size_t)head;
}

static void
write_line(char line[LINE_BYTES])
{
	size_t len = strlen(line);

	line[len++] = '\n';
	while (write(STDERR_FILENO, line, len) == -1 && errno == EINTR)
		continue;
}

static __attribute__((format(printf, 2, 0))) void
log_line(enum log_level level, const char *format, va_list args)
{
	static const int priorities[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	char line[LINE_BYTES];
	int saved_errno = errno;
	size_t head;

	if (level > log_state.most)
		return;
	head = format_line(line, format, args);
	if (log_state.to_syslog) /* which puts the name in front itself */
		syslog(priorities[level], "%s", line + head);
	else
		write_line(line);
	errno = saved_errno;
}

void
log_open(const char *name, enum log_level most)
{
	log_state.name = name;
	log_state.most = most;
}

void
log_use_syslog(void)
{
	/* At once: a process that has shut itself in could not do it later. */
	openlog(log_state.name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	log_state.to_syslog = true;
}

void
log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void
log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}
