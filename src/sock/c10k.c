/* SPDX-License-Identifier: ISC */
/*
 * sock c10k: what one event costs a server when there are N connections, for
 * each engine (after Dan Kegel's page of that name).  A few connections are
 * active; all others are idle, and only there.  What an engine does because of
 * them is what is measured.
 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"
#include "sock/c10k_priv.h"
#include "sock/stop.h"
#include "sock/svg.h"
#include "sock/verbs.h"

#define ROUNDS 400
/* A point is so many batches; the least CPU of one is free of most noise. */
#define BATCHES 10
#define BATCH_NS INT64_C(25000000)
/* No further batch begins after this, if there were two. */
#define POINT_NS INT64_C(400000000)
#define LEAST 10
#define MOST 100000
/* Descriptors that either side needs for itself. */
#define SPARE 64
#define TURN_NS 100000
#define RESET_ON_FORK 1         /* sched_setattr(2): the server does not */
#define PROCESSES_MAX 2000
/* Less memory than this many have is the noise of a page. */
#define BYTES_LEAST 100

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

/* One run of the verb. */
struct experiment {
	const struct c10k *asked;
	unsigned steps[C10K_POINTS_MAX];        /* numbers of connections */
	unsigned n_steps;
	unsigned most;          /* by RLIMIT_NOFILE, or asked for */
	bool is_limited;        /* by RLIMIT_NOFILE */
	int stop_fd;
	struct c10k_run runs[C10K_ENGINES_MAX];
	unsigned n_runs;
	/* Of the engine that runs: */
	struct c10k_server server;
	struct crowd crowd;
	struct family family;
	int64_t base_bytes;     /* of memory, without the idle ones */
	cpu_set_t processors;   /* that we may have */
};

/* ---------------------------------------------------------------- telling */

static bool
shows_progress(const struct experiment *e)
{
	const struct say_style *style = &e->asked->job.style;

	return isatty(STDERR_FILENO) && !style->is_quiet && !style->is_json;
}

static void
say_progress(const struct experiment *e, const char *name, unsigned n)
{
	if (shows_progress(e))
		fprintf(stderr, "%s: %u connections\r", name, n);
}

static void
wipe_progress(const struct experiment *e)
{
	if (shows_progress(e))
		fputs("\x1b[K", stderr);
}

/* A number that was not measured is a dash, and null. */
static const char *
figure(double value, int digits, char text[24])
{
	if (value < 0)
		return "-";
	snprintf(text, 24, "%.*f", digits, value);
	return text;
}

static void
add_figure(struct record *r, const char *name, double value)
{
	if (value < 0)
		record_text(r, name, NULL);
	else
		record_real(r, name, value);
}

static void
say_point(const struct experiment *e, const struct c10k_run *run,
    const struct c10k_point *p)
{
	char text[5][24];
	struct record r;

	wipe_progress(e);
	record_begin(&r, "point");
	record_text(&r, "engine", run->name);
	record_number(&r, "n", p->n);
	add_figure(&r, "median_us", p->median_us);
	add_figure(&r, "p99_us", p->p99_us);
	add_figure(&r, "cpu_us", p->cpu_us);
	add_figure(&r, "calls", p->calls);
	add_figure(&r, "bytes", p->bytes);
	record_say(&r, SAY_ANSWER, "%-12s %7u %11s %11s %11s %9s %9s",
	    run->name, p->n, figure(p->median_us, 1, text[0]),
	    figure(p->p99_us, 1, text[1]), figure(p->cpu_us, 2, text[2]),
	    figure(p->calls, 1, text[3]), figure(p->bytes, 0, text[4]));
}

static void
say_end(const struct experiment *e, const struct c10k_run *run)
{
	struct record r;

	wipe_progress(e);
	record_begin(&r, "curve");
	record_text(&r, "engine", run->name);
	record_number(&r, "n", run->n_points == 0 ? 0 :
	    run->points[run->n_points - 1].n);
	record_text(&r, "cause", *run->cause != '\0' ? run->cause : NULL);
	if (*run->cause != '\0' || e->asked->job.style.is_json)
		record_say(&r, SAY_ANSWER, "%-12s ends here: %s", run->name,
		    run->cause);
	else
		record_drop(&r);
}

static void
say_setting(const struct experiment *e)
{
	struct utsname u;
	struct record r;

	uname(&u);
	record_begin(&r, "setting");
	record_text(&r, "server", e->asked->is_http ? "sws" : "sock serve");
	record_text(&r, "socket", e->asked->is_unix ? "unix" : "tcp");
	record_text(&r, "kernel", u.release);
	record_text(&r, "machine", u.machine);
	record_number(&r, "processors", sysconf(_SC_NPROCESSORS_ONLN));
	record_number(&r, "active", (int64_t)e->asked->active);
	record_number(&r, "most", e->most);
	record_say(&r, SAY_ANSWER, "%s over %s, %" PRIu64 " active, at most %u "
	    "idle connections%s; Linux %s",
	    e->asked->is_http ? "sws" : "sock serve --echo",
	    e->asked->is_unix ? "UNIX sockets" : "TCP", e->asked->active,
	    e->most, e->is_limited ? " (RLIMIT_NOFILE, raised to its hard "
	    "limit)" : "", u.release);
	if (!e->asked->job.style.is_json)
		printf("%-12s %7s %11s %11s %11s %9s %9s\n", "engine", "idle",
		    "median us", "p99 us", "CPU us", "calls", "bytes");
	fflush(stdout);
}

/* -------------------------------------------------------------- measuring */

static void
fill_times(struct c10k_point *p, const struct histogram *times)
{
	p->median_us = (double)histogram_at(times, 0.5) / 1e3;
	p->p99_us = (double)histogram_at(times, 0.99) / 1e3;
}

static void
run_on(const struct family *f, const cpu_set_t *processors)
{
	for (unsigned i = 0; i < f->n; i++)
		sched_setaffinity(f->pids[i], sizeof(*processors), processors);
	sched_setaffinity(0, sizeof(*processors), processors);
}

/*
 * A server that spins would have the rest of its turn before a client that it
 * answered: who asks for shorter turns has them sooner (Linux 6.12; others
 * take no notice).
 */
static void
ask_short_turns(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t turn_ns, deadline_ns, period_ns;
	} attributes = {
		.size = 48,
		.policy = SCHED_OTHER,
		.flags = RESET_ON_FORK,
		.nice = getpriority(PRIO_PROCESS, 0),
		.turn_ns = TURN_NS,
	};

	_Static_assert(sizeof(attributes) == 48, "sched_setattr(2)");
	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/*
 * Who asks and who answers take turns, so one processor is enough for both;
 * on two, what it takes to wake up the other one would be most of what is
 * measured, and another each time.
 */
static void
share_processor(const struct family *f)
{
	int number = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	if (number < 0 || number >= CPU_SETSIZE)
		return;
	CPU_SET((size_t)number, &one);
	run_on(f, &one);
}

static bool
has_time(int batches, int64_t end_ns)
{
	return batches < 2 || c10k_now_ns() < end_ns;
}

/* One at a time: all others wait, and that is what grows. */
static int
measure_visits(struct experiment *e, struct c10k_point *p,
    struct histogram *times)
{
	int64_t before_ns, cpu_ns, least_ns = INT64_MAX;
	int64_t end_ns = c10k_now_ns() + POINT_NS;
	int err;

	for (int i = 0; i < BATCHES && has_time(i, end_ns); i++) {
		before_ns = family_cpu_ns(&e->family);
		err = crowd_visit(&e->crowd, p->n, times);
		if (err < 0)
			return err;
		cpu_ns = family_cpu_ns(&e->family) - before_ns;
		if (cpu_ns < least_ns)
			least_ns = cpu_ns;
	}
	p->cpu_us = (double)least_ns / 1e3 / p->n;
	return 0;
}

static int
measure_events(struct experiment *e, struct c10k_point *p,
    struct histogram *times)
{
	int64_t before_ns, end_ns = c10k_now_ns() + POINT_NS;
	double cpu_us, least_us = INFINITY;
	uint64_t events;
	int err;

	for (int i = 0; i < BATCHES && has_time(i, end_ns); i++) {
		before_ns = family_cpu_ns(&e->family);
		err = crowd_ask(&e->crowd, (unsigned)e->asked->rounds,
		    c10k_now_ns() + BATCH_NS, times, &events);
		if (err < 0)
			return err;
		cpu_us = (double)(family_cpu_ns(&e->family) - before_ns) /
		    1e3 / (double)events;
		if (cpu_us < least_us)
			least_us = cpu_us;
	}
	p->cpu_us = least_us;
	return 0;
}

static int
measure(struct experiment *e, const struct engine *engine,
    struct c10k_point *p)
{
	struct histogram *times = calloc(1, sizeof(*times));
	int64_t bytes;
	int err;

	if (times == NULL)
		return -ENOMEM;
	p->calls = p->bytes = -1;
	family_find(&e->family, e->server.pid);
	bytes = family_bytes(&e->family);
	family_mark(&e->family);
	share_processor(&e->family);
	err = engine->policy == ENGINE_ONE ? measure_visits(e, p, times) :
	    measure_events(e, p, times);
	fill_times(p, times);
	free(times);
	if (err == 0 && engine->policy != ENGINE_ONE) {
		family_keep_busy(&e->family);
		p->calls = crowd_count_calls(&e->crowd, &e->family);
	}
	family_find(&e->family, e->server.pid);
	run_on(&e->family, &e->processors);
	if (engine->policy != ENGINE_ONE && p->n >= BYTES_LEAST &&
	    bytes >= 0 && e->base_bytes >= 0)
		p->bytes = fmax(0, (double)(bytes - e->base_bytes) / p->n);
	return err;
}

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
bound(const struct experiment *e, const struct engine *engine,
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
		    e->most + SPARE + (unsigned)e->asked->active);
	return e->most;
}

static void
find_cause(struct experiment *e, struct c10k_run *run, int err)
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
is_stopped(const struct experiment *e)
{
	struct pollfd p = { .fd = e->stop_fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

/* At n connections, or as many as there can be.  0 to go on. */
static int
take_point(struct experiment *e, struct c10k_run *run, unsigned n)
{
	struct c10k_point *p = &run->points[run->n_points];
	int err = 0, failed;

	say_progress(e, run->name, n);
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
	failed = measure(e, run->engine, p);
	if (failed < 0) {
		find_cause(e, run, failed);
		return failed;
	}
	run->n_points++;
	say_point(e, run, p);
	return err;
}

static void
take_points(struct experiment *e, struct c10k_run *run)
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
run_engine(struct experiment *e, struct c10k_run *run)
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
	say_end(e, run);
	c10k_server_stop(&e->server);
	crowd_close(&e->crowd);
	c10k_server_end(&e->server);
	return run->n_points > 0 || is_stopped(e) ? OUTCOME_DONE :
	    OUTCOME_PEER;
}

/* ---------------------------------------------------------------- drawing */

static void
add_curve(struct chart *c, const struct c10k_run *run, bool is_cpu)
{
	struct chart_curve *curve = &c->curves[c->n++];

	curve->name = run->name;
	curve->cause = run->cause;
	curve->n = run->n_points;
	/* Visitors come and go, which is another work. */
	if (is_cpu && run->engine->policy == ENGINE_ONE)
		curve->n = 0;
	for (unsigned i = 0; i < curve->n; i++) {
		const struct c10k_point *p = &run->points[i];

		curve->points[i].x = p->n;
		curve->points[i].y = is_cpu ? p->cpu_us : p->median_us;
	}
}

static void
draw(const struct experiment *e, struct chart *cpu, struct chart *time)
{
	cpu->title = "CPU time of the server per event, in us";
	time->title = "Median time until the answer, in us";
	cpu->x_label = time->x_label = "idle connections";
	for (unsigned i = 0; i < e->n_runs; i++) {
		const struct c10k_run *run = &e->runs[i];

		add_curve(cpu, run, true);
		add_curve(time, run, false);
	}
}

static bool
has_utf8(void)
{
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static enum outcome
show_curves(const struct experiment *e)
{
	struct chart *charts = calloc(2, sizeof(*charts));
	const struct chart *both[2];
	int err = charts == NULL ? -ENOMEM : 0;

	if (err == 0) {
		draw(e, &charts[0], &charts[1]);
		both[0] = &charts[0];
		both[1] = &charts[1];
		if (!e->asked->job.style.is_json) {
			puts("");
			for (int i = 0; i < 2; i++)
				chart_print(both[i], has_utf8(), stdout);
		}
		if (e->asked->svg != NULL)
			err = svg_write(e->asked->svg, both, 2);
	}
	free(charts);
	fflush(stdout);
	return err == 0 ? OUTCOME_DONE :
	    say_error(OUTCOME_LOCAL, e->asked->svg, "write", err, NULL);
}

/* ---------------------------------------------------------------- options */

static enum outcome
usage(const char *why)
{
	return say_error(OUTCOME_USAGE, NULL, "usage", 0, "%s", why);
}

static bool
add_step(struct experiment *e, uint64_t n)
{
	if (e->n_steps == C10K_POINTS_MAX || n == 0 || n > MOST ||
	    (e->n_steps > 0 && n <= e->steps[e->n_steps - 1]))
		return false;
	e->steps[e->n_steps++] = (unsigned)n;
	return true;
}

/* 10, 30, 100, 300, ... and the last. */
static bool
add_range(struct experiment *e, struct str low, struct str high)
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
read_steps(struct experiment *e, const char *text)
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
raise_limit(struct experiment *e)
{
	struct rlimit limit;
	uint64_t spare = SPARE + e->asked->active;

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
set_steps(struct experiment *e)
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
add_engine(struct experiment *e, const char *name, bool is_asked)
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
set_engines(struct experiment *e)
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

static enum outcome
set_up(struct experiment *e)
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

/* -------------------------------------------------------------------- run */

static enum outcome
run_all(struct experiment *e)
{
	enum outcome o, all = OUTCOME_DONE;

	ask_short_turns();
	sched_getaffinity(0, sizeof(e->processors), &e->processors);
	say_setting(e);
	for (unsigned i = 0; i < e->n_runs && !is_stopped(e); i++) {
		o = run_engine(e, &e->runs[i]);
		if (o > all)
			all = o;
	}
	o = show_curves(e);
	return o > all ? o : all;
}

static enum outcome
c10k_run(struct job *job)
{
	struct experiment *e = calloc(1, sizeof(*e));
	enum outcome o;

	if (e == NULL)
		return say_error(OUTCOME_UNAVAILABLE, NULL, "memory", 0, NULL);
	e->asked = (const struct c10k *)job;
	o = set_up(e);
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
	    "CPU time is the server's and its children's, the least of five\n"
	    "batches.  System calls are counted apart from that, with\n"
	    "ptrace(2).  Memory is what the processes have, not the kernel.\n",
	.options = options,
	.size = sizeof(struct c10k),
	.defaults = c10k_defaults,
	.run = c10k_run,
};
