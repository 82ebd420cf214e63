/* SPDX-License-Identifier: ISC */
#include "server/role.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "server/crew.h"
#include "server/encoder.h"
#include "server/homes.h"
#include "server/spawner.h"
#include "server/title.h"
#include "server/worker.h"

/* A terminal's Ctrl-C and pkill(1) reach all: the supervisor decides. */
static const int ignored[] = { SIGINT, SIGTERM, SIGUSR1, SIGHUP };

static int
run_spawner(struct child *c)
{
	struct spawner_setup setup = {
		.config = c->crew->command->setup->config,
		.cgi_root = c->crew->tree->programs.cgi.root,
		.orders = c->end,
	};

	return spawner_run(&setup);
}

static int
run_homes(struct child *c)
{
	struct homes_setup setup = {
		.config = c->crew->command->setup->config,
		.orders = c->end,
	};

	return homes_run(&setup);
}

static int
run_encoder(struct child *c)
{
	struct encoder_setup setup = {
		.most = c->crew->command->setup->config->compress_max,
		.orders = c->end,
	};

	return encoder_run(&setup);
}

static int
run_worker(struct child *c)
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
		.orders = c->end,
		.waits = c->crew->state < CREW_SERVING,
	};

	return worker_run(&setup);
}

const struct role role_spawner = {
	.title = "spawner",
	.sandbox = SANDBOX_SPAWNER,
	.introduces = ORDER_SPAWNER,
	.run = run_spawner,
};

const struct role role_homes = {
	.title = "homes",
	.sandbox = SANDBOX_HOMES,
	.introduces = ORDER_HOMES,
	.run = run_homes,
};

const struct role role_encoder = {
	.title = "encoder",
	.sandbox = SANDBOX_ENCODER,
	.introduces = ORDER_ENCODER,
	.niceness = 10,         /* nobody waits for it */
	.run = run_encoder,
};

const struct role role_worker = {
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
		if (other != c->crew || c->role != &role_worker)
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
			if (c->role != &role_worker || k != c->number)
				close(ls->list[i].fds[k]);
		}
	}
	if (c->role != &role_worker && command->log_fd != -1)
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
become(struct child *c, const sigset_t *mask)
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
	if (c->role == &role_worker)
		title_set("%s %u", c->role->title, c->number + 1);
	else
		title_set("%s", c->role->title);
	if (c->role->niceness > 0)
		(void)!nice(c->role->niceness);
	err = identity_assume(setup->identity);
	/* The modules of nsswitch.conf(5) are loaded by the first look-up. */
	if (err == 0 && c->role == &role_homes)
		(void)getpwnam("");
	/* A worker first opens what it needs: see worker_run. */
	if (err == 0 && c->role != &role_worker)
		err = sandbox_enter(&sandbox, &layers);
	if (err < 0) {
		log_error("%s: cannot give up rights: %s", c->role->title,
		    strerror(-err));
		return 1;
	}
	return c->role->run(c);
}

pid_t
role_fork(struct child *c)
{
	sigset_t mask;
	pid_t pid;

	block_signals(&mask);
	pid = fork();
	if (pid == 0)
		_exit(become(c, &mask));
	if (pid == -1)
		pid = -errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return pid;
}
