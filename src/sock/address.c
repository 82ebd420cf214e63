/* SPDX-License-Identifier: ISC */
/* The parser of addresses: text in, slices out, nothing else touched. */
#include "sock/address.h"

#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define HOST_MAX 255            /* of a name of the DNS: RFC 1035 2.3.4 */
#define SERVICE_MAX 32
#define PORT_MAX 65535

struct kind {
	struct str name;
	const char *(*parse)(struct str rest, struct address *a);
	enum address_kind kind;
	int family, type, protocol;
};

static bool
has_any(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\0' && strchr(set, s.p[i]) != NULL)
			return true;
	return false;
}

static bool
has_char(struct str s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

/* ------------------------------------------------------ hosts and ports */

static const char *
check_host(struct str host)
{
	if (host.n > HOST_MAX)
		return "the host is longer than 255 bytes";
	if (has_any(host, " \t\r\n/,[]@"))
		return "the host has a character that no host has";
	if (host.n > 0 && host.p[host.n - 1] == '%')
		return "the scope is missing behind %";
	return NULL;
}

static const char *
parse_port(struct str text, struct address *a)
{
	uint64_t port;
	int err = str_to_u64(text, &port);

	if (text.n == 0)
		return "the port is missing";
	if (err == 0 && port <= PORT_MAX) {
		a->port = (unsigned)port;
		return NULL;
	}
	if (err == 0 || text.p[0] == '-' ||
	    (text.p[0] >= '0' && text.p[0] <= '9'))
		return "a port is a number from 0 to 65535, or a service";
	if (text.n > SERVICE_MAX || has_any(text, " \t\r\n/,[]@%*"))
		return "no service has such a name";
	a->service = text;
	return NULL;
}

/* Takes "[HOST]" or "HOST" off *rest; ":PORT" or nothing is left. */
static const char *
take_host(struct str *rest, struct address *a)
{
	const char *end;

	if (str_starts(*rest, S("//")))
		return "no slashes stand before the host: tcp:HOST:PORT";
	if (rest->n > 0 && rest->p[0] == '[') {
		end = memchr(rest->p, ']', rest->n);
		if (end == NULL)
			return "the bracket is not closed";
		a->host = str_from(rest->p + 1, end);
		*rest = str_skip(*rest, a->host.n + 2);
		if (!has_char(a->host, ':'))
			return "brackets are for IPv6 addresses";
		if (a->family == AF_INET)
			return "an IPv6 address where IPv4 is asked for";
		a->family = AF_INET6;
		return check_host(a->host);
	}
	end = rest->n > 0 ? memchr(rest->p, ':', rest->n) : NULL;
	a->host = end != NULL ? str_from(rest->p, end) : *rest;
	*rest = str_skip(*rest, a->host.n);
	if (str_starts(*rest, S("://")))
		return "that is a URL; its server is tcp:HOST:PORT";
	if (has_char(str_skip(*rest, 1), ':'))
		return "an IPv6 address stands in brackets: [::1]:80";
	if (str_eq(a->host, S("*")))
		a->host.n = 0;
	return check_host(a->host);
}

static const char *
parse_inet(struct str rest, struct address *a)
{
	const char *comma, *wrong;

	comma = rest.n > 0 ? memchr(rest.p, ',', rest.n) : NULL;
	if (comma != NULL) {
		a->options = str_skip(rest, (size_t)(comma - rest.p) + 1);
		rest = str_from(rest.p, comma);
		if (a->options.n == 0)
			return "an option is missing behind the comma";
	}
	wrong = take_host(&rest, a);
	if (wrong != NULL)
		return wrong;
	if (rest.n > 0 && rest.p[0] != ':')
		return "only :PORT follows a bracket";
	return parse_port(str_skip(rest, 1), a);
}

/* No port, so no brackets are needed, but they do no harm. */
static const char *
parse_icmp(struct str rest, struct address *a)
{
	if (rest.n >= 2 && rest.p[0] == '[' && rest.p[rest.n - 1] == ']')
		rest = (struct str){ rest.p + 1, rest.n - 2 };
	if (rest.n == 0)
		return "the host is missing";
	a->host = rest;
	return check_host(rest);
}

/* -------------------------------------------------------- paths, numbers */

static const char *
parse_unix(struct str rest, struct address *a)
{
	a->is_abstract = rest.n > 0 && rest.p[0] == '@';
	a->path = str_skip(rest, a->is_abstract);
	if (a->path.n == 0)
		return "the path is missing";
	if (a->path.n > ADDRESS_PATH_MAX)
		return "the path is longer than 107 bytes, the room in "
		       "sockaddr_un (unix(7))";
	return NULL;
}

static const char *
parse_text(struct str rest, struct address *a)
{
	a->path = rest;
	return rest.n > 0 ? NULL : a->kind == ADDRESS_FILE ?
	    "the path is missing" : "the command is missing";
}

static const char *
parse_number(struct str text, int *out_number)
{
	uint64_t n;

	if (str_to_u64(text, &n) < 0 || n > INT_MAX)
		return "a number is missing";
	*out_number = (int)n;
	return NULL;
}

static const char *
parse_fd(struct str rest, struct address *a)
{
	return parse_number(rest, &a->fd);
}

static const char *
parse_pid(struct str rest, struct address *a)
{
	const char *wrong;
	struct str pid;

	if (!str_cut(&rest, '/', &pid) || rest.p == NULL)
		return "it is written pid:PROCESS/DESCRIPTOR";
	wrong = parse_number(pid, &a->pid);
	return wrong != NULL ? wrong : parse_number(rest, &a->fd);
}

static const char *
parse_source(struct str rest, struct address *a)
{
	static const char units[] = "kMGT";
	const char *unit = NULL;
	unsigned shift = 0;
	uint64_t n;

	if (rest.n == 0)
		return NULL;
	unit = strchr(units, rest.p[rest.n - 1]);
	if (unit != NULL && *unit != '\0') {
		shift = 10 * (unsigned)(unit - units + 1);
		rest.n--;
	}
	if (str_to_u64(rest, &n) < 0 || n > (uint64_t)INT64_MAX >> shift)
		return "a size is a number of bytes, or ends in k, M, G or T";
	a->has_size = true;
	a->size = n << shift;
	return NULL;
}

static const char *
parse_nothing(struct str rest, struct address *a)
{
	(void)a;
	return rest.n == 0 ? NULL : "nothing follows the colon";
}

/* --------------------------------------------------------------- kinds */

#define INET(name, family, type, protocol) \
	{ STR(name), parse_inet, ADDRESS_INET, family, type, protocol }
#define UNIX(name, type) \
	{ STR(name), parse_unix, ADDRESS_UNIX, AF_UNIX, type, 0 }
#define OTHER(name, parse, kind) \
	{ STR(name), parse, kind, AF_UNSPEC, 0, 0 }

static const struct kind kinds[] = {
	INET("tcp", AF_UNSPEC, SOCK_STREAM, 0),
	INET("tcp4", AF_INET, SOCK_STREAM, 0),
	INET("tcp6", AF_INET6, SOCK_STREAM, 0),
	INET("mptcp", AF_UNSPEC, SOCK_STREAM, IPPROTO_MPTCP),
	INET("udp", AF_UNSPEC, SOCK_DGRAM, 0),
	INET("udp4", AF_INET, SOCK_DGRAM, 0),
	INET("udp6", AF_INET6, SOCK_DGRAM, 0),
	UNIX("unix", SOCK_STREAM),
	UNIX("unix-dgram", SOCK_DGRAM),
	UNIX("unix-seqpacket", SOCK_SEQPACKET),
	OTHER("icmp", parse_icmp, ADDRESS_ICMP),
	OTHER("fd", parse_fd, ADDRESS_FD),
	OTHER("pid", parse_pid, ADDRESS_PID),
	OTHER("file", parse_text, ADDRESS_FILE),
	OTHER("exec", parse_text, ADDRESS_EXEC),
	OTHER("pipe", parse_nothing, ADDRESS_PIPE),
	OTHER("source", parse_source, ADDRESS_SOURCE),
	OTHER("sink", parse_nothing, ADDRESS_SINK),
	OTHER("echo", parse_nothing, ADDRESS_ECHO),
};

static const struct kind kind_stdio = OTHER("-", parse_nothing, ADDRESS_STDIO);
/* Of an address without a kind: HOST:PORT, and what looks like a path. */
static const struct kind kind_short = INET("tcp", AF_UNSPEC, SOCK_STREAM, 0);
static const struct kind kind_path = UNIX("unix", SOCK_STREAM);

static bool
looks_like_path(struct str text)
{
	return str_starts(text, S("/")) || str_starts(text, S("./")) ||
	    str_starts(text, S("../")) || str_starts(text, S("@"));
}

/* The kind, and in *rest what stands behind it. */
static const struct kind *
find_kind(struct str text, struct str *rest)
{
	struct str name, behind = text;

	*rest = str_skip(text, text.n);
	if (str_eq(text, S("-")))
		return &kind_stdio;
	*rest = text;
	if (looks_like_path(text))
		return &kind_path;
	str_cut(&behind, ':', &name);
	if (behind.p == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_eq(kinds[i].name, name)) {
			*rest = behind;
			return &kinds[i];
		}
	}
	return &kind_short;
}

const char *
address_parse(struct str text, struct address *out_address)
{
	const struct kind *kind;
	struct address a = { .fd = -1 };
	const char *wrong;
	struct str rest;

	if (has_char(text, '\0'))
		return "it has a NUL byte in it";
	kind = text.n > 0 ? find_kind(text, &rest) : NULL;
	if (kind == NULL)
		return "it is no address; KIND:REST is, like tcp:HOST:PORT or "
		       "unix:PATH";
	a.kind = kind->kind;
	a.family = kind->family;
	a.type = kind->type;
	a.protocol = kind->protocol;
	wrong = kind->parse(rest, &a);
	if (wrong == NULL)
		*out_address = a;
	return wrong;
}
