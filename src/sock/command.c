/* SPDX-License-Identifier: ISC */
/*
 * The published solution waits for the command and reads afterwards: a command
 * that writes more than a pipe holds then waits for its reader, who waits for
 * it.  Here poll(2) looks at both outputs until both have ended, and only then
 * is the command waited for.
 */
#include "sock/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sock/call.h"
#include "sock/say.h"
#include "sock/spy.h"

#define SHELL "/bin/sh"

/* What was changed about signals, to be put back. */
struct signals_before {
	struct sigaction interrupt, quit;
	sigset_t mask;
};

/* A command that may have to be killed leads a group, so that all of it is. */
struct group {
	bool is_wanted;
	bool has_terminal;      /* it was ours, and has to be again */
};

static void
hold_signals(struct signals_before *b)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t held;

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGINT, &ignore, &b->interrupt);
	sigaction(SIGQUIT, &ignore, &b->quit);
	sigemptyset(&held);
	sigaddset(&held, SIGCHLD);
	/* Who is in the background may give the terminal back. */
	sigaddset(&held, SIGTTOU);
	sigprocmask(SIG_BLOCK, &held, &b->mask);
}

static void
release_signals(const struct signals_before *b)
{
	sigaction(SIGINT, &b->interrupt, NULL);
	sigaction(SIGQUIT, &b->quit, NULL);
	sigprocmask(SIG_SETMASK, &b->mask, NULL);
}

/* ends[0] is read by us, ends[1] is written by the command. */
static int
open_way(enum command_via via, int ends[2])
{
	if (via == COMMAND_SOCKETPAIR)
		return call_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
		    ends);
	return pipe2(ends, O_CLOEXEC) == -1 ? -errno : 0;
}

static void
close_way(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static struct group
group_of(int64_t timeout_ms)
{
	bool is_wanted = timeout_ms > 0;

	return (struct group){
		is_wanted,
		is_wanted && tcgetpgrp(STDIN_FILENO) == getpgrp(),
	};
}

/* In the parent and in the child, since either may be the first. */
static void
group_begin(const struct group *g, pid_t leader)
{
	if (!g->is_wanted)
		return;
	setpgid(leader, leader);
	if (g->has_terminal)
		tcsetpgrp(STDIN_FILENO, leader);
}

static void
group_end(const struct group *g)
{
	if (g->has_terminal)
		tcsetpgrp(STDIN_FILENO, getpgrp());
}

static void
become_shell(const char *string, int out, int err,
    const struct signals_before *before)
{
	release_signals(before);
	if (say_style()->shows_calls)
		spy_fork(out, err);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execl(SHELL, "sh", "-c", string, (char *)NULL);
	_exit(127);
}

/* Bytes that fit are kept, others are read all the same. */
static void
keep(struct command_text *t, const char *p, size_t n)
{
	size_t room = t->size - t->n, kept = n < room ? n : room;

	memcpy(t->p + t->n, p, kept);
	t->n += kept;
	t->lost += n - kept;
}

/* false once there is no more to come. */
static bool
read_way(int fd, struct command_text *t)
{
	char bytes[65536];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0)
		keep(t, bytes, (size_t)n);
	return n > 0 || (n == -1 && errno == EINTR);
}

static int
wait_ms(int64_t until_ms)
{
	int64_t left;

	if (until_ms == INT64_MAX)
		return -1;
	left = until_ms - clock_mono_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static int
read_both(int out_fd, int err_fd, int64_t until_ms, struct command_text *out,
    struct command_text *err)
{
	struct command_text *texts[2] = { out, err };
	struct pollfd p[2] = { { out_fd, POLLIN, 0 }, { err_fd, POLLIN, 0 } };
	int n;

	while (p[0].fd != -1 || p[1].fd != -1) {
		n = poll(p, 2, wait_ms(until_ms));
		if (n == -1 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		for (int i = 0; n > 0 && i < 2; i++)
			if (p[i].fd != -1 && p[i].revents != 0 &&
			    !read_way(p[i].fd, texts[i]))
				p[i].fd = -1;
	}
	return 0;
}

/* Ended outputs do not mean an ended command, but one that is soon. */
static int
await(pid_t child, const struct group *g, int err)
{
	int status;

	if (err < 0)
		kill(g->is_wanted ? -child : child, SIGKILL);
	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return -errno;
	return err < 0 ? err : status;
}

static int
run_shell(const char *string, const int out_ends[2], const int err_ends[2],
    int64_t timeout_ms, struct command_text *out, struct command_text *err)
{
	int64_t until_ms = timeout_ms > 0 ? clock_mono_ms() + timeout_ms :
	    INT64_MAX;
	struct group group = group_of(timeout_ms);
	struct signals_before before;
	pid_t child;
	int result;

	hold_signals(&before);
	child = fork();
	if (child == 0) {
		group_begin(&group, getpid());
		become_shell(string, out_ends[1], err_ends[1], &before);
	}
	result = child == -1 ? -errno : 0;
	/* Else there would be no end of what we read: we could write it. */
	close(out_ends[1]);
	close(err_ends[1]);
	if (result == 0) {
		group_begin(&group, child);
		result = await(child, &group, read_both(out_ends[0],
		    err_ends[0], until_ms, out, err));
		group_end(&group);
	}
	close(out_ends[0]);
	close(err_ends[0]);
	release_signals(&before);
	return result;
}

static void
end_text(struct command_text *t)
{
	if (t->n < t->size)
		t->p[t->n] = '\0';
}

int
command_run(const char *string, enum command_via via, int64_t timeout_ms,
    struct command_text *out, struct command_text *err)
{
	int out_ends[2], err_ends[2], result;

	if (string == NULL)
		return access(SHELL, X_OK) == 0;
	out->n = err->n = 0;
	out->lost = err->lost = 0;
	result = open_way(via, out_ends);
	if (result < 0)
		return result;
	result = open_way(via, err_ends);
	if (result < 0) {
		close_way(out_ends);
		return result;
	}
	result = run_shell(string, out_ends, err_ends, timeout_ms, out, err);
	end_text(out);
	end_text(err);
	return result;
}
