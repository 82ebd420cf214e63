/* SPDX-License-Identifier: ISC */
/* Opening and closing the ends of a relay: descriptors for addresses. */
#include "sock/end.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/call.h"

bool
end_gives(const struct address *a, bool is_first)
{
	if (a->kind == ADDRESS_FILE)
		return is_first;
	return a->kind != ADDRESS_SINK;
}

bool
end_takes(const struct address *a, bool is_first)
{
	if (a->kind == ADDRESS_FILE)
		return !is_first;
	return a->kind != ADDRESS_SOURCE;
}

static int
socket_type(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ? 0 :
	    type;
}

/* A descriptor that goes both ways, if it is a socket as such. */
static void
use_fd(struct end *e, int fd)
{
	int type = socket_type(fd);

	e->in_fd = e->out_fd = fd;
	e->is_socket = type != 0;
	e->has_messages = type != 0 && type != SOCK_STREAM;
	e->has_end = type != SOCK_DGRAM;
}

void
end_of_socket(struct end *out_end, const char *text, int fd)
{
	*out_end = (struct end){ .text = text, .is_peer = true };
	use_fd(out_end, fd);
	/* It is ours alone, so nobody else minds. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static enum outcome
open_socket(const struct job *job, const struct target *t, struct end *e)
{
	enum outcome o;
	int fd;

	o = endpoint_connect(job, t, &fd);
	if (o == OUTCOME_DONE)
		end_of_socket(e, t->text, fd);
	return o;
}

static enum outcome
open_file(const struct target *t, const char *path, int flags, struct end *e)
{
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd == -1)
		return say_error(OUTCOME_LOCAL, t->text, "open", errno, NULL);
	e->in_fd = flags == O_RDONLY ? fd : -1;
	e->out_fd = flags == O_RDONLY ? -1 : fd;
	return OUTCOME_DONE;
}

static enum outcome
open_pipe(const struct target *t, struct end *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return say_error(OUTCOME_LOCAL, t->text, "pipe", errno, NULL);
	e->in_fd = ends[0];
	e->out_fd = ends[1];
	return OUTCOME_DONE;
}

/* ------------------------------------------------------------- commands */

static void
become_command(const char *command, int fd, const struct end_use *use)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (use->other_gives)
		dup2(fd, STDIN_FILENO);
	if (use->other_takes)
		dup2(fd, STDOUT_FILENO);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/*
 * One socket pair for both directions, so that each can end alone.  Where the
 * other end gives or takes nothing, the command has our own input or output.
 */
static enum outcome
open_command(const struct target *t, const struct end_use *use, struct end *e)
{
	int ends[2], err;

	err = call_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, t->text, "socketpair", err,
		    NULL);
	e->child = fork();
	if (e->child == 0)
		become_command(t->address.path.p, ends[1], use);
	err = -errno;
	close(ends[1]);
	if (e->child == -1) {
		close(ends[0]);
		return say_error(OUTCOME_LOCAL, t->text, "fork", err, NULL);
	}
	use_fd(e, ends[0]);
	fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | O_NONBLOCK);
	return OUTCOME_DONE;
}

/* --------------------------------------------------------------- opening */

static enum outcome
open_fd(const struct target *t, struct end *e)
{
	if (fcntl(t->address.fd, F_GETFD) == -1)
		return say_error(OUTCOME_LOCAL, t->text, "descriptor", errno,
		    NULL);
	use_fd(e, t->address.fd);
	e->is_stdio = true;
	return OUTCOME_DONE;
}

static enum outcome
open_stdio(struct end *e)
{
	int type = socket_type(STDIN_FILENO);

	e->in_fd = STDIN_FILENO;
	e->out_fd = STDOUT_FILENO;
	e->is_stdio = true;
	e->has_messages = type != 0 && type != SOCK_STREAM;
	return OUTCOME_DONE;
}

static enum outcome
open_source(const struct target *t, struct end *e)
{
	e->has_limit = t->address.has_size;
	e->left = t->address.size;
	return open_file(t, "/dev/zero", O_RDONLY, e);
}

enum outcome
end_open(const struct job *job, const struct target *t,
    const struct end_use *use, struct end *out_end)
{
	*out_end = (struct end){
		.text = t->text,
		.in_fd = -1,
		.out_fd = -1,
		.has_end = true,
	};
	switch (t->address.kind) {
	case ADDRESS_INET:
	case ADDRESS_UNIX:
		return open_socket(job, t, out_end);
	case ADDRESS_FILE:
		return open_file(t, t->address.path.p,
		    use->is_first ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC,
		    out_end);
	case ADDRESS_EXEC:
		return open_command(t, use, out_end);
	case ADDRESS_FD:
		return open_fd(t, out_end);
	case ADDRESS_STDIO:
		return open_stdio(out_end);
	case ADDRESS_PIPE:
	case ADDRESS_ECHO:
		return open_pipe(t, out_end);
	case ADDRESS_SOURCE:
		return open_source(t, out_end);
	case ADDRESS_SINK:
		return open_file(t, "/dev/null", O_WRONLY, out_end);
	case ADDRESS_ICMP:
	case ADDRESS_PID:
		break;
	}
	return say_error(OUTCOME_USAGE, t->text, "cannot be relayed", 0, "%s",
	    t->address.kind == ADDRESS_ICMP ? "see sock ping" :
	    "see sock opts and sock ls");
}

/* --------------------------------------------------------------- closing */

void
end_shut(struct end *e)
{
	if (e->out_fd == -1)
		return;
	if (e->is_socket && e->has_end) {
		call_shutdown(e->out_fd, SHUT_WR);
	} else if (!e->is_socket && !e->is_stdio) {
		close(e->out_fd);
		e->out_fd = -1;
	}
}

static int
await_child(int child)
{
	int status;

	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

int
end_close(struct end *e, bool is_cut)
{
	int status;

	if (!e->is_stdio) {
		if (e->in_fd != -1)
			call_close(e->in_fd);
		if (e->out_fd != -1 && e->out_fd != e->in_fd)
			call_close(e->out_fd);
	}
	if (e->child <= 0)
		return 0;
	if (is_cut)
		kill(e->child, SIGTERM);
	status = await_child(e->child);
	return is_cut ? 0 : status;
}
