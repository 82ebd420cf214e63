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
	bool has_all_kinds;
};

/* The columns of --all-kinds. */
static const struct {
	const char *name;
	int family, type;
} kinds[] = {
	{ "tcp4", AF_INET, SOCK_STREAM },
	{ "tcp6", AF_INET6, SOCK_STREAM },
	{ "udp4", AF_INET, SOCK_DGRAM },
	{ "udp6", AF_INET6, SOCK_DGRAM },
	{ "unix", AF_UNIX, SOCK_STREAM },
	{ "unix-dgram", AF_UNIX, SOCK_DGRAM },
	{ "unix-seqpacket", AF_UNIX, SOCK_SEQPACKET },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define CELL_BYTES 12

static const struct option_row options[] = {
	{ "set", 's', "NAME=VALUE", OPTION_LIST, offsetof(struct opts, sets),
	    "set this one, then show them" },
	{ "all-kinds", 'a', NULL, OPTION_FLAG,
	    offsetof(struct opts, has_all_kinds),
	    "one table with new sockets of each kind" },
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

/* What none of them has is left out, as the force options are. */
static void
show_row(const struct sockopt *o, const int fds[KINDS])
{
	char line[KINDS * (CELL_BYTES + SOCKOPT_VALUE_TEXT)];
	char value[SOCKOPT_VALUE_TEXT];
	struct record r;
	size_t n = 0;
	bool has_any = false;
	int err;

	record_begin(&r, "option");
	record_text(&r, "name", o->name);
	for (size_t i = 0; i < KINDS; i++) {
		err = o->is_readable && fds[i] >= 0 ?
		    sockopt_get(fds[i], o, value) : -EOPNOTSUPP;
		has_any = has_any || err == 0;
		record_text(&r, kinds[i].name, err == 0 ? value : NULL);
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %-*s",
		    i + 1 < KINDS ? CELL_BYTES - 1 : 0,
		    err == 0 ? value : "-");
	}
	if (has_any)
		record_say(&r, SAY_ANSWER, "%-15s%s", o->name, line);
	else
		record_drop(&r);
}

static void
show_heading(void)
{
	char line[KINDS * CELL_BYTES + 1];
	struct record r;
	size_t n = 0;

	for (size_t i = 0; i < KINDS; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %-*s",
		    i + 1 < KINDS ? CELL_BYTES - 1 : 0, kinds[i].name);
	record_begin(&r, "kinds");
	record_say(&r, SAY_STATUS, "%-15s%s", "", line);
}

/* What is asked is the same for all; a kernel may lack one of them. */
static enum outcome
show_all_kinds(const struct opts *asked)
{
	int fds[KINDS];

	if (asked->job.n_operands > 0 || asked->sets.n > 0)
		return say_error(OUTCOME_USAGE, NULL, "usage", 0,
		    "--all-kinds shows new sockets: no ADDR, no --set");
	for (size_t i = 0; i < KINDS; i++)
		fds[i] = call_socket(kinds[i].family,
		    kinds[i].type | SOCK_CLOEXEC, 0);
	show_heading();
	for (const struct sockopt *o = sockopt_table(); o->name != NULL; o++)
		show_row(o, fds);
	for (size_t i = 0; i < KINDS; i++)
		if (fds[i] >= 0)
			call_close(fds[i]);
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

	if (asked->has_all_kinds)
		return show_all_kinds(asked);
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
