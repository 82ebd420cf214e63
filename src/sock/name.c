/* SPDX-License-Identifier: ISC */
/*
 * sock name: what a name stands for, in the order in which a program that
 * asks getaddrinfo(3) would try it; the same addresses as bytes; and what the
 * DNS alone says, which may be something else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/dns.h"
#include "sock/endpoint.h"
#include "sock/verbs.h"

struct lookup {
	struct job job;
	bool shows_bytes, connects, asks_dns;
};

#define OPTION(name, field, about) \
	{ name, 0, NULL, OPTION_FLAG, offsetof(struct lookup, field), about }

static const struct option_row options[] = {
	OPTION("bytes", shows_bytes,
	    "show ports and addresses as numbers and as they are sent"),
	OPTION("connect", connects, "try each of them, in this order"),
	OPTION("dns", asks_dns, "ask the DNS alone, too, as host and dig do"),
	{ .name = NULL },
};

#undef OPTION

/* ---------------------------------------------------------------- bytes */

static void
put_hex(char *text, size_t size, const void *p, size_t n)
{
	const unsigned char *c = p;
	size_t at = 0;

	for (size_t i = 0; i < n && at + 4 < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%02x",
		    i > 0 ? " " : "", c[i]);
}

static void
say_port(const struct endpoint *e)
{
	uint16_t network = e->u.in.sin_port, host = ntohs(network);
	char hex[8];
	struct record r;

	put_hex(hex, sizeof(hex), &network, sizeof(network));
	record_begin(&r, "port");
	record_number(&r, "host", host);
	record_number(&r, "network", network);
	record_text(&r, "bytes", hex);
	record_say(&r, SAY_ANSWER,
	    "  port     host %u (0x%04x), network %u (0x%04x), in memory %s",
	    host, host, network, network, hex);
}

/* An IPv4 address is a number, and in network order; IPv6 is 16 bytes. */
static void
say_address_bytes(const struct endpoint *e)
{
	uint32_t network = e->u.in.sin_addr.s_addr, host = ntohl(network);
	char hex[64];
	struct record r;

	record_begin(&r, "bytes");
	if (e->u.sa.sa_family == AF_INET6) {
		put_hex(hex, sizeof(hex), &e->u.in6.sin6_addr, 16);
		record_text(&r, "bytes", hex);
		record_say(&r, SAY_ANSWER, "  address  16 bytes, no order to "
		    "convert, in memory %s", hex);
		return;
	}
	put_hex(hex, sizeof(hex), &network, sizeof(network));
	record_number(&r, "host", host);
	record_number(&r, "network", network);
	record_text(&r, "bytes", hex);
	record_say(&r, SAY_ANSWER, "  address  host %u (0x%08x), network %u "
	    "(0x%08x), in memory %s", host, host, network, network, hex);
}

/* --------------------------------------------------------------- sources */

/* Text of a file's first line that begins with `key`; "" when none does. */
static void
find_line(const char *path, const char *key, char *text, size_t size)
{
	FILE *f = fopen(path, "re");
	bool is_found = false;

	text[0] = '\0';
	if (f == NULL)
		return;
	while (!is_found && fgets(text, (int)size, f) != NULL)
		is_found = strncmp(text, key, strlen(key)) == 0;
	fclose(f);
	if (!is_found)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void
say_sources(void)
{
	char line[256];
	struct record r;

	find_line("/etc/nsswitch.conf", "hosts:", line, sizeof(line));
	record_begin(&r, "sources");
	record_text(&r, "nsswitch", line[0] != '\0' ? line : NULL);
	record_say(&r, SAY_DETAIL, "asked in the order of /etc/nsswitch.conf: "
	    "%s", line[0] != '\0' ? line : "hosts: dns files");
}

/* The next word of a line of hosts(5); empty at its end or at a comment. */
static struct str
take_word(const char **line)
{
	struct str word;

	*line += strspn(*line, " \t");
	word = (struct str){ *line, strcspn(*line, " \t#") };
	*line += word.n;
	return word;
}

/* "ADDRESS NAME ALIAS..." */
static bool
line_names(const char *line, struct str host)
{
	struct str word = take_word(&line);

	while (word.n > 0) {
		word = take_word(&line);
		if (str_eq_nocase(word, host))
			return word.n > 0;
	}
	return false;
}

static bool
is_in_hosts(struct str host)
{
	FILE *f = fopen("/etc/hosts", "re");
	bool is_found = false;
	char line[1024];

	if (f == NULL)
		return false;
	while (!is_found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		is_found = line_names(line, host);
	}
	fclose(f);
	return is_found;
}

/* "localhost" without ::1 is what makes programs for IPv6 fail here. */
static void
warn_localhost(const struct target *t, const struct endpoint *list, unsigned n)
{
	bool has_v6 = false;
	struct record r;

	if (!str_eq(t->address.host, S("localhost")))
		return;
	for (unsigned i = 0; i < n; i++)
		has_v6 = has_v6 || list[i].u.sa.sa_family == AF_INET6;
	if (has_v6)
		return;
	record_begin(&r, "warning");
	record_text(&r, "what", "localhost has no IPv6 address");
	record_say(&r, SAY_STATUS, "localhost has no IPv6 address: add ::1 to "
	    "its line in /etc/hosts, or write [::1]");
}

/* ------------------------------------------------------------- DNS alone */

static void
say_dns(const char *host, const char *address, int err, const char *text)
{
	struct record r;

	record_begin(&r, "dns");
	record_text(&r, "host", host);
	record_text(&r, "address", address);
	record_errno(&r, "errno", err);
	record_say(&r, SAY_ANSWER, "DNS alone: %s", text);
}

static const char *
why_no_address(int err)
{
	switch (err) {
	case 0:
		return "no address of that name";
	case -ENOENT:
		return "no such name";
	case -ETIMEDOUT:
	case -ECONNREFUSED:
		return "no server answers";
	case -EIO:
		return "an error instead of an answer";
	default:
		return strerror(-err);
	}
}

/* Beside what getaddrinfo(3) said; that it says nothing is no failure. */
static void
show_dns(const struct job *job, const struct target *t)
{
	struct dns_address list[ENDPOINTS_MAX];
	char host[NI_MAXHOST];
	int n;

	snprintf(host, sizeof(host), "%.*s", STR_ARG(t->address.host));
	n = dns_ask(host, endpoint_family(job, &t->address), job->timeout_ms,
	    list, ENDPOINTS_MAX);
	for (int i = 0; i < n; i++)
		say_dns(host, list[i].text, 0, list[i].text);
	if (n <= 0)
		say_dns(host, NULL, n, why_no_address(n));
}

/* ------------------------------------------------------------------- run */

static void
say_address(const struct target *t, const struct endpoint *e, const char *from)
{
	bool is_v6 = e->u.sa.sa_family == AF_INET6;
	char text[ENDPOINT_TEXT];
	struct record r;

	endpoint_text(e, text);
	record_begin(&r, "address");
	record_str(&r, "host", t->address.host);
	record_text(&r, "address", text);
	record_number(&r, "family", is_v6 ? 6 : 4);
	record_number(&r, "port", ntohs(e->u.in.sin_port));
	record_text(&r, "from", from);
	record_say(&r, SAY_ANSWER, "%s  %s  %s", text, is_v6 ? "IPv6" : "IPv4",
	    from);
}

static enum outcome
try_address(const struct job *job, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT], took[SAY_UNIT_TEXT];
	struct target t;
	double since = say_seconds();
	enum outcome o;
	struct record r;
	int fd;

	o = target_parse(endpoint_text(e, text), &t);
	if (o == OUTCOME_DONE)
		o = endpoint_connect(job, &t, &fd);
	if (o != OUTCOME_DONE)
		return o;
	since = say_seconds() - since;
	record_begin(&r, "connect");
	record_text(&r, "peer", text);
	record_real(&r, "seconds", since);
	record_say(&r, SAY_ANSWER, "  connected in %s", say_time(since, took));
	call_close(fd);
	return OUTCOME_DONE;
}

/* How the address came to be: written so, or found by whom? */
static const char *
source_of(const struct target *t)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr literal;

	if (t->address.host.n == 0)
		return "wildcard";
	snprintf(host, sizeof(host), "%.*s", STR_ARG(t->address.host));
	if (inet_pton(AF_INET, host, &literal) == 1 ||
	    memchr(t->address.host.p, ':', t->address.host.n) != NULL)
		return "literal";
	return is_in_hosts(t->address.host) ? "/etc/hosts" : "resolver";
}

static enum outcome
show_all(const struct lookup *asked, const struct target *t,
    const struct endpoint *list, unsigned n)
{
	const char *from = source_of(t);
	enum outcome o = OUTCOME_DONE;

	for (unsigned i = 0; i < n; i++) {
		say_address(t, &list[i], from);
		if (asked->shows_bytes) {
			say_port(&list[i]);
			say_address_bytes(&list[i]);
		}
		if (!asked->connects)
			continue;
		o = try_address(&asked->job, &list[i]);
		if (o == OUTCOME_DONE)
			break;
	}
	return o;
}

/* HOST alone has no port, which is no reason to write one. */
static enum outcome
parse_name(const char *text, char *copy, size_t size, struct target *t)
{
	enum outcome o;
	int n;

	t->text = text;
	if (address_parse(str_of(text), &t->address) == NULL)
		return t->address.kind == ADDRESS_INET ? OUTCOME_DONE :
		    say_error(OUTCOME_USAGE, text, "not the name of a host", 0,
		    NULL);
	n = snprintf(copy, size, strchr(text, ':') != NULL && text[0] != '[' ?
	    "tcp:[%s]:0" : "tcp:%s:0", text);
	if (n < 0 || (size_t)n >= size)
		return say_error(OUTCOME_USAGE, text, "no such name", 0,
		    "it is too long");
	o = target_parse(copy, t);
	t->text = text;
	return o;
}

static enum outcome
name_run(struct job *job)
{
	const struct lookup *asked = (const struct lookup *)job;
	struct endpoint list[ENDPOINTS_MAX];
	char copy[512];
	struct target t;
	enum outcome o;
	unsigned n;

	o = parse_name(job->operands[0], copy, sizeof(copy), &t);
	if (o != OUTCOME_DONE)
		return o;
	if (asked->connects && t.address.port == 0 && t.address.service.n == 0)
		return say_error(OUTCOME_USAGE, t.text, "connect", 0,
		    "to which port?  HOST:PORT says it");
	if (asked->asks_dns && t.address.host.n > 0)
		show_dns(job, &t);
	o = endpoint_resolve(job, &t, list, &n);
	if (o != OUTCOME_DONE)
		return o;
	say_sources();
	o = show_all(asked, &t, list, n);
	warn_localhost(&t, list, n);
	return o;
}

const struct verb verb_name = {
	.name = "name",
	.operands = "HOST[:SERVICE]",
	.least = 1,
	.most = 1,
	.about = "show the addresses of a name, in the order they are tried",
	.details =
	    "With -v also where names are looked up.  nsswitch.conf(5) says\n"
	    "who is asked; --dns shows whether the DNS says the same.\n",
	.options = options,
	.connects = true,
	.size = sizeof(struct lookup),
	.run = name_run,
};
