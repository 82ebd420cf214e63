/* SPDX-License-Identifier: ISC */
/*
 * sock opts: what the options of a socket are, of one of ours or, by
 * pidfd_getfd(2), of any process that we may trace.
 */
#include <errno.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/endpoint.h"
#include "sock/sockopt.h"
#include "sock/verbs.h"

struct opts {
	struct job job;
	struct option_list sets;
};

static const struct option_row options[] = {
	{ "set", 's', "NAME=VALUE", OPTION_LIST, offsetof(struct opts, sets),
	    "set this one, then show them" },
	{ .name = NULL },
};

static void
say_option(const struct sockopt *o, const char *value, int err)
{
	struct record r;

	record_begin(&r, "option");
	record_text(&r, "name", o->name);
	record_text(&r, "c_name", o->c_name);
	record_text(&r, "value", err < 0 ? NULL : value);
	record_errno(&r, "errno", err);
	record_bool(&r, "settable", o->is_settable);
	record_bool(&r, "lecture", o->is_in_lecture);
	record_text(&r, "about", o->about);
	record_say(&r, SAY_ANSWER, "%-15s %-22s %-4s %s", o->name, value,
	    o->is_settable ? "" : "get", o->about);
}

/* What this kind of socket does not have is left out, unless -v. */
static void
show_option(const struct job *job, int fd, const struct sockopt *o)
{
	char value[SOCKOPT_VALUE_TEXT] = "-";
	int err = o->is_readable ? sockopt_get(fd, o, value) : -EOPNOTSUPP;

	if (err == 0 || o->is_in_lecture || job->style.is_verbose)
		say_option(o, err < 0 ? strerrorname_np(-err) : value, err);
}

/* Without a socket: the table itself. */
static enum outcome
show_table(void)
{
	for (const struct sockopt *o = sockopt_table(); o->name != NULL; o++)
		say_option(o, o->c_name, 0);
	return OUTCOME_DONE;
}

static void
show_socket(const struct job *job, int fd)
{
	char local[ENDPOINT_TEXT], peer[ENDPOINT_TEXT] = "";
	struct endpoint l, p;
	struct record r;

	if (endpoint_local(fd, &l) < 0)
		return;
	if (endpoint_peer(fd, &p) == 0)
		endpoint_text(&p, peer);
	endpoint_text(&l, local);
	record_begin(&r, "socket");
	record_text(&r, "local", local);
	record_text(&r, "peer", peer[0] != '\0' ? peer : NULL);
	record_say(&r, SAY_STATUS, "%s%s%s", local,
	    peer[0] != '\0' ? " to " : "", peer);
	for (const struct sockopt *o = sockopt_table(); o->name != NULL; o++)
		show_option(job, fd, o);
}

/* A copy of another process's descriptor, as the same socket. */
static enum outcome
open_foreign(const struct target *t, int *out_fd)
{
	const struct address *a = &t->address;
	int pidfd = pidfd_open(a->pid, 0), fd, err;

	if (pidfd == -1)
		return say_error(OUTCOME_NAME, t->text, "process", errno,
		    NULL);
	fd = pidfd_getfd(pidfd, a->fd, 0);
	err = errno;
	close(pidfd);
	if (fd == -1 && err == EPERM)
		return say_error(OUTCOME_UNAVAILABLE, t->text, "descriptor",
		    err, "only of processes that we may trace");
	if (fd == -1)
		return say_error(OUTCOME_NAME, t->text, "descriptor", err,
		    NULL);
	*out_fd = fd;
	return OUTCOME_DONE;
}

static enum outcome
open_fresh(const struct job *job, const struct target *t, int *out_fd)
{
	struct endpoint list[ENDPOINTS_MAX];
	enum outcome o;
	unsigned n;

	o = endpoint_resolve(job, t, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	*out_fd = endpoint_socket(job, t, &list[0], &o);
	return o;
}

static enum outcome
open_socket(const struct job *job, const struct target *t, int *out_fd)
{
	switch ((int)t->address.kind) {
	case ADDRESS_PID:
		return open_foreign(t, out_fd);
	case ADDRESS_FD:
		*out_fd = dup(t->address.fd);
		if (*out_fd == -1)
			return say_error(OUTCOME_LOCAL, t->text, "descriptor",
			    errno, NULL);
		return OUTCOME_DONE;
	default:
		return open_fresh(job, t, out_fd);
	}
}

static enum outcome
set_all(const struct opts *asked, const struct target *t, int fd)
{
	enum outcome o = OUTCOME_DONE;

	for (unsigned i = 0; i < asked->sets.n && o == OUTCOME_DONE; i++)
		o = sockopt_apply(fd, t->text, str_of(asked->sets.values[i]));
	return o;
}

static enum outcome
check_socket(const struct target *t, int fd)
{
	socklen_t len = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
		return OUTCOME_DONE;
	return say_error(OUTCOME_LOCAL, t->text, "options", errno, NULL);
}

static enum outcome
opts_run(struct job *job)
{
	const struct opts *asked = (const struct opts *)job;
	struct target t;
	enum outcome o;
	int fd;

	if (job->n_operands == 0)
		return show_table();
	o = target_parse(job->operands[0], &t);
	if (o == OUTCOME_DONE)
		o = open_socket(job, &t, &fd);
	if (o != OUTCOME_DONE)
		return o;
	o = check_socket(&t, fd);
	if (o == OUTCOME_DONE)
		o = set_all(asked, &t, fd);
	if (o == OUTCOME_DONE)
		show_socket(job, fd);
	call_close(fd);
	return o;
}

const struct verb verb_opts = {
	.name = "opts",
	.operands = "[ADDR | fd:N | pid:P/FD]",
	.least = 0,
	.most = 1,
	.about = "show the options of a socket, another process's too",
	.details =
	    "For an ADDR, a new socket of its kind is asked, which is neither\n"
	    "bound nor connected.  -v shows also what the socket has not.\n",
	.options = options,
	.size = sizeof(struct opts),
	.run = opts_run,
};
