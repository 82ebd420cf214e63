/* SPDX-License-Identifier: ISC */
/*
 * Labs on socketpair(2), and on sockets that are shared by fork(2): the
 * lecture's socketpair.c, and its questions on what may be changed in it.
 */

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

#define TEXT_BYTES 128

#define LINE_1 "In Xanadu, did Kublai Khan . . ."
#define LINE_2 "A stately pleasure dome decree . . ."

/* Two descriptors: what this process reads from and what it writes to. */
struct voice {
	int in, out;
	bool reads_first;
};

static int
converse(struct lab *lab, void *arg)
{
	const struct voice *v = arg;
	char text[TEXT_BYTES];
	int n;

	if (!v->reads_first)
		lab_write(lab, v->out, LINE_1);
	n = lab_read(lab, v->in, text, sizeof(text));
	if (v->reads_first)
		lab_write(lab, v->out, LINE_2);
	return n > 0 ? 0 : 1;
}

static bool
talk(struct lab *lab, struct voice parent, struct voice child)
{
	pid_t pid = lab_fork(lab, "child", converse, &child);
	int mine;

	lab_as(lab, "parent");
	mine = converse(lab, &parent);
	return lab_wait(lab, pid) == 0 && mine == 0;
}

static void
show_both_orders(struct lab *lab, const char *what, struct voice parent,
    struct voice child)
{
	child.reads_first = true;
	lab_expect(lab, talk(lab, parent, child),
	    "%s: the parent writes first, the child answers", what);
	child.reads_first = false;
	parent.reads_first = true;
	lab_expect(lab, talk(lab, parent, child),
	    "%s: the child writes first, the parent answers", what);
}

/* Both would read first: nothing is on its way, in either direction. */
static void
show_both_reading(struct lab *lab, const int ends[2])
{
	int a = lab_poll(lab, ends[0], POLLIN, 50);
	int b = lab_poll(lab, ends[1], POLLIN, 50);

	lab_expect(lab, a == 0 && b == 0,
	    "both read first: nobody ever writes, a deadlock");
}

void
lesson_pair(struct lab *lab)
{
	int ends[2], there[2], back[2];

	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_STREAM, 0, ends), "pair");
	show_both_orders(lab, "socketpair", (struct voice){ ends[0], ends[0],
	    false }, (struct voice){ ends[1], ends[1], false });
	show_both_reading(lab, ends);
	lab_must(lab, lab_pipe(lab, there), "pipe");
	lab_must(lab, lab_pipe(lab, back), "pipe");
	show_both_orders(lab, "two pipes", (struct voice){ back[0], there[1],
	    false }, (struct voice){ there[0], back[1], false });
	lab_say(lab, "One pair does what two pipes do: its ends are alike,"
	    " each reads and writes. The order is the programs' own"
	    " agreement; when both wait, nobody helps.");
}

/* --------------------------------------------------------- pair-matrix */

static const struct {
	int domain;
	const char *name;
	/* What Linux answers for STREAM with protocol 0; 0 is success. */
	int stream_err;
} pair_domains[] = {
	{ AF_UNIX, "AF_UNIX", 0 },
	{ AF_INET, "AF_INET", EOPNOTSUPP },
	{ AF_INET6, "AF_INET6", EOPNOTSUPP },
	{ AF_NETLINK, "AF_NETLINK", 0 },
	{ AF_VSOCK, "AF_VSOCK", 0 },
	{ AF_TIPC, "AF_TIPC", 0 },
	{ AF_BLUETOOTH, "AF_BLUETOOTH", 0 },
	{ 99, "99", EAFNOSUPPORT },
};

static const struct {
	int type;
	const char *name;
	int unix_err;
} pair_types[] = {
	{ SOCK_STREAM, "STREAM", 0 },
	{ SOCK_DGRAM, "DGRAM", 0 },
	{ SOCK_SEQPACKET, "SEQPACKET", 0 },
	{ SOCK_RAW, "RAW", 0 },
	{ SOCK_RDM, "RDM", ESOCKTNOSUPPORT },
	{ 8, "8", ESOCKTNOSUPPORT },
};

/* The errno of a pair, or 0; *out_type is what the kernel made of it. */
static int
try_pair(int domain, int type, int protocol, int *out_type)
{
	socklen_t n = sizeof(*out_type);
	int ends[2];

	if (socketpair(domain, type, protocol, ends) == -1)
		return errno;
	getsockopt(ends[0], SOL_SOCKET, SO_TYPE, out_type, &n);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static const char *
verdict(int err)
{
	return err == 0 ? "ok" : strerrorname_np(err);
}

/* All types of a domain in one line; how many of them work. */
static unsigned
show_domain(struct lab *lab, int domain, const char *name, int *out_stream_err)
{
	char line[LAB_TEXT];
	unsigned works = 0;
	size_t n = 0;
	int type, err;

	for (size_t i = 0; i < sizeof(pair_types) / sizeof(pair_types[0]);
	    i++) {
		err = try_pair(domain, pair_types[i].type, 0, &type);
		n += (size_t)snprintf(line + n, sizeof(line) - n, " %s %s",
		    pair_types[i].name, verdict(err));
		works += err == 0;
		if (i == 0)
			*out_stream_err = err;
	}
	lab_note(lab, "%s:%s", name, line);
	return works;
}

static void
show_unix_types(struct lab *lab)
{
	int type = 0, err;

	for (size_t i = 0; i < sizeof(pair_types) / sizeof(pair_types[0]);
	    i++) {
		err = try_pair(AF_UNIX, pair_types[i].type, 0, &type);
		lab_expect(lab, err == pair_types[i].unix_err,
		    "AF_UNIX %s: %s", pair_types[i].name, verdict(err));
		if (pair_types[i].type == SOCK_RAW)
			lab_expect(lab, type == SOCK_DGRAM,
			    "AF_UNIX RAW is made DGRAM (SO_TYPE %d)", type);
	}
	err = try_pair(AF_UNIX, SOCK_STREAM, AF_UNIX, &type);
	lab_expect(lab, err == 0, "AF_UNIX with protocol %d, its own number:"
	    " %s", AF_UNIX, verdict(err));
	err = try_pair(AF_UNIX, SOCK_STREAM, IPPROTO_TCP, &type);
	lab_expect(lab, err == EPROTONOSUPPORT, "AF_UNIX with protocol 6: %s",
	    verdict(err));
	err = try_pair(AF_INET, SOCK_STREAM, IPPROTO_UDP, &type);
	lab_expect(lab, err == EPROTONOSUPPORT,
	    "AF_INET STREAM with protocol 17: %s", verdict(err));
}

void
lesson_pair_matrix(struct lab *lab)
{
	unsigned works, elsewhere = 0;
	int err = 0;

	for (size_t i = 0; i < sizeof(pair_domains) / sizeof(pair_domains[0]);
	    i++) {
		works = show_domain(lab, pair_domains[i].domain,
		    pair_domains[i].name, &err);
		if (pair_domains[i].domain != AF_UNIX)
			elsewhere += works;
		if (pair_domains[i].stream_err != 0)
			lab_expect(lab, err == pair_domains[i].stream_err,
			    "%s STREAM: %s", pair_domains[i].name,
			    verdict(err));
	}
	show_unix_types(lab);
	lab_claim(lab, 19, elsewhere == 0, "of %zu other domains %u types"
	    " make a pair", sizeof(pair_domains) / sizeof(pair_domains[0]) - 1,
	    elsewhere);
	lab_say(lab, "Only the UNIX domain makes pairs (TIPC would, where the"
	    " kernel has it). Its protocol is 0, or its own number.");
}

/* ---------------------------------------------------------- pair-types */

struct pair_rule {
	int type;
	const char *name;
	int first_read;         /* of 3 and 4 bytes, by a large read */
	int leftover;           /* after 6 bytes were read by 2 */
	int empty;              /* the read after an empty message */
	int end_read;           /* when the other end is closed */
	int end_write;
};

static const struct pair_rule rules[] = {
	{ SOCK_STREAM, "STREAM", 7, 4, -EAGAIN, 0, -EPIPE },
	{ SOCK_DGRAM, "DGRAM", 3, -EAGAIN, 0, -EAGAIN, -ECONNREFUSED },
	{ SOCK_SEQPACKET, "SEQPACKET", 3, -EAGAIN, 0, 0, -EPIPE },
};

static const char *
result_text(int n, char text[32])
{
	if (n < 0)
		snprintf(text, 32, "%s", strerrorname_np(-n));
	else
		snprintf(text, 32, "%d", n);
	return text;
}

static void
expect_result(struct lab *lab, const char *type, const char *what, int got,
    int wanted)
{
	char text[32];

	lab_expect(lab, got == wanted, "%s: %s: %s", type, what,
	    result_text(got, text));
}

static void
show_type(struct lab *lab, const struct pair_rule *rule)
{
	char text[TEXT_BYTES], two[3];
	int ends[2], n;

	lab_must(lab, lab_pair(lab, AF_UNIX, rule->type | SOCK_NONBLOCK, 0,
	    ends), "pair");
	lab_send(lab, ends[0], "abc", 0);
	lab_send(lab, ends[0], "defg", 0);
	n = lab_receive(lab, ends[1], text, sizeof(text), 0);
	expect_result(lab, rule->name, "3 and 4 bytes sent, first read", n,
	    rule->first_read);
	if (n == 3)
		lab_receive(lab, ends[1], text, sizeof(text), 0);
	lab_send(lab, ends[0], "123456", 0);
	lab_receive(lab, ends[1], two, sizeof(two), 0);
	n = lab_receive(lab, ends[1], text, sizeof(text), 0);
	expect_result(lab, rule->name, "6 bytes, 2 were read, the rest", n,
	    rule->leftover);
	lab_send(lab, ends[0], "", 0);
	n = lab_receive(lab, ends[1], text, sizeof(text), 0);
	expect_result(lab, rule->name, "an empty message", n, rule->empty);
	lab_close(lab, ends[0]);
	n = lab_receive(lab, ends[1], text, sizeof(text), 0);
	expect_result(lab, rule->name, "read, the other end is closed", n,
	    rule->end_read);
	n = lab_send(lab, ends[1], "x", 0);
	expect_result(lab, rule->name, "write, the other end is closed", n,
	    rule->end_write);
	lab_close(lab, ends[1]);
}

static void
show_truncation(struct lab *lab)
{
	char four[5];
	int ends[2], n;

	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0,
	    ends), "pair");
	lab_send(lab, ends[0], "0123456789", 0);
	n = lab_receive(lab, ends[1], four, sizeof(four),
	    MSG_PEEK | MSG_TRUNC);
	lab_expect(lab, n == 10, "MSG_PEEK|MSG_TRUNC tells the whole length:"
	    " %d", n);
	n = lab_receive(lab, ends[1], four, sizeof(four), 0);
	lab_expect(lab, n == 4, "10 bytes into 4: %d", n);
	n = lab_receive(lab, ends[1], four, sizeof(four), 0);
	lab_expect(lab, n == -EAGAIN, "the other 6 are lost");
}

void
lesson_pair_types(struct lab *lab)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		show_type(lab, &rules[i]);
	show_truncation(lab);
	lab_say(lab, "A stream has no borders and loses nothing; datagrams"
	    " keep their borders and lose what does not fit. SEQPACKET has"
	    " borders and an end.");
	lab_say(lab, "A datagram of no bytes is read as 0, and is not the"
	    " end.");
}

/* --------------------------------------------------------- fork-socket */

#define WRITERS 3

struct errand {
	int fd;
	struct lab_addr to;
};

static int
run_errand(struct lab *lab, void *arg)
{
	struct errand *e = arg;
	char line[TEXT_BYTES];

	snprintf(line, sizeof(line), "from process %d", getpid());
	return lab_send_to(lab, e->fd, line, &e->to) > 0 ? 0 : 1;
}

/* A socket, then fork, then a message: into the socket itself, or beside. */
static bool
show_older_socket(struct lab *lab, const char *what, struct lab_addr at)
{
	struct errand e = { .to = at };
	struct lab_addr from;
	char text[TEXT_BYTES];
	int n;

	e.fd = lab_bound(lab, SOCK_DGRAM, &e.to);
	lab_wait(lab, lab_fork(lab, "child", run_errand, &e));
	n = lab_receive_from(lab, e.fd, text, sizeof(text), &from);
	lab_expect(lab, n > 0, "%s: the child's message through the socket"
	    " that both have: \"%s\"", what, n > 0 ? text : "");
	lab_close(lab, e.fd);
	return n > 0;
}

static void
show_writers(struct lab *lab)
{
	struct lab_addr from, first, at = lab_inet("127.0.0.1", 0);
	struct errand e = { .to = at };
	unsigned arrived = 0, alike = 0;
	char text[TEXT_BYTES];
	int reader;

	reader = lab_bound(lab, SOCK_DGRAM, &e.to);
	e.fd = lab_bound(lab, SOCK_DGRAM, &at);
	for (int i = 0; i < WRITERS; i++)
		lab_wait(lab, lab_fork(lab, "writer", run_errand, &e));
	for (int i = 0; i < WRITERS; i++) {
		if (lab_receive_from(lab, reader, text, sizeof(text),
		    &from) <= 0)
			break;
		if (arrived++ == 0)
			first = from;
		alike += lab_port(&from) == lab_port(&first);
	}
	lab_expect(lab, arrived == WRITERS, "%u of %d messages arrive",
	    arrived, WRITERS);
	lab_expect(lab, alike == WRITERS, "all come from port %u: the writers"
	    " cannot be told apart", lab_port(&first));
}

void
lesson_fork_socket(struct lab *lab)
{
	bool by_unix, by_udp;

	by_unix = show_older_socket(lab, "unix", lab_unix("socket"));
	by_udp = show_older_socket(lab, "udp", lab_inet("127.0.0.1", 0));
	lab_claim(lab, 1, !by_unix && !by_udp, "the child's datagram %s its"
	    " parent by a UNIX socket, and %s it by UDP",
	    by_unix ? "reached" : "did not reach",
	    by_udp ? "reached" : "did not reach");
	show_writers(lab);
	lab_say(lab, "A socket is shared by fork(2) as any descriptor is. Who"
	    " sends to its name reaches whoever reads it first.");
}

/* ---------------------------------------------------------- fork-close */

struct order {
	int go, fd;
};

/* Waits for the parent's word, then writes. */
static int
write_when_told(struct lab *lab, void *arg)
{
	const struct order *o = arg;
	char byte;

	if (read(o->go, &byte, 1) != 1)
		return 1;
	return lab_send(lab, o->fd, "still here", 0) < 0 ? errno : 0;
}

static int
after(struct lab *lab, bool is_shutdown)
{
	int ends[2], go[2], status;
	struct order o;
	pid_t child;

	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_STREAM, 0, ends), "pair");
	lab_must(lab, pipe2(go, O_CLOEXEC) == -1 ? -errno : 0, "pipe");
	o = (struct order){ go[0], ends[1] };
	child = lab_fork(lab, "child", write_when_told, &o);
	if (is_shutdown)
		lab_shutdown(lab, ends[1], SHUT_RDWR);
	else
		lab_close(lab, ends[1]);
	if (write(go[1], "x", 1) != 1)
		kill(child, SIGKILL);
	status = lab_wait(lab, child);
	close(go[0]);
	close(go[1]);
	close(ends[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
lesson_fork_close(struct lab *lab)
{
	int closed, shut;

	lab_as(lab, "parent");
	closed = after(lab, false);
	lab_expect(lab, closed == 0, "closed by the parent, the child still"
	    " writes");
	shut = after(lab, true);
	lab_expect(lab, shut == EPIPE, "shut down by the parent, the child"
	    " gets EPIPE");
	lab_claim(lab, 2, closed != 0, "after the parent's close the child"
	    " wrote 10 bytes; after its shutdown, %s",
	    shut == EPIPE ? "EPIPE" : "no error");
	lab_say(lab, "close(2) drops one reference; shutdown(2) ends the"
	    " connection itself, for all who have it.");
}

/* ------------------------------------------------------------ deadlock */

struct flood {
	int fd;
	size_t bytes;
};

static int
flood(struct lab *lab, void *arg)
{
	static const char block[4096];
	const struct flood *f = arg;
	size_t left = f->bytes;
	ssize_t n;

	(void)lab;
	while (left > 0) {
		n = write(f->fd, block,
		    left < sizeof(block) ? left : sizeof(block));
		if (n == -1)
			return 1;
		left -= (size_t)n;
	}
	return 0;
}

static bool
has_ended(void *arg)
{
	siginfo_t info = { 0 };
	const pid_t *pid = arg;
	int flags = WEXITED | WNOHANG | WNOWAIT;

	waitid(P_PID, (id_t)*pid, &info, flags);
	return info.si_pid != 0;
}

/*
 * The published command.c waits, then reads.  Whether the child ends before a
 * byte is read; when it cannot, is it stuck in write, with the pipe full?
 */
static void
show_waiting_first(struct lab *lab, const char *via, int in, int out,
    size_t bytes, bool fits)
{
	struct flood f = { out, bytes };
	pid_t child = lab_fork(lab, "child", flood, &f);
	struct pollfd full = { .fd = out, .events = POLLOUT };
	static char block[65536];
	bool ended;
	size_t got = 0;
	ssize_t n;

	if (fits)
		ended = lab_until(has_ended, &child, LAB_AWAIT_MS);
	else
		ended = lab_until(has_ended, &child, 100);
	poll(&full, 1, 0);
	lab_state(lab, "%s, %zu bytes: child %s, %s", via, bytes,
	    ended ? "has ended" : "cannot end",
	    full.revents & POLLOUT ? "room is left" : "no room is left");
	lab_expect(lab, ended == fits, "%s: %zu bytes unread, the child %s",
	    via, bytes, ended ? "ends" : "hangs in write(2)");
	close(out);
	while ((n = read(in, block, sizeof(block))) > 0)
		got += (size_t)n;
	close(in);
	lab_expect(lab, lab_wait(lab, child) == 0 && got == bytes,
	    "%s: read first, all %zu bytes come and the child ends", via, got);
}

void
lesson_deadlock(struct lab *lab)
{
	static const struct {
		size_t bytes;
		bool fits;
	} amounts[] = { { 32 << 10, true }, { 1 << 20, false } };
	int ends[2];

	for (int i = 0; i < 2; i++) {
		lab_must(lab, lab_pipe(lab, ends), "pipe");
		show_waiting_first(lab, "pipe", ends[0], ends[1],
		    amounts[i].bytes, amounts[i].fits);
		lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_STREAM, 0, ends),
		    "pair");
		show_waiting_first(lab, "socketpair", ends[0], ends[1],
		    amounts[i].bytes, amounts[i].fits);
	}
	lab_say(lab, "Who waits for a child before reading its output waits"
	    " for ever, once that is more than the kernel keeps: read first,"
	    " then wait.");
}

/* --------------------------------------------------------------- kinds */

static const struct {
	int domain, type, protocol;
	const char *name;
} socket_kinds[] = {
	{ AF_UNIX, SOCK_STREAM, 0, "UNIX STREAM" },
	{ AF_UNIX, SOCK_DGRAM, 0, "UNIX DGRAM" },
	{ AF_UNIX, SOCK_SEQPACKET, 0, "UNIX SEQPACKET" },
	{ AF_INET, SOCK_STREAM, 0, "INET STREAM" },
	{ AF_INET, SOCK_DGRAM, 0, "INET DGRAM" },
	{ AF_INET6, SOCK_STREAM, 0, "INET6 STREAM" },
	{ AF_INET6, SOCK_DGRAM, 0, "INET6 DGRAM" },
	{ AF_INET, SOCK_STREAM, 262, "MPTCP (STREAM, 262)" },
	{ AF_INET, SOCK_DGRAM, 136, "UDP-Lite (DGRAM, 136)" },
	{ AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, "SCTP (SEQPACKET, 132)" },
	{ AF_INET, SOCK_RAW, IPPROTO_ICMP, "RAW ICMP" },
	{ AF_PACKET, SOCK_RAW, 0, "PACKET RAW" },
	{ AF_NETLINK, SOCK_RAW, 0, "NETLINK RAW" },
	{ AF_VSOCK, SOCK_STREAM, 0, "VSOCK STREAM" },
	{ AF_TIPC, SOCK_STREAM, 0, "TIPC STREAM" },
	{ AF_SMC, SOCK_STREAM, 0, "SMC STREAM" },
	{ AF_XDP, SOCK_RAW, 0, "XDP RAW" },
};

/* NetBSD's PF_ARP is 28; here that number is something else or nothing. */
#define NETBSD_PF_ARP 28

static int
protocol_of(int fd)
{
	int protocol = -1;
	socklen_t n = sizeof(protocol);

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n);
	return protocol;
}

static void
show_default_protocol(struct lab *lab, int domain, int type, int wanted)
{
	int fd = lab_socket(lab, domain, type, 0);
	int protocol = protocol_of(fd);

	lab_expect(lab, protocol == wanted, "protocol 0 becomes %d", protocol);
	lab_close(lab, fd);
}

static void
show_kinds(struct lab *lab)
{
	size_t n = sizeof(socket_kinds) / sizeof(socket_kinds[0]);
	unsigned opened = 0;
	int fd;

	for (size_t i = 0; i < n; i++) {
		fd = socket(socket_kinds[i].domain,
		    socket_kinds[i].type | SOCK_CLOEXEC,
		    socket_kinds[i].protocol);
		lab_note(lab, "%-22s %s", socket_kinds[i].name,
		    fd == -1 ? strerrorname_np(errno) : "opens");
		if (fd == -1)
			continue;
		opened++;
		close(fd);
	}
	lab_expect(lab, opened >= 5, "%u of %zu kinds of sockets open here",
	    opened, n);
}

_Static_assert(AF_UNIX == PF_UNIX && AF_INET == PF_INET &&
    AF_INET6 == PF_INET6, "AF_ and PF_ are the same numbers");

void
lesson_kinds(struct lab *lab)
{
	struct protoent *scsp;
	int fd, err;

	show_default_protocol(lab, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	show_default_protocol(lab, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	show_default_protocol(lab, AF_UNIX, SOCK_STREAM, 0);
	show_kinds(lab);
	fd = socket(NETBSD_PF_ARP, SOCK_RAW | SOCK_CLOEXEC, 0);
	err = fd == -1 ? errno : 0;
	lab_expect(lab, err == EAFNOSUPPORT, "PF_ARP (28 on NetBSD): %s",
	    verdict(err));
	lab_claim(lab, 14, err == 0, "socket(28, ...): %s; ARP is AF_PACKET"
	    " with ETH_P_ARP here", verdict(err));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
	err = fd == -1 ? errno : 0;
	if (err == EPROTONOSUPPORT)
		lab_skip(lab, "SCTP: not in this kernel (%s)", verdict(err));
	scsp = getprotobyname("scsp");
	lab_claim(lab, 17, scsp != NULL, "getprotobyname(\"scsp\"): %s; SCTP is"
	    " protocol %d: socket(AF_INET, SOCK_STREAM, %d): %s",
	    scsp != NULL ? scsp->p_name : "none", IPPROTO_SCTP, IPPROTO_SCTP,
	    verdict(err));
	lab_say(lab, "STREAM is not TCP and DGRAM is not UDP: UNIX sockets"
	    " have both and neither, MPTCP is a stream too, UDP-Lite a"
	    " datagram.");
}
