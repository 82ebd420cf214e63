/* SPDX-License-Identifier: ISC */
/*
 * Arguments and results of socket calls in the notation of strace(1).  Names
 * of constants are in tables; what a table does not have is shown as a number.
 * Nothing is called here and nothing said: call.c and spy.c do that.
 */
#include "sock/call_priv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "sock/call.h"
#include "sock/sockopt.h"

#define SHOWN_IOVS 4

struct name {
	int value;
	const char *text;
};

#define NAME(constant) { constant, #constant }
#define END { 0, NULL }

static const struct name domains[] = {
	NAME(AF_UNIX), NAME(AF_INET), NAME(AF_INET6), NAME(AF_PACKET),
	NAME(AF_NETLINK), NAME(AF_VSOCK), END,
};

static const struct name types[] = {
	NAME(SOCK_STREAM), NAME(SOCK_DGRAM), NAME(SOCK_RAW),
	NAME(SOCK_SEQPACKET), NAME(SOCK_RDM), END,
};

static const struct name protocols[] = {
	NAME(IPPROTO_IP), NAME(IPPROTO_ICMP), NAME(IPPROTO_TCP),
	NAME(IPPROTO_UDP), NAME(IPPROTO_ICMPV6), NAME(IPPROTO_SCTP),
	NAME(IPPROTO_UDPLITE), NAME(IPPROTO_RAW), NAME(IPPROTO_MPTCP), END,
};

static const struct name msg_flags[] = {
	NAME(MSG_OOB), NAME(MSG_PEEK), NAME(MSG_DONTROUTE), NAME(MSG_TRUNC),
	NAME(MSG_DONTWAIT), NAME(MSG_EOR), NAME(MSG_WAITALL),
	NAME(MSG_ERRQUEUE), NAME(MSG_NOSIGNAL), NAME(MSG_MORE), END,
};

static const struct name type_flags[] = {
	NAME(SOCK_CLOEXEC), NAME(SOCK_NONBLOCK), END,
};

static const struct name hows[] = {
	NAME(SHUT_RD), NAME(SHUT_WR), NAME(SHUT_RDWR), END,
};

void
call_put(struct call_line *l, const char *format, ...)
{
	size_t room = sizeof(l->text) - l->n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->n, room, format, args);
	va_end(args);
	if (n > 0)
		l->n += (size_t)n < room ? (size_t)n : room - 1;
}

static const char *
find_name(const struct name *names, int value)
{
	for (; names->text != NULL; names++)
		if (names->value == value)
			return names->text;
	return NULL;
}

static void
put_name(struct call_line *l, const struct name *names, int value)
{
	const char *text = find_name(names, value);

	if (text != NULL)
		call_put(l, "%s", text);
	else
		call_put(l, "%d", value);
}

/* Names of the bits, with "|" between and, if `is_more`, in front. */
static void
put_bits(struct call_line *l, const struct name *names, int value, bool is_more)
{
	if (value == 0 && !is_more)
		call_put(l, "0");
	for (; names->text != NULL && value != 0; names++) {
		if ((value & names->value) == 0)
			continue;
		call_put(l, "%s%s", is_more ? "|" : "", names->text);
		value &= ~names->value;
		is_more = true;
	}
	if (value != 0)
		call_put(l, "%s%#x", is_more ? "|" : "", (unsigned)value);
}

/* A way to shut down is a value, the others are bits. */
void
call_put_flags(struct call_line *l, char kind, int flags)
{
	if (kind == 'h')
		put_name(l, hows, flags);
	else
		put_bits(l, kind == 't' ? type_flags : msg_flags, flags, false);
}

static void
put_byte(struct call_line *l, unsigned char c, bool is_digit_next)
{
	static const char plain[] = "\n\t\r\f\v\"\\", letters[] = "ntrfv\"\\";
	const char *at = c != '\0' ? strchr(plain, c) : NULL;

	if (at != NULL)
		call_put(l, "\\%c", letters[at - plain]);
	else if (isprint(c))
		call_put(l, "%c", c);
	else
		call_put(l, is_digit_next ? "\\%03o" : "\\%o", c);
}

void
call_put_bytes(struct call_line *l, const void *p, size_t n)
{
	const unsigned char *c = p;
	size_t shown = n < CALL_SHOWN_BYTES ? n : CALL_SHOWN_BYTES;

	call_put(l, "\"");
	for (size_t i = 0; i < shown; i++)
		put_byte(l, c[i], i + 1 < shown && isdigit(c[i + 1]));
	call_put(l, n > shown ? "\"..." : "\"");
}

static void
put_un(struct call_line *l, const struct sockaddr_un *un, socklen_t len)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);
	const char *path = un->sun_path;

	call_put(l, "{sa_family=AF_UNIX");
	if (n > 0 && path[0] == '\0') {
		call_put(l, ", sun_path=@");
		call_put_bytes(l, path + 1, n - 1);
	} else if (n > 0) {
		call_put(l, ", sun_path=\"%.*s\"", (int)strnlen(path, n), path);
	}
	call_put(l, "}");
}

static void
put_in6(struct call_line *l, const struct sockaddr_in6 *in6)
{
	char text[INET6_ADDRSTRLEN];

	call_put(l, "{sa_family=AF_INET6, sin6_port=htons(%u), "
	    "sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"%s\", &sin6_addr), "
	    "sin6_scope_id=%u}",
	    ntohs(in6->sin6_port), ntohl(in6->sin6_flowinfo),
	    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)),
	    in6->sin6_scope_id);
}

void
call_put_address(struct call_line *l, const struct sockaddr *sa, socklen_t len)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
	char text[INET_ADDRSTRLEN];

	if (sa == NULL || len < sizeof(sa->sa_family)) {
		call_put(l, "NULL");
		return;
	}
	memset(&u, 0, sizeof(u));
	memcpy(&u, sa, len < sizeof(u) ? len : sizeof(u));
	switch (sa->sa_family) {
	case AF_INET:
		call_put(l, "{sa_family=AF_INET, sin_port=htons(%u), "
		    "sin_addr=inet_addr(\"%s\")}", ntohs(u.in.sin_port),
		    inet_ntop(AF_INET, &u.in.sin_addr, text, sizeof(text)));
		return;
	case AF_INET6:
		put_in6(l, &u.in6);
		return;
	case AF_UNIX:
		put_un(l, &u.un, len);
		return;
	default:
		call_put(l, "{sa_family=%d}", sa->sa_family);
	}
}

void
call_put_length(struct call_line *l, socklen_t before, socklen_t after)
{
	if (before == after)
		call_put(l, "[%u]", (unsigned)after);
	else
		call_put(l, "[%u => %u]", (unsigned)before, (unsigned)after);
}

void
call_put_kind(struct call_line *l, int domain, int type, int protocol)
{
	int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);

	put_name(l, domains, domain);
	call_put(l, ", ");
	put_name(l, types, type & ~flags);
	put_bits(l, type_flags, flags, true);
	call_put(l, ", ");
	if (domain == AF_INET || domain == AF_INET6)
		put_name(l, protocols, protocol);
	else
		call_put(l, "%d", protocol);
}

/* Of a call that gives an address; NULL when it failed, as strace has it. */
void
call_put_given(struct call_line *l, const struct sockaddr *sa, socklen_t before,
    const socklen_t *len, bool has_failed)
{
	call_put(l, ", ");
	if (sa == NULL) {
		call_put(l, "NULL, NULL");
		return;
	}
	if (has_failed)
		call_put(l, "NULL");
	else
		call_put_address(l, sa, *len);
	call_put(l, ", ");
	call_put_length(l, before, *len);
}

void
call_put_option_value(struct call_line *l, int level, int option,
    const void *p, socklen_t len)
{
	const struct sockopt *o = sockopt_of(level, option);
	struct linger linger;
	int number;

	if (o != NULL && o->type == SOCKOPT_LINGER && len == sizeof(linger)) {
		memcpy(&linger, p, sizeof(linger));
		call_put(l, "{l_onoff=%d, l_linger=%d}", linger.l_onoff,
		    linger.l_linger);
	} else if (len == sizeof(number) &&
	    (o == NULL || o->type != SOCKOPT_TEXT)) {
		memcpy(&number, p, sizeof(number));
		call_put(l, "[%d]", number);
	} else {
		call_put_bytes(l, p, len);
	}
}

void
call_put_option(struct call_line *l, int level, int option)
{
	const struct sockopt *o = sockopt_of(level, option);
	const char *level_name = sockopt_level_name(level);

	if (o != NULL)
		call_put(l, ", %s, %s, ", level_name, o->c_name);
	else
		call_put(l, ", %d, %d, ", level, option);
}

void
call_put_msg(struct call_line *l, const struct msghdr *m, size_t n)
{
	size_t shown;

	call_put(l, ", {msg_name=");
	call_put_address(l, m->msg_name, m->msg_namelen);
	call_put(l, ", msg_namelen=%u, msg_iov=[", (unsigned)m->msg_namelen);
	for (size_t i = 0; i < m->msg_iovlen && i < SHOWN_IOVS; i++) {
		shown = m->msg_iov[i].iov_len < n ? m->msg_iov[i].iov_len : n;
		call_put(l, "%s{iov_base=", i > 0 ? ", " : "");
		call_put_bytes(l, m->msg_iov[i].iov_base, shown);
		call_put(l, ", iov_len=%zu}", m->msg_iov[i].iov_len);
		n -= n == SIZE_MAX ? 0 : shown;
	}
	call_put(l, "], msg_iovlen=%zu, msg_controllen=%zu, msg_flags=",
	    (size_t)m->msg_iovlen, (size_t)m->msg_controllen);
	call_put_flags(l, 'm', m->msg_flags);
	call_put(l, "}, ");
}

/* ---------------------------------------------------- of others' calls */

static const char *
take_text(const struct call_line *l, char text[CALL_TEXT])
{
	snprintf(text, CALL_TEXT, "%.*s", (int)l->n, l->text);
	return text;
}

const char *
call_kind_text(char text[CALL_TEXT], int domain, int type, int protocol)
{
	struct call_line l = { .n = 0 };

	call_put_kind(&l, domain, type, protocol);
	return take_text(&l, text);
}

const char *
call_address_text(char text[CALL_TEXT], const struct sockaddr *sa,
    socklen_t len)
{
	struct call_line l = { .n = 0 };

	call_put_address(&l, sa, len);
	return take_text(&l, text);
}

const char *
call_bytes_text(char text[CALL_TEXT], const void *p, size_t shown, size_t n)
{
	struct call_line l = { .n = 0 };

	call_put_bytes(&l, p, shown);
	call_put(&l, "%s", shown < n ? "..." : "");
	return take_text(&l, text);
}

const char *
call_option_text(char text[CALL_TEXT], int level, int option,
    const void *value, socklen_t len)
{
	struct call_line l = { .n = 0 };

	call_put_option(&l, level, option);
	call_put_option_value(&l, level, option, value, len);
	/* It begins with the comma behind the descriptor. */
	snprintf(text, CALL_TEXT, "%.*s", CALL_TEXT - 1,
	    l.text + strlen(", "));
	return text;
}

const char *
call_flags_text(char text[CALL_TEXT], char kind, int flags)
{
	struct call_line l = { .n = 0 };

	call_put_flags(&l, kind, flags);
	return take_text(&l, text);
}
