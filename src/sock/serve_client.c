/* SPDX-License-Identifier: ISC */
/*
 * Clients of sock serve that have a connection.  What could not be sent yet
 * waits in the client's own buffer, and nothing more is read from it until
 * that is gone: a slow client slows nobody but itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/serve_priv.h"
#include "sock/stop.h"

struct client {
	struct list node;
	struct watch watch;     /* of the socket, or of the command's pidfd */
	struct timer timer;     /* --timeout */
	struct timer pause;     /* --pause */
	struct server *server;
	uint64_t bytes_in, bytes_out;
	uint64_t left;          /* of --source=SIZE */
	struct buf unsent;
	int child;              /* of a command; 0: none */
	bool is_ended;          /* it sends no more */
	bool is_standing;       /* nothing is read before the pause is over */
	bool is_closing;        /* what follows the pause is close(2) */
	char peer[ENDPOINT_TEXT];
};

static void
say_end(const struct client *c, int err)
{
	const struct server *s = c->server;
	char in[SAY_UNIT_TEXT], out[SAY_UNIT_TEXT];
	struct record r;

	record_begin(&r, "close");
	record_text(&r, "peer", c->peer);
	record_number(&r, "received", (int64_t)c->bytes_in);
	record_number(&r, "sent", (int64_t)c->bytes_out);
	record_errno(&r, "errno", err);
	record_say(&r, serve_where(s), "%s: ended%s%s: received %s, sent %s",
	    c->peer, err != 0 ? ", " : "", err != 0 ? strerror(-err) : "",
	    say_bytes(c->bytes_in, in), say_bytes(c->bytes_out, out));
	if (!s->asked->is_lecture)
		return;
	record_begin(&r, "line");
	record_say(&r, SAY_ANSWER, "Ending connection");
}

static void
client_free(struct client *c)
{
	loop_timer_stop(c->server->loop, &c->timer);
	loop_timer_stop(c->server->loop, &c->pause);
	list_remove(&c->node);
	c->server->n_clients--;
	buf_fini(&c->unsent);
	free(c);
}

static void
client_end(struct client *c, int err)
{
	struct server *s = c->server;

	loop_remove(s->loop, &c->watch);
	call_close(c->watch.fd);
	say_end(c, err);
	client_free(c);
	serve_count(s);
}

static void
restart_timer(struct client *c)
{
	int64_t after_ms = c->server->asked->job.timeout_ms;

	if (after_ms > 0)
		loop_timer_start(c->server->loop, &c->timer, after_ms);
}

static void
on_timeout(struct timer *t)
{
	client_end(list_entry(t, struct client, timer), -ETIMEDOUT);
}

/* -------------------------------------------------------------- sending */

/* 0, or what ended the client. */
static int
send_bytes(struct client *c, struct str bytes)
{
	ssize_t n;

	n = call_send(c->watch.fd, bytes.p, bytes.n, MSG_NOSIGNAL);
	if (n == -EAGAIN || n == -EINTR)
		n = 0;
	if (n < 0)
		return (int)n;
	c->bytes_out += (uint64_t)n;
	c->server->bytes_out += (uint64_t)n;
	return buf_add(&c->unsent, str_skip(bytes, (size_t)n));
}

static int
send_unsent(struct client *c)
{
	ssize_t n;

	n = call_send(c->watch.fd, c->unsent.p, c->unsent.n, MSG_NOSIGNAL);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	c->bytes_out += (uint64_t)n;
	c->server->bytes_out += (uint64_t)n;
	buf_consume(&c->unsent, (size_t)n);
	return 0;
}

/* Zeros, a piece at a time, out of the loop's memory. */
static int
send_zeros(struct client *c)
{
	char *zeros = loop_scratch(c->server->loop);
	size_t n = LOOP_SCRATCH;
	ssize_t sent;

	if (c->server->has_source_size && c->left < n)
		n = (size_t)c->left;
	memset(zeros, 0, n);
	sent = call_send(c->watch.fd, zeros, n, MSG_NOSIGNAL);
	if (sent == -EAGAIN || sent == -EINTR)
		return 0;
	if (sent < 0)
		return (int)sent;
	c->bytes_out += (uint64_t)sent;
	c->server->bytes_out += (uint64_t)sent;
	c->left -= c->server->has_source_size ? (uint64_t)sent : 0;
	return 0;
}

/* ------------------------------------------------------------- receiving */

static int
take_bytes(struct client *c, struct str bytes)
{
	struct server *s = c->server;

	c->bytes_in += bytes.n;
	s->bytes_in += bytes.n;
	if (s->mode == SERVE_ECHO)
		return send_bytes(c, bytes);
	if (s->mode == SERVE_SHOW && !serve_show(s, c->peer, bytes))
		return -EPIPE;
	return 0;
}

static int
receive(struct client *c)
{
	char *room = loop_scratch(c->server->loop);
	ssize_t n;

	n = call_recv(c->watch.fd, room, LOOP_SCRATCH, 0);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	if (n == 0)
		c->is_ended = true;
	return n == 0 ? 0 : take_bytes(c, (struct str){ room, (size_t)n });
}

static bool
has_all_sent(const struct client *c)
{
	const struct server *s = c->server;

	if (s->mode == SERVE_SOURCE)
		return s->has_source_size && c->left == 0;
	return c->is_ended && c->unsent.n == 0;
}

static unsigned
wanted_of(const struct client *c)
{
	unsigned wanted = 0;

	if (c->unsent.n > 0 || c->server->mode == SERVE_SOURCE)
		wanted |= READY_OUT;
	if (!c->is_ended && !c->is_standing && c->unsent.n == 0)
		wanted |= READY_IN;
	return wanted;
}

static void
on_pause_over(struct timer *t)
{
	struct client *c = list_entry(t, struct client, pause);

	if (c->is_closing) {
		client_end(c, 0);
		return;
	}
	c->is_standing = false;
	restart_timer(c);
	loop_want(c->server->loop, &c->watch, wanted_of(c));
}

static void
stand_still(struct client *c, const char *before, int64_t ms)
{
	struct server *s = c->server;

	loop_timer_stop(s->loop, &c->timer);
	loop_timer_start(s->loop, &c->pause, ms);
	pause_say(s, c->peer, before, ms);
}

static void
client_finish(struct client *c)
{
	int64_t ms = c->server->pauses.close_ms;

	if (ms == 0) {
		client_end(c, 0);
		return;
	}
	c->is_closing = true;
	loop_want(c->server->loop, &c->watch, 0);
	stand_still(c, "close", ms);
}

static void
on_client(struct watch *w, unsigned ready)
{
	struct client *c = list_entry(w, struct client, watch);
	int err = 0;

	if (c->server->idle_ms > 0)
		loop_timer_start(c->server->loop, &c->server->idle,
		    c->server->idle_ms);
	if (!c->is_standing)
		restart_timer(c);
	if ((ready & READY_OUT) && c->unsent.n > 0)
		err = send_unsent(c);
	else if ((ready & READY_OUT) && c->server->mode == SERVE_SOURCE)
		err = send_zeros(c);
	if (err == 0 && (ready & READY_IN))
		err = receive(c);
	if (err < 0)
		client_end(c, err);
	else if (has_all_sent(c))
		client_finish(c);
	else
		loop_want(c->server->loop, w, wanted_of(c));
}

/* -------------------------------------------------------------- commands */

static void
on_child(struct watch *w, unsigned ready)
{
	struct client *c = list_entry(w, struct client, watch);

	(void)ready;
	if (waitpid(c->child, NULL, WNOHANG) == 0)
		return;
	c->child = 0;
	client_end(c, 0);
}

static void
become_command(const struct server *s, const struct listener *l, int fd,
    const char *peer)
{
	char **command = s->asked->job.command;
	int flags;

	stop_forget();
	signal(SIGPIPE, SIG_DFL);
	/* A program expects to wait. */
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	setenv("SOCK_LOCAL", l->text, 1);
	setenv("SOCK_PEER", peer, 1);
	execvp(command[0], command);
	say_error(OUTCOME_LOCAL, command[0], "execute", errno, NULL);
	_exit(127);
}

/* The child has the connection; what we watch is the child. */
static int
start_command(struct client *c, const struct listener *l)
{
	int socket_fd = c->watch.fd, err;

	c->child = fork();
	if (c->child == 0)
		become_command(c->server, l, socket_fd, c->peer);
	err = -errno;
	if (c->child == -1) {
		c->child = 0;
		return err;
	}
	c->watch.fn = on_child;
	c->watch.fd = pidfd_open(c->child, 0);
	if (c->watch.fd == -1) {
		err = -errno;
		c->watch.fd = socket_fd;
		return err;
	}
	call_close(socket_fd);
	return 0;
}

/* --------------------------------------------------------------- opening */

static void
refuse(struct client *c, int err)
{
	struct server *s = c->server;

	say_error(OUTCOME_LOCAL, c->peer, "serve", err,
	    err == -EMFILE ? "%s" : NULL,
	    "the engine cannot watch so many descriptors");
	call_close(c->watch.fd);
	client_free(c);
	serve_count(s);
}

void
client_open(struct server *s, const struct listener *l, int fd,
    const char *peer)
{
	struct client *c = calloc(1, sizeof(*c));
	int err = 0;

	if (c == NULL) {
		call_close(fd);
		return;
	}
	c->server = s;
	c->left = s->source_size;
	c->timer.fn = on_timeout;
	c->pause.fn = on_pause_over;
	c->is_standing = s->pauses.read_ms > 0;
	c->watch = (struct watch){ .fn = on_client, .fd = fd };
	snprintf(c->peer, sizeof(c->peer), "%s", peer);
	buf_init(&c->unsent, LOOP_SCRATCH);
	list_append(&s->clients, &c->node);
	s->n_clients++;
	if (s->mode == SERVE_COMMAND)
		err = start_command(c, l);
	c->watch.wanted = (unsigned char)wanted_of(c);
	if (err == 0)
		err = loop_add(s->loop, &c->watch);
	if (err < 0)
		refuse(c, err);
	else if (c->is_standing)
		stand_still(c, "read", s->pauses.read_ms);
	else if (c->child == 0)
		restart_timer(c);
}

/* Commands have their client for themselves and go on. */
void
clients_close(struct server *s)
{
	struct client *c;

	while (!list_is_empty(&s->clients)) {
		c = list_entry(s->clients.next, struct client, node);
		loop_remove(s->loop, &c->watch);
		call_close(c->watch.fd);
		client_free(c);
	}
}
