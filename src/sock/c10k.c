/* SPDX-License-Identifier: ISC */
/*
 * sock c10k: what one event costs a server when there are N connections, for
 * each engine (after Dan Kegel's page of that name).  A few connections are
 * active; all others are idle, and only there.  What an engine does because of
 * them is what is measured.
 */
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "sock/c10k_priv.h"
#include "sock/stop.h"
#include "sock/verbs.h"

#define ROUNDS 400
#define PROCESSES_MAX 2000

#define OPTION(name, value, type, field, about) \
	{ name, 0, value, type, offsetof(struct c10k, field), about }

static const struct option_row options[] = {
	OPTION("engines", "LIST", OPTION_TEXT, engines,
	    "these, with commas between (all that are here)"),
	OPTION("n", "RANGE", OPTION_TEXT, n,
	    "idle connections, 10..max or 100,4000 (10..max)"),
	OPTION("active", "N", OPTION_COUNT, active,
	    "connections that ask meanwhile (1)"),
	OPTION("rounds", "N", OPTION_COUNT, rounds,
	    "questions of each in a batch, if time allows (400)"),
	OPTION("unix", NULL, OPTION_FLAG, is_unix, "UNIX sockets, not TCP"),
	OPTION("http", NULL, OPTION_FLAG, is_http,
	    "measure the sws beside this sock, not sock serve --echo"),
	OPTION("svg", "FILE", OPTION_TEXT, svg, "draw the curves"),
	{ .name = NULL },
};

#undef OPTION

/* ------------------------------------------------------- why a curve ends */

static unsigned
listen_queue(void)
{
	unsigned n = 128;
	char line[32];
	FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");

	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n = (unsigned)strtoul(line, NULL, 10);
	if (f != NULL)
		fclose(f);
	return n < 4096 ? n : 4096;
}

/* How many an engine is given, and why not more. */
static unsigned
bound(const struct c10k_experiment *e, const struct engine *engine,
    char cause[C10K_CAUSE])
{
	unsigned most = e->most;

	if (engine->policy == ENGINE_CHILDREN) {
		most = e->asked->is_http ?
		    CHILDREN_MAX - (unsigned)e->asked->active : PROCESSES_MAX;
		snprintf(cause, C10K_CAUSE, "bound of %u processes",
		    e->asked->is_http ? CHILDREN_MAX : PROCESSES_MAX);
	} else if (engine->policy == ENGINE_ONE) {
		most = listen_queue();
		snprintf(cause, C10K_CAUSE, "listen queue of %u", most);
	}
	if (most < e->most)
		return most;
	cause[0] = '\0';
	if (e->is_limited)
		snprintf(cause, C10K_CAUSE, "%u descriptors",
		    e->most + C10K_SPARE + (unsigned)e->asked->active);
	return e->most;
}

static void
find_cause(struct c10k_experiment *e, struct c10k_run *run, int err)
{
	unsigned n = e->crowd.n;

	if (c10k_server_told(&e->server, "EAGAIN"))
		snprintf(run->cause, C10K_CAUSE, "EAGAIN at %u processes", n);
	else if (strstr(run->engine->limit, "FD_SETSIZE") != NULL)
		snprintf(run->cause, C10K_CAUSE, "FD_SETSIZE");
	else if (c10k_server_told(&e->server, "EMFILE"))
		snprintf(run->cause, C10K_CAUSE, "EMFILE");
	else
		snprintf(run->cause, C10K_CAUSE, "%s", strerror(-err));
}

/* -------------------------------------------------------------- one curve */

static bool
is_stopped(const struct c10k_experiment *e)
{
	struct pollfd p = { .fd = e->stop_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* At n connections, or as many as there can be.  0 to go on. */
static int
take_point(struct c10k_experiment *e, struct c10k_run *run, unsigned n)
{
	struct c10k_point *p = &run->points[run->n_points];
	int err = 0, failed;

	c10k_say_progress(e, run->name, n);
	if (run->engine->policy != ENGINE_ONE) {
		err = crowd_grow(&e->crowd, n);
		if (err < 0)
			find_cause(e, run, err);
		if (e->crowd.n == 0 || (run->n_points > 0 &&
		    p[-1].n == e->crowd.n))
			return err;
		n = e->crowd.n;
	}
	*p = (struct c10k_point){ .n = n };
	failed = c10k_measure(e, run->engine, p);
	if (failed < 0) {
		find_cause(e, run, failed);
		return failed;
	}
	run->n_points++;
	c10k_say_point(e, run, p);
	return err;
}

static void
take_points(struct c10k_experiment *e, struct c10k_run *run)
{
	char cause[C10K_CAUSE];
	unsigned most = bound(e, run->engine, cause), n = 0;

	for (unsigned i = 0; i < e->n_steps && n < most; i++) {
		n = e->steps[i] < most ? e->steps[i] : most;
		if (is_stopped(e) || take_point(e, run, n) < 0)
			return;
	}
	/* It is no end where more would not have been asked for. */
	if (n == most)
		snprintf(run->cause, sizeof(run->cause), "%s", cause);
}

static enum outcome
run_engine(struct c10k_experiment *e, struct c10k_run *run)
{
	unsigned active = run->engine->policy == ENGINE_ONE ? 0 :
	    (unsigned)e->asked->active;
	enum outcome o;
	int err;

	o = c10k_server_start(e->asked, run->name, e->most + active,
	    &e->server);
	if (o != OUTCOME_DONE)
		return o;
	err = crowd_open(&e->crowd, &e->server, e->asked->is_http, active,
	    e->most);
	if (err == 0) {
		/* Started, and warm. */
		err = run->engine->policy == ENGINE_ONE ? 0 :
		    crowd_grow(&e->crowd, 1);
		family_find(&e->family, e->server.pid);
		e->base_bytes = family_bytes(&e->family);
	}
	if (err == 0)
		take_points(e, run);
	else
		find_cause(e, run, err);
	c10k_say_end(e, run);
	c10k_server_stop(&e->server);
	crowd_close(&e->crowd);
	c10k_server_end(&e->server);
	return run->n_points > 0 || is_stopped(e) ? OUTCOME_DONE :
	    OUTCOME_PEER;
}

/* -------------------------------------------------------------------- run */

static enum outcome
run_all(struct c10k_experiment *e)
{
	enum outcome o, all = OUTCOME_DONE;

	c10k_ask_short_turns();
	sched_getaffinity(0, sizeof(e->processors), &e->processors);
	c10k_say_setting(e);
	for (unsigned i = 0; i < e->n_runs && !is_stopped(e); i++) {
		o = run_engine(e, &e->runs[i]);
		if (o > all)
			all = o;
	}
	o = c10k_show_curves(e);
	return o > all ? o : all;
}

static enum outcome
c10k_run(struct job *job)
{
	struct c10k_experiment *e = calloc(1, sizeof(*e));
	enum outcome o;

	if (e == NULL)
		return say_error(OUTCOME_UNAVAILABLE, NULL, "memory", 0, NULL);
	e->asked = (const struct c10k *)job;
	o = c10k_plan(e);
	if (o == OUTCOME_DONE) {
		e->stop_fd = stop_open();
		o = e->stop_fd < 0 ? say_error(OUTCOME_LOCAL, NULL,
		    "signalfd", e->stop_fd, NULL) : run_all(e);
		if (e->stop_fd >= 0)
			stop_close(e->stop_fd);
	}
	free(e);
	return o;
}

static void
c10k_defaults(struct job *job)
{
	struct c10k *asked = (struct c10k *)job;

	asked->active = 1;
	asked->rounds = ROUNDS;
}

const struct verb verb_c10k = {
	.name = "c10k",
	.operands = "",
	.least = 0,
	.most = 0,
	.about = "measure what idle connections cost, engine by engine",
	.details =
	    "CPU time is the server's and its children's, the least of up\n"
	    "to ten batches.  System calls are counted apart from that, with\n"
	    "ptrace(2).  Memory is what the processes have, not the kernel.\n",
	.options = options,
	.size = sizeof(struct c10k),
	.defaults = c10k_defaults,
	.run = c10k_run,
};
