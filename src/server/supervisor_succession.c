/* SPDX-License-Identifier: ISC */
/*
 * While names come to lead to another tree there are two crews and more:
 *
 * The new crew starts, sandboxed below its own tree, and waits.  When all its
 * workers are ready, those of the old one are told to begin no exchange any
 * more, and when all have said that they do not, the new ones serve.  So
 * nobody sees the new tree and then the old one.  Listening sockets stay open
 * all the time, and connections move to the new workers between two requests;
 * thus no client notices more than a pause of some milliseconds.
 */
#include "base/log.h"
#include "server/supervisor_priv.h"

#define START_MS 10000          /* for a new crew to be ready */
#define RETIRE_MS 1000          /* for the old one to say that it retires */
#define AGAIN_MS 1000           /* between looks at what cannot be served */
#define CREWS_MAX 8             /* at once, most of them finishing */

/* Crews */

static struct crew *
oldest(struct supervisor *s)
{
	return list_entry(s->command.crews.next, struct crew, node);
}

static unsigned
count_crews(struct supervisor *s)
{
	struct list *crews = &s->command.crews;
	unsigned n = 0;

	for (struct list *l = crews->next; l != crews; l = l->next)
		n++;
	return n;
}

/* There is at most one in each state but the last. */
static struct crew *
find_crew(struct supervisor *s, enum crew_state state)
{
	struct list *crews = &s->command.crews;

	for (struct list *l = crews->next; l != crews; l = l->next) {
		struct crew *c = list_entry(l, struct crew, node);

		if (c->state == state)
			return c;
	}
	return NULL;
}

/* Steps */

/* What could not be served stays unsaid until something can. */
static void
complain(struct supervisor *s, const char *why)
{
	if (!s->has_complained)
		log_error("%s; what was there before is served on", why);
	s->has_complained = true;
	lookout_return(&s->lookout, AGAIN_MS);
}

static void
await_step(struct supervisor *s, unsigned ms)
{
	/* Without memory it is awaited for as long as it takes. */
	(void)loop_timer_start(s->command.loop, &s->step, ms);
}

void
supervisor_abandon(struct supervisor *s, struct crew *c)
{
	loop_timer_stop(s->command.loop, &s->step);
	c->state = CREW_RETIRED;
	crew_dismiss(c);
	crew_kill(c);
	complain(s, "new workers cannot be started");
	if (c->running == 0)
		crew_free(c);
}

static void
begin_crew(struct supervisor *s, struct tree *tree)
{
	struct crew *c;
	int err;

	c = crew_start(&s->command, tree, CREW_COMING, &err);
	if (c == NULL) {
		tree_free(tree);
		complain(s, "no memory");
	} else if (err < 0) {
		supervisor_abandon(s, c);
	} else {
		await_step(s, START_MS);
	}
}

/* Too many are finishing: the one that took longest gets the usual grace. */
static bool
has_room(struct supervisor *s)
{
	struct crew *c = oldest(s);

	if (count_crews(s) < CREWS_MAX)
		return true;
	s->looks_later = true;
	if (c->state == CREW_RETIRED && !c->is_hurried) {
		c->is_hurried = true;
		crew_tell_workers(c, ORDER_STOP);
	}
	return false;
}

void
supervisor_look(struct supervisor *s)
{
	const struct config *config = s->setup->config;
	char why[TREE_WHY];
	struct tree *tree;

	s->looks_later = find_crew(s, CREW_COMING) != NULL ||
	    find_crew(s, CREW_TAKING_OVER) != NULL;
	if (s->looks_later)
		return;
	/* First, to be told of what changes while we look. */
	lookout_look(&s->lookout);
	if (tree_is_current(find_crew(s, CREW_SERVING)->tree, config)) {
		s->has_complained = false;
		return;
	}
	if (!has_room(s))
		return;
	if (tree_open(config, s->setup->identity,
	    listeners_port(s->setup->listeners), &tree, why) < 0)
		complain(s, why);
	else
		begin_crew(s, tree);
}

void
supervisor_on_change(struct lookout *l)
{
	struct supervisor *s = list_entry(l, struct supervisor, lookout);

	if (!s->is_stopping)
		supervisor_look(s);
}

static void
serve(struct supervisor *s, struct crew *c)
{
	loop_timer_stop(s->command.loop, &s->step);
	c->state = CREW_SERVING;
	c->before = NULL;
	crew_tell_workers(c, ORDER_SERVE);
	s->has_complained = false;
	log_info("%s: another directory is served", s->setup->config->root);
	if (s->looks_later)
		supervisor_look(s);
}

static void
take_over(struct supervisor *s, struct crew *c)
{
	c->before = find_crew(s, CREW_SERVING);
	c->state = CREW_TAKING_OVER;
	crew_retire(c->before, c);
	await_step(s, RETIRE_MS);
}

void
supervisor_advance(struct supervisor *s)
{
	struct crew *c;

	if (s->is_stopping)
		return;
	c = find_crew(s, CREW_COMING);
	if (c != NULL && crew_awaited(c) == 0)
		take_over(s, c);
	c = find_crew(s, CREW_TAKING_OVER);
	if (c != NULL && crew_awaited(c->before) == 0)
		serve(s, c);
}

void
supervisor_on_reported(struct child *c, enum order order)
{
	struct crew *crew = c->crew;

	if ((order == ORDER_READY && crew->state == CREW_COMING) ||
	    (order == ORDER_RETIRED && crew->state == CREW_RETIRED))
		c->is_awaited = false;
	supervisor_advance(supervisor_of(crew->command));
}

void
supervisor_on_overdue(struct timer *t)
{
	struct supervisor *s = list_entry(t, struct supervisor, step);
	struct crew *c = find_crew(s, CREW_COMING);

	if (c != NULL)
		supervisor_abandon(s, c);
	else if ((c = find_crew(s, CREW_TAKING_OVER)) != NULL)
		serve(s, c);
}
