/* SPDX-License-Identifier: ISC */
/* The table of engines, in the order in which one comes to think of them. */
#include "net/engine.h"

#include <string.h>

#include "base/str.h"
#include "net/poller_priv.h"

/* nonblock: the longest nap, unless a number says otherwise. */
#define NAP_MS 10
#define NAP_MAX_MS 1000
/* uring: what is received in one turn, unless a number says otherwise. */
#define BUFFERS 256
#define BUFFERS_MAX 4096

static const struct engine engines[] = {
	{
		.name = "blocking",
		.about = "one connection after the other",
		.limit = "the others wait",
		.policy = ENGINE_ONE,
		.poller = &poller_poll,
	},
	{
		.name = "fork",
		.about = "a process for each connection",
		.limit = "256 of them, the others wait",
		.policy = ENGINE_CHILDREN,
		.poller = &poller_poll,
	},
	{
		.name = "select-fork",
		.about = "select(2), a process for each connection",
		.limit = "256 of them",
		.policy = ENGINE_CHILDREN,
		.poller = &poller_select,
	},
	{
		.name = "nonblock",
		.about = "asks each in turn, then naps (nonblock:MS)",
		.limit = "a call for each, late",
		.poller = &poller_nonblock,
		.argument = NAP_MS,
		.argument_max = NAP_MAX_MS,
	},
	{
		.name = "sigio",
		.about = "O_ASYNC, real-time signals",
		.limit = "when their queue is full, all are asked",
		.sends_signals = true,
#ifdef __linux__
		.poller = &poller_sigio,
#else
		.lacks = "F_SETSIG is Linux's own",
#endif
	},
	{
		.name = "select",
		.about = "select(2), sets of bits",
		.limit = "below FD_SETSIZE (1024)",
		.poller = &poller_select,
	},
	{
		.name = "pselect",
		.about = "pselect(2), the same in nanoseconds",
		.limit = "below FD_SETSIZE (1024)",
		.poller = &poller_pselect,
	},
	{
		.name = "poll",
		.about = "poll(2), an array",
		.limit = "cost grows with the number of connections",
		.poller = &poller_poll,
	},
	{
		.name = "epoll",
		.about = "epoll(7), the kernel has the set",
		.limit = "a call for each change",
#ifdef __linux__
		.poller = &poller_epoll,
#else
		.lacks = "it is Linux's own",
#endif
	},
	{
		.name = "epoll-et",
		.about = "epoll(7), edge-triggered",
		.limit = "a call for each event, too",
#ifdef __linux__
		.poller = &poller_epoll_et,
#else
		.lacks = "it is Linux's own",
#endif
	},
	{
		.name = "uring",
		.about = "io_uring(7), is told what to do, not when",
		.limit = "its buffers (uring:N)",
#ifdef HAVE_URING
		.poller = &poller_uring,
#else
		.lacks = "built without liburing",
#endif
		.argument = BUFFERS,
		.argument_max = BUFFERS_MAX,
		.instead = "epoll",
	},
	{
		.name = "kqueue",
		.about = "kqueue(2), the kernel has the set",
		.limit = "a call for each change",
#ifdef HAVE_KQUEUE
		.poller = &poller_kqueue,
#else
		.lacks = "it is the BSDs' own",
#endif
	},
	{
		.name = "libevent",
		.about = "libevent, which chooses",
		.limit = "as that one",
#ifdef HAVE_LIBEVENT
		.poller = &poller_libevent,
#else
		.lacks = "built without libevent",
#endif
	},
	{
		.name = "libev",
		.about = "libev, which chooses",
		.limit = "as that one",
#ifdef HAVE_LIBEV
		.poller = &poller_libev,
#else
		.lacks = "built without libev",
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

		fprintf(out, "%-12s %s", e->name, e->about);
		if (lacks == NULL && e->poller->backend != NULL)
			fprintf(out, " %s", e->poller->backend());
		fprintf(out, "; %s%s\n", e->limit,
		    e == standard ? " (default)" : "");
		if (lacks != NULL)
			fprintf(out, "%-12s not available here: %s\n", "",
			    lacks);
	}
}
