/* SPDX-License-Identifier: ISC */
/* The list of pollers, the best first. */
#include "net/poller.h"

#include <string.h>

#include "net/poller_priv.h"

static const struct poller_ops *const pollers[] = {
#ifdef __linux__
	&poller_epoll,
#endif
	&poller_poll,
	&poller_pselect,
	&poller_select,
};

#define N_POLLERS (sizeof(pollers) / sizeof(pollers[0]))

const struct poller_ops *
poller_find(const char *name)
{
	if (name == NULL)
		return pollers[0];
	for (size_t i = 0; i < N_POLLERS; i++) {
		if (strcmp(pollers[i]->name, name) == 0)
			return pollers[i];
	}
	return NULL;
}

bool
poller_exists(const char *name)
{
	return poller_find(name) != NULL;
}

void
poller_help(FILE *out)
{
	for (size_t i = 0; i < N_POLLERS; i++)
		fprintf(out, "%-10s %s%s\n", pollers[i]->name,
		    pollers[i]->about, i == 0 ? " (default)" : "");
}
