/* SPDX-License-Identifier: ISC */
/* A lab on socket options: the lecture's table, what they do and refuse. */

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/sockopt.h"

#define TEXT_BYTES 128
#define SHORT_MS 100
#define AGE_MS 20
#define TRIES 100

static const struct {
	int domain, type;
	const char *name;
} kinds[] = {
	{ AF_INET, SOCK_STREAM, "tcp" },
	{ AF_INET, SOCK_DGRAM, "udp" },
	{ AF_UNIX, SOCK_STREAM, "unix" },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The whole table as it stands when a socket is new. */
static void
show_defaults(struct lab *lab)
{
	char values[N_KINDS][SOCKOPT_VALUE_TEXT];
	int fds[N_KINDS], err;
	unsigned readable = 0, listed = 0;

	for (size_t k = 0; k < N_KINDS; k++)
		fds[k] = lab_socket(lab, kinds[k].domain, kinds[k].type, 0);
	for (const struct sockopt *o = sockopt_table(); o->name != NULL; o++) {
		listed += o->is_in_lecture;
		for (size_t k = 0; k < N_KINDS; k++) {
			err = sockopt_get(fds[k], o, values[k]);
			if (err < 0)
				snprintf(values[k], sizeof(values[k]), "%s",
				    strerrorname_np(-err));
			readable += k == 0 && err == 0 && o->is_in_lecture;
		}
		lab_state(lab, "%-17s tcp %.24s, udp %.24s, unix %.24s",
		    o->c_name, values[0], values[1], values[2]);
	}
	lab_expect(lab, listed > 0 && readable == listed,
	    "%u of the lecture's %u options can be read of a TCP socket",
	    readable, listed);
	for (size_t k = 0; k < N_KINDS; k++)
		lab_close(lab, fds[k]);
}

static void
show_refused(struct lab *lab)
{
	int fd = lab_socket(lab, AF_INET, SOCK_STREAM, 0), err, value = 0;

	err = lab_set(lab, fd, SOL_SOCKET, SO_TYPE, "SO_TYPE", SOCK_DGRAM);
	lab_expect(lab, err == -ENOPROTOOPT, "SO_TYPE can only be read");
	err = lab_set(lab, fd, SOL_SOCKET, SO_SNDLOWAT, "SO_SNDLOWAT", 5);
	lab_expect(lab, err == -ENOPROTOOPT, "SO_SNDLOWAT: %s",
	    err == 0 ? "set" : strerrorname_np(-err));
	lab_claim(lab, 15, err == 0, "setsockopt(SO_SNDLOWAT): %s",
	    err == 0 ? "done" : strerrorname_np(-err));
	err = lab_set(lab, fd, SOL_SOCKET, SO_DEBUG, "SO_DEBUG", 1);
	lab_expect(lab, err == 0 || err == -EACCES, "SO_DEBUG is for"
	    " CAP_NET_ADMIN: %s here", err == 0 ? "set" : "EACCES");
	lab_set(lab, fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", 65536);
	lab_get(lab, fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", &value);
	lab_expect(lab, value == 2 * 65536, "SO_SNDBUF: asked for 65536, got"
	    " %d", value);
	lab_close(lab, fd);
}

/* A client and what the listener gave for it. */
static void
connected(struct lab *lab, int *out_client, int *out_server)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener = lab_listener(lab, &at, 1);

	*out_client = lab_client(lab, &at);
	*out_server = lab_accept(lab, listener, NULL);
	lab_must(lab, *out_server, "accept");
	lab_close(lab, listener);
}

static void
show_low_water(struct lab *lab)
{
	int client, server, n;

	connected(lab, &client, &server);
	lab_set(lab, server, SOL_SOCKET, SO_RCVLOWAT, "SO_RCVLOWAT", 5);
	lab_send(lab, client, "abc", 0);
	n = lab_poll(lab, server, POLLIN, SHORT_MS);
	lab_expect(lab, n == 0, "SO_RCVLOWAT 5: not readable with 3 bytes");
	lab_send(lab, client, "de", 0);
	n = lab_poll(lab, server, POLLIN, LAB_AWAIT_MS);
	lab_expect(lab, n == POLLIN, "readable with 5");
	lab_close(lab, client);
	lab_close(lab, server);
}

static void
set_time(struct lab *lab, int fd, int option, const char *name)
{
	struct timeval t = { .tv_usec = SHORT_MS * 1000 };

	setsockopt(fd, SOL_SOCKET, option, &t, sizeof(t));
	lab_note(lab, "setsockopt(%d, %s, %d ms)", fd, name, SHORT_MS);
}

static void
show_timeouts(struct lab *lab)
{
	static const char block[65536];
	int client, server, n;
	size_t sent = 0;
	char text[TEXT_BYTES];
	double begun = lab_ms();
	ssize_t once;

	connected(lab, &client, &server);
	set_time(lab, server, SO_RCVTIMEO, "SO_RCVTIMEO");
	/* With a limit, who is stopped and goes on is told so: signal(7). */
	do
		n = lab_receive(lab, server, text, sizeof(text), 0);
	while (n == -EINTR);
	/* The kernel's tick may make it a little short. */
	lab_expect(lab, n == -EAGAIN && lab_ms() - begun > SHORT_MS * 0.9,
	    "SO_RCVTIMEO: EAGAIN after %.1f ms", lab_ms() - begun);
	set_time(lab, client, SO_SNDTIMEO, "SO_SNDTIMEO");
	begun = lab_ms();
	while ((once = send(client, block, sizeof(block), 0)) > 0 ||
	    errno == EINTR)
		sent += once > 0 ? (size_t)once : 0;
	n = errno;
	lab_note(lab, "send(%d, ...) until it stops: %zu bytes, then %s",
	    client, sent, strerrorname_np(n));
	lab_expect(lab, n == EAGAIN && lab_ms() - begun > SHORT_MS * 0.9,
	    "SO_SNDTIMEO: EAGAIN after %zu bytes that nobody read", sent);
	lab_close(lab, client);
	lab_close(lab, server);
}

/* The age of a datagram by its stamp, in ms; negative without a stamp. */
static double
age_of_next(int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(struct timeval))];
	} control;
	char byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct timespec now;
	struct timeval at;
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, 0) == -1)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	c = CMSG_FIRSTHDR(&msg);
	if (c == NULL || c->cmsg_type != SCM_TIMESTAMP)
		return -1;
	memcpy(&at, CMSG_DATA(c), sizeof(at));
	return (double)(now.tv_sec - at.tv_sec) * 1e3 +
	    (double)now.tv_nsec / 1e6 - (double)at.tv_usec / 1e3;
}

static void
show_timestamp(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int reader = lab_bound(lab, SOCK_DGRAM, &at);
	int sender = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	double age = 0;

	lab_set(lab, reader, SOL_SOCKET, SO_TIMESTAMP, "SO_TIMESTAMP", 1);
	/*
	 * The kernel turns stamping on in its own time; until then it stamps
	 * when the datagram is read.
	 */
	for (int i = 0; i < TRIES && age < AGE_MS; i++) {
		lab_send_to(lab, sender, "x", &at);
		lab_pause(AGE_MS + 1);
		age = age_of_next(reader);
	}
	lab_expect(lab, age >= AGE_MS, "SO_TIMESTAMP: read after %d ms, it had"
	    " come %.1f ms before", AGE_MS + 1, age);
}

/* ------------------------------------------------------- with a network */

static void
show_keepalive(struct lab *lab, unsigned b)
{
	struct lab_addr at = lab_inet("10.0.0.2", 0);
	int listener, client, server, err = 0;
	double begun;

	lab_go(lab, b);
	listener = lab_listener(lab, &at, 1);
	lab_go(lab, 0);
	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	lab_must(lab, server, "accept");
	lab_set(lab, client, SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE", 1);
	lab_set(lab, client, IPPROTO_TCP, TCP_KEEPIDLE, "TCP_KEEPIDLE", 1);
	lab_set(lab, client, IPPROTO_TCP, TCP_KEEPINTVL, "TCP_KEEPINTVL", 1);
	lab_set(lab, client, IPPROTO_TCP, TCP_KEEPCNT, "TCP_KEEPCNT", 2);
	lab_go(lab, b);
	lab_set_up(lab, "toA", false);
	lab_note(lab, "the cable is pulled");
	begun = lab_ms();
	lab_poll(lab, client, POLLIN, 2 * LAB_AWAIT_MS);
	lab_get(lab, client, SOL_SOCKET, SO_ERROR, "SO_ERROR", &err);
	lab_expect(lab, err == ETIMEDOUT || err == EHOSTUNREACH,
	    "SO_KEEPALIVE: the silent peer is found dead after %.2f s: %s",
	    (lab_ms() - begun) / 1e3, err == 0 ? "0" : strerrorname_np(err));
	lab_set_up(lab, "toA", true);
	lab_go(lab, 0);
}

static void
show_dontroute(struct lab *lab)
{
	struct lab_addr near = lab_inet("10.0.0.2", 9);
	struct lab_addr far = lab_inet("10.0.9.9", 9);
	int fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0), n;

	lab_route(lab, "10.0.9.0/24", "10.0.0.2");
	n = lab_send_to(lab, fd, "x", &far);
	lab_expect(lab, n == 1, "by a router, one reaches further");
	lab_set(lab, fd, SOL_SOCKET, SO_DONTROUTE, "SO_DONTROUTE", 1);
	n = lab_send_to(lab, fd, "x", &far);
	lab_expect(lab, n == -ENETUNREACH, "SO_DONTROUTE: %s",
	    n < 0 ? strerrorname_np(-n) : "sent");
	n = lab_send_to(lab, fd, "x", &near);
	lab_expect(lab, n == 1, "the own network is still in reach");
}

void
lesson_opts(struct lab *lab)
{
	unsigned b;

	show_defaults(lab);
	show_refused(lab);
	show_low_water(lab);
	show_timeouts(lab);
	show_timestamp(lab);
	if (lab_is_private(lab)) {
		b = lab_host(lab, "B");
		lab_link(lab, 0, "10.0.0.1/24", b, "10.0.0.2/24");
		show_dontroute(lab);
		show_keepalive(lab, b);
	} else {
		lab_skip(lab, "SO_KEEPALIVE, SO_DONTROUTE: need a network of"
		    " their own");
	}
	lab_say(lab, "Some options only tell, some are for the privileged, and"
	    " the kernel takes sizes as advice: it doubles them.");
}
