/* SPDX-License-Identifier: ISC */
/* sock lab: lists the labs, runs one or all of them. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sock/lab_list.h"
#include "sock/lab_priv.h"
#include "sock/lab_show.h"
#include "sock/verbs.h"

#define AT_A_TIME 4

const struct lab_entry lab_table[] = {
#define ENTRY(function, name, rows, needs, title) \
	{ name, rows, needs, title, lesson_##function },
	LABS(ENTRY)
#undef ENTRY
	{ .name = NULL },
};

#define LAB_COUNT (sizeof(lab_table) / sizeof(lab_table[0]) - 1)

struct lab_job {
	struct job job;
	bool shows_rows, keeps;
	const char *pcap;
	uint64_t at_a_time;
};

static const struct option_row options[] = {
	{ "rows", 0, NULL, OPTION_FLAG, offsetof(struct lab_job, shows_rows),
	    "which rows of the checklist each lab shows" },
	{ "pcap", 0, "FILE", OPTION_TEXT, offsetof(struct lab_job, pcap),
	    "write the packets of the lab to this file" },
	{ "keep", 0, NULL, OPTION_FLAG, offsetof(struct lab_job, keeps),
	    "a shell in the lab's network afterwards" },
	{ "jobs", 'j', "N", OPTION_COUNT, offsetof(struct lab_job, at_a_time),
	    "run so many labs at a time" },
	{ .name = NULL },
};

static void
lab_defaults(struct job *job)
{
	((struct lab_job *)job)->at_a_time = AT_A_TIME;
}

static const struct lab_entry *
find(const char *name)
{
	for (const struct lab_entry *e = lab_table; e->name != NULL; e++)
		if (strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

static enum outcome
interrupted(int err)
{
	if (err == -EINTR)
		return OUTCOME_PARTIAL;
	return say_error(OUTCOME_UNAVAILABLE, NULL, "lab", err, NULL);
}

/* ---------------------------------------------------------------- one */

/* In the lab's process: its descriptors, and so its hosts, pass to a shell. */
static void
keep_shell(struct lab_run *run, struct lab *lab)
{
	const char *shell = getenv("SHELL");
	char name[LAB_WHO + 8], value[32];

	run->seconds = (lab_ms() - run->begun_ms) / 1e3;
	lab_judge(run, 0);
	lab_show_whole(run);
	for (unsigned i = 0; i < lab->n_hosts; i++) {
		fcntl(lab->hosts[i].ns, F_SETFD, 0);
		snprintf(name, sizeof(name), "NET_%s", lab->hosts[i].name);
		snprintf(value, sizeof(value), "/proc/self/fd/%d",
		    lab->hosts[i].ns);
		setenv(name, value, 1);
	}
	if (lab->n_hosts > 0)
		lab_go(lab, 0);
	if (shell == NULL || shell[0] != '/')
		shell = "/bin/sh";
	fprintf(stderr, "sock: the network of host A; nsenter --net=$NET_B"
	    " goes to host B; exit ends it\n");
	execl(shell, shell, (char *)NULL);
	perror(shell);
}

static enum outcome
outcome_of(enum lab_verdict verdict)
{
	static const enum outcome outcomes[] = {
		[LAB_IS_OK] = OUTCOME_DONE,
		[LAB_IS_FAILED] = OUTCOME_LAB,
		[LAB_IS_SKIPPED] = OUTCOME_UNAVAILABLE,
	};

	return outcomes[verdict];
}

static void
told_already(struct lab_run *run)
{
	(void)run;
}

static int
open_pcap(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int err = fd == -1 ? -errno : capture_begin_pcap(fd, CAPTURE_SNAP);

	return err < 0 ? err : fd;
}

static enum outcome
run_one(const struct lab_job *j, struct lab_run *run)
{
	enum outcome o;
	int err;

	run->pcap = -1;
	if (j->pcap != NULL) {
		run->pcap = open_pcap(j->pcap);
		if (run->pcap < 0)
			return say_error(OUTCOME_LOCAL, j->pcap,
			    "cannot be written", run->pcap, NULL);
	}
	if (j->keeps)
		run->keep = keep_shell;
	err = lab_run(run, 1, 1, j->keeps ? told_already : lab_show_whole);
	o = err < 0 ? interrupted(err) : outcome_of(run->verdict);
	lab_run_free(run);
	if (run->pcap >= 0)
		close(run->pcap);
	return o;
}

static enum outcome
run_named(const struct lab_job *j)
{
	const char *name = j->job.operands[0];
	struct lab_run run = { .entry = find(name) };
	char *end;

	if (run.entry == NULL)
		return say_error(OUTCOME_USAGE, name, "no such lab", 0,
		    "\"sock lab\" lists them");
	if (j->job.n_operands > 1) {
		run.has_number = true;
		errno = 0;
		run.number = strtol(j->job.operands[1], &end, 10);
		if (errno != 0 || *end != '\0' || end == j->job.operands[1])
			return say_error(OUTCOME_USAGE, j->job.operands[1],
			    "not a number", 0, NULL);
	}
	return run_one(j, &run);
}

/* ---------------------------------------------------------------- all */

static bool
measures(const struct lab_entry *e, unsigned claim)
{
	return strcmp(lab_statements[claim].lab, e->name) == 0;
}

static bool
has_claims(const struct lab_entry *e)
{
	for (unsigned i = 1; i <= LAB_CLAIMS; i++)
		if (measures(e, i))
			return true;
	return false;
}

static void
show_claims(const struct lab_run *runs, unsigned n)
{
	for (unsigned i = 1; i <= LAB_CLAIMS; i++)
		for (unsigned k = 0; k < n; k++)
			if (measures(runs[k].entry, i))
				lab_show_claim(i, &runs[k]);
}

static void
show_sum(const struct lab_run *runs, unsigned n)
{
	unsigned counts[3] = { 0 };
	struct record r;

	for (unsigned i = 0; i < n; i++)
		counts[runs[i].verdict]++;
	record_begin(&r, "labs");
	record_number(&r, "ok", counts[LAB_IS_OK]);
	record_number(&r, "failed", counts[LAB_IS_FAILED]);
	record_number(&r, "skipped", counts[LAB_IS_SKIPPED]);
	record_real(&r, "seconds", say_seconds());
	record_say(&r, SAY_ANSWER, "%u labs: %u ok, %u failed, %u skipped,"
	    " %.1f s", n, counts[LAB_IS_OK], counts[LAB_IS_FAILED],
	    counts[LAB_IS_SKIPPED], say_seconds());
}

static enum outcome
run_many(const struct lab_job *j, bool only_claims)
{
	struct lab_run runs[LAB_COUNT] = { 0 };
	void (*done)(struct lab_run *) = only_claims ? told_already :
	    j->job.style.is_verbose ? lab_show_whole : lab_show_line;
	enum outcome o = OUTCOME_DONE;
	unsigned n = 0;
	int err;

	for (const struct lab_entry *e = lab_table; e->name != NULL; e++)
		if (!only_claims || has_claims(e))
			runs[n++] = (struct lab_run){ .entry = e, .pcap = -1 };
	err = lab_run(runs, n, (unsigned)j->at_a_time, done);
	if (err < 0)
		o = interrupted(err);
	else if (only_claims)
		show_claims(runs, n);
	else
		show_sum(runs, n);
	for (unsigned i = 0; i < n; i++) {
		if (err == 0 && runs[i].verdict == LAB_IS_FAILED)
			o = OUTCOME_LAB;
		lab_run_free(&runs[i]);
	}
	return o;
}

static enum outcome
lab_verb_run(struct job *job)
{
	const struct lab_job *j = (const struct lab_job *)job;
	const char *name = job->n_operands > 0 ? job->operands[0] : NULL;
	bool is_all = name != NULL && strcmp(name, "all") == 0;
	bool is_claims = name != NULL && strcmp(name, "claims") == 0;

	if (j->shows_rows) {
		lab_show_rows();
		return OUTCOME_DONE;
	}
	if (name == NULL) {
		lab_show_list();
		return OUTCOME_DONE;
	}
	if (!is_all && !is_claims)
		return run_named(j);
	if (job->n_operands > 1)
		return say_error(OUTCOME_USAGE, job->operands[1],
		    "a number is for one lab", 0, NULL);
	if (j->pcap != NULL || j->keeps)
		return say_error(OUTCOME_USAGE, NULL,
		    "--pcap and --keep are for one lab", 0, NULL);
	if (j->at_a_time == 0)
		return say_error(OUTCOME_USAGE, NULL,
		    "--jobs needs 1 or more", 0, NULL);
	return run_many(j, is_claims);
}

const struct verb verb_lab = {
	.name = "lab",
	.operands = "[NAME [N] | all | claims]",
	.most = 2,
	.about = "run an experiment in a network of its own",
	.details = "Without a name the labs are listed.  all runs every one\n"
		   "and shows a table; claims measures what the lecture"
		   " says.\n",
	.options = options,
	.size = sizeof(struct lab_job),
	.defaults = lab_defaults,
	.run = lab_verb_run,
};
