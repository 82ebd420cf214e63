/* SPDX-License-Identifier: ISC */
/*
 * A call is made first and written down afterwards, so that its time is its
 * own.  How arguments and results look stands in call_text.c.
 */
#include "sock/call.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "sock/call_priv.h"
#include "sock/say.h"

/* A call that is being written down. */
struct shown {
	double since, took;
	struct record json;
	struct call_line line;
};

/* ----------------------------------------------------- before and after */

static bool
begin(struct shown *s)
{
	if (!say_style()->shows_calls)
		return false;
	s->line.n = 0;
	s->line.text[0] = '\0';
	s->since = say_seconds();
	return true;
}

/* The call was made; errno is as it left it. */
static void
made(struct shown *s, const char *name, int fd)
{
	int saved = errno;

	s->took = say_seconds() - s->since;
	call_put(&s->line, "%s(", name);
	if (fd >= 0)
		call_put(&s->line, "%d", fd);
	record_begin(&s->json, "call");
	record_text(&s->json, "call", name);
	errno = saved;
}

static void
end(struct shown *s, ssize_t result, int err)
{
	call_put(&s->line, ") = %zd", result);
	if (result == -1)
		call_put(&s->line, " %s (%s)", strerrorname_np(err),
		    strerror(err));
	record_text(&s->json, "text", s->line.text);
	record_number(&s->json, "result", result);
	record_errno(&s->json, "errno", result == -1 ? err : 0);
	record_real(&s->json, "seconds", s->took);
	record_say(&s->json, SAY_CALL, "%s <%.6f>", s->line.text, s->took);
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

int
call_socket(int domain, int type, int protocol)
{
	struct shown s;
	bool is_shown = begin(&s);
	int fd = socket(domain, type, protocol), err = errno;

	if (is_shown) {
		made(&s, "socket", -1);
		call_put_kind(&s.line, domain, type, protocol);
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
		call_put_kind(&s.line, domain, type, protocol);
		if (r == 0)
			call_put(&s.line, ", [%d, %d]", out_ends[0],
			    out_ends[1]);
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
		call_put(&s.line, ", ");
		call_put_address(&s.line, sa, len);
		call_put(&s.line, ", %u", (unsigned)len);
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
		call_put(&s.line, ", ");
		call_put_address(&s.line, sa, len);
		call_put(&s.line, ", %u", (unsigned)len);
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
		call_put(&s.line, ", %d", backlog);
	}
	return (int)result_of(&s, is_shown, r, err);
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
		call_put_given(&s.line, sa, before, len, r == -1);
		call_put(&s.line, ", ");
		call_put_flags(&s.line, 't', flags);
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
		call_put_given(&s.line, sa, before, len, r == -1);
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
		call_put_given(&s.line, sa, before, len, r == -1);
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
		call_put(&s.line, ", ");
		call_put_flags(&s.line, 'h', how);
	}
	return (int)result_of(&s, is_shown, r, err);
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
		call_put_option(&s.line, level, option);
		if (r == -1)
			call_put(&s.line, "%p", value);
		else
			call_put_option_value(&s.line, level, option, value,
			    *len);
		call_put(&s.line, ", ");
		call_put_length(&s.line, before, *len);
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
		call_put_option(&s.line, level, option);
		call_put_option_value(&s.line, level, option, value, len);
		call_put(&s.line, ", %u", (unsigned)len);
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
		call_put(&s.line, ", ");
		call_put_bytes(&s.line, p, n);
		call_put(&s.line, ", %zu, ", n);
		call_put_flags(&s.line, 'm', flags);
		call_put(&s.line, ", ");
		call_put_address(&s.line, sa, len);
		call_put(&s.line, ", %u", (unsigned)len);
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
	size_t given = r < 0 ? 0 : (size_t)r < n ? (size_t)r : n;

	if (is_shown) {
		made(&s, "recvfrom", fd);
		call_put(&s.line, ", ");
		call_put_bytes(&s.line, p, given);
		call_put(&s.line, ", %zu, ", n);
		call_put_flags(&s.line, 'm', flags);
		call_put_given(&s.line, sa, before, len, r == -1);
	}
	return result_of(&s, is_shown, r, err);
}

ssize_t
call_recv(int fd, void *p, size_t n, int flags)
{
	return call_recvfrom(fd, p, n, flags, NULL, NULL);
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
		call_put_msg(&s.line, m, SIZE_MAX);
		call_put_flags(&s.line, 'm', flags);
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
		call_put_msg(&s.line, m, r < 0 ? 0 : (size_t)r);
		call_put_flags(&s.line, 'm', flags);
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
		call_put(&s.line, ", ");
		call_put_bytes(&s.line, p, r < 0 ? 0 : (size_t)r);
		call_put(&s.line, ", %zu", n);
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
		call_put(&s.line, ", ");
		call_put_bytes(&s.line, p, n);
		call_put(&s.line, ", %zu", n);
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
