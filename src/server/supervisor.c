/* SPDX-License-Identifier: ISC */
/*
 * The parent of all.  Its children come in three roles: workers serve, the
 * spawner runs programs, homes opens what is in users' directories.  The
 * latter two are services of the workers: whenever one of either side starts,
 * it gets a channel to each of the other.
 */
#include "server/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "net/channel.h"
#include "net/engine.h"
#include "net/loop.h"
#include "net/signal.h"
#include "server/homes.h"
#include "server/order.h"
#include "server/sandbox.h"
#include "server/spawner.h"
#include "server/title.h"
#include "server/worker.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 10000         /* who lived that long starts afresh */
#define KILL_AFTER_MS 1000      /* behind the end of the grace */

static const int signal_list[] = { SIGINT, SIGTERM, SIGCHLD, SIGUSR1 };
#define N_SIGNALS (sizeof(signal_list) / sizeof(signal_list[0]))

/* A terminal's Ctrl-C and pkill(1) reach all: the supervisor decides. */
static const int ignored[] = { SIGINT, SIGTERM, SIGUSR1 };

struct child {
	struct supervisor *supervisor;
	const struct role *role;
	unsigned number;        /* among those of its role */
	pid_t pid;              /* 0: not running */
	struct watch orders;    /* our end of the channel */
	enum order due;         /* once there is room in it; 0: none */
	int64_t started_ms;
	unsigned backoff_ms;
	struct timer restart;
};

struct supervisor {
	const struct supervisor_setup *setup;
	int log_fd;
	int ready;              /* gets a byte once all run; then -1 */
	struct loop *loop;
	struct signals signals;
	struct timer kill;
	bool is_stopping;
	bool has_forks;         /* workers have children of their own */
	unsigned running;
	struct child *children;         /* services first */
	unsigned n_children;
};

struct role {
	const char *title;
	enum sandbox_role sandbox;
	enum order introduces;          /* a service to a worker; 0: it is
	                                   none */
	int (*run)(struct child *c, int orders);
};

/* The roles, in the process that plays them */

static int
run_spawner(struct child *c, int orders)
{
	struct spawner_setup setup = {
		.config = c->supervisor->setup->config,
		.cgi_root = c->supervisor->setup->cgi->root,
		.orders = orders,
	};

	return spawner_run(&setup);
}

static int
run_homes(struct child *c, int orders)
{
	struct homes_setup setup = {
		.config = c->supervisor->setup->config,
		.orders = orders,
	};

	return homes_run(&setup);
}

static int
run_worker(struct child *c, int orders)
{
	const struct supervisor_setup *s = c->supervisor->setup;
	struct worker_setup setup = {
		.config = s->config,
		.listeners = s->listeners,
		.site = s->site,
		.cgi = s->cgi,
		.number = c->number,
		.log_fd = c->supervisor->log_fd,
		.orders = orders,
	};

	return worker_run(&setup);
}

static const struct role spawner = {
	.title = "spawner",
	.sandbox = SANDBOX_SPAWNER,
	.introduces = ORDER_SPAWNER,
	.run = run_spawner,
};

static const struct role homes = {
	.title = "homes",
	.sandbox = SANDBOX_HOMES,
	.introduces = ORDER_HOMES,
	.run = run_homes,
};

static const struct role worker = {
	.title = "worker",
	.sandbox = SANDBOX_WORKER,
	.run = run_worker,
};

/* Only what the role needs stays open. */
static void
close_others(struct child *c)
{
	struct supervisor *s = c->supervisor;
	struct listeners *ls = s->setup->listeners;

	signals_close(&s->signals, signal_list, N_SIGNALS);
	for (unsigned i = 0; i < s->n_children; i++) {
		if (s->children[i].orders.fd != -1)
			close(s->children[i].orders.fd);
	}
	for (unsigned i = 0; i < ls->n; i++) {
		for (unsigned k = 0; k < ls->workers; k++) {
			if (c->role != &worker || k != c->number)
				close(ls->list[i].fds[k]);
		}
	}
	if (c->role != &worker && s->log_fd != -1)
		close(s->log_fd);
	if (c->role != &worker)
		close(s->setup->site->root);
	if (s->ready != -1)
		close(s->ready);
	loop_close(s->loop);
}

/* The child's side of fork(2). */
static int
become(struct child *c, int orders)
{
	const struct supervisor_setup *setup = c->supervisor->setup;
	unsigned layers;
	int err;

	close_others(c);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (c->role == &worker)
		title_set("%s %u", c->role->title, c->number + 1);
	else
		title_set("%s", c->role->title);
	err = identity_assume(setup->identity);
	/* The modules of nsswitch.conf(5) are loaded by the first look-up. */
	if (err == 0 && c->role == &homes)
		(void)getpwnam("");
	/* A worker first opens what it needs: see worker_run. */
	if (err == 0 && c->role != &worker)
		err = sandbox_enter(c->role->sandbox, setup->config->sandbox,
		    NULL, 0, &layers);
	if (err < 0) {
		log_error("%s: cannot give up rights: %s", c->role->title,
		    strerror(-err));
		return 1;
	}
	return c->role->run(c, orders);
}

/* Channels between workers and services */

/* -EAGAIN when its channel is full; one that is gone needs no orders. */
static int
tell(struct child *c, enum order order, unsigned about, int fd)
{
	if (c->orders.fd == -1)
		return 0;
	return order_send(c->orders.fd, order, about, fd);
}

/* What must be told sooner or later. */
static void
tell_surely(struct child *c, enum order order)
{
	int fd = order == ORDER_LOG ? c->supervisor->log_fd : -1;

	c->due = 0;
	if (tell(c, order, 0, fd) != -EAGAIN)
		return;
	c->due = order;
	loop_want(c->supervisor->loop, &c->orders, READY_IN | READY_OUT);
}

static void
introduce(struct child *service, struct child *to)
{
	int ends[2], err;

	if (service->orders.fd == -1 || to->orders.fd == -1)
		return;
	err = channel_pair(ends);
	if (err < 0) {
		log_error("worker %u has no channel to %s: %s",
		    to->number + 1, service->role->title, strerror(-err));
		return;
	}
	if (tell(service, ORDER_PEER, to->number, ends[0]) < 0 ||
	    tell(to, service->role->introduces, 0, ends[1]) < 0)
		log_error("worker %u has no channel to %s: it is too busy",
		    to->number + 1, service->role->title);
	close(ends[0]);
	close(ends[1]);
}

static void
introduce_all(struct child *c)
{
	struct supervisor *s = c->supervisor;

	for (unsigned i = 0; i < s->n_children; i++) {
		struct child *other = &s->children[i];

		if (c->role->introduces && !other->role->introduces)
			introduce(c, other);
		else if (!c->role->introduces && other->role->introduces)
			introduce(other, c);
	}
}

/* Children */

static struct child *
worker_by_number(struct supervisor *s, unsigned number)
{
	for (unsigned i = 0; i < s->n_children; i++) {
		if (s->children[i].role == &worker &&
		    s->children[i].number == number)
			return &s->children[i];
	}
	return NULL;
}

/*
 * A service speaks: a worker has sent it nonsense.  Whatever took that worker
 * over is not to have another try.
 */
static void
end_worker(struct child *service, unsigned number)
{
	struct child *bad = worker_by_number(service->supervisor, number);

	if (bad == NULL || bad->pid == 0)
		return;
	log_error("%s: worker %u sent a malformed message and is ended",
	    service->role->title, bad->number + 1);
	kill(bad->pid, SIGKILL);
}

/*
 * A child of a worker speaks: it wants a channel of its own to the service
 * that `order` introduces.  When that cannot be, the end of the channel says
 * so.
 */
static void
pass_on(struct child *from, enum order order, int fd)
{
	struct supervisor *s = from->supervisor;

	for (unsigned i = 0; i < s->n_children; i++) {
		struct child *c = &s->children[i];

		if (c->role->introduces != 0 && c->role->introduces == order)
			tell(c, ORDER_PEER, from->number, fd);
	}
}

static void
obey(struct child *from, const struct order_msg *m, int fd)
{
	if (from->role->introduces != 0) {
		if (m->order == ORDER_END_WORKER)
			end_worker(from, m->worker);
	} else if (from->supervisor->has_forks && fd != -1) {
		pass_on(from, m->order, fd);
	}
}

static void
on_report(struct watch *w, unsigned ready)
{
	struct child *c = list_entry(w, struct child, orders);
	struct order_msg m;
	int fd = -1, r;

	if (ready & READY_OUT) {
		loop_want(c->supervisor->loop, w, READY_IN);
		if (c->due != 0)
			tell_surely(c, c->due);
	}
	r = order_receive(w->fd, &m, &fd);
	if (r == 1)
		obey(c, &m, fd);
	/* The end of a process is told by SIGCHLD. */
	else if (r != -EAGAIN)
		loop_want(c->supervisor->loop, w, 0);
	if (fd != -1)
		close(fd);
}

static int
open_orders(struct child *c, int ends[2])
{
	struct loop *l = c->supervisor->loop;
	int err;

	err = channel_pair(ends);
	if (err < 0)
		return err;
	c->orders = (struct watch){
		.fn = on_report,
		.fd = ends[0],
		.wanted = READY_IN,
	};
	c->due = 0;
	err = loop_add(l, &c->orders);
	if (err < 0) {
		close(ends[0]);
		close(ends[1]);
		c->orders.fd = -1;
	}
	return err;
}

static void
close_orders(struct child *c)
{
	loop_remove(c->supervisor->loop, &c->orders);
	close(c->orders.fd);
	c->orders.fd = -1;
}

static int
start_child(struct child *c)
{
	struct supervisor *s = c->supervisor;
	int ends[2], err;
	pid_t pid;

	err = open_orders(c, ends);
	if (err < 0)
		return err;
	/* Before it is born: it knows the others from its first turn on. */
	introduce_all(c);
	pid = fork();
	if (pid == 0)
		_exit(become(c, ends[1]));
	err = -errno;
	close(ends[1]);
	if (pid == -1) {
		close_orders(c);
		return err;
	}
	c->pid = pid;
	c->started_ms = loop_now_ms(s->loop);
	s->running++;
	return 0;
}

static void
on_restart(struct timer *t)
{
	struct child *c = list_entry(t, struct child, restart);
	int err = start_child(c);

	if (err == 0)
		return;
	log_error("%s %u cannot be started: %s", c->role->title,
	    c->number + 1, strerror(-err));
	loop_timer_start(c->supervisor->loop, t, BACKOFF_MAX_MS);
}

static void
restart_later(struct child *c)
{
	struct loop *l = c->supervisor->loop;

	if (loop_now_ms(l) - c->started_ms >= STEADY_MS || c->backoff_ms == 0)
		c->backoff_ms = BACKOFF_MIN_MS;
	else if (c->backoff_ms < BACKOFF_MAX_MS / 2)
		c->backoff_ms *= 2;
	else
		c->backoff_ms = BACKOFF_MAX_MS;
	if (loop_timer_start(l, &c->restart, c->backoff_ms) < 0)
		log_error("%s %u is not started again: no memory",
		    c->role->title, c->number + 1);
}

static void
on_child_end(struct supervisor *s, struct child *c, int status)
{
	close_orders(c);
	c->pid = 0;
	s->running--;
	if (s->is_stopping) {
		if (s->running == 0)
			loop_stop(s->loop);
		return;
	}
	if (WIFSIGNALED(status))
		log_error("%s %u was ended by signal %d (%s); a new one is "
		    "started", c->role->title, c->number + 1,
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_error("%s %u ended with status %d; a new one is started",
		    c->role->title, c->number + 1, WEXITSTATUS(status));
	restart_later(c);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	/* One SIGCHLD may stand for many; as PID 1 there are others', too. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < s->n_children; i++) {
			if (s->children[i].pid == pid)
				on_child_end(s, &s->children[i], status);
		}
	}
}

static void
on_kill(struct timer *t)
{
	struct supervisor *s = list_entry(t, struct supervisor, kill);

	for (unsigned i = 0; i < s->n_children; i++) {
		if (s->children[i].pid != 0)
			kill(s->children[i].pid, SIGKILL);
	}
}

static void
stop(struct supervisor *s)
{
	enum order how = s->is_stopping ? ORDER_STOP_NOW : ORDER_STOP;
	int64_t after_ms = KILL_AFTER_MS;

	if (how == ORDER_STOP)
		after_ms += s->setup->config->grace_ms;
	s->is_stopping = true;
	listeners_close(s->setup->listeners);
	for (unsigned i = 0; i < s->n_children; i++) {
		loop_timer_stop(s->loop, &s->children[i].restart);
		tell_surely(&s->children[i], how);
	}
	if (s->running == 0 ||
	    loop_timer_start(s->loop, &s->kill, after_ms) < 0)
		loop_stop(s->loop);
}

static void
reopen_log(struct supervisor *s)
{
	const char *path = s->setup->log_path;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1) {
		log_error("%s: %s; the log is not reopened", path,
		    strerror(errno));
		return;
	}
	close(s->log_fd);
	s->log_fd = fd;
	for (unsigned i = 0; i < s->n_children; i++) {
		if (s->children[i].role == &worker)
			tell_surely(&s->children[i], ORDER_LOG);
	}
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

static void
add_child(struct supervisor *s, const struct role *role, unsigned number)
{
	s->children[s->n_children++] = (struct child){
		.supervisor = s,
		.role = role,
		.number = number,
		.orders.fd = -1,
		.restart.fn = on_restart,
	};
}

static int
start_all(struct supervisor *s)
{
	const struct config *config = s->setup->config;
	int err;

	s->has_forks = engine_find(config->engine, NULL)->policy ==
	    ENGINE_CHILDREN;
	err = loop_open("poll", &s->loop);
	if (err < 0)
		return err;
	s->signals.fn = on_signal;
	err = signals_open(&s->signals, s->loop, signal_list, N_SIGNALS);
	if (s->setup->cgi != NULL)
		add_child(s, &spawner, 0);
	if (*config->user_dir != '\0')
		add_child(s, &homes, 0);
	for (unsigned i = 0; i < config->workers; i++)
		add_child(s, &worker, i);
	for (unsigned i = 0; i < s->n_children && err == 0; i++)
		err = start_child(&s->children[i]);
	return err;
}

int
supervisor_run(const struct supervisor_setup *setup)
{
	struct supervisor s = {
		.setup = setup,
		.log_fd = setup->log_fd,
		.ready = setup->ready,
		.kill.fn = on_kill,
	};
	int err = -ENOMEM;

	title_set("supervisor");
	s.children = calloc(setup->config->workers + 2, sizeof(*s.children));
	if (s.children != NULL)
		err = start_all(&s);
	if (err == 0 && s.ready != -1) {
		(void)!write(s.ready, "", 1);
		close(s.ready);
		s.ready = -1;   /* children born later must not close it */
	}
	if (err == 0)
		err = loop_run(s.loop);
	if (err < 0)
		log_error("supervisor: %s", strerror(-err));
	if (s.loop != NULL)
		loop_close(s.loop);
	free(s.children);
	return err < 0;
}
