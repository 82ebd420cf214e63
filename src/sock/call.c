/* SPDX-License-Identifier: ISC */
/*
 * A call is made first and written down afterwards, so that its time is its
 * own.  Names of constants are in tables; what a table does not have is shown
 * as a number.
 */
#include "sock/call.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "sock/say.h"
#include "sock/sockopt.h"

#define SHOWN_IOVS 4

/* A call that is being written down. */
struct shown {
	double since, took;
	struct record json;
	size_t n;
	char text[1024];
};

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

/* ------------------------------------------------------------- writing */

static __attribute__((format(printf, 2, 3))) void
put(struct shown *s, const char *format, ...)
{
	size_t room = sizeof(s->text) - s->n;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(s->text + s->n, room, format, args);
	va_end(args);
	if (n > 0)
		s->n += (size_t)n < room ? (size_t)n : room - 1;
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
put_name(struct shown *s, const struct name *names, int value)
{
	const char *text = find_name(names, value);

	if (text != NULL)
		put(s, "%s", text);
	else
		put(s, "%d", value);
}

/* Names of the bits, with "|" between and, if `is_more`, in front. */
static void
put_flags(struct shown *s, const struct name *names, int value, bool is_more)
{
	if (value == 0 && !is_more)
		put(s, "0");
	for (; names->text != NULL && value != 0; names++) {
		if ((value & names->value) == 0)
			continue;
		put(s, "%s%s", is_more ? "|" : "", names->text);
		value &= ~names->value;
		is_more = true;
	}
	if (value != 0)
		put(s, "%s%#x", is_more ? "|" : "", (unsigned)value);
}

static void
put_byte(struct shown *s, unsigned char c, bool is_digit_next)
{
	static const char plain[] = "\n\t\r\f\v\"\\", letters[] = "ntrfv\"\\";
	const char *at = c != '\0' ? strchr(plain, c) : NULL;

	if (at != NULL)
		put(s, "\\%c", letters[at - plain]);
	else if (isprint(c))
		put(s, "%c", c);
	else
		put(s, is_digit_next ? "\\%03o" : "\\%o", c);
}

static void
put_bytes(struct shown *s, const void *p, size_t n)
{
	const unsigned char *c = p;
	size_t shown = n < CALL_SHOWN_BYTES ? n : CALL_SHOWN_BYTES;

	put(s, "\"");
	for (size_t i = 0; i < shown; i++)
		put_byte(s, c[i], i + 1 < shown && isdigit(c[i + 1]));
	put(s, n > shown ? "\"..." : "\"");
}

static void
put_un(struct shown *s, const struct sockaddr_un *un, socklen_t len)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);
	const char *path = un->sun_path;

	put(s, "{sa_family=AF_UNIX");
	if (n > 0 && path[0] == '\0') {
		put(s, ", sun_path=@");
		put_bytes(s, path + 1, n - 1);
	} else if (n > 0) {
		put(s, ", sun_path=\"%.*s\"", (int)strnlen(path, n), path);
	}
	put(s, "}");
}

static void
put_in6(struct shown *s, const struct sockaddr_in6 *in6)
{
	char text[INET6_ADDRSTRLEN];

	put(s, "{sa_family=AF_INET6, sin6_port=htons(%u), "
	    "sin6_flowinfo=htonl(%u), inet_pton(AF_INET6, \"%s\", &sin6_addr), "
	    "sin6_scope_id=%u}",
	    ntohs(in6->sin6_port), ntohl(in6->sin6_flowinfo),
	    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)),
	    in6->sin6_scope_id);
}

static void
put_address(struct shown *s, const struct sockaddr *sa, socklen_t len)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} u;
	char text[INET_ADDRSTRLEN];

	if (sa == NULL || len < sizeof(sa->sa_family)) {
		put(s, "NULL");
		return;
	}
	memset(&u, 0, sizeof(u));
	memcpy(&u, sa, len < sizeof(u) ? len : sizeof(u));
	switch (sa->sa_family) {
	case AF_INET:
		put(s, "{sa_family=AF_INET, sin_port=htons(%u), "
		    "sin_addr=inet_addr(\"%s\")}", ntohs(u.in.sin_port),
		    inet_ntop(AF_INET, &u.in.sin_addr, text, sizeof(text)));
		return;
	case AF_INET6:
		put_in6(s, &u.in6);
		return;
	case AF_UNIX:
		put_un(s, &u.un, len);
		return;
	default:
		put(s, "{sa_family=%d}", sa->sa_family);
	}
}

/* "[128 => 16]", or "[16]" when the kernel left it as it was. */
static void
put_length(struct shown *s, socklen_t before, socklen_t after)
{
	if (before == after)
		put(s, "[%u]", (unsigned)after);
	else
		put(s, "[%u => %u]", (unsigned)before, (unsigned)after);
}

/* ----------------------------------------------------- before and after */

static bool
begin(struct shown *s)
{
	if (!say_style()->shows_calls)
		return false;
	s->n = 0;
	s->text[0] = '\0';
	s->since = say_seconds();
	return true;
}

/* The call was made; errno is as it left it. */
static void
made(struct shown *s, const char *name, int fd)
{
	int saved = errno;

	s->took = say_seconds() - s->since;
	put(s, "%s(", name);
	if (fd >= 0)
		put(s, "%d", fd);
	record_begin(&s->json, "call");
	record_text(&s->json, "call", name);
	errno = saved;
}

static void
end(struct shown *s, ssize_t result, int err)
{
	put(s, ") = %zd", result);
	if (result == -1)
		put(s, " %s (%s)", strerrorname_np(err), strerror(err));
	record_text(&s->json, "text", s->text);
	record_number(&s->json, "result", result);
	record_errno(&s->json, "errno", result == -1 ? err : 0);
	record_real(&s->json, "seconds", s->took);
	record_say(&s->json, SAY_CALL, "%s <%.6f>", s->text, s->took);
}

/*
 * How every function here ends: writes the rest down if somebody looks, and
 * turns errno into the result.
 */
static ssize_t
result_of(struct shown *s, bool is_shown, ssize_t result, int err)
{
	if (is_shown)
		end(s, result, err);
	return result == -1 ? -err : result;
}

/* --------------------------------------------------------------- calls */

static void
put_kind(struct shown *s, int domain, int type, int protocol)
{
	int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK);

	put_name(s, domains, domain);
	put(s, ", ");
	put_name(s, types, type & ~flags);
	put_flags(s, type_flags, flags, true);
	put(s, ", ");
	if (domain == AF_INET || domain == AF_INET6)
		put_name(s, protocols, protocol);
	else
		put(s, "%d", protocol);
}

int
call_socket(int domain, int type, int protocol)
{
	struct shown s;
	bool is_shown = begin(&s);
	int fd = socket(domain, type, protocol), err = errno;

	if (is_shown) {
		made(&s, "socket", -1);
		put_kind(&s, domain, type, protocol);
	}
	return (int)result_of(&s, is_shown, fd, err);
}

int
call_socketpair(int domain, int type, int protocol, int out_ends[2])
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = socketpair(domain, type, protocol, out_ends), err = errno;

	if (is_shown) {
		made(&s, "socketpair", -1);
		put_kind(&s, domain, type, protocol);
		if (r == 0)
			put(&s, ", [%d, %d]", out_ends[0], out_ends[1]);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = bind(fd, sa, len), err = errno;

	if (is_shown) {
		made(&s, "bind", fd);
		put(&s, ", ");
		put_address(&s, sa, len);
		put(&s, ", %u", (unsigned)len);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = connect(fd, sa, len), err = errno;

	if (is_shown) {
		made(&s, "connect", fd);
		put(&s, ", ");
		put_address(&s, sa, len);
		put(&s, ", %u", (unsigned)len);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_listen(int fd, int backlog)
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = listen(fd, backlog), err = errno;

	if (is_shown) {
		made(&s, "listen", fd);
		put(&s, ", %d", backlog);
	}
	return (int)result_of(&s, is_shown, r, err);
}

/* Of a call that gives an address; NULL when it failed, as strace has it. */
static void
put_given(struct shown *s, const struct sockaddr *sa, socklen_t before,
    const socklen_t *len, bool has_failed)
{
	put(s, ", ");
	if (sa == NULL) {
		put(s, "NULL, NULL");
		return;
	}
	if (has_failed)
		put(s, "NULL");
	else
		put_address(s, sa, *len);
	put(s, ", ");
	put_length(s, before, *len);
}

int
call_accept(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	socklen_t before = len != NULL ? *len : 0;
	struct shown s;
	bool is_shown = begin(&s);
	int r = accept4(fd, sa, len, flags), err = errno;

	if (is_shown) {
		made(&s, "accept4", fd);
		put_given(&s, sa, before, len, r == -1);
		put(&s, ", ");
		put_flags(&s, type_flags, flags, false);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	socklen_t before = *len;
	struct shown s;
	bool is_shown = begin(&s);
	int r = getsockname(fd, sa, len), err = errno;

	if (is_shown) {
		made(&s, "getsockname", fd);
		put_given(&s, sa, before, len, r == -1);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	socklen_t before = *len;
	struct shown s;
	bool is_shown = begin(&s);
	int r = getpeername(fd, sa, len), err = errno;

	if (is_shown) {
		made(&s, "getpeername", fd);
		put_given(&s, sa, before, len, r == -1);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_shutdown(int fd, int how)
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = shutdown(fd, how), err = errno;

	if (is_shown) {
		made(&s, "shutdown", fd);
		put(&s, ", ");
		put_name(&s, hows, how);
	}
	return (int)result_of(&s, is_shown, r, err);
}

static void
put_option_value(struct shown *s, const struct sockopt *o, const void *p,
    socklen_t len)
{
	struct linger linger;
	int number;

	if (o != NULL && o->type == SOCKOPT_LINGER && len == sizeof(linger)) {
		memcpy(&linger, p, sizeof(linger));
		put(s, "{l_onoff=%d, l_linger=%d}", linger.l_onoff,
		    linger.l_linger);
	} else if (len == sizeof(number) &&
	    (o == NULL || o->type != SOCKOPT_TEXT)) {
		memcpy(&number, p, sizeof(number));
		put(s, "[%d]", number);
	} else {
		put_bytes(s, p, len);
	}
}

static void
put_option(struct shown *s, int level, int option)
{
	const struct sockopt *o = sockopt_of(level, option);
	const char *level_name = sockopt_level_name(level);

	if (o != NULL)
		put(s, ", %s, %s, ", level_name, o->c_name);
	else
		put(s, ", %d, %d, ", level, option);
}

int
call_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	socklen_t before = *len;
	struct shown s;
	bool is_shown = begin(&s);
	int r = getsockopt(fd, level, option, value, len), err = errno;

	if (is_shown) {
		made(&s, "getsockopt", fd);
		put_option(&s, level, option);
		if (r == -1)
			put(&s, "%p", value);
		else
			put_option_value(&s, sockopt_of(level, option), value,
			    *len);
		put(&s, ", ");
		put_length(&s, before, *len);
	}
	return (int)result_of(&s, is_shown, r, err);
}

int
call_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = setsockopt(fd, level, option, value, len), err = errno;

	if (is_shown) {
		made(&s, "setsockopt", fd);
		put_option(&s, level, option);
		put_option_value(&s, sockopt_of(level, option), value, len);
		put(&s, ", %u", (unsigned)len);
	}
	return (int)result_of(&s, is_shown, r, err);
}

/* ---------------------------------------------------------------- data */

ssize_t
call_sendto(int fd, const void *p, size_t n, int flags,
    const struct sockaddr *sa, socklen_t len)
{
	struct shown s;
	bool is_shown = begin(&s);
	ssize_t r = sendto(fd, p, n, flags, sa, len);
	int err = errno;

	if (is_shown) {
		made(&s, "sendto", fd);
		put(&s, ", ");
		put_bytes(&s, p, n);
		put(&s, ", %zu, ", n);
		put_flags(&s, msg_flags, flags, false);
		put(&s, ", ");
		put_address(&s, sa, len);
		put(&s, ", %u", (unsigned)len);
	}
	return result_of(&s, is_shown, r, err);
}

/* Linux has no send(2) of its own. */
ssize_t
call_send(int fd, const void *p, size_t n, int flags)
{
	return call_sendto(fd, p, n, flags, NULL, 0);
}

ssize_t
call_recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *sa,
    socklen_t *len)
{
	socklen_t before = len != NULL ? *len : 0;
	struct shown s;
	bool is_shown = begin(&s);
	ssize_t r = recvfrom(fd, p, n, flags, sa, len);
	int err = errno;

	if (is_shown) {
		made(&s, "recvfrom", fd);
		put(&s, ", ");
		put_bytes(&s, p, r < 0 ? 0 : (size_t)r < n ? (size_t)r : n);
		put(&s, ", %zu, ", n);
		put_flags(&s, msg_flags, flags, false);
		put_given(&s, sa, before, len, r == -1);
	}
	return result_of(&s, is_shown, r, err);
}

ssize_t
call_recv(int fd, void *p, size_t n, int flags)
{
	return call_recvfrom(fd, p, n, flags, NULL, NULL);
}

/* `n` bytes are in the pieces, SIZE_MAX when they all are full. */
static void
put_msg(struct shown *s, const struct msghdr *m, size_t n)
{
	size_t shown;

	put(s, ", {msg_name=");
	put_address(s, m->msg_name, m->msg_namelen);
	put(s, ", msg_namelen=%u, msg_iov=[", (unsigned)m->msg_namelen);
	for (size_t i = 0; i < m->msg_iovlen && i < SHOWN_IOVS; i++) {
		shown = m->msg_iov[i].iov_len < n ? m->msg_iov[i].iov_len : n;
		put(s, "%s{iov_base=", i > 0 ? ", " : "");
		put_bytes(s, m->msg_iov[i].iov_base, shown);
		put(s, ", iov_len=%zu}", m->msg_iov[i].iov_len);
		n -= n == SIZE_MAX ? 0 : shown;
	}
	put(s, "], msg_iovlen=%zu, msg_controllen=%zu, msg_flags=",
	    (size_t)m->msg_iovlen, (size_t)m->msg_controllen);
	put_flags(s, msg_flags, m->msg_flags, false);
	put(s, "}, ");
}

ssize_t
call_sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct shown s;
	bool is_shown = begin(&s);
	ssize_t r = sendmsg(fd, m, flags);
	int err = errno;

	if (is_shown) {
		made(&s, "sendmsg", fd);
		put_msg(&s, m, SIZE_MAX);
		put_flags(&s, msg_flags, flags, false);
	}
	return result_of(&s, is_shown, r, err);
}

ssize_t
call_recvmsg(int fd, struct msghdr *m, int flags)
{
	struct shown s;
	bool is_shown = begin(&s);
	ssize_t r = recvmsg(fd, m, flags);
	int err = errno;

	if (is_shown) {
		made(&s, "recvmsg", fd);
		put_msg(&s, m, r < 0 ? 0 : (size_t)r);
		put_flags(&s, msg_flags, flags, false);
	}
	return result_of(&s, is_shown, r, err);
}

ssize_t
call_read(int fd, void *p, size_t n)
{
	struct shown s;
	bool is_shown = begin(&s);
	ssize_t r = read(fd, p, n);
	int err = errno;

	if (is_shown) {
		made(&s, "read", fd);
		put(&s, ", ");
		put_bytes(&s, p, r < 0 ? 0 : (size_t)r);
		put(&s, ", %zu", n);
	}
	return result_of(&s, is_shown, r, err);
}

ssize_t
call_write(int fd, const void *p, size_t n)
{
	struct shown s;
	bool is_shown = begin(&s);
	ssize_t r = write(fd, p, n);
	int err = errno;

	if (is_shown) {
		made(&s, "write", fd);
		put(&s, ", ");
		put_bytes(&s, p, n);
		put(&s, ", %zu", n);
	}
	return result_of(&s, is_shown, r, err);
}

int
call_close(int fd)
{
	struct shown s;
	bool is_shown = begin(&s);
	int r = close(fd), err = errno;

	if (is_shown)
		made(&s, "close", fd);
	return (int)result_of(&s, is_shown, r, err);
}

/* ---------------------------------------------------- of others' calls */

static const char *
take_text(const struct shown *s, char text[CALL_TEXT])
{
	snprintf(text, CALL_TEXT, "%.*s", (int)s->n, s->text);
	return text;
}

const char *
call_kind_text(char text[CALL_TEXT], int domain, int type, int protocol)
{
	struct shown s = { .n = 0 };

	put_kind(&s, domain, type, protocol);
	return take_text(&s, text);
}

const char *
call_address_text(char text[CALL_TEXT], const struct sockaddr *sa,
    socklen_t len)
{
	struct shown s = { .n = 0 };

	put_address(&s, sa, len);
	return take_text(&s, text);
}

const char *
call_bytes_text(char text[CALL_TEXT], const void *p, size_t shown, size_t n)
{
	struct shown s = { .n = 0 };

	put_bytes(&s, p, shown);
	put(&s, "%s", shown < n ? "..." : "");
	return take_text(&s, text);
}

const char *
call_option_text(char text[CALL_TEXT], int level, int option,
    const void *value, socklen_t len)
{
	struct shown s = { .n = 0 };

	put_option(&s, level, option);
	put_option_value(&s, sockopt_of(level, option), value, len);
	/* It begins with the comma behind the descriptor. */
	snprintf(text, CALL_TEXT, "%.*s", CALL_TEXT - 1,
	    s.text + strlen(", "));
	return text;
}

const char *
call_flags_text(char text[CALL_TEXT], char kind, int flags)
{
	struct shown s = { .n = 0 };

	if (kind == 'h')
		put_name(&s, hows, flags);
	else
		put_flags(&s, kind == 't' ? type_flags : msg_flags, flags,
		    false);
	return take_text(&s, text);
}
