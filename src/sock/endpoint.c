/* SPDX-License-Identifier: ISC */
/*
 * From the addresses of people to those of the kernel and back, and sockets
 * that fit them.  endpoint_connect.c and endpoint_listen.c use them.
 */
#include "sock/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

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

int
endpoint_family(const struct job *job, const struct address *a)
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
	int family = endpoint_family(job, a), found;
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

/* Of a ping socket the port is its identifier, of a raw one its protocol. */
static struct str
inet_kind(const struct endpoint *e)
{
	if (e->type == SOCK_RAW)
		return S("raw:");
	if (e->protocol == IPPROTO_MPTCP)
		return S("mptcp:");
	if (e->protocol == IPPROTO_ICMP || e->protocol == IPPROTO_ICMPV6)
		return S("icmp:");
	return e->type == SOCK_DGRAM ? S("udp:") : S("tcp:");
}

static void
inet_text(const struct endpoint *e, char text[ENDPOINT_TEXT])
{
	struct addr a = { .len = e->len };
	char host[ADDR_TEXT], *at;

	at = str_put(text, inet_kind(e));
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

bool
endpoint_has_family(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
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
