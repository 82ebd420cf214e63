/* SPDX-License-Identifier: ISC */
/*
 * System calls that are noted.  Their text is made after the call, so that it
 * has the result; the time is that of its return.
 */

#include "sock/lab_calls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_BYTES 40          /* of what is sent and received */
#define SHOWN_TEXT (4 * SHOWN_BYTES + 8)

struct word {
	int value;
	const char *text;
};

static const struct word domains[] = {
	{ AF_UNIX, "AF_UNIX" },
	{ AF_INET, "AF_INET" },
	{ AF_INET6, "AF_INET6" },
	{ AF_PACKET, "AF_PACKET" },
	{ 0, NULL },
};

static const struct word types[] = {
	{ SOCK_STREAM, "SOCK_STREAM" },
	{ SOCK_DGRAM, "SOCK_DGRAM" },
	{ SOCK_SEQPACKET, "SOCK_SEQPACKET" },
	{ SOCK_RAW, "SOCK_RAW" },
	{ SOCK_RDM, "SOCK_RDM" },
	{ 0, NULL },
};

static const struct word states[] = {
	{ TCP_ESTABLISHED, "ESTABLISHED" },
	{ TCP_SYN_SENT, "SYN_SENT" },
	{ TCP_SYN_RECV, "SYN_RECV" },
	{ TCP_FIN_WAIT1, "FIN_WAIT1" },
	{ TCP_FIN_WAIT2, "FIN_WAIT2" },
	{ TCP_TIME_WAIT, "TIME_WAIT" },
	{ TCP_CLOSE, "CLOSE" },
	{ TCP_CLOSE_WAIT, "CLOSE_WAIT" },
	{ TCP_LAST_ACK, "LAST_ACK" },
	{ TCP_LISTEN, "LISTEN" },
	{ TCP_CLOSING, "CLOSING" },
	{ 0, NULL },
};

static const char *
word(const struct word *words, int value)
{
	for (; words->text != NULL; words++)
		if (words->value == value)
			return words->text;
	return "?";
}

const char *
lab_tcp_state_name(int state)
{
	return word(states, state);
}

/* ---------------------------------------------------------- addresses */

struct lab_addr
lab_inet(const char *host, unsigned port)
{
	struct lab_addr a = { 0 };
	int ok;

	if (strchr(host, ':') != NULL) {
		a.n = sizeof(a.u.in6);
		a.u.in6.sin6_family = AF_INET6;
		a.u.in6.sin6_port = htons((uint16_t)port);
		ok = inet_pton(AF_INET6, host, &a.u.in6.sin6_addr);
	} else {
		a.n = sizeof(a.u.in);
		a.u.in.sin_family = AF_INET;
		a.u.in.sin_port = htons((uint16_t)port);
		ok = inet_pton(AF_INET, host, &a.u.in.sin_addr);
	}
	assert(ok == 1);
	(void)ok;
	return a;
}

struct lab_addr
lab_unix(const char *path)
{
	struct lab_addr a = { 0 };
	size_t n = strlen(path);

	assert(n < sizeof(a.u.un.sun_path));
	a.u.un.sun_family = AF_UNIX;
	memcpy(a.u.un.sun_path, path, n);
	/* An abstract name begins with NUL and ends with the length. */
	if (path[0] == '@')
		a.u.un.sun_path[0] = '\0';
	else
		n++;
	a.n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return a;
}

unsigned
lab_port(const struct lab_addr *a)
{
	/* Both families have the port at the same place. */
	return ntohs(a->u.in.sin_port);
}

static void
unix_text(const struct lab_addr *a, char text[LAB_ADDR_TEXT])
{
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t n = a->n > head ? a->n - head : 0;
	const char *path = a->u.un.sun_path;

	if (n == 0)
		snprintf(text, LAB_ADDR_TEXT, "(no name)");
	else if (path[0] == '\0')
		snprintf(text, LAB_ADDR_TEXT, "@%.*s", (int)n - 1, path + 1);
	else
		snprintf(text, LAB_ADDR_TEXT, "%.*s", (int)n, path);
}

const char *
lab_addr_text(const struct lab_addr *a, char text[LAB_ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	if (a->u.sa.sa_family == AF_UNIX || a->n < sizeof(sa_family_t)) {
		unix_text(a, text);
	} else if (a->u.sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->u.in6.sin6_addr, host, sizeof(host));
		snprintf(text, LAB_ADDR_TEXT, "[%s]:%u", host, lab_port(a));
	} else {
		inet_ntop(AF_INET, &a->u.in.sin_addr, host, sizeof(host));
		snprintf(text, LAB_ADDR_TEXT, "%s:%u", host, lab_port(a));
	}
	return text;
}

/* ------------------------------------------------------------- noting */

/* Bytes as a string of C, cut with dots behind it. */
static const char *
shown(const char *bytes, size_t n, char text[SHOWN_TEXT])
{
	char *at = text;

	*at++ = '"';
	for (size_t i = 0; i < n && i < SHOWN_BYTES; i++)
		if (isprint((unsigned char)bytes[i]) && bytes[i] != '"')
			*at++ = bytes[i];
		else if (bytes[i] == '\n')
			at += snprintf(at, 3, "\\n");
		else
			at += snprintf(at, 5, "\\x%02x",
			    (unsigned char)bytes[i]);
	snprintf(at, 5, n > SHOWN_BYTES ? "\"..." : "\"");
	return text;
}

/* Notes a call with what it returned; gives that, or the negative errno. */
__attribute__((format(printf, 3, 4))) static int
noted(struct lab *lab, ssize_t result, const char *format, ...)
{
	int err = result == -1 ? errno : 0;
	char call[LAB_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(call, sizeof(call), format, args);
	va_end(args);
	if (lab == NULL)
		;
	else if (err != 0)
		lab_note(lab, "%.180s = -1 %s", call, strerrorname_np(err));
	else
		lab_note(lab, "%.180s = %zd", call, result);
	return err != 0 ? -err : (int)result;
}

int
lab_socket(struct lab *lab, int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	int plain = type & ~SOCK_NONBLOCK;

	return noted(lab, fd, "socket(%s, %s%s, %d)", word(domains, domain),
	    word(types, plain), type == plain ? "" : "|SOCK_NONBLOCK",
	    protocol);
}

int
lab_pair(struct lab *lab, int domain, int type, int protocol, int out_ends[2])
{
	int result = socketpair(domain, type | SOCK_CLOEXEC, protocol,
	    out_ends);
	int plain = type & ~SOCK_NONBLOCK;

	return noted(lab, result, result == 0 ?
	    "socketpair(%s, %s%s, %d, [%d, %d])" :
	    "socketpair(%s, %s%s, %d)", word(domains, domain),
	    word(types, plain), type == plain ? "" : "|SOCK_NONBLOCK",
	    protocol, out_ends[0], out_ends[1]);
}

int
lab_pipe(struct lab *lab, int out_ends[2])
{
	int result = pipe2(out_ends, O_CLOEXEC);

	return noted(lab, result, "pipe([%d, %d])", out_ends[0], out_ends[1]);
}

int
lab_bind(struct lab *lab, int fd, const struct lab_addr *a)
{
	int result = bind(fd, &a->u.sa, a->n);
	int err = errno;
	char text[LAB_ADDR_TEXT];

	lab_addr_text(a, text);
	errno = err;
	return noted(lab, result, "bind(%d, %s)", fd, text);
}

int
lab_listen(struct lab *lab, int fd, int backlog)
{
	return noted(lab, listen(fd, backlog), "listen(%d, %d)", fd, backlog);
}

int
lab_connect(struct lab *lab, int fd, const struct lab_addr *a)
{
	int result = connect(fd, &a->u.sa, a->n);
	int err = errno;
	char text[LAB_ADDR_TEXT];

	lab_addr_text(a, text);
	errno = err;
	return noted(lab, result, "connect(%d, %s)", fd, text);
}

int
lab_accept(struct lab *lab, int fd, struct lab_addr *out_peer)
{
	struct lab_addr peer = { .n = sizeof(peer.u) };
	int new_fd = accept4(fd, &peer.u.sa, &peer.n, SOCK_CLOEXEC);
	int err = errno;
	char text[LAB_ADDR_TEXT] = "";

	if (new_fd >= 0)
		lab_addr_text(&peer, text);
	if (new_fd >= 0 && out_peer != NULL)
		*out_peer = peer;
	errno = err;
	return noted(lab, new_fd, "accept(%d, %s)", fd, text);
}

int
lab_shutdown(struct lab *lab, int fd, int how)
{
	static const char *const names[] = { "RD", "WR", "RDWR" };

	return noted(lab, shutdown(fd, how), "shutdown(%d, SHUT_%s)", fd,
	    names[how]);
}

int
lab_close(struct lab *lab, int fd)
{
	return noted(lab, close(fd), "close(%d)", fd);
}

int
lab_write(struct lab *lab, int fd, const char *text)
{
	char data[SHOWN_TEXT];
	size_t n = strlen(text);

	shown(text, n, data);
	return noted(lab, write(fd, text, n), "write(%d, %s, %zu)", fd, data,
	    n);
}

int
lab_read(struct lab *lab, int fd, char *out, size_t size)
{
	ssize_t n = read(fd, out, size - 1);
	char data[SHOWN_TEXT];

	if (n < 0)
		return noted(lab, n, "read(%d, %zu)", fd, size - 1);
	out[n] = '\0';
	return noted(lab, n, "read(%d, %s, %zu)", fd,
	    shown(out, (size_t)n, data), size - 1);
}

/* Without MSG_NOSIGNAL a lesson on EPIPE would be over at once. */
int
lab_send(struct lab *lab, int fd, const char *text, int flags)
{
	char data[SHOWN_TEXT];
	size_t n = strlen(text);

	shown(text, n, data);
	return noted(lab, send(fd, text, n, flags | MSG_NOSIGNAL),
	    "send(%d, %s, %zu, %s)", fd, data, n,
	    flags & MSG_OOB ? "MSG_OOB" : flags & MSG_DONTWAIT ?
	    "MSG_DONTWAIT" : "0");
}

int
lab_send_to(struct lab *lab, int fd, const char *text,
    const struct lab_addr *to)
{
	char data[SHOWN_TEXT], address[LAB_ADDR_TEXT];
	size_t n = strlen(text);

	shown(text, n, data);
	lab_addr_text(to, address);
	return noted(lab, sendto(fd, text, n, MSG_NOSIGNAL, &to->u.sa, to->n),
	    "sendto(%d, %s, %zu, %s)", fd, data, n, address);
}

int
lab_receive(struct lab *lab, int fd, char *out, size_t size, int flags)
{
	const char *call = flags & MSG_OOB ? "recv:oob" :
	    flags & MSG_PEEK ? "recv:peek" : "recv";
	ssize_t n = recv(fd, out, size - 1, flags);
	char data[SHOWN_TEXT];
	size_t caught = (size_t)n;

	if (n < 0)
		return noted(lab, n, "%s(%d, %zu)", call, fd, size - 1);
	/* MSG_TRUNC tells how long it was, which may be more than fits. */
	if (caught > size - 1)
		caught = size - 1;
	out[caught] = '\0';
	return noted(lab, n, "%s(%d, %s, %zu)", call, fd,
	    shown(out, caught, data), size - 1);
}

int
lab_receive_from(struct lab *lab, int fd, char *out, size_t size,
    struct lab_addr *out_from)
{
	struct lab_addr from = { .n = sizeof(from.u) };
	ssize_t n = recvfrom(fd, out, size - 1, 0, &from.u.sa, &from.n);
	char data[SHOWN_TEXT], address[LAB_ADDR_TEXT];

	if (n < 0)
		return noted(lab, n, "recvfrom(%d, %zu)", fd, size - 1);
	out[n] = '\0';
	*out_from = from;
	return noted(lab, n, "recvfrom(%d, %s, %zu, %s)", fd,
	    shown(out, (size_t)n, data), size - 1,
	    lab_addr_text(&from, address));
}

int
lab_name(struct lab *lab, int fd, struct lab_addr *out)
{
	int result, err;
	char text[LAB_ADDR_TEXT] = "";

	out->n = sizeof(out->u);
	result = getsockname(fd, &out->u.sa, &out->n);
	err = errno;
	if (result == 0)
		lab_addr_text(out, text);
	errno = err;
	return noted(lab, result, "getsockname(%d, %s)", fd, text);
}

int
lab_peer(struct lab *lab, int fd, struct lab_addr *out)
{
	int result, err;
	char text[LAB_ADDR_TEXT] = "";

	out->n = sizeof(out->u);
	result = getpeername(fd, &out->u.sa, &out->n);
	err = errno;
	if (result == 0)
		lab_addr_text(out, text);
	errno = err;
	return noted(lab, result, "getpeername(%d, %s)", fd, text);
}

int
lab_set(struct lab *lab, int fd, int level, int option, const char *name,
    int value)
{
	return noted(lab, setsockopt(fd, level, option, &value, sizeof(value)),
	    "setsockopt(%d, %s, %d)", fd, name, value);
}

int
lab_get(struct lab *lab, int fd, int level, int option, const char *name,
    int *out_value)
{
	int value = 0, result;
	socklen_t n = sizeof(value);

	result = getsockopt(fd, level, option, &value, &n);
	if (result == 0)
		*out_value = value;
	return noted(lab, result, "getsockopt(%d, %s, %d)", fd, name, value);
}

int
lab_poll(struct lab *lab, int fd, int events, int timeout_ms)
{
	static const struct word names[] = {
		{ POLLIN, "IN" },
		{ POLLPRI, "PRI" },
		{ POLLOUT, "OUT" },
		{ POLLERR, "ERR" },
		{ POLLHUP, "HUP" },
		{ POLLRDHUP, "RDHUP" },
		{ 0, NULL },
	};
	struct pollfd p = { .fd = fd, .events = (short)events };
	int result = poll(&p, 1, timeout_ms), err = errno;
	char text[48] = "";
	size_t n = 0;

	for (const struct word *w = names; w->text != NULL; w++)
		if (p.revents & w->value)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s%s", n > 0 ? "+" : "", w->text);
	errno = err;
	result = noted(lab, result, "poll(%d, %d ms) [%s]", fd, timeout_ms,
	    text);
	return result < 0 ? result : p.revents;
}

/* ------------------------------------------------------------- states */

int
lab_tcp_state(struct lab *lab, int fd)
{
	struct lab_addr at = { .n = sizeof(at.u) };
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) == -1)
		return -errno;
	if (getsockname(fd, &at.u.sa, &at.n) == -1)
		return -errno;
	lab_state(lab, "port %u: %s", lab_port(&at),
	    lab_tcp_state_name(info.tcpi_state));
	return info.tcpi_state;
}

/* A line of /proc/net/tcp: "0: 0100007F:0050 0100007F:9C40 06 ..." */
static int
state_in_line(const char *line, unsigned port, unsigned peer_port)
{
	const char *colon = strchr(line, ':');
	unsigned long local, remote;
	char *end;

	if (colon != NULL)
		colon = strchr(colon + 1, ':');
	if (colon == NULL)
		return -ENOENT; /* the heading */
	local = strtoul(colon + 1, &end, 16);
	colon = strchr(end, ':');
	if (colon == NULL)
		return -ENOENT;
	remote = strtoul(colon + 1, &end, 16);
	return local == port && remote == peer_port ?
	    (int)strtoul(end, NULL, 16) : -ENOENT;
}

static int
state_in_table(const char *table, unsigned port, unsigned peer_port)
{
	char line[512];
	int state = -ENOENT;
	FILE *f = fopen(table, "re");

	if (f == NULL)
		return -errno;
	while (state < 0 && fgets(line, sizeof(line), f) != NULL)
		state = state_in_line(line, port, peer_port);
	fclose(f);
	return state;
}

int
lab_tcp_state_of(unsigned port, unsigned peer_port)
{
	int state = state_in_table("/proc/self/net/tcp", port, peer_port);

	if (state == -ENOENT)
		state = state_in_table("/proc/self/net/tcp6", port, peer_port);
	return state;
}

struct awaited_state {
	unsigned port, peer_port;
	int state;
};

static bool
has_state(void *arg)
{
	const struct awaited_state *a = arg;

	return lab_tcp_state_of(a->port, a->peer_port) == a->state;
}

bool
lab_await_state(struct lab *lab, unsigned port, unsigned peer_port, int state)
{
	struct awaited_state a = { port, peer_port, state };

	if (!lab_until(has_state, &a, LAB_AWAIT_MS))
		return false;
	lab_state(lab, "port %u to %u: %s", port, peer_port,
	    state == -ENOENT ? "gone" : lab_tcp_state_name(state));
	return true;
}

/* --------------------------------------------------- common beginnings */

/* Only a port is news; a path is as it was asked for. */
static void
learn_name(struct lab *lab, int fd, struct lab_addr *out)
{
	bool is_news = out->u.sa.sa_family != AF_UNIX && lab_port(out) == 0;

	lab_must(lab, lab_name(is_news ? lab : NULL, fd, out), "getsockname");
}

int
lab_listener(struct lab *lab, struct lab_addr *io_at, int backlog)
{
	int fd = lab_socket(lab, io_at->u.sa.sa_family, SOCK_STREAM, 0);

	lab_must(lab, fd, "socket");
	lab_must(lab, lab_bind(lab, fd, io_at), "bind");
	lab_must(lab, lab_listen(lab, fd, backlog), "listen");
	learn_name(lab, fd, io_at);
	return fd;
}

int
lab_bound(struct lab *lab, int type, struct lab_addr *io_at)
{
	int fd = lab_socket(lab, io_at->u.sa.sa_family, type, 0);

	lab_must(lab, fd, "socket");
	lab_must(lab, lab_bind(lab, fd, io_at), "bind");
	learn_name(lab, fd, io_at);
	return fd;
}

int
lab_client(struct lab *lab, const struct lab_addr *to)
{
	int fd = lab_socket(lab, to->u.sa.sa_family, SOCK_STREAM, 0);

	lab_must(lab, fd, "socket");
	lab_must(lab, lab_connect(lab, fd, to), "connect");
	return fd;
}
