/* SPDX-License-Identifier: ISC */
/*
 * What sock c10k tells: the setting, a line for each point while they are
 * measured, why a curve ended, and at the end the curves.
 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sock/c10k_priv.h"
#include "sock/svg.h"

/* ---------------------------------------------------------------- telling */

static bool
shows_progress(const struct c10k_experiment *e)
{
	const struct say_style *style = &e->asked->job.style;

	return isatty(STDERR_FILENO) && !style->is_quiet && !style->is_json;
}

void
c10k_say_progress(const struct c10k_experiment *e, const char *name, unsigned n)
{
	if (shows_progress(e))
		fprintf(stderr, "%s: %u connections\r", name, n);
}

static void
wipe_progress(const struct c10k_experiment *e)
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

void
c10k_say_point(const struct c10k_experiment *e, const struct c10k_run *run,
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

void
c10k_say_end(const struct c10k_experiment *e, const struct c10k_run *run)
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

void
c10k_say_setting(const struct c10k_experiment *e)
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
draw(const struct c10k_experiment *e, struct chart *cpu, struct chart *time)
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

enum outcome
c10k_show_curves(const struct c10k_experiment *e)
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
