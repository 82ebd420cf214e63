/* SPDX-License-Identifier: ISC */
/*
 * What sock c10k is to do, from its options: which engines, at which numbers
 * of idle connections, and how many there can be at most.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "base/str.h"
#include "sock/c10k_priv.h"

#define LEAST 10
#define MOST 100000

static enum outcome
usage(const char *why)
{
	return say_error(OUTCOME_USAGE, NULL, "usage", 0, "%s", why);
}

static bool
add_step(struct c10k_experiment *e, uint64_t n)
{
	if (e->n_steps == C10K_POINTS_MAX || n == 0 || n > MOST ||
	    (e->n_steps > 0 && n <= e->steps[e->n_steps - 1]))
		return false;
	e->steps[e->n_steps++] = (unsigned)n;
	return true;
}

/* 10, 30, 100, 300, ... and the last. */
static bool
add_range(struct c10k_experiment *e, struct str low, struct str high)
{
	uint64_t n, most = e->most;

	if (str_to_u64(low, &n) < 0 || n == 0)
		return false;
	if (!str_eq(high, S("max")) && high.n > 0 &&
	    str_to_u64(high, &most) < 0)
		return false;
	if (most < n)
		return false;
	for (unsigned i = 0; n < most; i++) {
		if (!add_step(e, n))
			return false;
		/* Three times, then to ten times. */
		n = i % 2 == 0 ? 3 * n : n / 3 * 10;
	}
	return add_step(e, most);
}

static bool
read_steps(struct c10k_experiment *e, const char *text)
{
	struct str rest = str_of(text), part;
	const char *dots = strstr(text, "..");
	uint64_t n;

	if (dots != NULL)
		return add_range(e, (struct str){ text,
		    (size_t)(dots - text) }, str_of(dots + 2));
	while (rest.p != NULL) {
		str_cut(&rest, ',', &part);
		if (str_to_u64(part, &n) < 0 || !add_step(e, n))
			return false;
	}
	return true;
}

/* As many as either side may have: both have the same limit. */
static enum outcome
raise_limit(struct c10k_experiment *e)
{
	struct rlimit limit;
	uint64_t spare = C10K_SPARE + e->asked->active;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return say_error(OUTCOME_LOCAL, NULL, "RLIMIT_NOFILE", errno,
		    NULL);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < spare + LEAST)
		return say_error(OUTCOME_UNAVAILABLE, NULL, "RLIMIT_NOFILE",
		    EMFILE, "%" PRIu64 " are too few",
		    (uint64_t)limit.rlim_max);
	e->most = limit.rlim_max - spare > MOST ? MOST :
	    (unsigned)(limit.rlim_max - spare);
	return OUTCOME_DONE;
}

static enum outcome
set_steps(struct c10k_experiment *e)
{
	unsigned limit = e->most;

	if (!read_steps(e, e->asked->n != NULL ? e->asked->n : "10..max"))
		return usage("--n takes a range, like 10..max or 10..4000, or "
			     "growing numbers, like 100,4000");
	if (e->steps[e->n_steps - 1] < limit)
		e->most = e->steps[e->n_steps - 1];
	e->is_limited = e->most == limit && limit < MOST;
	return OUTCOME_DONE;
}

static enum outcome
add_engine(struct c10k_experiment *e, const char *name, bool is_asked)
{
	const struct engine *engine = engine_find(name, NULL);
	const char *lacks;
	struct c10k_run *run = &e->runs[e->n_runs];

	if (engine == NULL || strlen(name) >= sizeof(run->name))
		return say_error(OUTCOME_USAGE, NULL, "no such engine", 0,
		    "%s; sock serve --engine=help lists them", name);
	lacks = engine_lacks(engine);
	if (lacks != NULL)
		return is_asked ? say_error(OUTCOME_UNAVAILABLE, name,
		    "not available here", 0, "%s", lacks) : OUTCOME_DONE;
	if (e->n_runs == C10K_ENGINES_MAX)
		return usage("--engines has too many");
	run->engine = engine;
	snprintf(run->name, sizeof(run->name), "%s", name);
	e->n_runs++;
	return OUTCOME_DONE;
}

static enum outcome
set_engines(struct c10k_experiment *e)
{
	const char *all = e->asked->engines;
	struct str rest, part;
	enum outcome o = OUTCOME_DONE;
	char name[64];

	if (all == NULL || strcmp(all, "all") == 0) {
		for (size_t i = 0; engine_at(i) != NULL; i++)
			add_engine(e, engine_at(i)->name, false);
		return OUTCOME_DONE;
	}
	for (rest = str_of(all); rest.p != NULL && o == OUTCOME_DONE;) {
		str_cut(&rest, ',', &part);
		snprintf(name, sizeof(name), "%.*s", STR_ARG(part));
		o = add_engine(e, name, true);
	}
	return o;
}

enum outcome
c10k_plan(struct c10k_experiment *e)
{
	const struct c10k *asked = e->asked;
	enum outcome o;

	if (asked->active == 0 || asked->active > C10K_ACTIVE_MAX)
		return usage("--active is from 1 to 1000");
	if (asked->rounds == 0 || asked->rounds > UINT32_MAX)
		return usage("--rounds is at least 1");
	if (asked->is_unix && asked->is_http)
		return usage("sws has no UNIX sockets: --unix or --http");
	o = raise_limit(e);
	if (o == OUTCOME_DONE)
		o = set_steps(e);
	return o == OUTCOME_DONE ? set_engines(e) : o;
}
