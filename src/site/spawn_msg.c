/* SPDX-License-Identifier: ISC */
#include "site/spawn_msg.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Takes the next string; NULL when there is none. */
static char *
next(char **at, const char *end)
{
	char *s = *at, *nul;

	nul = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL;
	if (nul == NULL)
		return NULL;
	*at = nul + 1;
	return s;
}

static int
take(char **at, const char *end, unsigned n, char **out_list)
{
	for (unsigned i = 0; i < n; i++) {
		out_list[i] = next(at, end);
		if (out_list[i] == NULL)
			return -EBADMSG;
	}
	out_list[n] = NULL;
	return 0;
}

static bool
is_inside(const char *path)
{
	size_t n = strlen(path);

	return n > 0 && path[0] != '/' && strcmp(path, "..") != 0 &&
	    strncmp(path, "../", 3) != 0 && strstr(path, "/../") == NULL &&
	    !(n > 3 && strcmp(path + n - 3, "/..") == 0);
}

int
spawn_run_parse(char *message, size_t n, struct spawn_run *out_run)
{
	struct spawn_msg head;
	char *at = message + sizeof(head), *end = message + n;

	if (n < sizeof(head))
		return -EBADMSG;
	memcpy(&head, message, sizeof(head));
	if (head.kind != SPAWN_RUN || head.n_args > SPAWN_ARGS_MAX ||
	    head.n_env > SPAWN_ENV_MAX)
		return -EBADMSG;
	out_run->path = next(&at, end);
	if (out_run->path == NULL || !is_inside(out_run->path) ||
	    take(&at, end, head.n_args, out_run->args + 1) < 0 ||
	    take(&at, end, head.n_env, out_run->env) < 0 || at != end)
		return -EBADMSG;
	return 0;
}
