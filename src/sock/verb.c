/* SPDX-License-Identifier: ISC */
/*
 * From the command line to a verb.  The first word names it; where the word
 * is an address, or an option, the verb is cat: sock ADDR [ADDR].
 */
#include "sock/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sock/verbs.h"

/* Daily ones first: the order of the help. */
static const struct verb *const verbs[] = {
	&verb_lab,
	&verb_cat,
	&verb_serve,
	&verb_send,
	&verb_name,
	&verb_opts,
	&verb_run,
	&verb_pair,
	&verb_ls,
	&verb_watch,
	&verb_ping,
	&verb_trace,
	&verb_scan,
	&verb_bench,
	&verb_c10k,
	&verb_check,
	&verb_completion,
	NULL,
};

#define OPTION(name, letter, value, type, field, about) \
	{ name, letter, value, type, offsetof(struct job, field), about }

const struct option_row verb_options[] = {
	OPTION("json", 0, NULL, OPTION_FLAG, style.is_json,
	    "one JSON object a line"),
	OPTION("events", 0, "FILE", OPTION_TEXT, events,
	    "as --json, but to this file instead of standard error"),
	OPTION("calls", 0, NULL, OPTION_FLAG, style.shows_calls,
	    "show each socket call, its result and time"),
	OPTION("timeout", 't', "T", OPTION_TIME, timeout_ms,
	    "give up connecting, or waiting for bytes, after this time"),
	OPTION("ipv4", '4', NULL, OPTION_FLAG, only_v4, "IPv4 only"),
	OPTION("ipv6", '6', NULL, OPTION_FLAG, only_v6, "IPv6 only"),
	OPTION("count", 'c', "N", OPTION_COUNT, count, "stop after so many"),
	OPTION("for", 0, "T", OPTION_TIME, for_ms, "stop after this time"),
	OPTION("bind", 'b', "ADDR", OPTION_TEXT, bind,
	    "connect from this local address: HOST, HOST:PORT or :PORT"),
	OPTION("option", 'o', "NAME=VALUE", OPTION_LIST, sockopts,
	    "set this socket option first (sock opts lists them)"),
	OPTION("quiet", 'q', NULL, OPTION_FLAG, style.is_quiet,
	    "no remarks, only answers and errors"),
	OPTION("verbose", 'v', NULL, OPTION_FLAG, style.is_verbose,
	    "more remarks"),
	{ .name = NULL },
};

#undef OPTION

const struct verb *const *
verb_table(void)
{
	return verbs;
}

static const struct verb *
find(const char *name)
{
	for (const struct verb *const *v = verbs; *v != NULL; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

/* ---------------------------------------------------------------- help */

static enum outcome
help(void)
{
	puts("usage: sock ADDR [ADDR]\n"
	     "       sock VERB [OPTIONS] ...\n"
	     "\n"
	     "verbs (sock VERB --help tells more):");
	for (const struct verb *const *v = verbs; *v != NULL; v++)
		printf("  %-11s %s\n", (*v)->name, (*v)->about);
	puts("\n"
	     "addresses:\n"
	     "  tcp:HOST:PORT  tcp4:  tcp6:  udp:  udp4:  udp6:  mptcp:\n"
	     "  unix:PATH  unix:@NAME  unix-dgram:PATH  unix-seqpacket:PATH\n"
	     "  icmp:HOST  fd:N  pid:PID/FD  file:PATH  exec:COMMAND  -\n"
	     "  pipe:  source:[SIZE]  sink:  echo:\n"
	     "\n"
	     "options of all verbs:");
	options_help(verb_options, stdout);
	return OUTCOME_DONE;
}

static enum outcome
help_verb(const struct verb *v)
{
	printf("usage: sock %s%s%s%s\n%s\n", v->name,
	    v->operands[0] != '\0' ? " " : "", v->operands,
	    v->takes_command ? " [-- COMMAND...]" : "", v->about);
	if (v->details != NULL)
		printf("\n%s", v->details);
	if (v->options != NULL) {
		puts("");
		options_help(v->options, stdout);
	}
	puts("\noptions of all verbs:");
	options_help(verb_options, stdout);
	return OUTCOME_DONE;
}

static bool
asks_for_help(const struct verb *v, int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
		if (v->stops_early && argv[i][0] != '-')
			break;
	}
	return false;
}

/* ------------------------------------------------------------ dispatch */

/* Words of the command line into the job; false after a message. */
static bool
read_job(struct job *job, int argc, char **argv)
{
	const struct verb *v = job->verb;
	const struct option_row *tables[] = { verb_options, NULL, NULL };
	int rest, n;

	if (v->options != NULL) {
		tables[0] = v->options;
		tables[1] = verb_options;
	}
	n = options_take(tables, job, argc, argv, v->stops_early, &rest);
	if (n < 0)
		return false;
	if (v->takes_command && rest < argc)
		job->command = argv + rest;
	else
		for (; rest < argc; rest++)
			argv[n++] = argv[rest];
	job->operands = argv;
	job->n_operands = (unsigned)n;
	if (job->n_operands < v->least || job->n_operands > v->most) {
		say_error(OUTCOME_USAGE, NULL, "usage", 0,
		    "sock %s%s%s%s; --help tells more", v->name,
		    v->operands[0] != '\0' ? " " : "", v->operands,
		    v->takes_command ? " [-- COMMAND...]" : "");
		return false;
	}
	if (job->bind != NULL && !v->connects) {
		say_error(OUTCOME_USAGE, NULL, "option", 0, "sock %s connects "
		    "to nobody; --bind is for verbs that do", v->name);
		return false;
	}
	return true;
}

/* It is closed when we end. */
static enum outcome
open_events(struct job *job)
{
	int fd;

	if (job->events == NULL)
		return OUTCOME_DONE;
	fd = open(job->events, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
	    O_CLOEXEC, 0666);
	if (fd == -1)
		return say_error(OUTCOME_LOCAL, job->events, "open", errno,
		    NULL);
	job->style.is_json = true;
	job->style.events_fd = fd;
	return OUTCOME_DONE;
}

static enum outcome
run(const struct verb *v, int argc, char **argv)
{
	struct job *job;
	enum outcome outcome = OUTCOME_USAGE;

	if (asks_for_help(v, argc, argv))
		return help_verb(v);
	job = calloc(1, v->size);
	if (job == NULL)
		return say_error(OUTCOME_UNAVAILABLE, NULL, "memory", 0, NULL);
	job->verb = v;
	if (v->defaults != NULL)
		v->defaults(job);
	if (read_job(job, argc, argv)) {
		outcome = open_events(job);
		say_open(&job->style);
		if (outcome == OUTCOME_DONE)
			outcome = v->run(job);
	}
	free(job);
	return outcome;
}

/* An address has one of these; a mistyped verb has none. */
static bool
may_be_address(const char *word)
{
	return word[0] == '-' || strpbrk(word, ":/@") != NULL;
}

/*
 * Who was started without standard input, output or error must not get a
 * socket under their numbers.
 */
static void
fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

enum outcome
verb_main(int argc, char **argv)
{
	const struct verb *v;

	fill_standard_descriptors();
	say_open(&(struct say_style){ .is_json = false });
	if (argc < 2) {
		say_error(OUTCOME_USAGE, NULL, "usage", 0,
		    "sock ADDR [ADDR], or sock VERB ...; see sock --help");
		return OUTCOME_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help();
	if (strcmp(argv[1], "--version") == 0) {
		puts("sock " SWS_VERSION);
		return OUTCOME_DONE;
	}
	v = find(argv[1]);
	if (v != NULL)
		return run(v, argc - 2, argv + 2);
	v = find("cat");
	if (v == NULL || !may_be_address(argv[1]))
		return say_error(OUTCOME_USAGE, NULL, "no such verb", 0,
		    "%s; see sock --help", argv[1]);
	return run(v, argc - 1, argv + 1);
}
