/* SPDX-License-Identifier: ISC */
#include "site/home_msg.h"

#include <errno.h>
#include <stddef.h>

static const unsigned char fds_of[HOME_KINDS] = {
	[HOME_MISSING] = 0,
	[HOME_SLASH] = 0,
	[HOME_FILE] = 1,
	[HOME_DIRECTORY] = HOME_REPLY_FDS,
};

static bool
is_name_char(char c)
{
	unsigned char lower = (unsigned char)c | 0x20;

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("._-@", c) != NULL);
}

/*
 * The portable names of POSIX, and those of directories ("user@realm").  All
 * else could mean something to one of the databases that are asked.
 */
bool
home_is_user(struct str name)
{
	if (name.n == 0 || name.n > HOME_USER_MAX || name.p[0] == '-')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_name_char(name.p[i]))
			return false;
	return true;
}

size_t
home_ask_size(size_t n)
{
	return offsetof(struct home_ask, path) + n + 1;
}

int
home_ask_parse(struct home_ask *ask, size_t n, const char **out_user,
    const char **out_path)
{
	struct str user, rest;
	char *slash;

	if (n < home_ask_size(0) || n > sizeof(*ask))
		return -EBADMSG;
	n -= home_ask_size(0);
	if (memchr(ask->path, '\0', n + 1) != ask->path + n)
		return -EBADMSG;
	rest = (struct str){ ask->path, n };
	if (!str_cut(&rest, '/', &user) || !home_is_user(user))
		return -EBADMSG;
	slash = rest.p == NULL ? NULL : ask->path + user.n;
	if (slash != NULL)
		*slash = '\0';
	*out_user = ask->path;
	*out_path = slash == NULL ? NULL : slash + 1;
	return 0;
}

unsigned
home_reply_fds(uint32_t kind)
{
	return fds_of[kind];
}

bool
home_reply_is_valid(const struct home_reply *reply, size_t n, unsigned n_fds)
{
	return n == sizeof(*reply) && reply->kind < HOME_KINDS &&
	    n_fds == home_reply_fds(reply->kind);
}
