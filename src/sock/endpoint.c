/* SPDX-License-Identifier: ISC */
/*
 * Sockets for addresses.  Where a call fails, what is known about the reason
 * is said with it: who holds the port, which knob forbids it, what the path
 * is that stands in the way.
 */
#include "sock/endpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/holder.h"
#include "sock/call.h"
#include "sock/sockopt.h"

#define HOST_MAX 255
#define SERVICE_MAX 32

enum outcome
target_parse(const char *text, struct target *out_target)
{
	const char *wrong;

	out_target->text = text;
	wrong = address_parse(str_of(text), &out_target->address);
	if (wrong == NULL)
		return OUTCOME_DONE;
	return say_error(OUTCOME_USAGE, text, "no such address", 0, "%s",
	    wrong);
}

/* ----------------------------------------------------------- resolving */

static const char *
protocol_name(const struct address *a)
{
	return a->type == SOCK_DGRAM ? "udp" : "tcp";
}

/* /etc/services; getaddrinfo(3) reads it, and needs a host for that. */
static enum outcome
find_port(const struct target *t, unsigned *out_port)
{
	const struct address *a = &t->address;
	const struct addrinfo hints = {
		.ai_family = AF_INET,
		.ai_socktype = a->type,
		.ai_flags = AI_NUMERICHOST,
	};
	struct addrinfo *infos;
	char name[SERVICE_MAX + 1];
	struct sockaddr_in in;

	*out_port = a->port;
	if (a->service.n == 0)
		return OUTCOME_DONE;
	snprintf(name, sizeof(name), "%.*s", STR_ARG(a->service));
	if (getaddrinfo("127.0.0.1", name, &hints, &infos) != 0)
		return say_error(OUTCOME_NAME, t->text, "no such service", 0,
		    "/etc/services has no %s/%s", name, protocol_name(a));
	memcpy(&in, infos->ai_addr, sizeof(in));
	freeaddrinfo(infos);
	*out_port = ntohs(in.sin_port);
	return OUTCOME_DONE;
}

static void
from_addr(struct endpoint *e, const struct address *a, const struct addr *from)
{
	memset(e, 0, sizeof(*e));
	e->type = a->type;
	e->protocol = a->protocol;
	e->len = from->len;
	memcpy(&e->u, &from->u, from->len);
}

static int
wanted_family(const struct job *job, const struct address *a)
{
	if (a->family != AF_UNSPEC)
		return a->family;
	if (job->only_v4 != job->only_v6)
		return job->only_v4 ? AF_INET : AF_INET6;
	return AF_UNSPEC;
}

static unsigned
take_family(struct addr *addrs, unsigned n, int family)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (family == AF_UNSPEC || addrs[i].u.sa.sa_family == family)
			addrs[kept++] = addrs[i];
	return kept;
}

/* [::] before 0.0.0.0: one socket can then serve both. */
static unsigned
wildcards(struct addr *addrs, unsigned port, int family)
{
	addr_any(&addrs[0], AF_INET6, port);
	addr_any(&addrs[1], AF_INET, port);
	return take_family(addrs, 2, family);
}

static enum outcome
no_such_host(const struct target *t, int eai, int family)
{
	if (eai == EAI_SYSTEM)
		return say_error(OUTCOME_NAME, t->text, "resolve", errno,
		    NULL);
	if (eai < 0 && eai != EAI_NONAME)
		return say_error(OUTCOME_NAME, t->text, "resolve", 0, "%s",
		    gai_strerror(eai));
	return say_error(OUTCOME_NAME, t->text, "no such host", 0,
	    "%.*s has no %s", STR_ARG(t->address.host),
	    family == AF_INET ? "IPv4 address" :
	    family == AF_INET6 ? "IPv6 address" : "address");
}

static enum outcome
resolve_inet(const struct job *job, const struct target *t,
    struct endpoint *out_endpoints, unsigned *out_n)
{
	const struct address *a = &t->address;
	int family = wanted_family(job, a), found;
	struct addr addrs[ENDPOINTS_MAX];
	char host[HOST_MAX + 1];
	enum outcome o;
	unsigned port, n;

	o = find_port(t, &port);
	if (o != OUTCOME_DONE)
		return o;
	snprintf(host, sizeof(host), "%.*s", STR_ARG(a->host));
	if (a->host.n == 0) {
		n = wildcards(addrs, port, family);
	} else {
		found = addr_resolve(host, port, addrs, ENDPOINTS_MAX);
		n = found > 0 ? take_family(addrs, (unsigned)found, family) : 0;
		if (n == 0)
			return no_such_host(t, found, family);
	}
	for (unsigned i = 0; i < n; i++)
		from_addr(&out_endpoints[i], a, &addrs[i]);
	*out_n = n;
	return OUTCOME_DONE;
}

static void
from_path(struct endpoint *e, const struct address *a)
{
	size_t head = offsetof(struct sockaddr_un, sun_path);

	memset(e, 0, sizeof(*e));
	e->type = a->type;
	e->u.un.sun_family = AF_UNIX;
	memcpy(e->u.un.sun_path + a->is_abstract, a->path.p, a->path.n);
	/* The NUL belongs to a path; an abstract name is as long as it is. */
	e->len = (socklen_t)(head + a->path.n + 1);
}

enum outcome
endpoint_resolve(const struct job *job, const struct target *t,
    struct endpoint *out_endpoints, unsigned *out_n)
{
	switch ((int)t->address.kind) {
	case ADDRESS_INET:
	case ADDRESS_ICMP:
		return resolve_inet(job, t, out_endpoints, out_n);
	case ADDRESS_UNIX:
		from_path(&out_endpoints[0], &t->address);
		*out_n = 1;
		return OUTCOME_DONE;
	default:
		return say_error(OUTCOME_USAGE, t->text,
		    "not the address of a socket", 0, NULL);
	}
}

/* ---------------------------------------------------------------- text */

static const char *
unix_kind(int type)
{
	return type == SOCK_DGRAM ? "unix-dgram" :
	    type == SOCK_SEQPACKET ? "unix-seqpacket" : "unix";
}

static void
unix_text(const struct endpoint *e, char text[ENDPOINT_TEXT])
{
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t n = e->len > head ? e->len - head : 0;
	const char *path = e->u.un.sun_path;

	if (n > 0 && path[0] == '\0')
		snprintf(text, ENDPOINT_TEXT, "%s:@%.*s", unix_kind(e->type),
		    (int)(n - 1), path + 1);
	else
		snprintf(text, ENDPOINT_TEXT, "%s:%.*s", unix_kind(e->type),
		    (int)strnlen(path, n), path);
}

/* By hand: sock ls writes tens of thousands of them. */
static char *
put_in(char *at, const struct sockaddr_in *in)
{
	uint32_t ip = ntohl(in->sin_addr.s_addr);

	for (int shift = 24; shift >= 0; shift -= 8) {
		at = str_put_u64(at, ip >> shift & 0xff);
		*at++ = shift > 0 ? '.' : ':';
	}
	return str_put_u64(at, ntohs(in->sin_port));
}

static void
inet_text(const struct endpoint *e, char text[ENDPOINT_TEXT])
{
	struct addr a = { .len = e->len };
	char host[ADDR_TEXT], *at;

	at = str_put(text, e->protocol == IPPROTO_MPTCP ? S("mptcp:") :
	    e->type == SOCK_DGRAM ? S("udp:") : S("tcp:"));
	if (e->u.sa.sa_family == AF_INET) {
		*put_in(at, &e->u.in) = '\0';
		return;
	}
	memcpy(&a.u, &e->u, sizeof(a.u));
	*str_put(at, str_of(addr_text(&a, host))) = '\0';
}

const char *
endpoint_text(const struct endpoint *e, char text[ENDPOINT_TEXT])
{
	int family = e->u.sa.sa_family;

	if (family == AF_UNIX)
		unix_text(e, text);
	else if (family == AF_INET || family == AF_INET6)
		inet_text(e, text);
	else
		snprintf(text, ENDPOINT_TEXT, "family %d", family);
	return text;
}

/* What getsockname(2) does not tell. */
static int
add_kind(int fd, struct endpoint *e)
{
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &e->type, &len) == -1)
		return -errno;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &e->protocol, &len) == -1)
		return -errno;
	return 0;
}

int
endpoint_local(int fd, struct endpoint *out_endpoint)
{
	struct endpoint e = { .len = sizeof(e.u) };
	int err;

	err = call_getsockname(fd, &e.u.sa, &e.len);
	if (err == 0)
		err = add_kind(fd, &e);
	if (err == 0)
		*out_endpoint = e;
	return err;
}

int
endpoint_peer(int fd, struct endpoint *out_endpoint)
{
	struct endpoint e = { .len = sizeof(e.u) };
	int err;

	err = call_getpeername(fd, &e.u.sa, &e.len);
	if (err == 0)
		err = add_kind(fd, &e);
	if (err == 0)
		*out_endpoint = e;
	return err;
}

/* ------------------------------------------------------------- sockets */

enum outcome
endpoint_apply(const struct job *job, const struct target *t, int fd)
{
	struct str rest = t->address.options, one;
	enum outcome o;

	for (unsigned i = 0; i < job->sockopts.n; i++) {
		o = sockopt_apply(fd, t->text, str_of(job->sockopts.values[i]));
		if (o != OUTCOME_DONE)
			return o;
	}
	while (rest.n > 0 && str_cut(&rest, ',', &one)) {
		o = sockopt_apply(fd, t->text, one);
		if (o != OUTCOME_DONE)
			return o;
	}
	return OUTCOME_DONE;
}

int
endpoint_socket(const struct job *job, const struct target *t,
    const struct endpoint *e, enum outcome *out_outcome)
{
	int fd;

	fd = call_socket(e->u.sa.sa_family, e->type | SOCK_CLOEXEC,
	    e->protocol);
	if (fd < 0) {
		*out_outcome = say_error(outcome_of_local(fd), t->text,
		    "socket", fd, NULL);
		return -1;
	}
	*out_outcome = endpoint_apply(job, t, fd);
	if (*out_outcome == OUTCOME_DONE)
		return fd;
	call_close(fd);
	return -1;
}

/* ---------------------------------------------------------- connecting */

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

/* Why the kernel would not, beyond its errno. */
static enum outcome
connect_failed(const struct target *t, const struct endpoint *e, int err)
{
	const char *path = e->u.un.sun_path;
	bool is_path = e->u.sa.sa_family == AF_UNIX && path[0] != '\0';
	struct stat st;

	if (is_path && err == -ECONNREFUSED)
		return say_error(OUTCOME_PEER, t->text, "connect", err,
		    lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode) ?
		    "the path is no socket" :
		    "nobody listens; a dead server left the path");
	if (is_path && err == -EACCES)
		return say_error(OUTCOME_PEER, t->text, "connect", err,
		    "it needs write permission on the path");
	if (is_path && err == -EPROTOTYPE)
		return say_error(OUTCOME_PEER, t->text, "connect", err,
		    "the socket there is of another type");
	if (err == -EACCES)
		return say_error(OUTCOME_PEER, t->text, "connect", err,
		    "a broadcast address needs -o broadcast");
	return say_error(outcome_of_peer(err), t->text, "connect", err, NULL);
}

enum outcome
endpoint_connect(const struct job *job, const struct target *t, int *out_fd)
{
	struct endpoint list[ENDPOINTS_MAX];
	int err = 0, fd = -1;
	enum outcome o;
	unsigned n;

	o = endpoint_resolve(job, t, list, &n);
	for (unsigned i = 0; o == OUTCOME_DONE && i < n; i++) {
		fd = endpoint_socket(job, t, &list[i], &o);
		if (fd < 0)
			return o;
		autobind(fd, &list[i]);
		err = connect_within(fd, &list[i], job->timeout_ms);
		if (err == 0) {
			*out_fd = fd;
			return OUTCOME_DONE;
		}
		call_close(fd);
		if (i + 1 == n)
			return connect_failed(t, &list[i], err);
		say_tried(&list[i], err);
	}
	return o;
}

/* ----------------------------------------------------------- listening */

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
		return say_error(OUTCOME_LOCAL, t->text, "bind", EADDRINUSE,
		    "a process serves it");
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
bind_failed(const struct target *t, const struct endpoint *e, int err)
{
	char holders[256];
	bool is_inet = e->u.sa.sa_family != AF_UNIX;
	int start;

	if (is_inet && err == -EADDRINUSE && e->type == SOCK_STREAM) {
		holder_of_port(ntohs(e->u.in.sin_port), holders,
		    sizeof(holders));
		if (holders[0] != '\0')
			return say_error(OUTCOME_LOCAL, t->text, "bind", err,
			    "held by %s", holders);
	}
	if (is_inet && err == -EACCES) {
		start = unprivileged_start();
		return say_error(OUTCOME_LOCAL, t->text, "bind", err,
		    "ports below %d need CAP_NET_BIND_SERVICE; "
		    "net.ipv4.ip_unprivileged_port_start=%d", start, start);
	}
	return say_error(outcome_of_local(err), t->text, "bind", err, NULL);
}

/* -6 and tcp6: are IPv6 alone; tcp: is both on one socket. */
static void
set_both_families(const struct job *job, const struct target *t, int fd,
    const struct endpoint *e)
{
	int only = wanted_family(job, &t->address) == AF_INET6;

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
		*out_outcome = bind_failed(t, e, err);
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
		return bind_failed(t, e, err);
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

/* A kernel without IPv6 still has the IPv4 wildcard. */
static bool
has_family(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
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
	if (n > 1 && t->address.host.n == 0 && !has_family(AF_INET6))
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
