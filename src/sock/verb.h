/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_VERB_H
#define SWS_SOCK_VERB_H

/*
 * The verbs of sock: one table (verb.c) that drives dispatch, --help, shell
 * completion and, by a test, the list in man/sock.1.
 *
 * How a verb is written, here `sock greet [--loud] ADDR`:
 *
 * 1. greet.c holds a struct that begins with a struct job, the rows of its own
 *    options, and the function that does it:
 *
 *	struct greet {
 *		struct job job;
 *		bool is_loud;
 *	};
 *
 *	static const struct option_row options[] = {
 *		{ "loud", 0, NULL, OPTION_FLAG,
 *		    offsetof(struct greet, is_loud), "in capitals" },
 *		{ .name = NULL },
 *	};
 *
 *	static enum outcome
 *	greet_run(struct job *job)
 *	{
 *		struct greet *g = (struct greet *)job;
 *		...
 *		return OUTCOME_DONE;
 *	}
 *
 *	const struct verb verb_greet = {
 *		.name = "greet", .operands = "ADDR", .least = 1, .most = 1,
 *		.about = "say hello to an address",
 *		.options = options, .size = sizeof(struct greet),
 *		.run = greet_run,
 *	};
 *
 * 2. verbs.h declares verb_greet, verb.c has it in `verbs`, src/meson.build
 *    has 'greet' among the files of the room, man/sock.1 describes it (a test
 *    compares the manual with the table).
 *
 * When run() is called the common options are in the job, say_open was done,
 * and the count of operands was checked.  The verb talks by say.h, opens
 * sockets by endpoint.h and call.h (so that --calls shows them), and returns
 * an outcome, which is the exit status.  Fields of the struct are zero unless
 * .defaults sets them before the options are read.
 */

#include "sock/options.h"
#include "sock/say.h"

struct verb;

/* What was asked on the command line.  Lives until the verb returns. */
struct job {
	const struct verb *verb;
	struct say_style style;
	bool only_v4, only_v6;
	int64_t timeout_ms;     /* to connect, and without any byte; 0: none */
	int64_t for_ms;         /* to stop after; 0: never */
	uint64_t count;         /* to stop after so many; 0: never */
	const char *events;     /* file for what style.is_json has said */
	const char *bind;       /* local address, see endpoint_bind; or NULL */
	struct option_list sockopts;    /* -o NAME=VALUE, see sockopt.h */
	char **operands;
	unsigned n_operands;
	char **command;         /* behind "--", ends with NULL; or NULL */
};

struct verb {
	const char *name;
	const char *operands;   /* for the help: "ADDR [TEXT...]" */
	unsigned least, most;   /* how many operands */
	const char *about;      /* one line */
	/* More lines for --help, each with its newline; or NULL. */
	const char *details;
	const struct option_row *options;       /* its own; NULL: none */
	bool connects;          /* may be told from where: --bind */
	bool takes_command;     /* what is behind "--" is a command */
	bool stops_early;       /* no options behind the first operand */
	size_t size;            /* of the struct that begins with a job */
	void (*defaults)(struct job *job);      /* NULL: all zero */
	enum outcome (*run)(struct job *job);
};

/* The table, for those who list it; ends with NULL. */
const struct verb *const *verb_table(void);

/* The options that all verbs have. */
extern const struct option_row verb_options[];

/* The whole of sock: reads the arguments and does it. */
enum outcome verb_main(int argc, char **argv);

#endif
