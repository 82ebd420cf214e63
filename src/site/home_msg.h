/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_HOME_MSG_H
#define SWS_SITE_HOME_MSG_H

/*
 * What a worker and the process for home directories say to each other, over
 * a channel (net/channel.h): one question, one reply, in the same order.
 * Both sides are one program, so structs travel as they are; but a worker may
 * have been taken over, so its questions are checked.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define HOME_USER_MAX 255u
#define HOME_PATH_MAX 4096u     /* with the NUL: as PATH_MAX */

struct home_ask {
	uint32_t id;                    /* the worker's own */
	char path[HOME_PATH_MAX];       /* "user", "user/" or "user/a/b", with
	                                   its NUL; the rest is not sent */
};

enum home_kind {
	HOME_MISSING,           /* whatever the cause */
	HOME_SLASH,             /* a directory, asked for without the slash */
	HOME_FILE,              /* with it; of a directory, its index */
	HOME_DIRECTORY,         /* to be listed: with it, and with the user's
	                           web directory, which no link leads out of */
	HOME_KINDS
};

struct home_reply {
	uint32_t id;                    /* as asked */
	uint32_t kind;
};

#define HOME_REPLY_FDS 2u

/* Could a user have this name? */
bool home_is_user(struct str name);

/* The length of the message that asks for a path of n bytes. */
size_t home_ask_size(size_t n);

/*
 * Checks a message of n bytes and cuts it in two at the first slash: the
 * user, and the path behind, which is NULL where there is no slash.  Both
 * point into it.  0, or -EBADMSG.
 */
int home_ask_parse(struct home_ask *ask, size_t n, const char **out_user,
    const char **out_path);

/* How many descriptors come with a reply. */
unsigned home_reply_fds(uint32_t kind);

/* Is this a reply, n bytes with n_fds descriptors? */
bool home_reply_is_valid(const struct home_reply *reply, size_t n,
    unsigned n_fds);

#endif
