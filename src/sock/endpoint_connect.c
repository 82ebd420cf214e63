/* SPDX-License-Identifier: ISC */
/*
 * The client's side of endpoint.h.  Where connect(2) fails, what is known
 * about the reason is said with it.
 */
#include "sock/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "sock/call.h"

/* The rest of a connect(2) that did not wait. */
static int
await_connect(int fd, int64_t timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int n, err;

	n = poll(&p, 1, (int)(timeout_ms < INT32_MAX ? timeout_ms : INT32_MAX));
	if (n <= 0)
		return n == 0 ? -ETIMEDOUT : -errno;
	n = call_getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return n < 0 ? n : -err;
}

static int
connect_within(int fd, const struct endpoint *e, int64_t timeout_ms)
{
	int flags, err;

	if (timeout_ms == 0)
		return call_connect(fd, &e->u.sa, e->len);
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	err = call_connect(fd, &e->u.sa, e->len);
	if (err == -EINPROGRESS)
		err = await_connect(fd, timeout_ms);
	fcntl(fd, F_SETFL, flags);
	return err;
}

/* An answer needs an address to go to: the kernel makes one up (unix(7)). */
static void
autobind(int fd, const struct endpoint *e)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (e->u.sa.sa_family == AF_UNIX && e->type == SOCK_DGRAM)
		call_bind(fd, (struct sockaddr *)&un, sizeof(sa_family_t));
}

/* Negative after a message; then *out_outcome says which. */
static int
open_socket(const struct job *job, const struct target *t,
    const struct endpoint *e, enum outcome *out_outcome)
{
	int fd = endpoint_socket(job, t, e, out_outcome);

	if (fd < 0)
		return -1;
	if (job->bind == NULL)
		autobind(fd, e);
	else
		*out_outcome = endpoint_bind(job, t, fd, e->u.sa.sa_family);
	if (*out_outcome == OUTCOME_DONE)
		return fd;
	call_close(fd);
	return -1;
}

static void
say_tried(const struct endpoint *e, int err)
{
	char text[ENDPOINT_TEXT];
	struct record r;

	endpoint_text(e, text);
	record_begin(&r, "tried");
	record_text(&r, "peer", text);
	record_errno(&r, "errno", err);
	record_say(&r, SAY_STATUS, "%s: connect: %s", text, strerror(-err));
}

/* What is behind an errno, and what can be done about it. */
struct reason {
	int err;
	const char *why;
};

static const struct reason path_reasons[] = {
	{ EACCES, "it needs write permission on the path" },
	{ EAGAIN, "its queue of clients is full" },
	{ ECONNREFUSED, "nobody listens; a dead server left the path" },
	{ ENOENT, "nobody has made that path" },
	{ EPROTOTYPE, "the socket there is of another type" },
	{ .why = NULL },
};

static const struct reason name_reasons[] = {
	{ EAGAIN, "its queue of clients is full" },
	{ ECONNREFUSED, "nobody has that name" },
	{ EPROTOTYPE, "the socket there is of another type" },
	{ .why = NULL },
};

static const struct reason inet_reasons[] = {
	{ EACCES, "a broadcast address needs -o broadcast" },
	{ EADDRNOTAVAIL, "no local port is free to go there; "
	    "net.ipv4.ip_local_port_range" },
	{ ECONNREFUSED, "nobody listens there" },
	{ EHOSTUNREACH, "no neighbour or router answers for it" },
	{ EINVAL, "a link-local address needs its interface: "
	    "[fe80::1%eth0]:80" },
	{ ENETUNREACH, "no route leads there; see ip route" },
	{ EPERM, "a packet filter of this host forbids it" },
	{ .why = NULL },
};

static const char *
find_reason(const struct endpoint *e, int err)
{
	const char *path = e->u.un.sun_path;
	bool is_unix = e->u.sa.sa_family == AF_UNIX;
	const struct reason *r = !is_unix ? inet_reasons :
	    path[0] == '\0' ? name_reasons : path_reasons;
	struct stat st;

	if (r == path_reasons && err == -ECONNREFUSED &&
	    lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return "the path is no socket";
	while (r->why != NULL && r->err != -err)
		r++;
	return r->why;
}

static enum outcome
connect_failed(const struct job *job, const struct target *t,
    const struct endpoint *e, int err)
{
	const char *why = find_reason(e, err);

	if (job->bind != NULL && err == -EADDRNOTAVAIL)
		return say_error(OUTCOME_LOCAL, job->bind, "connect", err,
		    "%s has or had a connection from there", t->text);
	if (job->bind != NULL && err == -EINVAL)
		return say_error(OUTCOME_LOCAL, job->bind, "connect", err,
		    "from there nothing leads to %s", t->text);
	return say_error(outcome_of_peer(err), t->text, "connect", err,
	    why != NULL ? "%s" : NULL, why);
}

enum outcome
endpoint_connect(const struct job *job, const struct target *t, int *out_fd)
{
	struct endpoint list[ENDPOINTS_MAX];
	int err = 0, fd = -1;
	enum outcome o;
	unsigned n;

	o = endpoint_resolve_peer(job, t, list, &n);
	for (unsigned i = 0; o == OUTCOME_DONE && i < n; i++) {
		/* A kernel without IPv6 reaches the others all the same. */
		if (i + 1 < n &&
		    !endpoint_has_family(list[i].u.sa.sa_family)) {
			say_tried(&list[i], -EAFNOSUPPORT);
			continue;
		}
		fd = open_socket(job, t, &list[i], &o);
		if (fd < 0)
			return o;
		err = connect_within(fd, &list[i], job->timeout_ms);
		if (err == 0) {
			*out_fd = fd;
			return OUTCOME_DONE;
		}
		call_close(fd);
		if (i + 1 == n)
			return connect_failed(job, t, &list[i], err);
		say_tried(&list[i], err);
	}
	return o;
}
