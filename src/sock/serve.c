/* SPDX-License-Identifier: ISC */
/*
 * sock serve: listeners and datagram sockets on one loop, any number of
 * clients, until it is told to stop or has served enough.
 *
 * With --lecture it prints, line by line, what the lecture's readers print
 * (streamread, strchkread, dgramread, udgramread), so that the slides can be
 * typed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/engine.h"
#include "sock/call.h"
#include "sock/serve_priv.h"
#include "sock/stop.h"
#include "sock/verbs.h"

#define BACKLOG 128
#define CLIENTS_MAX 10000
#define CLIENTS_UNSAID UINT64_MAX
#define ACCEPTS 64              /* of one listener before others have a turn */

#define OPTION(name, value, type, field, about) \
	{ name, 0, value, type, offsetof(struct serve, field), about }

static const struct option_row options[] = {
	OPTION("engine", "NAME", OPTION_TEXT, engine,
	    "wait for events in this way; help lists them"),
	OPTION("echo", NULL, OPTION_FLAG, echoes, "send back what arrives"),
	OPTION("discard", NULL, OPTION_FLAG, discards,
	    "throw away what arrives"),
	OPTION("source", "[SIZE]", OPTION_TEXT, source,
	    "send zeros, so many to each, or for ever"),
	OPTION("talk", NULL, OPTION_FLAG, talks,
	    "clients have our standard input, one after the other"),
	OPTION("lecture", NULL, OPTION_FLAG, is_lecture,
	    "print the lines that the lecture's programs print"),
	OPTION("idle", "T", OPTION_TEXT, idle,
	    "say so after each such time without any event"),
	OPTION("pause", "LIST", OPTION_TEXT, pause,
	    "stand still: listen:T before accept(2), read:T, close:T"),
	OPTION("backlog", "N", OPTION_COUNT, backlog,
	    "clients that may wait to be accepted (128)"),
	OPTION("clients", "N", OPTION_COUNT, clients_max,
	    "clients at once at most (10000; processes: 256)"),
	OPTION("port-file", "FILE", OPTION_TEXT, port_file,
	    "write the ports, or paths, to this file once they are open"),
	{ .name = NULL },
};

#undef OPTION

/* --------------------------------------------------------------- saying */

enum say_where
serve_where(const struct server *s)
{
	return s->asked->is_lecture ? SAY_DETAIL : SAY_STATUS;
}

static void
say_listening(const struct server *s, const struct listener *l)
{
	bool is_unix = l->local.u.sa.sa_family == AF_UNIX;
	unsigned port = is_unix ? 0 : ntohs(l->local.u.in.sin_port);
	struct record r;

	record_begin(&r, "listen");
	record_text(&r, "local", l->text);
	record_number(&r, "fd", l->watch.fd);
	record_say(&r, serve_where(s), "%s: %s", l->text,
	    l->local.type == SOCK_DGRAM ? "receiving" : "listening");
	if (!s->asked->is_lecture)
		return;
	record_begin(&r, "line");
	if (is_unix) {
		const char *path = strchr(l->text, ':') + 1;

		record_text(&r, "path", path);
		record_say(&r, SAY_ANSWER, "socket --> %s", path);
	} else {
		record_number(&r, "port", port);
		record_say(&r, SAY_ANSWER, "Socket has port #%u", port);
	}
}

/* The lecture's lines end once, whether or not the sender's text did. */
static void
show_lecture(struct str bytes)
{
	struct record r;

	if (str_ends(bytes, S("\n")))
		bytes.n--;
	if (str_ends(bytes, S("\r")))
		bytes.n--;
	record_begin(&r, "line");
	record_str(&r, "text", bytes);
	record_say(&r, SAY_ANSWER, "--> %.*s", STR_ARG(bytes));
}

bool
serve_show(struct server *s, const char *peer, struct str bytes)
{
	ssize_t n;

	(void)peer;
	if (s->asked->is_lecture) {
		show_lecture(bytes);
		return true;
	}
	for (; bytes.n > 0; bytes = str_skip(bytes, n > 0 ? (size_t)n : 0)) {
		n = write(STDOUT_FILENO, bytes.p, bytes.n);
		if (n == -1 && errno != EINTR) {
			if (errno != EPIPE)
				s->outcome = say_error(OUTCOME_LOCAL, NULL,
				    "standard output", errno, NULL);
			loop_stop(s->loop);
			return false;
		}
	}
	return true;
}

static void
say_summary(const struct server *s)
{
	char in[SAY_UNIT_TEXT], out[SAY_UNIT_TEXT], took[SAY_UNIT_TEXT];
	struct record r;

	record_begin(&r, "end");
	record_number(&r, "clients", (int64_t)s->n_accepted);
	record_number(&r, "messages", (int64_t)s->n_messages);
	record_number(&r, "received", (int64_t)s->bytes_in);
	record_number(&r, "sent", (int64_t)s->bytes_out);
	record_say(&r, serve_where(s),
	    "%llu clients, %llu messages, received %s, sent %s in %s",
	    (unsigned long long)s->n_accepted,
	    (unsigned long long)s->n_messages, say_bytes(s->bytes_in, in),
	    say_bytes(s->bytes_out, out), say_time(say_seconds(), took));
}

/* ----------------------------------------------------------------- time */

static void
restart_idle(struct server *s)
{
	if (s->idle_ms > 0)
		loop_timer_start(s->loop, &s->idle, s->idle_ms);
}

static void
on_idle(struct timer *t)
{
	struct server *s = list_entry(t, struct server, idle);
	struct record r;

	record_begin(&r, "idle");
	if (s->asked->is_lecture)
		record_say(&r, SAY_ANSWER, "Do something else");
	else
		record_say(&r, SAY_STATUS, "idle");
	restart_idle(s);
}

static void
on_end(struct timer *t)
{
	loop_stop(list_entry(t, struct server, end)->loop);
}

static void
on_stop(struct watch *w, unsigned ready)
{
	struct server *s = list_entry(w, struct server, stop);

	(void)ready;
	s->stopped_by = stop_taken(w->fd);
	loop_stop(s->loop);
}

/* ------------------------------------------------------------- accepting */

static bool
is_enough(const struct server *s)
{
	uint64_t count = s->asked->job.count;

	return count > 0 && s->n_accepted + s->n_messages >= count;
}

/* One at a time is one address at a time: accept(2) waits for that one. */
static bool
has_turn(const struct server *s, unsigned i)
{
	return !s->listeners[i].is_standing &&
	    (s->policy != ENGINE_ONE || i == s->turn);
}

/* What is said to datagram sockets needs no accept, but perhaps their turn. */
static void
want_clients(struct server *s, unsigned wanted)
{
	for (unsigned i = 0; i < s->n_listeners; i++)
		if (s->listeners[i].local.type != SOCK_DGRAM ||
		    s->policy == ENGINE_ONE)
			loop_want(s->loop, &s->listeners[i].watch,
			    has_turn(s, i) ? wanted : 0);
}

void
serve_go_on(struct listener *l)
{
	struct server *s = l->server;
	bool is_free = l->local.type == SOCK_DGRAM && s->policy != ENGINE_ONE;

	if (has_turn(s, (unsigned)(l - s->listeners)) && !is_enough(s) &&
	    (is_free || !s->is_paused))
		loop_want(s->loop, &l->watch, READY_IN);
}

static void
pass_turn(struct server *s)
{
	s->turn = (s->turn + 1) % s->n_listeners;
	want_clients(s, READY_IN);
}

void
serve_count(struct server *s)
{
	if (s->is_child || is_enough(s)) {
		if (s->n_clients == 0)
			loop_stop(s->loop);
		return;
	}
	if (!s->is_paused || s->is_stuck || s->n_clients >= s->clients_max)
		return;
	s->is_paused = false;
	pass_turn(s);
}

void
serve_pause(struct server *s, int err)
{
	struct record r;

	if (!s->is_paused && s->policy != ENGINE_ONE) {
		record_begin(&r, "pause");
		record_errno(&r, "errno", err);
		record_say(&r, serve_where(s),
		    "accepting nobody until a client has gone: %s",
		    err != 0 ? strerror(abs(err)) : "--clients are there");
	}
	s->is_paused = true;
	want_clients(s, 0);
}

static void
take_client(struct listener *l, int fd, const struct endpoint *peer)
{
	struct server *s = l->server;
	char text[ENDPOINT_TEXT];
	struct record r;

	endpoint_text(peer, text);
	s->n_accepted++;
	record_begin(&r, "accept");
	record_text(&r, "local", l->text);
	record_text(&r, "peer", text);
	record_number(&r, "fd", fd);
	record_say(&r, serve_where(s), "%s: connection from %s", l->text, text);
	if (s->policy == ENGINE_CHILDREN)
		children_take(l, fd, text);
	else
		client_open(s, l, fd, text);
	if (s->is_child)
		return;
	if (s->n_clients >= s->clients_max)
		serve_pause(s, 0);
	if (is_enough(s))
		want_clients(s, 0);
}

/* A client that is gone before it was accepted is no failure of ours. */
static bool
is_passing(int err)
{
	return err == -EAGAIN || err == -EINTR || err == -ECONNABORTED ||
	    err == -EPROTO;
}

static void
accept_clients(struct listener *l)
{
	struct endpoint peer;
	int fd;

	for (int i = 0; i < ACCEPTS && l->watch.wanted != 0; i++) {
		peer = (struct endpoint){
			.len = sizeof(peer.u),
			.type = l->local.type,
			.protocol = l->local.protocol,
		};
		fd = call_accept(l->watch.fd, &peer.u.sa, &peer.len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			take_client(l, fd, &peer);
		else if (!is_passing(fd))
			serve_pause(l->server, fd);
		if (fd < 0)
			return;
	}
}

static void
on_ready(struct watch *w, unsigned ready)
{
	struct listener *l = list_entry(w, struct listener, watch);

	(void)ready;
	restart_idle(l->server);
	if (l->local.type != SOCK_DGRAM) {
		accept_clients(l);
		return;
	}
	message_serve(l);
	if (l->server->policy == ENGINE_ONE)
		pass_turn(l->server);
}

/* --------------------------------------------------------------- opening */

static enum outcome
open_listener(struct server *s, const char *text)
{
	struct listener *l = &s->listeners[s->n_listeners];
	struct target t;
	enum outcome o;
	int fd, err;

	o = target_parse(text, &t);
	if (o == OUTCOME_DONE)
		o = endpoint_listen(&s->asked->job, &t,
		    (int)s->asked->backlog, &fd, &l->local);
	if (o != OUTCOME_DONE)
		return o;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	l->server = s;
	l->watch = (struct watch){
		.fn = on_ready,
		.fd = fd,
		.wanted = has_turn(s, s->n_listeners) ? READY_IN : 0,
	};
	endpoint_text(&l->local, l->text);
	s->n_listeners++;
	err = loop_add(s->loop, &l->watch);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, text, "watch", err, NULL);
	say_listening(s, l);
	pause_listener(l);
	return OUTCOME_DONE;
}

static void
close_listener(struct listener *l)
{
	struct loop *loop = l->server->loop;

	loop_timer_stop(loop, &l->pause);
	loop_remove(loop, &l->watch);
	call_close(l->watch.fd);
}

static void
close_listeners(struct server *s)
{
	for (unsigned i = 0; i < s->n_listeners; i++) {
		close_listener(&s->listeners[i]);
		endpoint_unlink(&s->listeners[i].local);
	}
}

void
serve_leave(struct server *s)
{
	for (unsigned i = 0; i < s->n_listeners; i++)
		close_listener(&s->listeners[i]);
	s->n_listeners = 0;
	loop_remove(s->loop, &s->stop);
	call_close(s->stop.fd);
	s->stop.fd = -1;
	loop_timer_stop(s->loop, &s->idle);
	loop_timer_stop(s->loop, &s->end);
	s->idle_ms = 0;
}

/* Complete or not there: whoever waits for the file may read it at once. */
static enum outcome
write_ports(const struct server *s)
{
	const char *path = s->asked->port_file;
	char draft[4096];
	FILE *f;
	int n;

	if (path == NULL)
		return OUTCOME_DONE;
	n = snprintf(draft, sizeof(draft), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(draft))
		return say_error(OUTCOME_LOCAL, path, "--port-file",
		    ENAMETOOLONG, NULL);
	f = fopen(draft, "we");
	if (f == NULL)
		return say_error(OUTCOME_LOCAL, draft, "open", errno, NULL);
	for (unsigned i = 0; i < s->n_listeners; i++) {
		const struct endpoint *e = &s->listeners[i].local;

		if (e->u.sa.sa_family == AF_UNIX)
			fprintf(f, "%s\n",
			    strchr(s->listeners[i].text, ':') + 1);
		else
			fprintf(f, "%u\n", ntohs(e->u.in.sin_port));
	}
	if (fclose(f) != 0 || rename(draft, path) == -1)
		return say_error(OUTCOME_LOCAL, path, "write", errno, NULL);
	return OUTCOME_DONE;
}

static enum outcome
watch_signals(struct server *s)
{
	int fd = stop_open(), err;

	if (fd < 0)
		return say_error(OUTCOME_LOCAL, NULL, "signalfd", fd, NULL);
	s->stop = (struct watch){
		.fn = on_stop,
		.fd = fd,
		.wanted = READY_IN,
		.is_urgent = true,
	};
	err = loop_add(s->loop, &s->stop);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, NULL, "watch", err, NULL);
	return OUTCOME_DONE;
}

/* --------------------------------------------------------------- options */

static enum outcome
usage(const char *why)
{
	return say_error(OUTCOME_USAGE, NULL, "usage", 0, "%s", why);
}

static enum outcome
choose_mode(const struct serve *asked, struct server *s)
{
	bool has_command = asked->job.command != NULL;
	int n = asked->echoes + asked->discards + asked->talks + has_command +
	    (asked->source != NULL);

	if (n > 1)
		return usage("one of --echo, --discard, --source, --talk "
			     "and -- COMMAND");
	s->mode = asked->echoes ? SERVE_ECHO :
	    asked->discards ? SERVE_DISCARD :
	    asked->source != NULL ? SERVE_SOURCE :
	    has_command ? SERVE_COMMAND : SERVE_SHOW;
	if (asked->source == NULL || asked->source[0] == '\0')
		return OUTCOME_DONE;
	s->has_source_size = true;
	if (options_size(asked->source, &s->source_size) < 0)
		return usage("--source takes a size, like 512, 64k or 2M");
	return OUTCOME_DONE;
}

static enum outcome
choose_pauses(const struct serve *asked, struct server *s)
{
	if (asked->pause == NULL)
		return OUTCOME_DONE;
	if (asked->talks || asked->job.command != NULL)
		return usage("--pause is not for --talk and -- COMMAND");
	if (pauses_parse(asked->pause, &s->pauses) < 0)
		return usage("--pause takes a time, or listen:T, read:T and "
			     "close:T with commas between");
	return OUTCOME_DONE;
}

/* Commands have a process each anyway. */
static enum outcome
choose_policy(const struct serve *asked, struct server *s)
{
	const struct engine *e = engine_find(asked->engine, NULL);
	const char *lacks;

	if (e == NULL)
		return say_error(OUTCOME_USAGE, NULL, "no such engine", 0,
		    "%s; --engine=help lists them", asked->engine);
	lacks = engine_lacks(e);
	if (lacks != NULL)
		return say_error(OUTCOME_UNAVAILABLE, e->name,
		    "not available here", 0, "%s", lacks);
	s->policy = e->policy;
	if (s->policy == ENGINE_CHILDREN && s->mode == SERVE_COMMAND)
		s->policy = ENGINE_MANY;
	s->clients_max = asked->clients_max;
	if (asked->clients_max == CLIENTS_UNSAID)
		s->clients_max = e->policy == ENGINE_CHILDREN ? CHILDREN_MAX :
		    CLIENTS_MAX;
	if (s->policy == ENGINE_ONE)
		s->clients_max = 1;
	return OUTCOME_DONE;
}

static enum outcome
set_up(const struct serve *asked, struct server *s)
{
	enum outcome o;

	*s = (struct server){ .asked = asked };
	list_init(&s->clients);
	s->idle.fn = on_idle;
	s->end.fn = on_end;
	s->stop.fd = -1;
	o = choose_mode(asked, s);
	if (o == OUTCOME_DONE)
		o = choose_pauses(asked, s);
	if (o != OUTCOME_DONE)
		return o;
	if (asked->idle != NULL &&
	    (options_time(asked->idle, &s->idle_ms) < 0 || s->idle_ms == 0))
		return usage("--idle takes a time, like 5, 200ms or 2m");
	if (asked->backlog > INT16_MAX)
		return usage("--backlog is at most 32767");
	if (asked->clients_max == 0)
		return usage("--clients is at least 1");
	return choose_policy(asked, s);
}

/* ------------------------------------------------------------------- run */

static enum outcome
open_all(struct server *s)
{
	const struct job *job = &s->asked->job;
	enum outcome o;

	o = watch_signals(s);
	if (o == OUTCOME_DONE && s->policy == ENGINE_CHILDREN)
		o = children_start(s);
	for (unsigned i = 0; i < job->n_operands && o == OUTCOME_DONE; i++)
		o = open_listener(s, job->operands[i]);
	if (o == OUTCOME_DONE)
		o = write_ports(s);
	if (o == OUTCOME_DONE && job->for_ms > 0)
		loop_timer_start(s->loop, &s->end, job->for_ms);
	restart_idle(s);
	return o;
}

static enum outcome
serve_all(struct server *s)
{
	enum outcome o;
	bool is_run;
	int err;

	err = loop_open(s->asked->engine, &s->loop);
	if (err < 0)
		return say_error(OUTCOME_UNAVAILABLE, NULL, "engine", err,
		    NULL);
	o = open_all(s);
	is_run = o == OUTCOME_DONE;
	if (is_run) {
		err = loop_run(s->loop);
		o = err < 0 ? say_error(OUTCOME_LOCAL, NULL, "wait", err,
		    NULL) : s->outcome;
	}
	clients_close(s);
	close_listeners(s);
	children_stop(s);
	if (is_run && !s->is_child)
		say_summary(s);
	if (s->stop.fd >= 0)
		stop_close(s->stop.fd);
	loop_close(s->loop);
	return o;
}

/* One listener, one client at a time, all of it ours to wait for. */
static enum outcome
talk(struct server *s)
{
	enum outcome o;
	int err;

	if (s->asked->job.n_operands > 1)
		return usage("--talk has one address");
	err = loop_open(NULL, &s->loop);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, NULL, "engine", err, NULL);
	o = open_listener(s, s->asked->job.operands[0]);
	if (o == OUTCOME_DONE)
		o = write_ports(s);
	if (o == OUTCOME_DONE && s->listeners[0].local.type == SOCK_DGRAM)
		o = usage("--talk needs connections");
	if (o == OUTCOME_DONE)
		o = serve_talk(s->asked, s->listeners[0].watch.fd);
	close_listeners(s);
	loop_close(s->loop);
	return o;
}

static enum outcome
serve_run(struct job *job)
{
	const struct serve *asked = (const struct serve *)job;
	struct server s;
	enum outcome o;

	if (asked->engine != NULL && strcmp(asked->engine, "help") == 0) {
		engine_help(stdout);
		return OUTCOME_DONE;
	}
	if (job->n_operands == 0)
		return usage("sock serve ADDR...");
	signal(SIGPIPE, SIG_IGN);
	o = set_up(asked, &s);
	if (o != OUTCOME_DONE)
		return o;
	return asked->talks ? talk(&s) : serve_all(&s);
}

static void
serve_defaults(struct job *job)
{
	struct serve *asked = (struct serve *)job;

	asked->backlog = BACKLOG;
	asked->clients_max = CLIENTS_UNSAID;
}

const struct verb verb_serve = {
	.name = "serve",
	.operands = "ADDR...",
	.least = 0,
	.most = LISTENERS_MAX,
	.about = "accept connections and datagrams, show what arrives",
	.details =
	    "What arrives goes to standard output, who came to standard\n"
	    "error.  A command has its client as standard input and output,\n"
	    "and SOCK_LOCAL and SOCK_PEER in its environment.  --count\n"
	    "counts clients and datagrams; --timeout is for silent clients.\n",
	.options = options,
	.takes_command = true,
	.size = sizeof(struct serve),
	.defaults = serve_defaults,
	.run = serve_run,
};
