/* SPDX-License-Identifier: ISC */
/*
 * Labs on the queue of a listener: who waits in it, unknown to the server, and
 * who finds no room.  listen(2), the lecture's streamread.c.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/netns.h"

#define TEXT_BYTES 128

/* -------------------------------------------------------------- serial */

static int
connect_late(struct lab *lab, void *arg)
{
	lab_pause(50);
	lab_client(lab, arg);
	return 0;
}

static unsigned
queue_of(int listener)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	/* Of a listener it tells the queue and its limit. */
	getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &n);
	return info.tcpi_unacked;
}

struct queueing {
	int listener;
	unsigned wanted;
};

static bool
has_queue(void *arg)
{
	const struct queueing *q = arg;

	return queue_of(q->listener) == q->wanted;
}

/* The client is connected a little before the server's side knows it. */
static bool
await_queue(int listener, unsigned wanted)
{
	struct queueing q = { listener, wanted };

	return lab_until(has_queue, &q, LAB_AWAIT_MS);
}

void
lesson_serial(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener = lab_listener(lab, &at, 5), first, second, server, n;
	double begun = lab_ms();
	char text[TEXT_BYTES];
	bool is_waiting;
	pid_t late = lab_fork(lab, "late", connect_late, &at);

	server = lab_accept(lab, listener, NULL);
	lab_expect(lab, lab_ms() - begun >= 50, "accept waited %.1f ms for a"
	    " client that came after 50", lab_ms() - begun);
	lab_wait(lab, late);
	lab_close(lab, server);
	first = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	second = lab_client(lab, &at);
	lab_write(lab, second, "second");
	lab_write(lab, first, "first");
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == 5, "the server reads \"%s\"", n > 0 ? text : "");
	is_waiting = await_queue(listener, 1);
	lab_state(lab, "queue of the listener: %u", queue_of(listener));
	lab_expect(lab, is_waiting, "the second client waits,"
	    " connected, in a queue of %u", queue_of(listener));
	lab_close(lab, first);
	lab_expect(lab, lab_read(lab, server, text, sizeof(text)) == 0,
	    "the first ends");
	lab_close(lab, server);
	server = lab_accept(lab, listener, NULL);
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == 6, "only then the server reads \"%s\"",
	    n > 0 ? text : "");
	lab_say(lab, "The second client was connected and had sent, long"
	    " before the server knew of it: the kernel does that alone.");
}

/* ------------------------------------------------------------- backlog */

#define CLIENTS_MORE 3          /* than there is room for */
#define CLIENTS_MAX 64

/* "TcpExt: names..." and below it "TcpExt: numbers..." */
static long
counter(const char *name)
{
	static char names[8192], numbers[8192];
	char *name_at, *number_at, *names_rest, *numbers_rest;
	FILE *f = fopen("/proc/self/net/netstat", "re");
	long value = -1;

	if (f == NULL)
		return -1;
	if (fgets(names, sizeof(names), f) != NULL &&
	    fgets(numbers, sizeof(numbers), f) != NULL) {
		name_at = strtok_r(names, " \n", &names_rest);
		number_at = strtok_r(numbers, " \n", &numbers_rest);
		while (name_at != NULL && number_at != NULL) {
			if (strcmp(name_at, name) == 0)
				value = strtol(number_at, NULL, 10);
			name_at = strtok_r(NULL, " \n", &names_rest);
			number_at = strtok_r(NULL, " \n", &numbers_rest);
		}
	}
	fclose(f);
	return value;
}

static bool
is_established(void *arg)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	getsockopt(*(int *)arg, IPPROTO_TCP, TCP_INFO, &info, &n);
	return info.tcpi_state == TCP_ESTABLISHED;
}

struct calling {
	int client, listener;
	unsigned others;        /* in the queue before it came */
	long overflows;         /* at that time */
};

/* It waits in the queue, or its SYN has found no room. */
static bool
has_been_heard(void *arg)
{
	struct calling *c = arg;

	return (is_established(&c->client) &&
	    queue_of(c->listener) > c->others) ||
	    counter("ListenOverflows") > c->overflows;
}

/* A client that does not wait; connected, or still calling. */
static int
call_in(struct lab *lab, int listener, const struct lab_addr *to, int *out_fd)
{
	int fd = lab_socket(lab, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct calling calling = {
		.client = fd,
		.listener = listener,
		.others = queue_of(listener),
		.overflows = counter("ListenOverflows"),
	};

	lab_must(lab, fd, "socket");
	lab_connect(lab, fd, to);
	lab_until(has_been_heard, &calling, LAB_AWAIT_MS);
	*out_fd = fd;
	return lab_tcp_state(lab, fd);
}

static void
show_knobs(struct lab *lab)
{
	static const char *const knobs[] = {
		"net/core/somaxconn", "net/ipv4/tcp_max_syn_backlog",
		"net/ipv4/tcp_abort_on_overflow", "net/ipv4/tcp_syncookies",
	};
	long value;

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		if (netns_read_knob(knobs[i], &value) == 0)
			lab_state(lab, "%s = %ld", knobs[i], value);
}

static void
show_unix_backlog(struct lab *lab, int backlog)
{
	struct lab_addr at = lab_unix("socket");
	int fd, err = 0, clients = 0;

	lab_listener(lab, &at, backlog);
	while (err == 0 && clients < CLIENTS_MAX) {
		fd = lab_socket(lab, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		err = lab_connect(lab, fd, &at);
		clients += err == 0;
	}
	lab_expect(lab, clients == backlog + 1 && err == -EAGAIN,
	    "UNIX: a backlog of %d lets %d in; the next is told EAGAIN",
	    backlog, clients);
}

struct outside {
	int *clients;
	int in;                 /* the first that is in by now */
};

static bool
is_one_in(void *arg)
{
	struct outside *o = arg;

	for (int i = 0; i < CLIENTS_MORE; i++) {
		o->in = o->clients[i];
		if (is_established(&o->in))
			return true;
	}
	return false;
}

/* One that found no room gets in by calling again: who is first to do so. */
static void
show_second_chance(struct lab *lab, int listener, int *clients)
{
	struct outside outside = { .clients = clients };
	struct lab_addr own;
	double begun = lab_ms();
	bool is_in;

	lab_accept(lab, listener, NULL);
	is_in = lab_until(is_one_in, &outside, LAB_AWAIT_MS);
	lab_name(NULL, outside.in, &own);
	lab_tcp_state(lab, outside.in);
	lab_expect(lab, is_in, "after one accept the next is in, %.2f s later:"
	    " by its repeated SYN", (lab_ms() - begun) / 1e3);
	if (lab_is_private(lab))
		lab_expect(lab, lab_await(lab, 2, (struct lab_wanted){
		    .kind = PACKET_TCP, .flags = PACKET_SYN,
		    .no_flags = PACKET_ACK, .from_port = lab_port(&own) }),
		    "it sent its SYN more than once");
}

void
lesson_backlog(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	long wanted = lab_number(lab, 1), before, overflows;
	int backlog = (int)(wanted < 0 ? 0 : wanted > 32 ? 32 : wanted);
	int listener, clients[CLIENTS_MAX], let_in = 0, outside = 0;

	show_knobs(lab);
	listener = lab_listener(lab, &at, backlog);
	before = counter("ListenOverflows");
	for (int i = 0; i < backlog + 1 + CLIENTS_MORE; i++)
		if (call_in(lab, listener, &at, &clients[i]) == TCP_ESTABLISHED)
			let_in++;
		else
			outside++;
	overflows = counter("ListenOverflows") - before;
	lab_state(lab, "queue of the listener: %u, limit %d; ListenOverflows"
	    " +%ld", queue_of(listener), backlog, overflows);
	lab_expect(lab, let_in == backlog + 1,
	    "a backlog of %d lets %d clients in", backlog, let_in);
	lab_expect(lab, outside == CLIENTS_MORE && overflows >= outside,
	    "the other %d hear nothing at all, and stay SYN_SENT", outside);
	lab_claim(lab, 21, let_in == backlog, "a backlog of %d let %d in",
	    backlog, let_in);
	show_second_chance(lab, listener, &clients[backlog + 1]);
	show_unix_backlog(lab, backlog + 1);
	lab_say(lab, "Linux admits one more than the backlog says. The next"
	    " gets no refusal, only silence, and calls again by itself.");
}
