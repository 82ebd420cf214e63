/* SPDX-License-Identifier: ISC */

/*
 * The floor of the bench: what a request costs when nothing is done for it.
 * An epoll server that receives whatever comes and sends one constant answer:
 * no parsing, no clock, no log.  A web server on the same machine cannot be
 * cheaper with the same system calls; how much dearer it is, is the figure
 * that can be carried from machine to machine.
 *
 *	floor memory|file|close|304 port bytes
 *
 * `memory' copies the answer from memory, `file' has it sent out of the page
 * cache, `close' is memory with one connection per request, `304' a head.
 * Left out on purpose: a request that arrives in two segments would be
 * answered twice.  The load generators of this bench send theirs in one.
 */

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_FDS = 20000,
	MAX_EVENTS = 512,
	BACKLOG = 4096,
};

struct floor {
	int epfd;
	int listenfd;
	bool closes;
	char *answer;
	size_t len;
	int filefd;		/* holds the answer as well; -1: not used */
	size_t unsent[MAX_FDS];	/* bytes still to go, by descriptor */
};

static void
watch(struct floor *f, int fd, int op, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(f->epfd, op, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static unsigned
wanted(const struct floor *f, int fd)
{
	return f->unsent[fd] > 0 ? EPOLLOUT : EPOLLIN;
}

static ssize_t
send_some(const struct floor *f, int fd)
{
	size_t done = f->len - f->unsent[fd];
	off_t off = (off_t)done;

	if (f->filefd != -1)
		return sendfile(fd, f->filefd, &off, f->unsent[fd]);
	return send(fd, f->answer + done, f->unsent[fd], MSG_NOSIGNAL);
}

/* -1 when the connection is of no more use. */
static int
send_rest(struct floor *f, int fd)
{
	ssize_t n;

	n = send_some(f, fd);
	if (n == -1 && errno != EAGAIN)
		return -1;
	if (n > 0)
		f->unsent[fd] -= (size_t)n;
	return f->unsent[fd] == 0 && f->closes ? -1 : 0;
}

static int
serve(struct floor *f, int fd)
{
	char request[4096];
	ssize_t n;

	if (f->unsent[fd] > 0)
		return send_rest(f, fd);
	n = recv(fd, request, sizeof(request), 0);
	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	f->unsent[fd] = f->len;
	return send_rest(f, fd);
}

static void
on_ready(struct floor *f, int fd)
{
	unsigned before = wanted(f, fd);

	if (serve(f, fd) == -1)
		close(fd);
	else if (wanted(f, fd) != before)
		watch(f, fd, EPOLL_CTL_MOD, wanted(f, fd));
}

static void
on_accepted(struct floor *f, int fd)
{
	const int on = 1;

	f->unsent[fd] = 0;
	/* The request is here already, so epoll need not know. */
	if (f->closes && serve(f, fd) == -1) {
		close(fd);
		return;
	}
	/* Where no close does it, this keeps a tail from waiting for an ACK. */
	if (!f->closes)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	watch(f, fd, EPOLL_CTL_ADD, wanted(f, fd));
}

static void
accept_all(struct floor *f)
{
	int fd;

	while ((fd = accept4(f->listenfd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		if (fd < MAX_FDS)
			on_accepted(f, fd);
		else
			close(fd);
	}
}

static void
run(struct floor *f)
{
	struct epoll_event events[MAX_EVENTS];
	int i, n;

	for (;;) {
		n = epoll_wait(f->epfd, events, MAX_EVENTS, -1);
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == f->listenfd)
				accept_all(f);
			else
				on_ready(f, events[i].data.fd);
		}
	}
}

static void
make_head(struct floor *f)
{
	static char head[] = "HTTP/1.1 304 Not Modified\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Server: floor\r\n"
	    "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "ETag: \"6571c0de.2b5f3a1-400\"\r\n\r\n";

	f->answer = head;
	f->len = sizeof(head) - 1;
}

static void
make_answer(struct floor *f, size_t bytes)
{
	char head[256];
	int n;

	/* As many fields as the servers beside it send. */
	n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n"
	    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Server: floor\r\n"
	    "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Content-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n"
	    "%s\r\n", bytes, f->closes ? "Connection: close\r\n" : "");
	f->len = (size_t)n + bytes;
	f->answer = malloc(f->len);
	if (f->answer == NULL)
		err(1, "%zu bytes", f->len);
	memcpy(f->answer, head, (size_t)n);
	memset(f->answer + n, 'a', bytes);
}

static void
make_file(struct floor *f)
{
	f->filefd = memfd_create("answer", MFD_CLOEXEC);
	if (f->filefd == -1 ||
	    write(f->filefd, f->answer, f->len) != (ssize_t)f->len)
		err(1, "answer in a file");
}

static void
open_listener(struct floor *f, uint16_t port)
{
	const struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const int on = 1, bytes = 256 * 1024;

	f->listenfd = socket(AF_INET,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	f->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (f->listenfd == -1 || f->epfd == -1)
		err(1, "socket");
	(void)setsockopt(f->listenfd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on));
	/* A buffer that does not grow makes sendfile of long files cheaper. */
	if (f->filefd != -1)
		(void)setsockopt(f->listenfd, SOL_SOCKET, SO_SNDBUF, &bytes,
		    sizeof(bytes));
	/* No connection is worth accepting before its request is here. */
	(void)setsockopt(f->listenfd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on,
	    sizeof(on));
	if (bind(f->listenfd, (const struct sockaddr *)&addr,
	    sizeof(addr)) == -1 || listen(f->listenfd, BACKLOG) == -1)
		err(1, "port %u", (unsigned)port);
	watch(f, f->listenfd, EPOLL_CTL_ADD, EPOLLIN);
}

static void
usage(void)
{
	fprintf(stderr, "usage: floor memory|file|close|304 port bytes\n");
	exit(64);
}

int
main(int argc, char *argv[])
{
	static struct floor f = { .filefd = -1 };	/* large for a stack */
	const struct rlimit files = { MAX_FDS, MAX_FDS };
	bool has_file, is_head;

	if (argc != 4)
		usage();
	has_file = strcmp(argv[1], "file") == 0;
	f.closes = strcmp(argv[1], "close") == 0;
	is_head = strcmp(argv[1], "304") == 0;
	if (!has_file && !f.closes && !is_head &&
	    strcmp(argv[1], "memory") != 0)
		usage();
	/* sendfile knows no MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (is_head)
		make_head(&f);
	else
		make_answer(&f, strtoul(argv[3], NULL, 10));
	if (has_file)
		make_file(&f);
	open_listener(&f, (uint16_t)strtoul(argv[2], NULL, 10));
	run(&f);
}
