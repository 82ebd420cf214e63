/* SPDX-License-Identifier: ISC */
/* sock ADDR [ADDR]: two ends, and what comes from one goes to the other. */
#include <signal.h>

#include "sock/relay.h"
#include "sock/verbs.h"

struct cat {
	struct job job;
	bool has_lines, shows_bytes;
	const char *wait;
};

#define OPTION(name, letter, value, type, field, about) \
	{ name, letter, value, type, offsetof(struct cat, field), about }

static const struct option_row options[] = {
	OPTION("lines", 'l', NULL, OPTION_FLAG, has_lines,
	    "each line that goes there is a message of its own"),
	OPTION("wait", 'w', "T", OPTION_TEXT, wait,
	    "after one side has ended, wait so long for the other"),
	OPTION("hex", 'X', NULL, OPTION_FLAG, shows_bytes,
	    "show what passes in hexadecimal"),
	{ .name = NULL },
};

#undef OPTION

static enum outcome
set_up(const struct cat *c, struct relay *r)
{
	*r = (struct relay){
		.has_lines = c->has_lines,
		.shows_bytes = c->shows_bytes,
		.has_wait = c->wait != NULL,
		.timeout_ms = c->job.timeout_ms,
		.for_ms = c->job.for_ms,
		.count = c->job.count,
	};
	if (c->wait != NULL && options_time(c->wait, &r->wait_ms) < 0)
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--wait takes a time, like 5, 200ms or 2m");
	return OUTCOME_DONE;
}

/* Alone it says not which way; to guess could empty the file. */
static enum outcome
check_alone(const struct target *t)
{
	if (t->address.kind != ADDRESS_FILE)
		return OUTCOME_DONE;
	return say_error(OUTCOME_USAGE, t->text, "which way?", 0,
	    "\"sock %s -\" reads it, \"sock - %s\" writes it", t->text,
	    t->text);
}

static enum outcome
open_ends(const struct cat *c, const struct target t[2], struct relay *r)
{
	enum outcome o;

	for (unsigned i = 0; i < 2; i++) {
		const struct address *other = &t[1 - i].address;
		struct end_use use = {
			.is_first = i == 0,
			.other_gives = end_gives(other, i == 1),
			.other_takes = end_takes(other, i == 1),
		};

		o = end_open(&c->job, &t[i], &use, &r->ends[i]);
		if (o != OUTCOME_DONE && i == 1)
			end_close(&r->ends[0], true);
		if (o != OUTCOME_DONE)
			return o;
	}
	return OUTCOME_DONE;
}

static void
say_connected(const struct end *e)
{
	char local[ENDPOINT_TEXT], peer[ENDPOINT_TEXT];
	struct endpoint l, p;
	struct record r;

	if (!e->is_peer || endpoint_local(e->in_fd, &l) < 0 ||
	    endpoint_peer(e->in_fd, &p) < 0)
		return;
	record_begin(&r, "connect");
	record_text(&r, "local", endpoint_text(&l, local));
	record_text(&r, "peer", endpoint_text(&p, peer));
	record_number(&r, "fd", e->in_fd);
	record_say(&r, SAY_DETAIL, "%s: connected from %s", peer, local);
}

/* A summary for who asked, and for who stopped it by hand. */
static void
say_summary(const struct relay *r)
{
	char there[SAY_UNIT_TEXT], back[SAY_UNIT_TEXT], took[SAY_UNIT_TEXT];
	struct record rec;

	record_begin(&rec, "end");
	record_number(&rec, "sent", (int64_t)r->passed[0]);
	record_number(&rec, "received", (int64_t)r->passed[1]);
	record_say(&rec, r->stopped_by != 0 ? SAY_STATUS : SAY_DETAIL,
	    "sent %s, received %s in %s", say_bytes(r->passed[0], there),
	    say_bytes(r->passed[1], back), say_time(say_seconds(), took));
}

static enum outcome
close_end(struct end *e, bool is_cut)
{
	int status = end_close(e, is_cut);

	if (status == 0)
		return OUTCOME_DONE;
	return say_error(OUTCOME_PARTIAL, e->text, "the command failed", 0,
	    "exit status %d", status);
}

static enum outcome
worse(enum outcome a, enum outcome b)
{
	return a > b ? a : b;
}

static enum outcome
cat_run(struct job *job)
{
	static const char stdio[] = "-";
	const struct cat *c = (const struct cat *)job;
	bool is_alone = job->n_operands == 1;
	struct target t[2];
	struct relay r;
	enum outcome o;

	/* Who reads us may leave; write(2) then says so. */
	signal(SIGPIPE, SIG_IGN);
	o = set_up(c, &r);
	if (o == OUTCOME_DONE)
		o = target_parse(is_alone ? stdio : job->operands[0], &t[0]);
	if (o == OUTCOME_DONE)
		o = target_parse(job->operands[is_alone ? 0 : 1], &t[1]);
	if (o == OUTCOME_DONE && is_alone)
		o = check_alone(&t[1]);
	if (o == OUTCOME_DONE)
		o = open_ends(c, t, &r);
	if (o != OUTCOME_DONE)
		return o;
	for (unsigned i = 0; i < 2; i++)
		say_connected(&r.ends[i]);
	o = relay_run(&r);
	say_summary(&r);
	for (unsigned i = 0; i < 2; i++)
		o = worse(o, close_end(&r.ends[i], r.is_cut));
	return o;
}

const struct verb verb_cat = {
	.name = "cat",
	.operands = "ADDR [ADDR]",
	.least = 1,
	.most = 2,
	.about = "carry bytes between two addresses; the word may be left out",
	.details =
	    "With one address, the other is standard input and output.  A\n"
	    "file: is read as the first and written as the second.\n"
	    "The end of one side is passed to the other (half-close); it is\n"
	    "over when both have ended.\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct cat),
	.run = cat_run,
};
