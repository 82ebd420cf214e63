/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_PRIVILEGES_H
#define SWS_SERVER_PRIVILEGES_H

/* Whom the processes that serve run as, and how root is left for good. */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define IDENTITY_GROUPS 64

struct identity {
	bool changes;           /* false: stay who we are, ignore the rest */
	uid_t uid;
	gid_t gid;
	gid_t groups[IDENTITY_GROUPS];
	int n_groups;
	char name[LOGIN_NAME_MAX];      /* for messages */
};

/*
 * Whom to become.  For root that is `user` or, when it is NULL, www-data or
 * nobody; it stays root only where `user` has the number 0.  For others it is
 * themselves, and any other `user` is an error.  To be called once, before
 * anything is forked: the databases of users may be slow, and out of reach
 * later.  0, or a negative errno after a line of log_error.
 */
int identity_find(const char *user, struct identity *out_identity);

/*
 * For a process that stays root, but whose children become `identity`: what
 * none of them could gain again by a program is given up here, once for all.
 * Its own rights stay.  Where that cannot be done, each child sees to it.
 */
void privileges_bound(const struct identity *identity);

/*
 * Becomes it, with its groups alone, and makes sure that no way leads back:
 * all ids changed, root refused, no capability left.  0 or a negative errno;
 * then the process is neither of both and must end.
 */
int identity_assume(const struct identity *identity);

/*
 * Gives up every capability, also those that a program run later could gain.
 * 0 or a negative errno: -EPERM when some were left.
 */
int privileges_drop_capabilities(void);

#endif
