/* SPDX-License-Identifier: ISC */
/*
 * Tells what labs did.  Events of several processes and of the kernel's
 * capture are put in the order of their time; all have the same clock.
 */

#include "sock/lab_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "sock/lab_priv.h"
#include "sock/say.h"

#define COLUMNS 79
#define NS_PER_MS 1e6
#define PARAGRAPH 4096

static const char *const verdicts[] = {
	[LAB_IS_OK] = "ok",
	[LAB_IS_FAILED] = "FAILED",
	[LAB_IS_SKIPPED] = "skipped",
};

/* How each kind of event is told: its name for JSON, its mark in a line. */
static const struct {
	const char *name;
	const char *mark;
} kinds[] = {
	[LAB_NOTHING] = { NULL, NULL },
	[LAB_CALL] = { "call", "" },
	[LAB_PACKET] = { "packet", "    ~ " },
	[LAB_STATE] = { "state", "        = " },
	[LAB_EXPECTED] = { "expect", "ok      " },
	[LAB_FAILED] = { "expect", "FAILED  " },
	[LAB_SAID] = { "saw", "" },
	[LAB_SKIPPED] = { "skip", "skipped " },
};

void
lab_show_list(void)
{
	struct record r;

	for (const struct lab_entry *e = lab_table; e->name != NULL; e++) {
		record_begin(&r, "lab");
		record_text(&r, "name", e->name);
		record_text(&r, "rows", e->rows);
		record_text(&r, "title", e->title);
		record_say(&r, SAY_ANSWER, "%-13s %s (%s)", e->name, e->title,
		    e->rows);
	}
}

void
lab_show_rows(void)
{
	struct str rows, row;
	struct record r;

	for (const struct lab_entry *e = lab_table; e->name != NULL; e++) {
		rows = str_of(e->rows);
		while (str_cut(&rows, ' ', &row)) {
			record_begin(&r, "row");
			record_str(&r, "row", row);
			record_text(&r, "lab", e->name);
			record_say(&r, SAY_ANSWER, "%.*s %s", STR_ARG(row),
			    e->name);
		}
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct lab_event *const *left = a, *const *right = b;

	if ((*left)->at_ns != (*right)->at_ns)
		return (*left)->at_ns < (*right)->at_ns ? -1 : 1;
	/* What was noted first stays first. */
	return *left < *right ? -1 : *left > *right;
}

static bool
is_of_time(const struct lab_event *e)
{
	return e->kind == LAB_CALL || e->kind == LAB_PACKET ||
	    e->kind == LAB_STATE;
}

static void
show_event(const struct lab_run *run, const struct lab_event *e)
{
	double ms = (double)(e->at_ns - run->record->begun_ns) / NS_PER_MS;
	struct record r;

	record_begin(&r, kinds[e->kind].name);
	record_text(&r, "lab", run->entry->name);
	record_real(&r, "ms", ms);
	record_text(&r, "who", e->who);
	record_text(&r, "text", e->text);
	record_say(&r, SAY_ANSWER, "%10.3f  %-9s %s%s", ms, e->who,
	    kinds[e->kind].mark, e->text);
}

static unsigned
event_count(const struct lab_run *run)
{
	unsigned n = atomic_load(&run->record->n_events);

	return n < LAB_EVENTS ? n : LAB_EVENTS;
}

static void
show_times(const struct lab_run *run)
{
	const struct lab_event *sorted[LAB_EVENTS];
	unsigned n = 0, all = atomic_load(&run->record->n_events);

	for (unsigned i = 0; i < event_count(run); i++)
		if (is_of_time(&run->record->events[i]))
			sorted[n++] = &run->record->events[i];
	qsort(sorted, n, sizeof(sorted[0]), by_time);
	if (!say_style()->is_json)
		puts("        ms  who       call    ~ packet    = state");
	fflush(stdout);
	for (unsigned i = 0; i < n; i++)
		show_event(run, sorted[i]);
	if (all > LAB_EVENTS && !say_style()->is_json)
		printf("%u events more had no room\n", all - LAB_EVENTS);
}

/* Expectations, or parts that were skipped: one line each. */
static void
show_lines(const struct lab_run *run, bool are_expected)
{
	const struct lab_event *e = run->record->events;
	struct record r;

	for (unsigned i = 0; i < event_count(run); i++, e++) {
		if (are_expected ? e->kind != LAB_EXPECTED &&
		    e->kind != LAB_FAILED : e->kind != LAB_SKIPPED)
			continue;
		record_begin(&r, kinds[e->kind].name);
		record_text(&r, "lab", run->entry->name);
		if (are_expected)
			record_bool(&r, "ok", e->kind == LAB_EXPECTED);
		record_text(&r, "text", e->text);
		record_say(&r, SAY_ANSWER, "%s%s", kinds[e->kind].mark,
		    e->text);
	}
}

/* One paragraph, filled. */
static void
fill(const char *text)
{
	struct str rest = str_of(text), word;
	size_t column = 0;

	while (str_cut(&rest, ' ', &word)) {
		if (column > 0 && column + 1 + word.n > COLUMNS) {
			putchar('\n');
			column = 0;
		}
		if (column > 0)
			putchar(' ');
		printf("%.*s", STR_ARG(word));
		column += word.n + (column > 0);
	}
	putchar('\n');
	fflush(stdout);
}

static void
show_seen(const struct lab_run *run)
{
	const struct lab_event *e = run->record->events;
	char text[PARAGRAPH] = "";
	size_t n = 0;
	struct record r;

	for (unsigned i = 0; i < event_count(run); i++, e++)
		if (e->kind == LAB_SAID && n + LAB_TEXT + 1 < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s%s", n > 0 ? " " : "", e->text);
	if (n == 0)
		return;
	if (!say_style()->is_json) {
		fill(text);
		return;
	}
	record_begin(&r, "saw");
	record_text(&r, "lab", run->entry->name);
	record_text(&r, "text", text);
	record_say(&r, SAY_ANSWER, "%s", text);
}

static void
show_total(const struct lab_run *run)
{
	struct record r;
	char time[SAY_UNIT_TEXT];

	record_begin(&r, "result");
	record_text(&r, "lab", run->entry->name);
	record_text(&r, "rows", run->entry->rows);
	record_text(&r, "verdict", verdicts[run->verdict]);
	record_real(&r, "seconds", run->seconds);
	record_number(&r, "expected", atomic_load(&run->record->n_expected));
	record_number(&r, "failed", atomic_load(&run->record->n_failed));
	record_text(&r, "reason",
	    run->verdict == LAB_IS_OK ? NULL : run->reason);
	record_say(&r, SAY_ANSWER, "%-13s %9s  %-7s %3u  %s", run->entry->name,
	    say_time(run->seconds, time), verdicts[run->verdict],
	    atomic_load(&run->record->n_expected), run->reason);
}

void
lab_show_claim(unsigned number, const struct lab_run *run)
{
	bool is_measured = run->record != NULL &&
	    atomic_load(&run->record->claims[number].is_measured);
	bool holds = is_measured && run->record->claims[number].holds;
	const char *measured = is_measured ?
	    run->record->claims[number].measured : run->reason;
	struct record r;

	if (!say_style()->is_json) {
		printf("%2u. \"%s\"\n    %s: %s (%s)\n", number,
		    lab_statements[number].text, !is_measured ?
		    "not measured" : holds ? "holds" : "does not hold",
		    measured, run->entry->name);
		fflush(stdout);
		return;
	}
	record_begin(&r, "claim");
	record_number(&r, "number", number);
	record_text(&r, "lab", run->entry->name);
	record_text(&r, "text", lab_statements[number].text);
	if (is_measured)
		record_bool(&r, "holds", holds);
	record_text(&r, "measured", measured);
	record_say(&r, SAY_ANSWER, "%u", number);
}

void
lab_show_line(struct lab_run *run)
{
	show_total(run);
}

void
lab_show_whole(struct lab_run *run)
{
	if (!say_style()->is_json)
		printf("%s: %s (%s)\n\n", run->entry->name, run->entry->title,
		    run->entry->rows);
	fflush(stdout);
	show_times(run);
	if (!say_style()->is_json)
		puts("");
	fflush(stdout);
	show_lines(run, true);
	show_lines(run, false);
	if (!say_style()->is_json)
		puts("");
	fflush(stdout);
	show_seen(run);
	for (unsigned i = 1; i <= LAB_CLAIMS; i++)
		if (atomic_load(&run->record->claims[i].is_measured))
			lab_show_claim(i, run);
	show_total(run);
}
