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
#include "net/intake.h"

/* That connections are refused is told no more often. */
#define SAY_MS 10000

struct port {
	struct intake intake;
	struct acceptor *acceptor;
};

struct acceptor {
	struct http_host *host;
	struct accept_limits limits;
	unsigned connections;
	int reserve;            /* a descriptor to give up; -1: it is */
	int64_t said_ms;        /* when it was last told that it is full */
	bool is_open;
	bool is_paused;
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
want_all(struct acceptor *a, bool wanted)
{
	for (unsigned i = 0; i < a->n; i++)
		intake_want(&a->ports[i].intake, wanted);
}

/* No descriptor is left for accept(2): the reserve makes room for one. */
static void
on_full(struct intake *in)
{
	struct acceptor *a = list_entry(in, struct port, intake)->acceptor;
	int fd;

	if (a->reserve == -1)
		a->reserve = take_reserve(in->fd);
	if (a->reserve == -1) {
		/* Not even that: the end of a connection goes on here. */
		want_all(a, a->connections == 0);
		return;
	}
	close(a->reserve);
	fd = intake_take(in);
	if (fd >= 0)
		say_busy(a, fd, "no descriptor is left");
	a->reserve = take_reserve(in->fd);
}

static bool
is_full(const struct acceptor *a)
{
	return a->limits.at_once != 0 && a->connections >= a->limits.at_once;
}

static void
want_more(struct acceptor *a)
{
	if (a->is_open)
		want_all(a, !a->is_paused && !is_full(a));
}

static void
on_accept(struct intake *in, int fd, const struct addr *peer)
{
	struct acceptor *a = list_entry(in, struct port, intake)->acceptor;
	int err;

	if (a->connections >= a->limits.connections) {
		say_busy(a, fd, "the limit is reached");
		return;
	}
	a->connections++;
	err = a->limits.open(a->host, fd, peer);
	if (err < 0) {
		a->connections--;
		say_busy(a, fd, strerror(-err));
		return;
	}
	if (is_full(a))
		want_all(a, false);
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
		p->intake.on_accept = on_accept;
		p->intake.on_full = on_full;
		err = intake_open(&p->intake, host->loop, fds[a->n],
		    limits->at_once != 0);
		if (err < 0) {
			acceptor_close(a);
			free(a);
			return err;
		}
		a->n++;
	}
	if (limits->waits)
		acceptor_pause(a, true);
	*out_acceptor = a;
	return 0;
}

void
acceptor_adopt(struct acceptor *a, int fd, const struct addr *peer,
    struct str unread)
{
	/* First, since its end may be told before it is open. */
	a->connections++;
	if (a->connections <= a->limits.connections &&
	    h1_proto.adopt(a->host, fd, peer, unread) == 0) {
		if (is_full(a))
			want_all(a, false);
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
	for (unsigned i = 0; i < a->n; i++)
		intake_close(&a->ports[i].intake);
	if (a->reserve != -1)
		close(a->reserve);
}

void
acceptor_connection_closed(struct acceptor *a)
{
	a->connections--;
	want_more(a);
}

void
acceptor_pause(struct acceptor *a, bool is_paused)
{
	a->is_paused = is_paused;
	want_more(a);
}

unsigned
acceptor_connections(const struct acceptor *a)
{
	return a->connections;
}
