/* SPDX-License-Identifier: ISC */
#include "net/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"

/* How soon another process is asked for, after one was refused. */
#define RETRY_MS 100

static const int signal_list[] = { SIGCHLD };

static void
close_end(int *end)
{
	if (*end != -1)
		close(*end);
	*end = -1;
}

/* In the child */

static void
on_finish(struct watch *w, unsigned ready)
{
	struct children *c = list_entry(w, struct children, finish_watch);

	(void)ready;
	loop_want(c->loop, w, 0);
	c->finish(c);
}

static void
on_end(struct watch *w, unsigned ready)
{
	struct children *c = list_entry(w, struct children, end_watch);

	(void)ready;
	loop_want(c->loop, w, 0);
	c->end(c);
}

static int
follow(struct children *c)
{
	int err;

	c->finish_watch = (struct watch){
		.fn = on_finish,
		.fd = c->finish_ends[0],
		.wanted = READY_IN,
	};
	c->end_watch = (struct watch){
		.fn = on_end,
		.fd = c->end_ends[0],
		.wanted = READY_IN,
	};
	err = loop_add(c->loop, &c->finish_watch);
	return err == 0 ? loop_add(c->loop, &c->end_watch) : err;
}

static void
become_child(struct children *c, int fd, const struct addr *peer)
{
	c->is_parent = false;
	signals_close(&c->signals, signal_list, 1);
	loop_timer_stop(c->loop, &c->retry);
	close_end(&c->finish_ends[1]);
	close_end(&c->end_ends[1]);
	/* Who cannot be told to stop does not begin. */
	if (follow(c) < 0) {
		close(fd);
		c->end(c);
		return;
	}
	c->serve(c, fd, peer);
}

/* In the parent */

/* In either process: 0, or why there is none for it. */
static int
hand_on(struct children *c, int fd, const struct addr *peer)
{
	pid_t pid = fork();

	if (pid == -1)
		return -errno;
	if (pid == 0)
		become_child(c, fd, peer);
	else
		close(fd);
	return 0;
}

static void
hold(struct children *c, int fd, const struct addr *peer, int err)
{
	c->held = fd;
	c->held_peer = *peer;
	c->on_stuck(c, err);
	/* Without memory for that, it is tried when another one ends. */
	loop_timer_start(c->loop, &c->retry, RETRY_MS);
}

static void
retry(struct children *c)
{
	int fd = c->held;

	if (fd == -1)
		return;
	c->held = -1;
	if (hand_on(c, fd, &c->held_peer) == 0) {
		loop_timer_stop(c->loop, &c->retry);
		/* The child comes back from there, too. */
		if (c->is_parent)
			c->on_stuck(c, 0);
		return;
	}
	c->held = fd;
	loop_timer_start(c->loop, &c->retry, RETRY_MS);
}

static void
on_retry(struct timer *t)
{
	retry(list_entry(t, struct children, retry));
}

/* One SIGCHLD may stand for many. */
static void
on_signal(struct signals *s, int signo)
{
	struct children *c = list_entry(s, struct children, signals);

	(void)signo;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		c->on_ended(c);
	retry(c);
}

static int
open_pipes(struct children *c)
{
	if (pipe2(c->finish_ends, O_CLOEXEC) == -1)
		return -errno;
	return pipe2(c->end_ends, O_CLOEXEC) == -1 ? -errno : 0;
}

int
children_open(struct children *c, struct loop *l)
{
	int err;

	c->loop = l;
	c->held = -1;
	c->retry.fn = on_retry;
	c->signals.fn = on_signal;
	c->finish_ends[0] = c->finish_ends[1] = -1;
	c->end_ends[0] = c->end_ends[1] = -1;
	err = open_pipes(c);
	if (err == 0)
		err = signals_open(&c->signals, l, signal_list, 1);
	c->is_parent = err == 0;
	return err;
}

void
children_serve(struct children *c, int fd, const struct addr *peer)
{
	int err = hand_on(c, fd, peer);

	if (err < 0)
		hold(c, fd, peer, err);
}

void
children_finish(struct children *c)
{
	close_end(&c->finish_ends[1]);
}

void
children_close(struct children *c)
{
	close_end(&c->held);
	for (int i = 0; i < 2; i++) {
		close_end(&c->finish_ends[i]);
		close_end(&c->end_ends[i]);
	}
	if (!c->is_parent)
		return;
	signals_close(&c->signals, signal_list, 1);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}
