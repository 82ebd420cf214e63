/* SPDX-License-Identifier: ISC */
/*
 * Labs on what comes besides data: urgent bytes, signals, the helper of POSIX
 * aio, and children that a server forgets.
 */

#include <aio.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

#define TEXT_BYTES 128

static unsigned
count_entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;
	struct dirent *e;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* ----------------------------------------------------------------- oob */

static bool
is_at_mark(struct lab *lab, int fd)
{
	int mark = 0;

	ioctl(fd, SIOCATMARK, &mark);
	lab_note(lab, "ioctl(%d, SIOCATMARK) = %d", fd, mark);
	return mark != 0;
}

/* How many sets have it: readable and exceptional are two. */
static int
select_both(struct lab *lab, int fd)
{
	struct timeval wait = { .tv_sec = LAB_AWAIT_MS / 1000 };
	fd_set in, except;
	int n;

	FD_ZERO(&in);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &except);
	n = select(fd + 1, &in, NULL, &except, &wait);
	lab_note(lab, "select(%d) = %d: %s%s", fd + 1, n,
	    FD_ISSET(fd, &in) ? "in " : "",
	    FD_ISSET(fd, &except) ? "except" : "");
	return n;
}

static bool
is_pending(void *arg)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, *(int *)arg) == 1;
}

/* SIGURG goes to the owner of the socket; it is kept blocked and looked at. */
static void
ask_for_sigurg(struct lab *lab, int fd)
{
	sigset_t urgent;

	sigemptyset(&urgent);
	sigaddset(&urgent, SIGURG);
	sigprocmask(SIG_BLOCK, &urgent, NULL);
	fcntl(fd, F_SETOWN, getpid());
	lab_note(lab, "fcntl(%d, F_SETOWN, %d)", fd, getpid());
}

static void
show_urgent(struct lab *lab, const char *kind, int from, int to)
{
	char text[TEXT_BYTES];
	int n, urgent = SIGURG;

	lab_send(lab, from, "abc", 0);
	lab_send(lab, from, "!", MSG_OOB);
	lab_send(lab, from, "de", 0);
	n = lab_poll(lab, to, POLLPRI, LAB_AWAIT_MS);
	lab_expect(lab, n & POLLPRI, "%s: poll says PRI", kind);
	n = select_both(lab, to);
	lab_expect(lab, n == 2, "%s: select finds it readable and"
	    " exceptional", kind);
	lab_expect(lab, !is_at_mark(lab, to), "%s: the mark is not yet"
	    " reached", kind);
	n = lab_receive(lab, to, text, sizeof(text), 0);
	lab_expect(lab, n == 3, "%s: a read stops at the mark: \"%s\"", kind,
	    n > 0 ? text : "");
	lab_expect(lab, is_at_mark(lab, to), "%s: at the mark", kind);
	n = lab_receive(lab, to, text, sizeof(text), MSG_OOB);
	lab_expect(lab, n == 1 && text[0] == '!', "%s: recv(MSG_OOB) gives"
	    " '%s'", kind, n > 0 ? text : "");
	n = lab_receive(lab, to, text, sizeof(text), 0);
	lab_expect(lab, n == 2, "%s: then the rest: \"%s\"", kind,
	    n > 0 ? text : "");
	if (strcmp(kind, "TCP") == 0)
		lab_expect(lab, lab_until(is_pending, &urgent, LAB_AWAIT_MS),
		    "%s: SIGURG has come", kind);
}

static void
show_inline(struct lab *lab, int from, int to)
{
	char text[TEXT_BYTES];
	int n;

	lab_set(lab, to, SOL_SOCKET, SO_OOBINLINE, "SO_OOBINLINE", 1);
	lab_send(lab, from, "!", MSG_OOB);
	lab_send(lab, from, "de", 0);
	lab_poll(lab, to, POLLIN, LAB_AWAIT_MS);
	n = lab_receive(lab, to, text, sizeof(text), 0);
	lab_expect(lab, n >= 1 && text[0] == '!', "SO_OOBINLINE: it stands"
	    " among the data: \"%s\"", n > 0 ? text : "");
}

static void
show_refusals(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int ends[2], fd, n;

	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_DGRAM, 0, ends), "pair");
	n = lab_send(lab, ends[0], "!", MSG_OOB);
	lab_expect(lab, n == -EOPNOTSUPP, "UNIX DGRAM: EOPNOTSUPP");
	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_SEQPACKET, 0, ends), "pair");
	n = lab_send(lab, ends[0], "!", MSG_OOB);
	lab_expect(lab, n == -EOPNOTSUPP, "UNIX SEQPACKET: EOPNOTSUPP");
	lab_bound(lab, SOCK_DGRAM, &at);
	fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	lab_connect(lab, fd, &at);
	n = lab_send(lab, fd, "!", MSG_OOB);
	lab_expect(lab, n == -EOPNOTSUPP, "UDP: EOPNOTSUPP");
}

void
lesson_oob(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener = lab_listener(lab, &at, 1), client, server, ends[2];

	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	ask_for_sigurg(lab, server);
	show_urgent(lab, "TCP", client, server);
	show_inline(lab, client, server);
	if (lab_is_private(lab))
		lab_expect(lab, lab_await(lab, 1, (struct lab_wanted){
		    .kind = PACKET_TCP, .flags = PACKET_URG,
		    .to_port = lab_port(&at) }), "its segment has URG");
	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_STREAM, 0, ends), "pair");
	if (lab_send(lab, ends[0], "!", MSG_OOB) == 1) {
		lab_close(lab, ends[0]);
		lab_close(lab, ends[1]);
		lab_pair(lab, AF_UNIX, SOCK_STREAM, 0, ends);
		show_urgent(lab, "UNIX STREAM", ends[0], ends[1]);
	} else {
		lab_skip(lab, "UNIX STREAM: this kernel has no MSG_OOB there");
	}
	show_refusals(lab);
	lab_say(lab, "Urgent data is one byte beside the stream, and a mark in"
	    " it. It is what select(2) calls exceptional.");
}

/* --------------------------------------------------------------- sigio */

static void
ask_for_signal(struct lab *lab, int fd, int number)
{
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETSIG, number);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC | O_NONBLOCK);
	lab_note(lab, "fcntl(%d, F_SETSIG, %d), O_ASYNC", fd, number);
}

static bool
next_signal(struct lab *lab, const sigset_t *set, unsigned wait_ms,
    siginfo_t *out)
{
	struct timespec wait = {
		.tv_sec = wait_ms / 1000,
		.tv_nsec = (long)(wait_ms % 1000) * 1000000,
	};
	int number;

	/* Who is stopped and goes on has been interrupted: signal(7). */
	do
		number = sigtimedwait(set, out, &wait);
	while (number == -1 && errno == EINTR);
	if (number == -1)
		return false;
	lab_note(lab, "signal %d: si_fd %d, si_band 0x%lx", out->si_signo,
	    out->si_fd, (unsigned long)out->si_band);
	return true;
}

static void
show_signal(struct lab *lab, const sigset_t *set, int fd, const char *what)
{
	siginfo_t info = { 0 };
	bool came = next_signal(lab, set, LAB_AWAIT_MS, &info);

	lab_expect(lab, came && info.si_fd == fd && info.si_band & POLLIN,
	    "%s: the signal names descriptor %d and POLLIN", what,
	    came ? info.si_fd : -1);
}

#define QUEUED_MAX 5
#define WRITES 50

/* So many datagrams, of which each one's signal has been sent by then. */
static void
take_datagrams(int fd, unsigned n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[TEXT_BYTES];

	while (n > 0 && poll(&p, 1, LAB_AWAIT_MS) == 1)
		n -= recv(fd, text, sizeof(text), 0) > 0;
}

/* When its queue is full, real-time signals give way to one SIGIO. */
static void
show_overflow(struct lab *lab, const sigset_t *set, int reader, int writer)
{
	struct rlimit limit;
	siginfo_t info;
	unsigned named = 0, unnamed = 0, sent = 0;

	getrlimit(RLIMIT_SIGPENDING, &limit);
	limit.rlim_cur = QUEUED_MAX;
	setrlimit(RLIMIT_SIGPENDING, &limit);
	for (int i = 0; i < WRITES; i++)
		sent += send(writer, "x", 1, MSG_DONTWAIT) == 1;
	/* And the one that was sent before. */
	take_datagrams(reader, sent + 1);
	while (next_signal(lab, set, 0, &info))
		if (info.si_signo == SIGIO)
			unnamed++;
		else
			named += info.si_fd == reader;
	lab_expect(lab, named <= QUEUED_MAX && unnamed == 1,
	    "RLIMIT_SIGPENDING %d, %d writes: %u signals with a name, and %u"
	    " SIGIO: look at all", QUEUED_MAX, WRITES, named, unnamed);
}

void
lesson_sigio(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0), to = at;
	int listener = lab_listener(lab, &at, 1), reader, writer;
	int number = SIGRTMIN + 1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ask_for_signal(lab, listener, number);
	lab_client(lab, &at);
	show_signal(lab, &set, listener, "a client");
	reader = lab_bound(lab, SOCK_DGRAM, &to);
	ask_for_signal(lab, reader, number);
	writer = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	lab_connect(lab, writer, &to);
	lab_send(lab, writer, "hello", 0);
	show_signal(lab, &set, reader, "a datagram");
	show_overflow(lab, &set, reader, writer);
	lab_say(lab, "With F_SETSIG a signal says which descriptor is ready."
	    " The queue of signals is bounded: a SIGIO says that some were"
	    " lost, and a server must look at all its descriptors.");
}

/* ----------------------------------------------------------------- aio */

void
lesson_aio(struct lab *lab)
{
	char text[TEXT_BYTES] = "";
	struct aiocb request = {
		.aio_buf = text,
		.aio_nbytes = sizeof(text) - 1,
		.aio_sigevent = { .sigev_notify = SIGEV_NONE },
	};
	const struct aiocb *const list[] = { &request };
	struct timespec wait = { .tv_sec = LAB_AWAIT_MS / 1000 };
	unsigned before = count_entries("/proc/self/task"), during;
	int ends[2], state;
	ssize_t n;

	lab_must(lab, lab_pair(lab, AF_UNIX, SOCK_STREAM, 0, ends), "pair");
	request.aio_fildes = ends[1];
	if (aio_read(&request) == -1) {
		lab_skip(lab, "no POSIX aio here: %s", strerrorname_np(errno));
		return;
	}
	state = aio_error(&request);
	lab_note(lab, "aio_read(%d): %s", ends[1], strerrorname_np(state));
	lab_expect(lab, state == EINPROGRESS, "aio_read returns at once:"
	    " EINPROGRESS");
	during = count_entries("/proc/self/task");
	lab_state(lab, "threads: %u before, %u now", before, during);
	lab_expect(lab, before == 1 && during == 2, "it is a thread of the"
	    " library that waits: %u before, %u now", before, during);
	lab_send(lab, ends[0], "hello", 0);
	while (aio_suspend(list, 1, &wait) == -1 && errno == EINTR)
		continue;
	state = aio_error(&request);
	n = state == 0 ? aio_return(&request) : -1;
	lab_note(lab, "aio_return(): %zd \"%s\"", n, text);
	lab_expect(lab, n == 5, "%zd bytes came", n);
	lab_say(lab, "POSIX aio looks asynchronous; here the library reads in"
	    " a thread of its own, blocking.");
}

/* ----------------------------------------------------------- fork-leak */

#define CLIENTS 20

static int
serve_client(struct lab *lab, void *arg)
{
	(void)lab;
	return write(*(int *)arg, "bye", 3) == 3 ? 0 : 1;
}

/* The TCP sockets of a port that are in this state. */
static unsigned
count_state(unsigned port, const unsigned *peers, unsigned n, int state)
{
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++)
		found += lab_tcp_state_of(port, peers[i]) == state;
	return found;
}

struct counting {
	unsigned port;
	const unsigned *peers;
};

/* A FIN may be on its way when its sender goes on. */
static bool
are_all_waiting(void *arg)
{
	const struct counting *c = arg;

	return count_state(c->port, c->peers, CLIENTS, TCP_CLOSE_WAIT) ==
	    CLIENTS;
}

struct fork_server {
	struct lab *lab;
	int listener;
	struct lab_addr at;
	bool closes;            /* the parent closes what it gave away */
	unsigned ports[CLIENTS];
};

/* One client after the other; each has a child, which has ended. */
static void
serve_all(struct fork_server *s)
{
	struct lab_addr peer;
	int client, fd;
	char text[TEXT_BYTES];
	pid_t child;
	siginfo_t info;

	for (int i = 0; i < CLIENTS; i++) {
		client = lab_client(i == 0 ? s->lab : NULL, &s->at);
		fd = lab_accept(i == 0 ? s->lab : NULL, s->listener, &peer);
		s->ports[i] = lab_port(&peer);
		child = lab_fork(s->lab, "child", serve_client, &fd);
		if (s->closes)
			close(fd);
		while (read(client, text, 3) > 0 && !s->closes)
			break;
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
		close(client);
	}
}

static unsigned
reap_all(void)
{
	unsigned n = 0;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		n++;
	return n;
}

/* Many children end while one signal is handled: signals do not count. */
static void
show_wrong(struct lab *lab)
{
	struct fork_server s = { .lab = lab, .at = lab_inet("127.0.0.1", 0) };
	struct counting counting = { .peers = s.ports };
	unsigned before, leaked, waiting, zombies;

	s.listener = lab_listener(lab, &s.at, CLIENTS);
	before = count_entries("/proc/self/fd");
	serve_all(&s);
	leaked = count_entries("/proc/self/fd") - before;
	counting.port = lab_port(&s.at);
	lab_until(are_all_waiting, &counting, LAB_AWAIT_MS);
	waiting = count_state(lab_port(&s.at), s.ports, CLIENTS,
	    TCP_CLOSE_WAIT);
	/* All SIGCHLD that were pending are one: the handler waits once. */
	wait(NULL);
	zombies = reap_all();
	lab_state(lab, "after %d clients: %u descriptors more, %u sockets in"
	    " CLOSE_WAIT, %u zombies", CLIENTS, leaked, waiting, zombies);
	lab_expect(lab, leaked == CLIENTS, "the parent that does not close"
	    " has %u descriptors more", leaked);
	lab_expect(lab, waiting == CLIENTS, "%u connections hang in"
	    " CLOSE_WAIT", waiting);
	lab_expect(lab, zombies == CLIENTS - 1, "one wait for a signal leaves"
	    " %u zombies", zombies);
}

static void
show_right(struct lab *lab)
{
	struct fork_server s = {
		.lab = lab,
		.at = lab_inet("127.0.0.1", 0),
		.closes = true,
	};
	unsigned before, leaked, waiting, reaped;

	s.listener = lab_listener(lab, &s.at, CLIENTS);
	before = count_entries("/proc/self/fd");
	serve_all(&s);
	leaked = count_entries("/proc/self/fd") - before;
	waiting = count_state(lab_port(&s.at), s.ports, CLIENTS,
	    TCP_CLOSE_WAIT);
	reaped = reap_all();
	lab_expect(lab, leaked == 0 && waiting == 0, "the parent that closes:"
	    " %u descriptors more, %u in CLOSE_WAIT", leaked, waiting);
	lab_expect(lab, reaped == CLIENTS && reap_all() == 0,
	    "waitpid(WNOHANG) until there is none: %u, no zombie is left",
	    reaped);
}

void
lesson_fork_leak(struct lab *lab)
{
	show_wrong(lab);
	show_right(lab);
	lab_say(lab, "After fork(2) the connection belongs to two processes."
	    " The parent must close its descriptor, or the connection never"
	    " ends; and wait for all children, since many ends make one"
	    " signal.");
}
