/* SPDX-License-Identifier: ISC */
/*
 * One port of TCP or UDP.  Who said that a port cannot be reached is read
 * from the error queue, which is asked for on both kinds of sockets.
 */
#include "sock/scan_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "sock/call.h"

#define ANSWER_BYTES 2048

static struct endpoint
endpoint_of(const struct scan *s, unsigned port)
{
	struct endpoint e = s->peer;

	/* The port is at the same place for both families. */
	e.u.in.sin_port = htons((uint16_t)port);
	return e;
}

static enum port_state
state_of_errno(int err)
{
	switch (err < 0 ? -err : err) {
	case 0:
		return PORT_OPEN;
	case ECONNREFUSED:
		return PORT_CLOSED;
	case ETIMEDOUT:
		return PORT_SILENT;
	default:
		return PORT_UNREACHABLE;
	}
}

/* Does the errno speak of the way to the peer, rather than of us? */
static bool
is_of_way(int err)
{
	switch (-err) {
	case ECONNREFUSED:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
	case EACCES:
		return true;
	default:
		return false;
	}
}

static int
state_or_errno(struct probe *p, int err)
{
	if (err == -EINPROGRESS)
		return PORT_WAITING;
	if (err < 0 && !is_of_way(err))
		return err;
	if (err < 0 && err != -ECONNREFUSED)
		snprintf(p->why, sizeof(p->why), "%s", strerror(-err));
	return (int)state_of_errno(err);
}

static int
ask_tcp(const struct scan *s, struct probe *p)
{
	struct endpoint e = endpoint_of(s, p->port);

	return state_or_errno(p, call_connect(p->fd, &e.u.sa, e.len));
}

static enum port_state
look_tcp(const struct scan *s, struct probe *p)
{
	socklen_t len = sizeof(int);
	struct icmp_error e;
	int err = 0;

	(void)s;
	/* The error first: reading the queue would clear it. */
	if (call_getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	    err != 0 && icmp_next_error(p->fd, &e) == 0)
		icmp_error_text(&e, p->why);
	return state_of_errno(err);
}

const struct scan_kind scan_tcp = {
	.parallel = 64,
	.tries = 1,             /* the kernel sends its SYN again */
	.ask = ask_tcp,
	.look = look_tcp,
};

static int
ask_udp(const struct scan *s, struct probe *p)
{
	unsigned char quic[QUIC_PROBE_BYTES];
	struct endpoint e = endpoint_of(s, p->port);
	ssize_t n;
	int err;

	err = call_connect(p->fd, &e.u.sa, e.len);
	if (err < 0)
		return state_or_errno(p, err);
	if (s->is_quic) {
		quic_write_probe(&s->ids, quic);
		n = call_send(p->fd, quic, sizeof(quic), 0);
	} else {
		n = call_send(p->fd, s->text, strlen(s->text), 0);
	}
	return n < 0 ? state_or_errno(p, (int)n) : PORT_WAITING;
}

/* Any answer shows that somebody is there; of QUIC only the right one. */
static enum port_state
look_quic(const struct scan *s, struct probe *p, struct str answer)
{
	uint32_t versions[QUIC_VERSIONS_MAX];
	char text[QUIC_TEXT];
	unsigned n;

	if (!quic_read_versions(answer, &s->ids, versions, &n))
		snprintf(p->why, sizeof(p->why), "answers, but not as QUIC");
	else
		snprintf(p->why, sizeof(p->why), "QUIC versions%s",
		    quic_versions_text(versions, n, text));
	return PORT_OPEN;
}

static enum port_state
look_udp(const struct scan *s, struct probe *p)
{
	char answer[ANSWER_BYTES];
	struct icmp_error e;
	ssize_t n;

	if (icmp_next_error(p->fd, &e) == 0) {
		icmp_error_text(&e, p->why);
		return icmp_is_closed_port(&e) ? PORT_CLOSED :
		    PORT_UNREACHABLE;
	}
	n = call_recv(p->fd, answer, sizeof(answer), 0);
	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? PORT_WAITING :
		    state_of_errno((int)n);
	if (s->is_quic)
		return look_quic(s, p, (struct str){ answer, (size_t)n });
	snprintf(p->why, sizeof(p->why), "answers %zd bytes", n);
	return PORT_OPEN;
}

const struct scan_kind scan_udp = {
	.parallel = 6,          /* as many errors Linux sends at once */
	.tries = 2,
	.has_slow_answers = true,
	.ask = ask_udp,
	.look = look_udp,
};
