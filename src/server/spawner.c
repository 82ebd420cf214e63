/* SPDX-License-Identifier: ISC */
/*
 * A program is the leader of a process group of its own.  It stays a zombie
 * until its worker is through with it, so its number cannot be given to
 * another group that would then get the signals meant for this one.  (What
 * outlives a leader that was told to end has two seconds; numbers are given
 * out in turn and do not come back that soon.)
 */
#include "server/spawner.h"

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
#include "server/launch.h"
#include "server/service.h"
#include "site/spawn_msg.h"

#define KILL_AFTER_MS 2000      /* between SIGTERM and SIGKILL */

static const int signal_list[] = { SIGCHLD };
static const int ignored[] = {
	SIGINT, SIGTERM, SIGUSR1, SIGHUP, SIGPIPE
};

struct program {
	struct list node;
	struct spawner *spawner;
	struct service_peer *peer;      /* NULL: its worker has no further
	                                   interest */
	uint32_t id;
	pid_t pid;
	bool has_ended;
	bool is_ending;         /* it was told to, and all its group */
	struct timer kill;
};

/* One that is to run when another has ended. */
struct waiting {
	struct list node;
	struct service_peer *peer;
	uint32_t id;
	int fds[3];
	size_t n;
	char message[];
};

struct spawner {
	struct service service;
	const struct config *config;
	struct launcher launcher;
	struct signals signals;
	struct list programs, waiting;
	unsigned n_running, n_waiting;
	char message[SPAWN_MSG_MAX];
};

static struct spawner *
spawner_of(struct service_peer *p)
{
	return list_entry(p->service, struct spawner, service);
}

static void
tell(struct service_peer *p, enum spawn_kind kind, uint32_t id, int value)
{
	struct spawn_msg m = { .kind = kind, .id = id, .value = value };

	/* A worker that does not listen notices by its pipes. */
	channel_send(p->watch.fd, &m, sizeof(m), NULL, 0);
}

/* The end of a program */

static void
forget(struct program *p)
{
	waitpid(p->pid, NULL, WNOHANG);
	loop_timer_stop(p->spawner->service.loop, &p->kill);
	list_remove(&p->node);
	free(p);
}

static void
on_kill(struct timer *t)
{
	struct program *p = list_entry(t, struct program, kill);

	kill(-p->pid, SIGKILL);
	if (p->has_ended)
		forget(p);
}

/* The leader of a group that is to end has ended. */
static void
leave_group(struct program *p)
{
	bool was_killed = p->kill.place == 0;

	/* With its leader reaped, a group without others is no more. */
	waitpid(p->pid, NULL, WNOHANG);
	if (was_killed || kill(-p->pid, 0) == -1)
		forget(p);
}

/* Asks the group to end, and sees to it that it does.  p may be gone then. */
static void
end_program(struct program *p)
{
	p->peer = NULL;
	p->is_ending = true;
	kill(-p->pid, SIGTERM);
	if (loop_timer_start(p->spawner->service.loop, &p->kill,
	    KILL_AFTER_MS) < 0)
		on_kill(&p->kill);
	else if (p->has_ended)
		leave_group(p);
}

/* The answer is complete; what the program still does is its own affair. */
static void
release(struct program *p)
{
	p->peer = NULL;
	if (p->has_ended)
		forget(p);
}

static void
check(struct program *p)
{
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (p->has_ended || waitid(P_PID, (id_t)p->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == 0)
		return;
	p->has_ended = true;
	p->spawner->n_running--;
	status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) :
	    info.si_status;
	if (p->peer != NULL)
		tell(p->peer, SPAWN_ENDED, p->id, status);
	else if (p->is_ending)
		leave_group(p);
	else
		forget(p);
}

/* The beginning */

static int
start(struct spawner *s, struct service_peer *peer, uint32_t id,
    struct spawn_run *run, const int fds[3])
{
	struct program *p = malloc(sizeof(*p));
	pid_t pid;

	if (p == NULL)
		return -ENOMEM;
	pid = launch(&s->launcher, run, fds);
	if (pid < 0) {
		free(p);
		return (int)pid;
	}
	*p = (struct program){
		.spawner = s,
		.peer = peer,
		.id = id,
		.pid = pid,
		.kill.fn = on_kill,
	};
	list_append(&s->programs, &p->node);
	s->n_running++;
	return 0;
}

/* Those that wait for their turn */

static void
stop_waiting(struct spawner *s, struct waiting *w)
{
	for (int i = 0; i < 3; i++)
		close(w->fds[i]);
	list_remove(&w->node);
	s->n_waiting--;
	free(w);
}

static int
wait_for_turn(struct spawner *s, struct service_peer *peer, uint32_t id,
    size_t n, const int fds[3])
{
	struct waiting *w;

	if (s->n_waiting >= s->config->cgi_max)
		return -EAGAIN;
	w = malloc(sizeof(*w) + n);
	if (w == NULL)
		return -ENOMEM;
	w->peer = peer;
	w->id = id;
	w->n = n;
	memcpy(w->message, s->message, n);
	list_append(&s->waiting, &w->node);
	s->n_waiting++;
	for (int i = 0; i < 3; i++)
		w->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
	if (w->fds[0] != -1 && w->fds[1] != -1 && w->fds[2] != -1)
		return 0;
	stop_waiting(s, w);
	return -EMFILE;
}

/* A program has ended. */
static void
start_waiting(struct spawner *s)
{
	struct spawn_run run;
	struct waiting *w;
	int err;

	while (!list_is_empty(&s->waiting) &&
	    s->n_running < s->config->cgi_max) {
		w = list_entry(s->waiting.next, struct waiting, node);
		err = spawn_run_parse(w->message, w->n, &run);
		if (err == 0)
			err = start(s, w->peer, w->id, &run, w->fds);
		if (err < 0)
			tell(w->peer, SPAWN_FAILED, w->id, -err);
		stop_waiting(s, w);
	}
}

static struct waiting *
waiting_by_id(struct service_peer *peer, uint32_t id)
{
	struct list *waiting = &spawner_of(peer)->waiting;

	for (struct list *l = waiting->next; l != waiting; l = l->next) {
		struct waiting *w = list_entry(l, struct waiting, node);

		if (w->peer == peer && w->id == id)
			return w;
	}
	return NULL;
}

static void
on_signal(struct signals *signals, int signo)
{
	struct spawner *s = list_entry(signals, struct spawner, signals);
	struct list *l, *next;

	(void)signo;
	for (l = s->programs.next; l != &s->programs; l = next) {
		next = l->next;
		check(list_entry(l, struct program, node));
	}
	start_waiting(s);
}

/* Messages */

static void
on_peer_gone(struct service_peer *peer)
{
	struct spawner *s = spawner_of(peer);
	struct list *l, *next;

	for (l = s->programs.next; l != &s->programs; l = next) {
		struct program *p = list_entry(l, struct program, node);

		next = l->next;
		if (p->peer == peer)
			end_program(p);
	}
	for (l = s->waiting.next; l != &s->waiting; l = next) {
		struct waiting *w = list_entry(l, struct waiting, node);

		next = l->next;
		if (w->peer == peer)
			stop_waiting(s, w);
	}
}

static struct program *
by_id(struct service_peer *peer, uint32_t id)
{
	struct list *programs = &spawner_of(peer)->programs;

	for (struct list *l = programs->next; l != programs; l = l->next) {
		struct program *p = list_entry(l, struct program, node);

		if (p->peer == peer && p->id == id)
			return p;
	}
	return NULL;
}

/* Returns -EBADMSG for what no sound worker says. */
static int
on_run(struct service_peer *peer, size_t n, const int *fds, unsigned n_fds)
{
	struct spawner *s = spawner_of(peer);
	struct spawn_msg head;
	struct spawn_run run;
	int err;

	if (n_fds != 3 || spawn_run_parse(s->message, n, &run) < 0)
		return -EBADMSG;
	memcpy(&head, s->message, sizeof(head));
	if (by_id(peer, head.id) != NULL ||
	    waiting_by_id(peer, head.id) != NULL)
		return -EBADMSG;
	err = s->n_running < s->config->cgi_max ?
	    start(s, peer, head.id, &run, fds) :
	    wait_for_turn(s, peer, head.id, n, fds);
	if (err < 0)
		tell(peer, SPAWN_FAILED, head.id, -err);
	return 0;
}

static int
on_other(struct service_peer *peer, size_t n)
{
	struct spawn_msg m;
	struct program *p;
	struct waiting *w;

	if (n != sizeof(m))
		return -EBADMSG;
	memcpy(&m, spawner_of(peer)->message, sizeof(m));
	p = by_id(peer, m.id);
	w = waiting_by_id(peer, m.id);
	if (w != NULL)
		stop_waiting(spawner_of(peer), w);
	else if (m.kind == SPAWN_KILL && p != NULL)
		end_program(p);
	else if (m.kind == SPAWN_DONE && p != NULL)
		release(p);
	/* Without a program it never came to run: SPAWN_FAILED said so. */
	return m.kind == SPAWN_KILL || m.kind == SPAWN_DONE ? 0 : -EBADMSG;
}

static int
take_message(struct service_peer *peer, size_t n, const int *fds,
    unsigned n_fds)
{
	uint32_t kind;

	if (n < sizeof(struct spawn_msg))
		return -EBADMSG;
	memcpy(&kind, spawner_of(peer)->message, sizeof(kind));
	return kind == SPAWN_RUN ? on_run(peer, n, fds, n_fds) :
	    on_other(peer, n);
}

static int
on_message(struct service_peer *peer, unsigned ready)
{
	struct spawner *s = spawner_of(peer);
	int fds[CHANNEL_FDS], err;
	unsigned n_fds = CHANNEL_FDS;
	ssize_t n;

	(void)ready;
	n = channel_receive(peer->watch.fd, s->message, sizeof(s->message),
	    fds, &n_fds);
	/* Too long, or no number was free for its descriptors, which are then
	   closed: the worker sees its pipes end. */
	if (n == -EAGAIN || n == -EMSGSIZE)
		return 0;
	if (n <= 0)
		return n == 0 ? -EPIPE : (int)n;
	err = take_message(peer, (size_t)n, fds, n_fds);
	for (unsigned i = 0; i < n_fds; i++)
		close(fds[i]);
	return err;
}

static const struct service_ops service_ops = {
	.peer_bytes = sizeof(struct service_peer),
	.serve = on_message,
	.end = on_peer_gone,
};

static int
open_all(struct spawner *s, const struct spawner_setup *setup)
{
	int err;

	err = service_open(&s->service, &service_ops, setup->orders);
	if (err < 0)
		return err;
	list_init(&s->programs);
	list_init(&s->waiting);
	s->signals.fn = on_signal;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	err = signals_open(&s->signals, s->service.loop, signal_list, 1);
	launcher_init(&s->launcher, setup->cgi_root, setup->config);
	return err;
}

/* Nobody is left to read what they say. */
static void
end_all(struct spawner *s)
{
	for (struct list *l = s->programs.next; l != &s->programs; l = l->next)
		kill(-list_entry(l, struct program, node)->pid, SIGKILL);
}

int
spawner_run(const struct spawner_setup *setup)
{
	struct spawner *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (s != NULL) {
		s->config = setup->config;
		err = open_all(s, setup);
	}
	if (err == 0)
		err = service_run(&s->service);
	if (err < 0)
		log_error("spawner: %s", strerror(-err));
	if (s != NULL && s->service.loop != NULL)
		end_all(s);
	/* The process ends here: the system takes back the rest. */
	return err < 0;
}
