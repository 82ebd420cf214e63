/* SPDX-License-Identifier: ISC */
#include "server/crew.h"

#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/channel.h"
#include "server/encoder.h"
#include "server/homes.h"
#include "server/sandbox.h"
#include "server/spawner.h"
#include "server/title.h"
#include "server/worker.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 10000         /* who lived that long starts afresh */
#define SERVICES_MAX 3

/* A terminal's Ctrl-C and pkill(1) reach all: the supervisor decides. */
static const int ignored[] = { SIGINT, SIGTERM, SIGUSR1 };

struct role {
	const char *title;
	enum sandbox_role sandbox;
	enum order introduces;          /* a service to a worker; 0: it is
	                                   none */
	int niceness;           /* added to the server's own */
	int (*run)(struct child *c, int orders);
};

/* The roles, in the process that plays them */

static int
run_spawner(struct child *c, int orders)
{
	struct spawner_setup setup = {
		.config = c->crew->command->setup->config,
		.cgi_root = c->crew->tree->programs.cgi.root,
		.orders = orders,
	};

	return spawner_run(&setup);
}

static int
run_homes(struct child *c, int orders)
{
	struct homes_setup setup = {
		.config = c->crew->command->setup->config,
		.orders = orders,
	};

	return homes_run(&setup);
}

static int
run_encoder(struct child *c, int orders)
{
	struct encoder_setup setup = {
		.most = c->crew->command->setup->config->compress_max,
		.orders = orders,
	};

	return encoder_run(&setup);
}

static int
run_worker(struct child *c, int orders)
{
	const struct supervisor_setup *s = c->crew->command->setup;
	bool has_programs = s->config->cgi_root != NULL;
	struct worker_setup setup = {
		.config = s->config,
		.listeners = s->listeners,
		.filter = s->filter,
		.site = &c->crew->site,
		.cgi = has_programs ? &c->crew->tree->programs.cgi : NULL,
		.number = c->number,
		.log_fd = c->crew->command->log_fd,
		.orders = orders,
		.waits = c->crew->state < CREW_SERVING,
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

static const struct role encoder = {
	.title = "encoder",
	.sandbox = SANDBOX_ENCODER,
	.introduces = ORDER_ENCODER,
	.niceness = 10,         /* nobody waits for it */
	.run = run_encoder,
};

static const struct role worker = {
	.title = "worker",
	.sandbox = SANDBOX_WORKER,
	.run = run_worker,
};

/* What belongs to other crews, and to other processes of this one. */
static void
close_crews(struct child *c)
{
	struct list *crews = &c->crew->command->crews;

	for (struct list *l = crews->next; l != crews; l = l->next) {
		struct crew *other = list_entry(l, struct crew, node);

		for (unsigned i = 0; i < other->n; i++) {
			if (other->children[i].orders.fd != -1)
				close(other->children[i].orders.fd);
			if (other->children[i].end != -1 &&
			    &other->children[i] != c)
				close(other->children[i].end);
		}
		if (other != c->crew || c->role != &worker)
			close(other->tree->root);
		if (other != c->crew && other->tree->programs.cgi.root != -1)
			close(other->tree->programs.cgi.root);
	}
}

/* Only what the role needs stays open. */
static void
close_others(struct child *c)
{
	struct command *command = c->crew->command;
	struct listeners *ls = command->setup->listeners;

	close_crews(c);
	for (unsigned i = 0; i < ls->n; i++) {
		for (unsigned k = 0; k < ls->workers; k++) {
			if (c->role != &worker || k != c->number)
				close(ls->list[i].fds[k]);
		}
	}
	if (c->role != &worker && command->log_fd != -1)
		close(command->log_fd);
	command->leave(command);
	loop_close(command->loop);
}

/*
 * Around fork(2): what reaches a child before it ignores these must neither
 * end it nor be told to its parent, by the handler that they still share.
 */
static void
block_signals(sigset_t *out_before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaddset(&set, ignored[i]);
	sigprocmask(SIG_BLOCK, &set, out_before);
}

static void
ignore_signals(const sigset_t *mask)
{
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* The child's side of fork(2), with signals blocked; `mask` is as it was. */
static int
become(struct child *c, int orders, const sigset_t *mask)
{
	const struct supervisor_setup *setup = c->crew->command->setup;
	struct sandbox sandbox = {
		.role = c->role->sandbox,
		.mode = setup->config->sandbox,
	};
	unsigned layers;
	int err;

	close_others(c);
	ignore_signals(mask);
	if (c->role == &worker)
		title_set("%s %u", c->role->title, c->number + 1);
	else
		title_set("%s", c->role->title);
	if (c->role->niceness > 0)
		(void)!nice(c->role->niceness);
	err = identity_assume(setup->identity);
	/* The modules of nsswitch.conf(5) are loaded by the first look-up. */
	if (err == 0 && c->role == &homes)
		(void)getpwnam("");
	/* A worker first opens what it needs: see worker_run. */
	if (err == 0 && c->role != &worker)
		err = sandbox_enter(&sandbox, &layers);
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
	int fd = order == ORDER_LOG ? c->crew->command->log_fd : -1;

	c->due = 0;
	if (tell(c, order, 0, fd) != -EAGAIN)
		return;
	c->due = order;
	loop_want(c->crew->command->loop, &c->orders, READY_IN | READY_OUT);
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
	if (tell(service, ORDER_PEER, to->id, ends[0]) < 0 ||
	    tell(to, service->role->introduces, 0, ends[1]) < 0)
		log_error("worker %u has no channel to %s: it is too busy",
		    to->number + 1, service->role->title);
	close(ends[0]);
	close(ends[1]);
}

static void
introduce_all(struct child *c)
{
	struct crew *crew = c->crew;

	for (unsigned i = 0; i < crew->n; i++) {
		struct child *other = &crew->children[i];

		if (c->role->introduces && !other->role->introduces)
			introduce(c, other);
		else if (!c->role->introduces && other->role->introduces)
			introduce(other, c);
	}
}

/* Children */

static struct child *
worker_by_id(struct crew *crew, unsigned id)
{
	for (unsigned i = 0; i < crew->n; i++) {
		struct child *c = &crew->children[i];

		if (c->role == &worker && c->id == id && c->pid != 0)
			return c;
	}
	return NULL;
}

/*
 * A service says that a worker has sent it nonsense.  Whatever took that
 * worker over is not to have another try.
 */
static void
end_worker(struct child *service, unsigned id)
{
	struct child *bad = worker_by_id(service->crew, id);

	if (service->role->introduces == 0 || bad == NULL)
		return;
	log_error("%s: worker %u sent a malformed message and is ended",
	    service->role->title, bad->number + 1);
	kill(bad->pid, SIGKILL);
}

static void
on_report(struct watch *w, unsigned ready)
{
	struct child *c = list_entry(w, struct child, orders);
	struct command *command = c->crew->command;
	struct order_msg m;
	int fd = -1, r;

	if (ready & READY_OUT) {
		loop_want(command->loop, w, READY_IN);
		if (c->due != 0)
			tell_surely(c, c->due);
	}
	r = order_receive(w->fd, &m, &fd);
	if (fd != -1)
		close(fd);
	if (r == -EAGAIN)
		return;
	/* The end of a process is told by SIGCHLD. */
	if (r != 1)
		loop_want(command->loop, w, 0);
	else if (m.order == ORDER_END_WORKER)
		end_worker(c, m.worker);
	else
		command->reported(c, m.order);
}

static int
open_orders(struct child *c)
{
	struct loop *l = c->crew->command->loop;
	int ends[2], err;

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
		return err;
	}
	c->end = ends[1];
	return 0;
}

static void
close_orders(struct child *c)
{
	loop_remove(c->crew->command->loop, &c->orders);
	close(c->orders.fd);
	if (c->end != -1)
		close(c->end);
	c->orders.fd = c->end = -1;
}

/* Before it is born: it knows the others from its first turn on. */
static int
expect_child(struct child *c)
{
	int err;

	err = open_orders(c);
	if (err < 0)
		return err;
	c->id = ++c->crew->command->last_id;
	introduce_all(c);
	return 0;
}

static int
bear_child(struct child *c)
{
	struct command *command = c->crew->command;
	sigset_t mask;
	pid_t pid;
	int err;

	block_signals(&mask);
	pid = fork();
	if (pid == 0)
		_exit(become(c, c->end, &mask));
	err = -errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(c->end);
	c->end = -1;
	if (pid == -1) {
		close_orders(c);
		return err;
	}
	c->pid = pid;
	c->started_ms = loop_now_ms(command->loop);
	c->crew->running++;
	return 0;
}

static void
on_restart(struct timer *t)
{
	struct child *c = list_entry(t, struct child, restart);
	int err = expect_child(c);

	if (err == 0)
		err = bear_child(c);
	if (err == 0)
		return;
	log_error("%s %u cannot be started: %s", c->role->title,
	    c->number + 1, strerror(-err));
	loop_timer_start(c->crew->command->loop, t, BACKOFF_MAX_MS);
}

void
child_restart(struct child *c)
{
	struct loop *l = c->crew->command->loop;

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

void
child_bury(struct child *c)
{
	close_orders(c);
	c->pid = 0;
	c->is_awaited = false;
	c->crew->running--;
}

const char *
child_name(const struct child *c, char text[CHILD_NAME])
{
	snprintf(text, CHILD_NAME, "%s %u", c->role->title, c->number + 1);
	return text;
}

/* Crews */

static void
add_child(struct crew *crew, const struct role *role, unsigned number)
{
	crew->children[crew->n++] = (struct child){
		.crew = crew,
		.role = role,
		.number = number,
		.orders.fd = -1,
		.end = -1,
		.restart.fn = on_restart,
	};
}

/*
 * One worker is born first, since somebody should answer soon; the services
 * are not needed at once.  But it knows them: they are expected already.
 * Returns how many are.
 */
static unsigned
add_children(struct crew *c, const struct config *config)
{
	unsigned n;

	add_child(c, &worker, 0);
	if (config->cgi_root != NULL)
		add_child(c, &spawner, 0);
	if (*config->user_dir != '\0')
		add_child(c, &homes, 0);
	/* What it makes goes with what is known. */
	if (config->compress_max > 0 && config->cache_bytes > 0)
		add_child(c, &encoder, 0);
	n = c->n;
	for (unsigned i = 1; i < config->workers; i++)
		add_child(c, &worker, i);
	return n;
}

static int
start_children(struct crew *c, unsigned n_expected)
{
	int err = 0;

	for (unsigned i = 0; i < n_expected && err == 0; i++)
		err = expect_child(&c->children[i]);
	for (unsigned i = 0; i < c->n && err == 0; i++) {
		struct child *child = &c->children[i];

		if (i >= n_expected)
			err = expect_child(child);
		if (err == 0)
			err = bear_child(child);
		/* On one core it would otherwise wait for all the others. */
		if (i == 0)
			sched_yield();
		child->is_awaited = err == 0 && c->state == CREW_COMING &&
		    child->role == &worker;
	}
	return err;
}

struct crew *
crew_start(struct command *command, struct tree *tree, enum crew_state state,
    int *out_err)
{
	const struct config *config = command->setup->config;
	struct crew *c;

	c = calloc(1, sizeof(*c) +
	    (config->workers + SERVICES_MAX) * sizeof(c->children[0]));
	if (c == NULL)
		return NULL;
	c->command = command;
	c->state = state;
	c->tree = tree;
	c->site = *command->setup->site;
	c->site.root = tree->root;
	list_append(&command->crews, &c->node);
	*out_err = start_children(c, add_children(c, config));
	return c;
}

void
crew_free(struct crew *c)
{
	crew_dismiss(c);
	for (unsigned i = 0; i < c->n; i++) {
		if (c->children[i].orders.fd != -1)
			close_orders(&c->children[i]);
	}
	list_remove(&c->node);
	tree_free(c->tree);
	free(c);
}

void
crew_tell(struct crew *c, enum order order)
{
	for (unsigned i = 0; i < c->n; i++)
		tell_surely(&c->children[i], order);
}

void
crew_tell_workers(struct crew *c, enum order order)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (c->children[i].role == &worker)
			tell_surely(&c->children[i], order);
	}
}

void
crew_kill(struct crew *c)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (c->children[i].pid != 0)
			kill(c->children[i].pid, SIGKILL);
	}
}

void
crew_dismiss(struct crew *c)
{
	for (unsigned i = 0; i < c->n; i++)
		loop_timer_stop(c->command->loop, &c->children[i].restart);
}

/* One that cannot be told how simply stops. */
static void
retire(struct child *old, struct child *heir)
{
	int ends[2], err;

	if (old->pid == 0)
		return;
	err = channel_pair(ends);
	if (err == 0) {
		err = tell(heir, ORDER_INHERIT, 0, ends[1]);
		if (err == 0)
			err = tell(old, ORDER_RETIRE, 0, ends[0]);
		close(ends[0]);
		close(ends[1]);
	}
	old->is_awaited = err == 0;
	if (err < 0)
		tell_surely(old, ORDER_STOP);
}

void
crew_retire(struct crew *old, struct crew *to)
{
	crew_dismiss(old);
	old->state = CREW_RETIRED;
	/* Both have the same roles in the same order. */
	for (unsigned i = 0; i < old->n; i++) {
		if (old->children[i].role == &worker)
			retire(&old->children[i], &to->children[i]);
		else
			tell_surely(&old->children[i], ORDER_STOP);
	}
}

unsigned
crew_awaited(const struct crew *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->n; i++)
		n += c->children[i].is_awaited;
	return n;
}

struct child *
crew_find(struct crew *c, pid_t pid)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (c->children[i].pid == pid)
			return &c->children[i];
	}
	return NULL;
}
