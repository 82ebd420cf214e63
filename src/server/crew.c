/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's side of its children: who is born when, who is introduced
 * to whom, what they are told.  What they are themselves stands in role.c.
 */
#include "server/crew.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/channel.h"
#include "server/role.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define STEADY_MS 10000         /* who lived that long starts afresh */
#define SERVICES_MAX 3

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

		if (c->role == &role_worker && c->id == id && c->pid != 0)
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

	if (bad == NULL)
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
	struct crew *crew = from->crew;

	for (unsigned i = 0; i < crew->n; i++) {
		struct child *c = &crew->children[i];

		if (c->role->introduces != 0 && c->role->introduces == order)
			tell(c, ORDER_PEER, from->id, fd);
	}
}

static void
obey(struct child *from, const struct order_msg *m, int fd)
{
	struct command *command = from->crew->command;

	if (from->role->introduces != 0) {
		if (m->order == ORDER_END_WORKER)
			end_worker(from, m->worker);
	} else if (fd != -1) {
		if (command->has_forks)
			pass_on(from, m->order, fd);
	} else {
		command->reported(from, m->order);
	}
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
	if (r == 1)
		obey(c, &m, fd);
	/* The end of a process is told by SIGCHLD. */
	else if (r != -EAGAIN)
		loop_want(command->loop, w, 0);
	if (fd != -1)
		close(fd);
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
	pid_t pid;

	pid = role_fork(c);
	close(c->end);
	c->end = -1;
	if (pid < 0) {
		close_orders(c);
		return (int)pid;
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

	add_child(c, &role_worker, 0);
	if (config->cgi_root != NULL)
		add_child(c, &role_spawner, 0);
	if (*config->user_dir != '\0')
		add_child(c, &role_homes, 0);
	/* What it makes goes with what is known. */
	if (config->compress_max > 0 && config->cache_bytes > 0)
		add_child(c, &role_encoder, 0);
	n = c->n;
	for (unsigned i = 1; i < config->workers; i++)
		add_child(c, &role_worker, i);
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
		    child->role == &role_worker;
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
	c->site.symlinks = config->symlinks;
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
		if (c->children[i].role == &role_worker)
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
		if (old->children[i].role == &role_worker)
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
