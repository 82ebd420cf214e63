/* SPDX-License-Identifier: ISC */
/*
 * sock pair: the lecture's socketpair(2) program, and the exercise to do it
 * with two pipes.  Both processes send before they read, as on the slide.  The
 * order of the four lines is made sure of: the child begins when there is
 * something to read, the parent reads when the child has ended.
 */
#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/verbs.h"

#define PARENT_TEXT "In Xanadu, did Kubla Khan . . ."
#define CHILD_TEXT "A stately pleasure dome decree . . ."

struct pair {
	struct job job;
	const char *via;
};

static const struct option_row options[] = {
	{ "via", 0, "WAY", OPTION_TEXT, offsetof(struct pair, via),
	    "socketpair or pipes" },
	{ .name = NULL },
};

/* What one process reads from and writes to. */
struct side {
	int in_fd, out_fd;
};

static void
say_line(const char *what, struct str text)
{
	struct record r;

	record_begin(&r, what);
	record_number(&r, "pid", getpid());
	record_str(&r, "text", text);
	record_say(&r, SAY_ANSWER, "%d --> %s: %.*s", (int)getpid(), what,
	    STR_ARG(text));
}

static int
send_text(const struct side *s, struct str text)
{
	ssize_t n;

	say_line("sending", text);
	n = call_write(s->out_fd, text.p, text.n);
	return n < 0 ? (int)n : 0;
}

static int
read_text(const struct side *s)
{
	char room[128];
	ssize_t n = call_read(s->in_fd, room, sizeof(room));

	if (n < 0)
		return (int)n;
	say_line("reading", (struct str){ room, (size_t)n });
	return 0;
}

static int
be_child(const struct side *s)
{
	struct pollfd p = { .fd = s->in_fd, .events = POLLIN };
	int err;

	while (poll(&p, 1, -1) == -1)
		if (errno != EINTR)
			return -errno;
	err = send_text(s, S(CHILD_TEXT));
	return err < 0 ? err : read_text(s);
}

static int
be_parent(const struct side *s, pid_t child)
{
	int err, status;

	err = send_text(s, S(PARENT_TEXT));
	if (err < 0)
		return err;
	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -ECHILD;
	return read_text(s);
}

static int
open_pipes(struct side *parent, struct side *child)
{
	int there[2], back[2], err;

	if (pipe2(there, 0) == -1)
		return -errno;
	if (pipe2(back, 0) == -1) {
		err = -errno;
		close(there[0]);
		close(there[1]);
		return err;
	}
	*parent = (struct side){ back[0], there[1] };
	*child = (struct side){ there[0], back[1] };
	return 0;
}

static int
open_sockets(struct side *parent, struct side *child)
{
	int ends[2], err;

	err = call_socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	if (err < 0)
		return err;
	*parent = (struct side){ ends[0], ends[0] };
	*child = (struct side){ ends[1], ends[1] };
	return 0;
}

static void
close_side(const struct side *s)
{
	call_close(s->in_fd);
	if (s->out_fd != s->in_fd)
		call_close(s->out_fd);
}

static int
talk(const struct side *parent, const struct side *child)
{
	pid_t pid = fork();
	int err;

	if (pid == -1)
		return -errno;
	if (pid == 0) {
		close_side(parent);
		_exit(be_child(child) < 0);
	}
	close_side(child);
	err = be_parent(parent, pid);
	close_side(parent);
	return err;
}

static enum outcome
pair_run(struct job *job)
{
	const struct pair *asked = (const struct pair *)job;
	struct side parent = { -1, -1 }, child = { -1, -1 };
	int err;

	if (strcmp(asked->via, "socketpair") == 0)
		err = open_sockets(&parent, &child);
	else if (strcmp(asked->via, "pipes") == 0)
		err = open_pipes(&parent, &child);
	else
		return say_error(OUTCOME_USAGE, NULL, "option", 0,
		    "--via is socketpair or pipes");
	if (err == 0)
		err = talk(&parent, &child);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, asked->via, "talk", err, NULL);
	return OUTCOME_DONE;
}

static void
pair_defaults(struct job *job)
{
	((struct pair *)job)->via = "socketpair";
}

const struct verb verb_pair = {
	.name = "pair",
	.operands = "",
	.least = 0,
	.most = 0,
	.about = "let two processes talk as the lecture's socketpair does",
	.details = "sock lab pair shows more of it.\n",
	.options = options,
	.size = sizeof(struct pair),
	.defaults = pair_defaults,
	.run = pair_run,
};
