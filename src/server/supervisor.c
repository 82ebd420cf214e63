/* SPDX-License-Identifier: ISC */
#include "server/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "net/channel.h"
#include "net/loop.h"
#include "net/signal.h"
#include "server/worker.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 10000         /* who lived that long starts afresh */
#define KILL_AFTER_MS 1000      /* behind the end of the grace */

static const int signal_list[] = { SIGINT, SIGTERM, SIGCHLD, SIGUSR1 };
#define N_SIGNALS (sizeof(signal_list) / sizeof(signal_list[0]))

struct child {
	struct supervisor *supervisor;
	struct timer restart;
	unsigned number;
	pid_t pid;              /* 0: not running */
	int orders;             /* our end of the channel */
	int64_t started_ms;
	unsigned backoff_ms;
};

struct supervisor {
	const struct config *config;
	struct listeners *listeners;
	const struct site *site;
	const char *log_path;
	int log_fd;
	struct loop *loop;
	struct signals signals;
	struct timer kill;
	bool is_stopping;
	unsigned running;
	int status;
	struct child *children;
};

/* The child's side of fork(2): only what a worker needs stays open. */
static int
become_worker(struct supervisor *s, struct child *c, int orders)
{
	struct worker_setup setup = {
		.config = s->config,
		.listeners = s->listeners,
		.site = s->site,
		.number = c->number,
		.log_fd = s->log_fd,
		.orders = orders,
	};
	int status;

	signals_close(&s->signals, signal_list, N_SIGNALS);
	signal(SIGCHLD, SIG_DFL);
	for (unsigned i = 0; i < s->config->workers; i++) {
		if (s->children[i].pid != 0)
			close(s->children[i].orders);
		for (unsigned k = 0; i != c->number && k < s->listeners->n;
		    k++)
			close(s->listeners->list[k].fds[i]);
	}
	loop_close(s->loop);
	free(s->children);
	status = worker_run(&setup);
	close(orders);
	return status;
}

static int
start_child(struct supervisor *s, struct child *c)
{
	int ends[2], err;
	pid_t pid;

	err = channel_pair(ends);
	if (err < 0)
		return err;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(become_worker(s, c, ends[1]));
	}
	err = -errno;
	close(ends[1]);
	if (pid == -1) {
		close(ends[0]);
		return err;
	}
	c->pid = pid;
	c->orders = ends[0];
	c->started_ms = loop_now_ms(s->loop);
	s->running++;
	return 0;
}

static void
on_restart(struct timer *t)
{
	struct child *c = list_entry(t, struct child, restart);
	int err = start_child(c->supervisor, c);

	if (err == 0)
		return;
	log_error("worker %u cannot be started: %s", c->number + 1,
	    strerror(-err));
	loop_timer_start(c->supervisor->loop, t, BACKOFF_MAX_MS);
}

static void
restart_later(struct child *c)
{
	struct loop *l = c->supervisor->loop;

	if (loop_now_ms(l) - c->started_ms >= STEADY_MS || c->backoff_ms == 0)
		c->backoff_ms = BACKOFF_MIN_MS;
	else if (c->backoff_ms < BACKOFF_MAX_MS)
		c->backoff_ms *= 2;
	if (loop_timer_start(l, &c->restart, c->backoff_ms) < 0)
		log_error("worker %u is not started again: no memory",
		    c->number + 1);
}

static void
on_child_end(struct supervisor *s, struct child *c, int status)
{
	close(c->orders);
	c->pid = 0;
	s->running--;
	if (s->is_stopping) {
		if (s->running == 0)
			loop_stop(s->loop);
		return;
	}
	if (WIFSIGNALED(status))
		log_error("worker %u was ended by signal %d (%s); "
		    "a new one is started", c->number + 1, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		log_error("worker %u ended with status %d; a new one is "
		    "started", c->number + 1, WEXITSTATUS(status));
	restart_later(c);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	/* One SIGCHLD may stand for many; as PID 1 there are others', too. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < s->config->workers; i++) {
			if (s->children[i].pid == pid)
				on_child_end(s, &s->children[i], status);
		}
	}
}

static void
order_all(struct supervisor *s, enum order order, int fd)
{
	unsigned char message = (unsigned char)order;

	for (unsigned i = 0; i < s->config->workers; i++) {
		struct child *c = &s->children[i];

		/* One that cannot be told is dead or hangs: see on_kill. */
		if (c->pid != 0)
			channel_send(c->orders, &message, 1, &fd, fd != -1);
	}
}

static void
on_kill(struct timer *t)
{
	struct supervisor *s = list_entry(t, struct supervisor, kill);

	for (unsigned i = 0; i < s->config->workers; i++) {
		if (s->children[i].pid != 0)
			kill(s->children[i].pid, SIGKILL);
	}
}

static void
stop(struct supervisor *s)
{
	enum order order = s->is_stopping ? ORDER_STOP_NOW : ORDER_STOP;
	int64_t after_ms = KILL_AFTER_MS;

	if (order == ORDER_STOP)
		after_ms += s->config->grace_ms;
	s->is_stopping = true;
	listeners_close(s->listeners);
	for (unsigned i = 0; i < s->config->workers; i++)
		loop_timer_stop(s->loop, &s->children[i].restart);
	order_all(s, order, -1);
	if (s->running == 0 ||
	    loop_timer_start(s->loop, &s->kill, after_ms) < 0)
		loop_stop(s->loop);
}

static void
reopen_log(struct supervisor *s)
{
	int fd;

	if (s->log_path == NULL)
		return;
	fd = open(s->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
	    0644);
	if (fd == -1) {
		log_error("%s: %s; the log is not reopened", s->log_path,
		    strerror(errno));
		return;
	}
	close(s->log_fd);
	s->log_fd = fd;
	order_all(s, ORDER_LOG, fd);
}

static void
on_signal(struct signals *signals, int signo)
{
	struct supervisor *s = list_entry(signals, struct supervisor, signals);

	if (signo == SIGCHLD)
		reap(s);
	else if (signo == SIGUSR1)
		reopen_log(s);
	else
		stop(s);
}

static int
start_all(struct supervisor *s)
{
	int err;

	err = loop_open("poll", &s->loop);
	if (err < 0)
		return err;
	s->signals.fn = on_signal;
	err = signals_open(&s->signals, s->loop, signal_list, N_SIGNALS);
	for (unsigned i = 0; i < s->config->workers && err == 0; i++) {
		s->children[i] = (struct child){
			.supervisor = s,
			.restart.fn = on_restart,
			.number = i,
		};
		err = start_child(s, &s->children[i]);
	}
	return err;
}

int
supervisor_run(const struct config *config, struct listeners *listeners,
    const struct site *site, int log_fd, const char *log_path, int ready)
{
	struct supervisor s = {
		.config = config,
		.listeners = listeners,
		.site = site,
		.log_fd = log_fd,
		.log_path = log_path,
		.kill.fn = on_kill,
	};
	int err = -ENOMEM;

	s.children = calloc(config->workers, sizeof(*s.children));
	if (s.children != NULL)
		err = start_all(&s);
	if (err == 0 && ready != -1) {
		(void)!write(ready, "", 1);
		close(ready);
	}
	if (err == 0)
		err = loop_run(s.loop);
	if (err < 0)
		log_error("the workers cannot be started: %s", strerror(-err));
	if (s.loop != NULL)
		loop_close(s.loop);
	free(s.children);
	return err < 0;
}
