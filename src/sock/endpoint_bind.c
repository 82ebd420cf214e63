/* SPDX-License-Identifier: ISC */
/*
 * --bind: where connections and datagrams of ours come from.  It is written
 * as the peer's address is, without its kind; the port may be left out, and
 * so may the host.
 */
#include "sock/endpoint.h"

#include <errno.h>
#include <stdio.h>

#include "sock/call.h"

#define HOST_MAX 255

/* "::1" and "[::1]" have colons, but no port. */
static bool
is_host_alone(struct str s)
{
	const char *colon = memchr(s.p, ':', s.n);

	if (colon == NULL || s.p[0] == '[')
		return colon == NULL || str_ends(s, S("]"));
	return memchr(colon + 1, ':', (size_t)(s.p + s.n - colon - 1)) != NULL;
}

static enum outcome
no_local(const struct job *job, const char *why)
{
	return say_error(OUTCOME_USAGE, job->bind, "no local address", 0, "%s",
	    why);
}

/* `host` is room for a text that the address then points to. */
static enum outcome
parse_inet(const struct job *job, const struct target *t,
    char host[HOST_MAX + 8], struct address *out_address)
{
	struct str text = str_of(job->bind);
	const char *wrong;
	struct address a;

	if (text.n == 0 || text.n > HOST_MAX)
		return no_local(job, "HOST, HOST:PORT or :PORT is wanted");
	if (is_host_alone(text)) {
		snprintf(host, HOST_MAX + 8, "icmp:%s", job->bind);
		text = str_of(host);
	}
	wrong = address_parse(text, &a);
	if (wrong != NULL)
		return no_local(job, wrong);
	if ((a.kind != ADDRESS_INET && a.kind != ADDRESS_ICMP) ||
	    a.options.n > 0)
		return no_local(job, "HOST, HOST:PORT or :PORT is wanted");
	a.type = t->address.type;
	a.protocol = t->address.protocol;
	*out_address = a;
	return OUTCOME_DONE;
}

/* A path would stay behind, and would have to be removed. */
static enum outcome
parse_unix(const struct job *job, const struct target *t,
    struct address *out_address)
{
	const char *wrong = NULL;

	if (job->bind[0] == '@')
		wrong = address_parse(str_of(job->bind), out_address);
	if (job->bind[0] != '@' || wrong != NULL)
		return no_local(job, wrong != NULL ? wrong :
		    "in the UNIX domain @NAME is wanted");
	out_address->type = t->address.type;
	return OUTCOME_DONE;
}

/* The addresses that --bind may mean, for sockets that go to t. */
static enum outcome
resolve_local(const struct job *job, const struct target *t,
    struct endpoint list[ENDPOINTS_MAX], unsigned *out_n)
{
	struct target local = { .text = job->bind };
	char host[HOST_MAX + 8];
	enum outcome o;

	o = t->address.kind == ADDRESS_UNIX ?
	    parse_unix(job, t, &local.address) :
	    parse_inet(job, t, host, &local.address);
	if (o == OUTCOME_DONE)
		o = endpoint_resolve(job, &local, list, out_n);
	return o;
}

static const struct endpoint *
find_family(const struct endpoint *list, unsigned n, int family)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].u.sa.sa_family == family)
			return &list[i];
	return NULL;
}

enum outcome
endpoint_resolve_peer(const struct job *job, const struct target *t,
    struct endpoint *out_endpoints, unsigned *out_n)
{
	struct endpoint list[ENDPOINTS_MAX], locals[ENDPOINTS_MAX];
	unsigned n, n_locals, kept = 0;
	enum outcome o;

	if (job->bind == NULL)
		return endpoint_resolve(job, t, out_endpoints, out_n);
	o = endpoint_resolve(job, t, list, &n);
	if (o == OUTCOME_DONE)
		o = resolve_local(job, t, locals, &n_locals);
	if (o != OUTCOME_DONE)
		return o;
	for (unsigned i = 0; i < n; i++)
		if (find_family(locals, n_locals, list[i].u.sa.sa_family))
			out_endpoints[kept++] = list[i];
	*out_n = kept;
	return kept > 0 ? OUTCOME_DONE :
	    say_error(OUTCOME_LOCAL, job->bind, "bind", 0,
	    "from there nothing leads to %s, which is of another family",
	    t->text);
}

/* What is gone must not keep a port from us: the peer may be another one. */
static void
share_port(int fd, const struct endpoint *e)
{
	bool is_inet = e->u.sa.sa_family != AF_UNIX;

	/* The port stands at one place in IPv4 and IPv6. */
	if (is_inet && e->type == SOCK_STREAM && e->u.in.sin_port != 0)
		call_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 },
		    sizeof(int));
}

enum outcome
endpoint_bind(const struct job *job, const struct target *t, int fd, int family)
{
	const struct target local = { .text = job->bind };
	struct endpoint list[ENDPOINTS_MAX];
	const struct endpoint *e;
	enum outcome o;
	unsigned n;
	int err;

	if (job->bind == NULL)
		return OUTCOME_DONE;
	o = resolve_local(job, t, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	e = find_family(list, n, family);
	if (e == NULL)
		return say_error(OUTCOME_LOCAL, job->bind, "bind", EAFNOSUPPORT,
		    NULL);
	share_port(fd, e);
	err = call_bind(fd, &e->u.sa, e->len);
	return err < 0 ? endpoint_bind_failed(&local, e, err) : OUTCOME_DONE;
}
