/* SPDX-License-Identifier: ISC */
/* The table of engines, in the order in which one comes to think of them. */
#include "net/engine.h"

#include <string.h>

#include "base/str.h"
#include "net/poller_priv.h"

static const struct engine engines[] = {
	{
		.name = "select",
		.about = "select(2): three sets of bits, copied every time",
		.limit = "descriptors below FD_SETSIZE (1024)",
		.poller = &poller_select,
	},
	{
		.name = "pselect",
		.about = "pselect(2): as select, in nanoseconds",
		.limit = "descriptors below FD_SETSIZE (1024)",
		.poller = &poller_pselect,
	},
	{
		.name = "poll",
		.about = "poll(2): an array, looked through every time",
		.limit = "cost follows the number of connections",
		.poller = &poller_poll,
	},
	{
		.name = "epoll",
		.about = "epoll(7): the kernel keeps the set",
		.limit = "cost follows what is ready",
#ifdef __linux__
		.poller = &poller_epoll,
#else
		.lacks = "it is Linux's own",
#endif
	},
};

#define N_ENGINES (sizeof(engines) / sizeof(engines[0]))

/* By measurement, the best first. */
static const char *const best[] = { "epoll", "kqueue", "poll" };

static bool
has_name(const struct engine *e, struct str name)
{
	return str_eq(str_of(e->name), name);
}

static const struct engine *
find_best(void)
{
	const struct engine *e = NULL;

	for (size_t i = 0; i < sizeof(best) / sizeof(best[0]); i++) {
		e = engine_find(best[i], NULL);
		if (e != NULL && engine_lacks(e) == NULL)
			break;
	}
	return e;
}

/* The number behind the colon, or what it is without one. */
static bool
read_argument(const struct engine *e, const char *text, unsigned *out_argument)
{
	uint64_t n = e->argument;

	if (*text != '\0' && (str_to_u64(str_of(text + 1), &n) < 0 || n == 0 ||
	    n > e->argument_max))
		return false;
	if (out_argument != NULL)
		*out_argument = (unsigned)n;
	return true;
}

const struct engine *
engine_find(const char *name, unsigned *out_argument)
{
	size_t n;

	if (name == NULL)
		name = find_best()->name;
	n = strcspn(name, ":");
	for (size_t i = 0; i < N_ENGINES; i++) {
		const struct engine *e = &engines[i];

		if (has_name(e, (struct str){ name, n }))
			return read_argument(e, name + n, out_argument) ? e :
			    NULL;
	}
	return NULL;
}

const char *
engine_lacks(const struct engine *e)
{
	if (e->poller == NULL)
		return e->lacks;
	return e->poller->lacks != NULL ? e->poller->lacks() : NULL;
}

const struct engine *
engine_at(size_t n)
{
	return n < N_ENGINES ? &engines[n] : NULL;
}

void
engine_help(FILE *out)
{
	const struct engine *standard = engine_find(NULL, NULL);

	for (size_t i = 0; i < N_ENGINES; i++) {
		const struct engine *e = &engines[i];
		const char *lacks = engine_lacks(e);

		fprintf(out, "%-12s %s; %s%s\n", e->name, e->about, e->limit,
		    e == standard ? " (default)" : "");
		if (lacks != NULL)
			fprintf(out, "%-12s not available here: %s\n", "",
			    lacks);
	}
}
