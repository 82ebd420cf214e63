/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_ACCESS_H
#define SWS_SERVER_ACCESS_H

/*
 * The access log: one line a request, in the format of sws(1), Apache's
 * "%a %t "%r" %>s %B", and behind that, if asked for, why it was refused.
 * Lines are gathered and appended by one write(2), so the lines of several
 * processes never mix.
 */

#include "base/buf.h"
#include "base/list.h"
#include "http/exchange.h"
#include "net/loop.h"

/* Whether lines are being lost, and how many were. */
struct access_failure {
	_Atomic bool is_told;
	_Atomic uint64_t lost;
};

struct access_log {
	int fd;                 /* -1: nothing is logged */
	const char *name;       /* of the file, for messages */
	bool is_prompt;         /* each line at once, for a person who looks */
	bool tells_reasons;     /* behind the line, the code of reason.h; may be
	                           set once it is open */
	struct access_failure *failure;         /* own, or shared */
	struct access_failure own;
	struct buf lines;
	struct timer flush;
	struct loop *loop;
	time_t made;            /* the second that `time` tells */
	char time[20];
};

/*
 * fd is the log's from here on; -1 for none.  `name` is what messages call it
 * and is kept as a pointer.
 */
void access_open(struct access_log *a, struct loop *l, int fd,
    const char *name, bool is_prompt);
void access_close(struct access_log *a);

/*
 * The children that this process is going to have tell a failure once among
 * them all.  0 or a negative errno.
 */
int access_share(struct access_log *a);

/* Writes on to another file, once what was gathered is written. */
void access_reopen(struct access_log *a, int fd);

void access_add(struct access_log *a, const struct exchange *x);

#endif
