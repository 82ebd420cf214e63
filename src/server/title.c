/* SPDX-License-Identifier: ISC */
/*
 * The kernel shows as command line what stands in the memory where it put the
 * arguments (and the environment right behind them) at the start.  There is
 * no better way: prctl(2) moves that memory for the privileged only.
 */
#include "server/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TITLE_MAX 128   /* with its NUL */

static const char prefix[] = "sws: ";

static struct {
	char *begin;            /* NULL: titles are not to be had */
	size_t size;
	char **env;             /* the copies, for as long as we live */
} title_state;

/* The strings of a list that lie one behind the other, from `end` on. */
static char *
end_of_row(char **list, char *end)
{
	for (; *list != NULL && (end == NULL || *list == end); list++)
		end = *list + strlen(*list) + 1;
	return end;
}

/* NULL when there is no memory; what was copied by then is not worth it. */
static char **
copy_list(char **list)
{
	char **copy;
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n && copy != NULL; i++) {
		copy[i] = strdup(list[i]);
		if (copy[i] == NULL)
			return NULL;
	}
	return copy;
}

void
title_init(int argc, char **argv)
{
	char **args, **env, *end;

	if (argc < 1 || title_state.begin != NULL)
		return;
	args = copy_list(argv);
	env = copy_list(environ);
	if (args == NULL || env == NULL)
		return;
	end = end_of_row(environ, end_of_row(argv, NULL));
	title_state.begin = argv[0];
	title_state.size = (size_t)(end - argv[0]);
	title_state.env = env;
	memcpy(argv, args, (size_t)argc * sizeof(*argv));
	free(args);
	environ = env;
}

void
title_set(const char *format, ...)
{
	char text[TITLE_MAX] = "";
	va_list args;
	size_t n;

	memcpy(text, prefix, strlen(prefix));
	va_start(args, format);
	vsnprintf(text + strlen(prefix), sizeof(text) - strlen(prefix), format,
	    args);
	va_end(args);
	/* What top(1) shows; the kernel takes the first 15 bytes. */
	prctl(PR_SET_NAME, text, 0, 0, 0);
	if (title_state.begin == NULL || title_state.size == 0)
		return;
	memset(title_state.begin, 0, title_state.size);
	n = strnlen(text, title_state.size - 1);
	memcpy(title_state.begin, text, n);
}
