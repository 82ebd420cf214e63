/* SPDX-License-Identifier: ISC */
/*
 * One program, from its beginning to its end: three pipes, watched only while
 * something is waited for.  What it reads is in cgi_input.c, what it writes in
 * cgi_output.c, and what it complains of goes to the log from here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "http/status.h"
#include "net/channel.h"
#include "site/cgi_head.h"
#include "site/cgi_priv.h"

#define COMPLAINTS_MAX 20       /* lines of standard error a second */

/* Pipes */

void
cgi_close_end(struct cgi *c, struct watch *w)
{
	if (w->fd == -1)
		return;
	loop_remove(c->service->loop, w);
	close(w->fd);
	w->fd = -1;
}

/* Opens a pipe: our end goes to *w, the program's end is returned. */
static int
open_pipe(struct cgi *c, struct watch *w, bool we_write)
{
	int ends[2], theirs = we_write ? 0 : 1, err;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -errno;
	w->fd = ends[1 - theirs];
	w->wanted = 0;
	err = fcntl(w->fd, F_SETFL, O_NONBLOCK) == -1 ? -errno :
	    loop_add(c->service->loop, w);
	if (err < 0) {
		close(ends[0]);
		close(ends[1]);
		w->fd = -1;
		return err;
	}
	return ends[theirs];
}

/* Complaints */

void
cgi_complain(struct cgi *c, const char *what)
{
	log_error("cgi-bin/%.*s: %s", STR_ARG(c->script.path), what);
}

/* The program's standard error, line by line, but not without end. */
static void
log_complaints(struct cgi *c, struct str text)
{
	struct cgi_service *s = c->service;
	int64_t now = loop_now_ms(s->loop);
	struct str line;

	if (now - s->complaints_ms >= 1000) {
		s->complaints_ms = now;
		s->complaints = 0;
	}
	while (str_cut(&text, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (++s->complaints > COMPLAINTS_MAX)
			return;
		if (line.n > 512)
			line.n = 512;
		log_error("cgi-bin/%.*s: %.*s", STR_ARG(c->script.path),
		    STR_ARG(line));
	}
}

static void
read_complaints(struct cgi *c)
{
	char text[4096];
	ssize_t n;

	if (c->err.fd == -1)
		return;
	n = read(c->err.fd, text, sizeof(text));
	if (n > 0)
		log_complaints(c, (struct str){ text, (size_t)n });
	else if (n == 0 || errno != EAGAIN)
		cgi_close_end(c, &c->err);
}

static void
on_complaint(struct watch *w, unsigned ready)
{
	(void)ready;
	read_complaints(list_entry(w, struct cgi, err));
}

/* Patience */

void
cgi_expect(struct cgi *c)
{
	/* Only the first start can fail, and that is checked. */
	loop_timer_start(c->service->loop, &c->idle,
	    c->service->setup.idle_ms);
}

static void
on_idle(struct timer *t)
{
	struct cgi *c = list_entry(t, struct cgi, idle);
	bool waits = (c->out.fd != -1 && c->out.wanted != 0) ||
	    (c->in.fd != -1 && c->in.wanted != 0);

	/* It is the client who is waited for. */
	if (!waits) {
		cgi_expect(c);
		return;
	}
	cgi_complain(c, "it did nothing for too long and is ended");
	cgi_refuse(c, REASON_CGI_TIME);
	exchange_wake(c->x);
}

/* The end */

void
cgi_refuse(struct cgi *c, enum reason r)
{
	c->has_failed = true;
	/* It has begun: cgi_pull breaks it off. */
	if (!c->x->is_pending)
		return;
	exchange_refuse(c->x, r);
	c->x->is_pending = false;
}

/* Or has the client left before the end? */
static bool
is_complete(const struct cgi *c)
{
	return !c->has_failed && c->has_head && (c->has_ended ||
	    c->left == 0 || c->x->req.method == METHOD_HEAD ||
	    !status_has_content(c->x->res.status));
}

static void
cgi_end(struct exchange *x)
{
	struct cgi *c = cgi_of(x);

	read_complaints(c);
	if (c->is_started)
		cgi_tell(c->service, is_complete(c) ? SPAWN_DONE :
		    SPAWN_KILL, c->id);
	cgi_close_end(c, &c->in);
	cgi_close_end(c, &c->out);
	cgi_close_end(c, &c->err);
	if (c->spool != -1)
		close(c->spool);
	loop_timer_stop(c->service->loop, &c->idle);
	list_remove(&c->node);
	c->service->n_programs--;
	buf_fini(&c->content);
	buf_fini(&c->output);
	c->service->spool_left += c->spooled;
	x->handler_state = NULL;
	x->is_full = false;
	free(c);
}

static const struct handler cgi_handler = {
	.content = cgi_on_content,
	.content_end = cgi_on_content_end,
	.close = cgi_end,
};

/* The beginning */

static int
send_run(struct cgi *c, const int fds[3])
{
	uint64_t length = LENGTH_UNKNOWN;
	struct buf message;
	int err;

	/* Else more could end than there is room to say so: cgi_tell. */
	if (c->service->unsent.n > 0)
		return -EAGAIN;
	if (c->spool != -1)
		length = c->spooled;
	else if (c->x->req.content_length > 0 ||
	    request_has(&c->x->req, FIELD_CONTENT_LENGTH))
		length = c->x->req.content_length;
	buf_init(&message, SPAWN_MSG_MAX);
	err = cgi_write_message(&message, &c->service->setup, c->x,
	    &c->script, length, c->id);
	if (err == 0)
		err = channel_send(c->service->channel.fd, message.p,
		    message.n, fds, 3);
	buf_fini(&message);
	return err;
}

void
cgi_start(struct cgi *c, int in)
{
	int fds[3] = { in, -1, -1 }, err = 0;

	if (in == -1)
		err = fds[0] = open_pipe(c, &c->in, true);
	if (err >= 0)
		err = fds[1] = open_pipe(c, &c->out, false);
	if (err >= 0)
		err = fds[2] = open_pipe(c, &c->err, false);
	if (err >= 0)
		err = send_run(c, fds);
	if (in == -1 && fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	if (fds[2] >= 0)
		close(fds[2]);
	if (err < 0) {
		cgi_refuse(c, err == -EAGAIN || err == -EPIPE ? REASON_BUSY :
		    err == -ENOBUFS ? REASON_FIELDS_SIZE :
		    reason_of_errno(-err));
		return;
	}
	c->is_started = true;
	loop_want(c->service->loop, &c->out, READY_IN);
	loop_want(c->service->loop, &c->err, READY_IN);
}

struct cgi *
cgi_new(struct cgi_service *s, struct site *site, struct exchange *x,
    const struct script *script)
{
	struct cgi *c = malloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct cgi){
		.service = s,
		.site = site,
		.x = x,
		.script = *script,
		.id = ++s->last_id,
		.in = { .fn = cgi_on_writable, .fd = -1 },
		.out = { .fn = cgi_on_output, .fd = -1 },
		.err = { .fn = on_complaint, .fd = -1 },
		.idle.fn = on_idle,
		.spool = -1,
		.left = LENGTH_UNKNOWN,
	};
	if (loop_timer_start(s->loop, &c->idle, s->setup.idle_ms) < 0) {
		free(c);
		return NULL;
	}
	buf_init(&c->content, (size_t)4 * LOOP_SCRATCH);
	buf_init(&c->output, CGI_HEAD_MAX + 2 * CGI_READ_BYTES);
	list_append(&s->programs, &c->node);
	s->n_programs++;
	x->handler = &cgi_handler;
	x->handler_state = c;
	x->is_pending = true;
	return c;
}

void
cgi_begin(struct cgi *c)
{
	if (c->x->req.is_chunked) {
		c->spool = memfd_create("sws-content", MFD_CLOEXEC);
		if (c->spool == -1)
			cgi_refuse(c, reason_of_errno(errno));
	} else {
		cgi_start(c, c->x->req.content_length > 0 ? -1 :
		    c->service->null);
	}
}
