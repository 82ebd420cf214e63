/* SPDX-License-Identifier: ISC */
/* Which program a path names, and the channel to the spawner that runs it. */
#include "site/cgi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/path.h"
#include "net/channel.h"
#include "site/cgi_priv.h"
#include "site/spawn_msg.h"

#define PREFIX S("cgi-bin/")
#define SPOOLS_MAX ((uint64_t)256 << 20)        /* of all programs */

/*
 * The longest beginning of the path that names a file.  As a file has nothing
 * below it, that is the first one met on the way.
 */
static enum reason
find_script(const struct cgi_service *s, struct exchange *x, struct str path,
    struct script *out_script)
{
	struct str below = str_skip(path, PREFIX.n), rest = below, name;
	struct stat st;
	char *upto;
	int err = -ENOENT;

	while (rest.n > 0 && str_cut(&rest, '/', &name)) {
		struct str head = str_from(below.p, name.p + name.n);

		upto = arena_cstr(&x->arena, head);
		if (upto == NULL)
			return REASON_MEMORY;
		err = resolve_stat(s->setup.root, upto, s->setup.symlinks,
		    &st);
		if (err < 0)
			return reason_of_errno(-err);
		if (S_ISDIR(st.st_mode))
			continue;
		if (path_is_hidden(head))
			return REASON_HIDDEN;
		if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
			return REASON_NOT_EXECUTABLE;
		out_script->path = (struct str){ upto, head.n };
		out_script->info = arena_dup(&x->arena,
		    str_skip(below, head.n));
		return out_script->info.p == NULL ? REASON_MEMORY :
		    REASON_NONE;
	}
	return REASON_MISSING;
}

bool
cgi_is_path(struct str path)
{
	return str_starts(path, PREFIX);
}

void
cgi_answer(struct cgi_service *s, struct site *site, struct exchange *x,
    struct str path)
{
	struct script script;
	enum reason r;
	struct cgi *c;

	r = find_script(s, x, path, &script);
	/* Before the spawner knows of all that ended, nothing begins: so many
	   ends can never wait that there is no room for one. */
	if (r == REASON_NONE && (s->channel.fd == -1 || s->unsent.n > 0 ||
	    s->n_programs >= 2 * s->setup.max_programs))
		r = REASON_BUSY;
	if (r == REASON_NONE && exchange_retain(x) < 0)
		r = REASON_MEMORY;
	c = r == REASON_NONE ? cgi_new(s, site, x, &script) : NULL;
	if (c != NULL)
		cgi_begin(c);
	else
		exchange_refuse(x, r == REASON_NONE ? REASON_MEMORY : r);
}

static struct cgi *
by_id(struct cgi_service *s, uint32_t id)
{
	for (struct list *l = s->programs.next; l != &s->programs;
	    l = l->next) {
		struct cgi *c = list_entry(l, struct cgi, node);

		if (c->id == id)
			return c;
	}
	return NULL;
}

static void
on_failed(struct cgi *c, int err)
{
	cgi_complain(c, strerror(err));
	cgi_refuse(c, err == EAGAIN || err == ENOMEM ? REASON_BUSY :
	    err == EACCES ? REASON_NOT_EXECUTABLE : REASON_CGI_RUN);
	exchange_wake(c->x);
}

static void
on_ended(struct cgi *c, int status)
{
	char text[64];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "ended by signal %d",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(text, sizeof(text), "ended with status %d",
		    WEXITSTATUS(status));
	else
		return;
	cgi_complain(c, text);
}

/* All that ran is lost; the pipes have broken or soon will. */
static void
disconnect(struct cgi_service *s)
{
	if (s->channel.fd == -1)
		return;
	loop_remove(s->loop, &s->channel);
	close(s->channel.fd);
	s->channel.fd = -1;
	buf_fini(&s->unsent);
}

/* What the channel has no room for must not be lost: programs would stay. */
void
cgi_tell(struct cgi_service *s, enum spawn_kind kind, uint32_t id)
{
	struct spawn_msg m = { .kind = kind, .id = id };

	if (s->channel.fd == -1 || (s->unsent.n == 0 &&
	    channel_send(s->channel.fd, &m, sizeof(m), NULL, 0) != -EAGAIN))
		return;
	/* Without memory: when its channel is closed it ends them all. */
	if (buf_add(&s->unsent, (struct str){ (char *)&m, sizeof(m) }) < 0)
		disconnect(s);
	else
		loop_want(s->loop, &s->channel, READY_IN | READY_OUT);
}

static void
send_unsent(struct cgi_service *s)
{
	while (s->unsent.n > 0 && channel_send(s->channel.fd, s->unsent.p,
	    sizeof(struct spawn_msg), NULL, 0) != -EAGAIN)
		buf_consume(&s->unsent, sizeof(struct spawn_msg));
	if (s->unsent.n == 0)
		loop_want(s->loop, &s->channel, READY_IN);
}

static void
on_message(struct watch *w, unsigned ready)
{
	struct cgi_service *s = list_entry(w, struct cgi_service, channel);
	struct spawn_msg m;
	unsigned n_fds = 0;
	struct cgi *c;
	ssize_t n;

	if (ready & READY_OUT)
		send_unsent(s);
	n = channel_receive(w->fd, &m, sizeof(m), NULL, &n_fds);
	if (n == -EAGAIN)
		return;
	if (n != sizeof(m)) {
		disconnect(s);
		return;
	}
	c = by_id(s, m.id);
	if (c == NULL)
		return;
	if (m.kind == SPAWN_FAILED)
		on_failed(c, m.value);
	else if (m.kind == SPAWN_ENDED)
		on_ended(c, m.value);
}

void
cgi_reconnect(struct cgi_service *s, int channel)
{
	disconnect(s);
	if (channel == -1)
		return;
	/* Urgent: why a program was not run comes before its pipe's end. */
	s->channel = (struct watch){
		.fn = on_message,
		.fd = channel,
		.wanted = READY_IN,
		.is_urgent = true,
	};
	if (loop_add(s->loop, &s->channel) < 0) {
		close(channel);
		s->channel.fd = -1;
	}
}

int
cgi_open(struct loop *l, const struct cgi_setup *setup, int channel,
    struct cgi_service **out_service)
{
	struct cgi_service *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->null == -1) {
		free(s);
		return -errno;
	}
	s->loop = l;
	s->setup = *setup;
	s->spool_left = SPOOLS_MAX;
	s->channel.fd = -1;
	list_init(&s->programs);
	/* A message for each that runs or waits: no more can be ending. */
	buf_init(&s->unsent, 2 * setup->max_programs *
	    sizeof(struct spawn_msg));
	cgi_reconnect(s, channel);
	*out_service = s;
	return 0;
}

void
cgi_close(struct cgi_service *s)
{
	if (s == NULL)
		return;
	disconnect(s);
	close(s->null);
	free(s);
}
