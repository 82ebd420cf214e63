/* SPDX-License-Identifier: ISC */
/* sock run: a command, and all that it wrote on either output, apart. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/command.h"
#include "sock/verbs.h"

#define LIMIT (16 * 1024 * 1024)
#define LINE_MAX_BYTES (128 * 1024)     /* what Linux takes as one argument */

struct run {
	struct job job;
	const char *via;
	uint64_t limit;
};

static const struct option_row options[] = {
	{ "via", 0, "WAY", OPTION_TEXT, offsetof(struct run, via),
	    "pipes or socketpair: what its outputs come through" },
	{ "limit", 0, "SIZE", OPTION_SIZE, offsetof(struct run, limit),
	    "bytes of each output that are kept (16M)" },
	{ .name = NULL },
};

/* The words of the command line as one, as the shell's own "$*". */
static enum outcome
join_words(const struct job *job, struct buf *line)
{
	int err = 0;

	for (unsigned i = 0; i < job->n_operands && err == 0; i++) {
		if (i > 0)
			err = buf_add_char(line, ' ');
		if (err == 0)
			err = buf_add(line, str_of(job->operands[i]));
	}
	if (err == 0)
		err = buf_add_char(line, '\0');
	if (err < 0)
		return say_error(OUTCOME_USAGE, NULL, "command", E2BIG, NULL);
	return OUTCOME_DONE;
}

static void
write_all(int fd, const struct command_text *t)
{
	size_t at = 0;
	ssize_t n;

	while (at < t->n) {
		n = write(fd, t->p + at, t->n - at);
		if (n == -1 && errno != EINTR)
			return;
		at += n > 0 ? (size_t)n : 0;
	}
}

static void
say_lost(const struct command_text *t, const char *which)
{
	if (t->lost > 0)
		say_error(OUTCOME_PARTIAL, which, "more than --limit", 0,
		    "%llu bytes were dropped", (unsigned long long)t->lost);
}

static void
say_result(const struct run *asked, int status, const struct command_text *out,
    const struct command_text *err)
{
	struct record r;

	if (!asked->job.style.is_json) {
		write_all(STDOUT_FILENO, out);
		write_all(STDERR_FILENO, err);
		return;
	}
	record_begin(&r, "run");
	r.json.max = 8 * asked->limit + LINE_MAX_BYTES;
	record_str(&r, "out", (struct str){ out->p, out->n });
	record_str(&r, "err", (struct str){ err->p, err->n });
	if (WIFEXITED(status))
		record_number(&r, "status", WEXITSTATUS(status));
	else
		record_number(&r, "signal", WTERMSIG(status));
	record_say(&r, SAY_ANSWER, "%s", "");
}

static enum outcome
outcome_of_status(const char *line, int status)
{
	if (WIFSIGNALED(status))
		return say_error(OUTCOME_PARTIAL, line, "killed", 0, "SIG%s",
		    sigabbrev_np(WTERMSIG(status)));
	if (WEXITSTATUS(status) == 0)
		return OUTCOME_DONE;
	return say_error(OUTCOME_PARTIAL, line, "failed", 0, "exit status %d",
	    WEXITSTATUS(status));
}

static enum outcome
run_line(const struct run *asked, const char *line, enum command_via via)
{
	size_t limit = (size_t)asked->limit;
	struct command_text out = { malloc(limit), limit, 0, 0 };
	struct command_text err = { malloc(limit), limit, 0, 0 };
	enum outcome o;
	int status;

	if (out.p == NULL || err.p == NULL) {
		o = say_error(OUTCOME_LOCAL, line, "memory", ENOMEM, NULL);
		goto out;
	}
	status = command_run(line, via, asked->job.timeout_ms, &out, &err);
	say_result(asked, status < 0 ? SIGKILL : status, &out, &err);
	say_lost(&out, "standard output");
	say_lost(&err, "standard error");
	if (status == -ETIMEDOUT)
		o = say_error(OUTCOME_TIMEOUT, line, "killed", ETIMEDOUT, NULL);
	else if (status < 0)
		o = say_error(OUTCOME_LOCAL, line, "run", status, NULL);
	else
		o = outcome_of_status(line, status);
	if (o == OUTCOME_DONE && out.lost + err.lost > 0)
		o = OUTCOME_PARTIAL;
out:
	free(out.p);
	free(err.p);
	return o;
}

static enum outcome
run_run(struct job *job)
{
	const struct run *asked = (const struct run *)job;
	enum command_via via = COMMAND_PIPES;
	struct buf line;
	enum outcome o;

	if (strcmp(asked->via, "socketpair") == 0)
		via = COMMAND_SOCKETPAIR;
	else if (strcmp(asked->via, "pipes") != 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--via is pipes or socketpair");
	if (asked->limit == 0 || asked->limit > (uint64_t)1 << 30)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--limit is from 1 to 1G");
	buf_init(&line, LINE_MAX_BYTES);
	o = join_words(job, &line);
	if (o == OUTCOME_DONE)
		o = run_line(asked, line.p, via);
	buf_fini(&line);
	return o;
}

static void
run_defaults(struct job *job)
{
	struct run *asked = (struct run *)job;

	asked->via = "pipes";
	asked->limit = LIMIT;
}

const struct verb verb_run = {
	.name = "run",
	.operands = "COMMAND...",
	.least = 1,
	.most = 4096,
	.about = "run a command as the lecture's command(3) does",
	.details =
	    "Its two outputs are kept apart and printed once it has ended;\n"
	    "--json prints them and its status as one object.  --timeout\n"
	    "kills it.  --calls shows its socket calls, too.\n",
	.options = options,
	.stops_early = true,
	.size = sizeof(struct run),
	.defaults = run_defaults,
	.run = run_run,
};
