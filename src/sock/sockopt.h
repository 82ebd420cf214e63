/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_SOCKOPT_H
#define SWS_SOCK_SOCKOPT_H

/*
 * The options of sockets, by name: the lecture's table of SO_ options first,
 * then more that Linux has (socket(7), tcp(7), ip(7), ipv6(7)).
 */

#include "base/str.h"
#include "sock/say.h"

enum sockopt_type {
	SOCKOPT_FLAG,           /* int: 0 or 1 */
	SOCKOPT_INT,
	SOCKOPT_ERROR,          /* int: an errno */
	SOCKOPT_TIME,           /* struct timeval */
	SOCKOPT_LINGER,         /* struct linger */
	SOCKOPT_TEXT,
	SOCKOPT_CREDS,          /* struct ucred */
};

struct sockopt {
	const char *name;       /* "reuseaddr"; NULL ends the table */
	const char *c_name;     /* "SO_REUSEADDR" */
	int level, option;
	enum sockopt_type type;
	bool is_readable, is_settable;  /* on Linux */
	bool is_in_lecture;
	const char *about;      /* its effect, one line */
};

const struct sockopt *sockopt_table(void);

/* By the name of the table or that of C; NULL when there is none. */
const struct sockopt *sockopt_find(struct str name);

/* By number, for those who show calls; NULL when the table has it not. */
const struct sockopt *sockopt_of(int level, int option);

#define SOCKOPT_VALUE_TEXT 96

/* Its value as text.  0 or a negative errno of getsockopt(2). */
int sockopt_get(int fd, const struct sockopt *o,
    char out_text[SOCKOPT_VALUE_TEXT]);

/*
 * Sets it from text: "1", "64k", "1.5s", "off"; empty means on.  0, -EINVAL
 * when the text is no such value, or a negative errno of setsockopt(2).
 */
int sockopt_set(int fd, const struct sockopt *o, struct str value);

/*
 * Sets what "NAME=VALUE" or "NAME" says; `address` is for the message about a
 * failure.  OUTCOME_DONE, or what say_error returned.
 */
enum outcome sockopt_apply(int fd, const char *address, struct str setting);

/* "SOL_SOCKET"; NULL for what the table has not. */
const char *sockopt_level_name(int level);

#endif
