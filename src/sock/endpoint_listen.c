/* SPDX-License-Identifier: ISC */
/*
 * The server's side of endpoint.h.  Where a call fails, what is known about
 * the reason is said with it: who holds the address, which knob forbids it,
 * what the path is that stands in the way.
 */
#include "sock/endpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/holders.h"

#define HOLDERS_TEXT 256

static bool
has_path(const struct endpoint *e)
{
	return e->u.sa.sa_family == AF_UNIX && e->u.un.sun_path[0] != '\0';
}

/* Does nobody answer at this path?  Only then is it dead. */
static bool
is_dead(const struct endpoint *e)
{
	bool is_refused;
	int fd;

	fd = socket(AF_UNIX, e->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return false;
	is_refused = connect(fd, &e->u.sa, e->len) == -1 &&
	    errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

/* Other users' processes cannot be named. */
static enum outcome
say_in_use(const struct target *t, const struct endpoint *e)
{
	char holders[HOLDERS_TEXT];

	holders_of(e, holders, sizeof(holders));
	return say_error(OUTCOME_LOCAL, t->text, "bind", EADDRINUSE,
	    "held by %s", holders[0] != '\0' ? holders : "somebody else");
}

/*
 * A path that is in use.  Only a dead socket of our own is removed: what
 * others put there, or is no socket, has to be dealt with by a person.
 */
static enum outcome
clear_path(const struct target *t, const struct endpoint *e)
{
	const char *path = e->u.un.sun_path;
	struct record r;
	struct stat st;

	if (lstat(path, &st) == -1)
		return say_error(OUTCOME_LOCAL, t->text, "bind", errno, NULL);
	if (!S_ISSOCK(st.st_mode))
		return say_error(OUTCOME_LOCAL, t->text, "bind", EADDRINUSE,
		    "there is something that is no socket; it is left alone");
	if (st.st_uid != geteuid())
		return say_error(OUTCOME_LOCAL, t->text, "bind", EADDRINUSE,
		    "the socket there is another user's (uid %u)",
		    (unsigned)st.st_uid);
	if (!is_dead(e))
		return say_in_use(t, e);
	if (unlink(path) == -1)
		return say_error(OUTCOME_LOCAL, t->text, "unlink", errno,
		    NULL);
	record_begin(&r, "unlink");
	record_text(&r, "path", path);
	record_say(&r, SAY_STATUS, "%s: removed a dead socket", t->text);
	return OUTCOME_DONE;
}

static int
unprivileged_start(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	char line[16] = "";
	bool has_line;

	if (f == NULL)
		return 1024;
	has_line = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	return has_line ? (int)strtol(line, NULL, 10) : 1024;
}

static enum outcome
say_forbidden_port(const struct target *t)
{
	int start = unprivileged_start();

	return say_error(OUTCOME_LOCAL, t->text, "bind", EACCES,
	    "ports below %d need CAP_NET_BIND_SERVICE; "
	    "net.ipv4.ip_unprivileged_port_start=%d", start, start);
}

enum outcome
endpoint_bind_failed(const struct target *t, const struct endpoint *e, int err)
{
	bool is_inet = e->u.sa.sa_family != AF_UNIX;
	const char *why = NULL;

	if (err == -EADDRINUSE)
		return say_in_use(t, e);
	if (is_inet && err == -EACCES)
		return say_forbidden_port(t);
	if (is_inet && err == -EADDRNOTAVAIL)
		why = "no interface here has this address; see ip address";
	else if (err == -EACCES)
		why = "it needs write permission on the directory";
	else if (err == -ENOENT)
		why = "the directory is missing";
	return say_error(outcome_of_local(err), t->text, "bind", err,
	    why != NULL ? "%s" : NULL, why);
}

/* -6 and tcp6: are IPv6 alone; tcp: is both on one socket. */
static void
set_both_families(const struct job *job, const struct target *t, int fd,
    const struct endpoint *e)
{
	int only = endpoint_family(job, &t->address) == AF_INET6;

	if (e->u.sa.sa_family == AF_INET6)
		call_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only,
		    sizeof(only));
	if (e->u.sa.sa_family != AF_UNIX && e->type == SOCK_STREAM)
		call_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 },
		    sizeof(int));
}

static int
bind_socket(const struct target *t, int fd, const struct endpoint *e,
    enum outcome *out_outcome)
{
	int err = call_bind(fd, &e->u.sa, e->len);

	*out_outcome = OUTCOME_DONE;
	if (err == -EADDRINUSE && has_path(e)) {
		*out_outcome = clear_path(t, e);
		if (*out_outcome != OUTCOME_DONE)
			return -1;
		err = call_bind(fd, &e->u.sa, e->len);
	}
	if (err < 0)
		*out_outcome = endpoint_bind_failed(t, e, err);
	return err < 0 ? -1 : 0;
}

/* Which file it is that bind(2) has just made. */
static ino_t
path_inode(const struct endpoint *e)
{
	struct stat st;

	return has_path(e) && lstat(e->u.un.sun_path, &st) == 0 ? st.st_ino : 0;
}

static enum outcome
start_listening(const struct target *t, int fd, const struct endpoint *e,
    int backlog, struct endpoint *out_local)
{
	int err = 0;

	if (e->type != SOCK_DGRAM)
		err = call_listen(fd, backlog);
	/* Two with SO_REUSEADDR may bind one port; then this one fails. */
	if (err < 0)
		return endpoint_bind_failed(t, e, err);
	err = endpoint_local(fd, out_local);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, t->text, "getsockname", err,
		    NULL);
	out_local->inode = path_inode(out_local);
	return OUTCOME_DONE;
}

static enum outcome
listen_on(const struct job *job, const struct target *t,
    const struct endpoint *e, int backlog, int *out_fd,
    struct endpoint *out_local)
{
	enum outcome o;
	int fd;

	fd = endpoint_socket(job, t, e, &o);
	if (fd < 0)
		return o;
	set_both_families(job, t, fd, e);
	if (bind_socket(t, fd, e, &o) == 0) {
		o = start_listening(t, fd, e, backlog, out_local);
		if (o == OUTCOME_DONE)
			*out_fd = fd;
		else if (has_path(e))
			unlink(e->u.un.sun_path);
	}
	if (o != OUTCOME_DONE)
		call_close(fd);
	return o;
}

/* Whoever started us has opened it, as inetd(8) and systemd(1) do. */
static enum outcome
take_listener(const struct target *t, int *out_fd, struct endpoint *out_local)
{
	int fd = t->address.fd, is_listening = 0, err;
	socklen_t len = sizeof(is_listening);

	err = call_getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening,
	    &len);
	if (err == 0)
		err = endpoint_local(fd, out_local);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, t->text, "descriptor", err,
		    NULL);
	if (out_local->type != SOCK_DGRAM && !is_listening)
		return say_error(OUTCOME_LOCAL, t->text, "descriptor", EINVAL,
		    "it does not listen");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	*out_fd = fd;
	return OUTCOME_DONE;
}

enum outcome
endpoint_listen(const struct job *job, const struct target *t, int backlog,
    int *out_fd, struct endpoint *out_local)
{
	struct endpoint list[ENDPOINTS_MAX];
	const struct endpoint *e = list;
	enum outcome o;
	unsigned n;

	if (t->address.kind == ADDRESS_FD)
		return take_listener(t, out_fd, out_local);
	o = endpoint_resolve(job, t, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	assert(n > 0);
	/* A kernel without IPv6 still has the IPv4 wildcard. */
	if (n > 1 && t->address.host.n == 0 && !endpoint_has_family(AF_INET6))
		e++;
	return listen_on(job, t, e, backlog, out_fd, out_local);
}

void
endpoint_unlink(const struct endpoint *local)
{
	const char *path = local->u.un.sun_path;
	struct stat st;

	if (has_path(local) && lstat(path, &st) == 0 &&
	    st.st_ino == local->inode)
		unlink(path);
}
