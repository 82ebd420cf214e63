/* SPDX-License-Identifier: ISC */
/*
 * The parent of all: what the others are told, and what comes after the end of
 * one.
 */
#include "server/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "net/engine.h"
#include "server/supervisor_priv.h"
#include "server/title.h"

#define KILL_AFTER_MS 1000      /* behind the end of the grace */

/* SIGHUP comes last: it is left out where it is to be ignored. */
static const int signal_list[] = {
	SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGHUP
};
#define N_SIGNALS (sizeof(signal_list) / sizeof(signal_list[0]))

static void
leave(struct command *c)
{
	struct supervisor *s = supervisor_of(c);

	signals_close(&s->signals, signal_list, s->n_signals);
	if (s->lookout.watch.fd != -1)
		close(s->lookout.watch.fd);
	if (s->ready != -1)
		close(s->ready);
}

/* Calls f for each crew. */
static void
each_crew(struct supervisor *s, void (*f)(struct crew *c))
{
	struct list *crews = &s->command.crews;
	struct list *l, *next;

	for (l = crews->next; l != crews; l = next) {
		next = l->next;
		f(list_entry(l, struct crew, node));
	}
}

/* The end of children */

static void
tell_end(struct child *c, int status, const char *what_next)
{
	char name[CHILD_NAME];

	child_name(c, name);
	if (WIFSIGNALED(status))
		log_error("%s was ended by signal %d (%s)%s", name,
		    WTERMSIG(status), strsignal(WTERMSIG(status)), what_next);
	else
		log_error("%s ended with status %d%s", name,
		    WEXITSTATUS(status), what_next);
}

static void
on_child_end(struct supervisor *s, struct child *c, int status)
{
	struct crew *crew = c->crew;

	child_bury(c);
	if (s->is_stopping)
		return;
	if (crew->state == CREW_RETIRED) {
		if (status != 0)
			tell_end(c, status, "");
	} else if (crew->state == CREW_COMING) {
		tell_end(c, status, "");
		supervisor_abandon(s, crew);
		return;
	} else {
		tell_end(c, status, "; a new one is started");
		child_restart(c);
	}
	supervisor_advance(s);
}

static struct child *
find_child(struct supervisor *s, pid_t pid)
{
	struct list *crews = &s->command.crews;
	struct child *c = NULL;

	for (struct list *l = crews->next; l != crews && c == NULL;
	    l = l->next)
		c = crew_find(list_entry(l, struct crew, node), pid);
	return c;
}

static void
free_if_gone(struct crew *c)
{
	if (c->running == 0 && c->state == CREW_RETIRED)
		crew_free(c);
}

static unsigned
count_running(struct supervisor *s)
{
	struct list *crews = &s->command.crews;
	unsigned n = 0;

	for (struct list *l = crews->next; l != crews; l = l->next)
		n += list_entry(l, struct crew, node)->running;
	return n;
}

static void
reap(struct supervisor *s)
{
	struct child *c;
	int status;
	pid_t pid;

	/* One SIGCHLD may stand for many; as PID 1 there are others', too. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		c = find_child(s, pid);
		if (c != NULL)
			on_child_end(s, c, status);
	}
	each_crew(s, free_if_gone);
	if (s->is_stopping && count_running(s) == 0)
		loop_stop(s->command.loop);
	else if (!s->is_stopping && s->looks_later)
		supervisor_look(s);
}

/* The end of all */

static void
on_kill(struct timer *t)
{
	each_crew(list_entry(t, struct supervisor, kill), crew_kill);
}

static void
stop_gently(struct crew *c)
{
	crew_dismiss(c);
	crew_tell(c, ORDER_STOP);
}

static void
stop_now(struct crew *c)
{
	crew_tell(c, ORDER_STOP_NOW);
}

static void
stop(struct supervisor *s)
{
	bool is_second = s->is_stopping;
	int64_t after_ms = KILL_AFTER_MS;

	if (!is_second)
		after_ms += s->setup->config->grace_ms;
	s->is_stopping = true;
	loop_timer_stop(s->command.loop, &s->step);
	listeners_close(s->setup->listeners);
	each_crew(s, is_second ? stop_now : stop_gently);
	if (count_running(s) == 0 ||
	    loop_timer_start(s->command.loop, &s->kill, after_ms) < 0)
		loop_stop(s->command.loop);
}

/* Signals */

static void
tell_log(struct crew *c)
{
	crew_tell_workers(c, ORDER_LOG);
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
	close(s->command.log_fd);
	s->command.log_fd = fd;
	each_crew(s, tell_log);
}

/*
 * SIGHUP says that the terminal is gone.  Nobody but an operator says so to a
 * daemon, who expects of it what other daemons do.
 */
static void
on_signal(struct signals *signals, int signo)
{
	struct supervisor *s = list_entry(signals, struct supervisor, signals);
	bool is_daemon = s->setup->config->mode == MODE_DAEMON;

	if (signo == SIGCHLD)
		reap(s);
	else if (signo == SIGUSR1 || (signo == SIGHUP && is_daemon))
		reopen_log(s);
	else
		stop(s);
}

/* As nohup(1) leaves it to what shall outlive its terminal. */
static bool
is_hangup_ignored(void)
{
	struct sigaction now;

	return sigaction(SIGHUP, NULL, &now) == 0 &&
	    now.sa_handler == SIG_IGN;
}

static int
catch_signals(struct supervisor *s)
{
	bool is_daemon = s->setup->config->mode == MODE_DAEMON;

	s->n_signals = N_SIGNALS;
	if (!is_daemon && is_hangup_ignored())
		s->n_signals--;
	s->signals.fn = on_signal;
	return signals_open(&s->signals, s->command.loop, signal_list,
	    s->n_signals);
}

/* The beginning */

/* The tree is ours to free in either case. */
static int
start_all(struct supervisor *s)
{
	struct crew *c;
	int err;

	err = loop_open("poll", &s->command.loop);
	if (err < 0) {
		tree_free(s->setup->tree);
		return err;
	}
	lookout_open(&s->lookout, s->command.loop);
	err = catch_signals(s);
	if (err == 0) {
		c = crew_start(&s->command, s->setup->tree, CREW_SERVING, &err);
		err = c == NULL ? -ENOMEM : err;
	}
	return err;
}

/* Once all run, so that the first byte does not wait for it. */
static void
tell_ready(struct supervisor *s)
{
	if (s->ready != -1) {
		(void)!write(s->ready, "", 1);
		close(s->ready);
		s->ready = -1;  /* children born later must not close it */
	}
	supervisor_look(s);
}

int
supervisor_run(const struct supervisor_setup *setup)
{
	struct supervisor s = {
		.command = {
			.setup = setup,
			.log_fd = setup->log_fd,
			.has_forks = engine_find(setup->config->engine,
			    NULL)->policy == ENGINE_CHILDREN,
			.leave = leave,
			.reported = supervisor_on_reported,
		},
		.setup = setup,
		.ready = setup->ready,
		.kill.fn = on_kill,
		.step.fn = supervisor_on_overdue,
		.lookout = {
			.paths = { setup->config->root,
			    setup->config->cgi_root },
			.changed = supervisor_on_change,
			.watch.fd = -1,
		},
	};
	int err;

	title_set("supervisor");
	list_init(&s.command.crews);
	err = start_all(&s);
	if (err == 0) {
		tell_ready(&s);
		err = loop_run(s.command.loop);
	}
	if (err < 0)
		log_error("supervisor: %s", strerror(-err));
	each_crew(&s, crew_free);
	lookout_close(&s.lookout);
	if (s.command.loop != NULL)
		loop_close(s.command.loop);
	return err < 0;
}
