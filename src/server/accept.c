/* SPDX-License-Identifier: ISC */
#include "server/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "h1/h1.h"
#include "net/addr.h"

/* Connections taken from one listener before others have their turn. */
#define BATCH_MAX 64
/* That connections are refused is told no more often. */
#define SAY_MS 10000

struct port {
	struct watch watch;
	struct acceptor *acceptor;
	unsigned batch;         /* as many seem to wait at a time */
};

struct acceptor {
	struct http_host *host;
	struct accept_limits limits;
	unsigned connections;
	int reserve;            /* a descriptor to give up; -1: it is */
	int64_t said_ms;        /* when it was last told that it is full */
	bool is_open;
	unsigned n;
	struct port ports[];
};

static void
say_busy(struct acceptor *a, int fd, const char *why)
{
	static const char answer[] =
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Retry-After: 1\r\n"
	    "Content-Length: 0\r\n"
	    "Connection: close\r\n\r\n";

	int64_t now_ms = loop_now_ms(a->host->loop);

	if (a->said_ms == 0 || now_ms - a->said_ms >= SAY_MS) {
		log_error("connections are refused: %s (%u are open)", why,
		    a->connections);
		a->said_ms = now_ms;
	}
	/* One try: a peer that cannot take this much gets nothing. */
	(void)!send(fd, answer, sizeof(answer) - 1,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/* A copy of a listener: the sandbox lets nothing else be opened. */
static int
take_reserve(int listener)
{
	return fcntl(listener, F_DUPFD_CLOEXEC, 0);
}

static void
want_all(struct acceptor *a, unsigned wanted)
{
	for (unsigned i = 0; i < a->n; i++)
		loop_want(a->host->loop, &a->ports[i].watch, wanted);
}

/* No descriptor is left for accept(2): the reserve makes room for one. */
static void
refuse_one(struct acceptor *a, int listener)
{
	int fd;

	if (a->reserve == -1)
		a->reserve = take_reserve(listener);
	if (a->reserve == -1) {
		/* Not even that: the end of a connection goes on here. */
		want_all(a, a->connections > 0 ? 0 : READY_IN);
		return;
	}
	close(a->reserve);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1)
		say_busy(a, fd, "no descriptor is left");
	a->reserve = take_reserve(listener);
}

static void
serve(struct acceptor *a, int fd, const struct addr *peer)
{
	int err;

	if (a->connections >= a->limits.connections) {
		say_busy(a, fd, "the limit is reached");
		return;
	}
	err = h1_proto.open(a->host, fd, peer);
	if (err < 0) {
		say_busy(a, fd, strerror(-err));
		return;
	}
	a->connections++;
	if (a->limits.one_at_a_time)
		want_all(a, 0);
}

/* Is it worth trying for another one? */
static bool
accept_one(struct port *p)
{
	struct addr peer = { .len = sizeof(peer.u) };
	int fd;

	fd = accept4(p->watch.fd, &peer.u.sa, &peer.len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1) {
		serve(p->acceptor, fd, &peer);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE) {
		refuse_one(p->acceptor, p->watch.fd);
		return false;
	}
	/* EAGAIN; ENOMEM and the like: the poller asks on. */
	return errno == ECONNABORTED || errno == EINTR;
}

/*
 * To ask in vain is dear: accept(2) makes a socket before it looks whether it
 * needs one.  So no more are asked for than came together before, and one
 * more the next time; the poller tells of those that are left.
 */
static void
on_readable(struct watch *w, unsigned ready)
{
	struct port *p = list_entry(w, struct port, watch);

	(void)ready;
	for (unsigned i = 0; i < p->batch && w->wanted != 0; i++) {
		if (!accept_one(p)) {
			p->batch = i > 1 ? i / 2 : 1;
			return;
		}
	}
	if (p->batch < BATCH_MAX)
		p->batch++;
}

int
acceptor_open(struct http_host *host, const int *fds, unsigned n,
    const struct accept_limits *limits, struct acceptor **out_acceptor)
{
	struct acceptor *a;
	int err;

	a = calloc(1, sizeof(*a) + n * sizeof(a->ports[0]));
	if (a == NULL)
		return -ENOMEM;
	a->host = host;
	a->limits = *limits;
	a->reserve = take_reserve(fds[0]);
	a->is_open = true;
	while (a->n < n) {
		struct port *p = &a->ports[a->n];

		p->acceptor = a;
		p->batch = 1;
		p->watch = (struct watch){
			.fn = on_readable,
			.fd = fds[a->n],
			.wanted = limits->waits ? 0 : READY_IN,
		};
		err = loop_add(host->loop, &p->watch);
		if (err < 0) {
			acceptor_close(a);
			free(a);
			return err;
		}
		a->n++;
	}
	*out_acceptor = a;
	return 0;
}

void
acceptor_wake(struct acceptor *a)
{
	want_all(a, READY_IN);
}

void
acceptor_adopt(struct acceptor *a, int fd, const struct addr *peer,
    struct str unread)
{
	/* First, since its end may be told before it is open. */
	a->connections++;
	if (a->connections <= a->limits.connections &&
	    h1_proto.adopt(a->host, fd, peer, unread) == 0) {
		if (a->limits.one_at_a_time && a->connections > 0)
			want_all(a, 0);
		return;
	}
	a->connections--;
	close(fd);
}

void
acceptor_close(struct acceptor *a)
{
	if (!a->is_open)
		return;
	a->is_open = false;
	for (unsigned i = 0; i < a->n; i++) {
		loop_remove(a->host->loop, &a->ports[i].watch);
	}
	if (a->reserve != -1)
		close(a->reserve);
}

void
acceptor_connection_closed(struct acceptor *a)
{
	a->connections--;
	if (a->is_open)
		want_all(a, READY_IN);
}

unsigned
acceptor_connections(const struct acceptor *a)
{
	return a->connections;
}
