/* SPDX-License-Identifier: ISC */
/*
 * Labs on TCP connections, RFC 9293, after the lecture's streamread.c and
 * streamwrite.c: how they begin, wait, and which states they go through.
 */

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/netns.h"

#define TEXT_BYTES 128
#define POEM "Half a league, half a league . . ."

/* ----------------------------------------------------------------- tcp */

static int
send_message(struct lab *lab, int fd, const char *text)
{
	char copy[TEXT_BYTES];
	struct iovec pieces[2];
	struct msghdr msg = { .msg_iov = pieces, .msg_iovlen = 2 };
	size_t n = strlen(text), half = n / 2;
	ssize_t sent;

	memcpy(copy, text, n);
	pieces[0] = (struct iovec){ copy, half };
	pieces[1] = (struct iovec){ copy + half, n - half };
	sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
	lab_note(lab, "sendmsg(%d, [%zu bytes, %zu bytes]) = %zd", fd, half,
	    n - half, sent);
	return sent == -1 ? -errno : (int)sent;
}

/* The same bytes by four calls; all must come out in order. */
static void
show_four_ways(struct lab *lab, int client, int server)
{
	struct lab_addr nowhere = { .n = 0 };
	char got[4 * TEXT_BYTES];
	size_t each = strlen(POEM), n = 0;
	ssize_t once;

	lab_as(lab, "client");
	lab_write(lab, client, POEM);
	lab_send(lab, client, POEM, 0);
	lab_send_to(lab, client, POEM, &nowhere);
	send_message(lab, client, POEM);
	lab_as(lab, "server");
	while (n < 4 * each) {
		once = recv(server, got + n, sizeof(got) - n, 0);
		if (once <= 0)
			break;
		n += (size_t)once;
	}
	lab_note(lab, "recv(%d) until %zu bytes are there: %zu", server,
	    4 * each, n);
	lab_expect(lab, n == 4 * each && memcmp(got, POEM, each) == 0 &&
	    memcmp(got + 3 * each, POEM, each) == 0,
	    "write, send, sendto, sendmsg: the same %zu bytes each", each);
}

static bool
has_pure_ack_after_fin(struct lab *lab, unsigned *out_segments)
{
	struct lab_wanted fins = { .kind = PACKET_TCP, .flags = PACKET_FIN };
	struct lab_wanted any = { .kind = PACKET_TCP };
	const struct packet *p;
	unsigned n = lab_packets(lab, any), at = 0;

	*out_segments = 0;
	if (lab_packets(lab, fins) < 2)
		return false;
	while (!(lab_packet(lab, at, any)->tcp.flags & PACKET_FIN))
		at++;
	*out_segments = n - at;
	p = lab_packet(lab, n - 1, any);
	return !(p->tcp.flags & PACKET_FIN) && p->tcp.flags & PACKET_ACK;
}

struct parting {
	struct lab *lab;
	unsigned segments;
};

static bool
has_parted(void *arg)
{
	struct parting *p = arg;

	return has_pure_ack_after_fin(p->lab, &p->segments);
}

static void
show_segments(struct lab *lab, unsigned client_port, unsigned server_port)
{
	struct parting parting = { .lab = lab };
	struct lab_wanted first = {
		.kind = PACKET_TCP,
		.flags = PACKET_SYN,
		.no_flags = PACKET_ACK,
		.from_port = client_port,
	};
	struct lab_wanted second = {
		.kind = PACKET_TCP,
		.flags = PACKET_SYN | PACKET_ACK,
		.from_port = server_port,
	};
	const struct packet *syn, *answer;

	if (!lab_is_private(lab))
		return;
	syn = lab_packet(lab, 0, first);
	answer = lab_packet(lab, 0, second);
	lab_expect(lab, syn != NULL && answer != NULL &&
	    answer->tcp.ack == syn->tcp.seq + 1,
	    "SYN, SYN-ACK that acknowledges it by number + 1, ACK");
	lab_expect(lab, lab_until(has_parted, &parting, LAB_AWAIT_MS),
	    "both FINs are acknowledged, in %u segments", parting.segments);
	lab_claim(lab, 10, parting.segments == 4, "%u segments%s",
	    parting.segments, parting.segments == 3 ?
	    ": the second FIN carried the acknowledgement of the first" : "");
}

void
lesson_tcp(struct lab *lab)
{
	struct lab_addr own, at = lab_inet("127.0.0.1", 0), peer;
	int listener, client, server, n;
	char text[TEXT_BYTES];

	lab_as(lab, "server");
	listener = lab_listener(lab, &at, 5);
	lab_state(lab, "Socket has port #%u", lab_port(&at));
	lab_as(lab, "client");
	client = lab_client(lab, &at);
	lab_name(lab, client, &own);
	lab_as(lab, "server");
	server = lab_accept(lab, listener, &peer);
	lab_expect(lab, server >= 0 && server != listener,
	    "accept gives a descriptor of its own: %d beside %d", server,
	    listener);
	lab_expect(lab, lab_port(&peer) == lab_port(&own),
	    "it names the client: port %u", lab_port(&peer));
	show_four_ways(lab, client, server);
	lab_as(lab, "client");
	lab_close(lab, client);
	lab_as(lab, "server");
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == 0, "the client has closed: read gives 0, \"Ending"
	    " connection\"");
	lab_close(lab, server);
	show_segments(lab, lab_port(&own), lab_port(&at));
	lab_say(lab, "Three segments make a connection; each side ends its own"
	    " direction with a FIN that the other acknowledges. The listening"
	    " socket takes no part: it only makes new ones.");
}

/* -------------------------------------------------------------- states */

/* Two hosts and one connection between them. */
struct two {
	unsigned a, b;
	int client, listener, server;
	unsigned client_port, server_port;
};

static void
connect_two(struct lab *lab, struct two *t, const char *b_address)
{
	struct lab_addr at = lab_inet(b_address, 0), own;

	lab_as(lab, "B");
	lab_go(lab, t->b);
	t->listener = lab_listener(lab, &at, 5);
	lab_as(lab, "A");
	lab_go(lab, t->a);
	t->client = lab_client(lab, &at);
	lab_name(NULL, t->client, &own);
	lab_as(lab, "B");
	t->server = lab_accept(lab, t->listener, NULL);
	lab_must(lab, t->server, "accept");
	t->client_port = lab_port(&own);
	t->server_port = lab_port(&at);
}

static void
expect_state(struct lab *lab, const struct two *t, bool at_a, int state)
{
	unsigned from = at_a ? t->client_port : t->server_port;
	unsigned to = at_a ? t->server_port : t->client_port;
	const char *name = state == -ENOENT ? "gone" :
	    lab_tcp_state_name(state);

	lab_as(lab, at_a ? "A" : "B");
	lab_go(lab, at_a ? t->a : t->b);
	lab_expect(lab, lab_await_state(lab, from, to, state), "%s: %s",
	    at_a ? "A" : "B", name);
}

/* While the cable is out, what was sent last stays unanswered. */
static void
set_cable(struct lab *lab, const struct two *t, bool is_in)
{
	lab_as(lab, "cable");
	lab_go(lab, t->b);
	lab_set_up(lab, "toA", is_in);
	lab_note(lab, "the cable is %s", is_in ? "plugged in" : "pulled");
}

static void
show_begin(struct lab *lab, const struct two *t)
{
	struct lab_addr at = lab_inet("10.0.0.2", 0), own;
	int listener, client, patience_s = 60;
	struct two late;

	lab_as(lab, "B");
	lab_go(lab, t->b);
	listener = lab_listener(lab, &at, 5);
	lab_expect(lab, lab_tcp_state(lab, listener) == TCP_LISTEN,
	    "B: LISTEN");
	/* The server waits for data before it counts the last ACK. */
	setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &patience_s,
	    sizeof(patience_s));
	set_cable(lab, t, false);
	lab_as(lab, "A");
	lab_go(lab, t->a);
	client = lab_socket(lab, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	lab_connect(lab, client, &at);
	lab_name(NULL, client, &own);
	late = *t;
	late.client_port = lab_port(&own);
	late.server_port = lab_port(&at);
	expect_state(lab, &late, true, TCP_SYN_SENT);
	set_cable(lab, t, true);
	expect_state(lab, &late, true, TCP_ESTABLISHED);
	expect_state(lab, &late, false, TCP_SYN_RECV);
	lab_close(lab, client);
	lab_close(lab, listener);
}

static void
show_ending(struct lab *lab, struct two *t)
{
	expect_state(lab, t, true, TCP_ESTABLISHED);
	set_cable(lab, t, false);
	lab_as(lab, "A");
	lab_shutdown(lab, t->client, SHUT_WR);
	expect_state(lab, t, true, TCP_FIN_WAIT1);
	set_cable(lab, t, true);
	expect_state(lab, t, false, TCP_CLOSE_WAIT);
	expect_state(lab, t, true, TCP_FIN_WAIT2);
	set_cable(lab, t, false);
	lab_as(lab, "B");
	lab_close(lab, t->server);
	expect_state(lab, t, false, TCP_LAST_ACK);
	set_cable(lab, t, true);
	expect_state(lab, t, true, TCP_TIME_WAIT);
	expect_state(lab, t, false, -ENOENT);
}

/* Host A, a router, and B again, where the packets of B can be let die. */
static void
build_way(struct lab *lab, struct two *t)
{
	unsigned router = lab_host(lab, "R");

	t->b = lab_host(lab, "B2");
	lab_link(lab, t->a, "10.0.1.1/24", router, "10.0.1.2/24");
	lab_link(lab, router, "10.0.2.1/24", t->b, "10.0.2.2/24");
	lab_as(lab, "R");
	lab_go(lab, router);
	lab_must(lab, lab_knob(lab, "net/ipv4/ip_forward", "1"), "forward");
	lab_go(lab, t->a);
	lab_route(lab, "10.0.2.0/24", "10.0.1.2");
	lab_go(lab, t->b);
	lab_route(lab, "10.0.1.0/24", "10.0.2.1");
}

/* Both close; A's FIN gets through, B's does not: RFC 9293 3.6. */
static void
show_closing(struct lab *lab, struct two *t)
{
	build_way(lab, t);
	connect_two(lab, t, "10.0.2.2");
	lab_as(lab, "B");
	lab_set(lab, t->server, IPPROTO_IP, IP_TTL, "IP_TTL", 1);
	lab_shutdown(lab, t->server, SHUT_WR);
	lab_as(lab, "A");
	lab_shutdown(lab, t->client, SHUT_WR);
	expect_state(lab, t, false, TCP_CLOSING);
	lab_set(lab, t->server, IPPROTO_IP, IP_TTL, "IP_TTL", 64);
	expect_state(lab, t, false, TCP_TIME_WAIT);
}

/* A connection is known by all four: both addresses and both ports. */
static void
show_one_port_twice(struct lab *lab)
{
	struct lab_addr own = lab_inet("127.0.0.1", 0);
	struct lab_addr to[2] = { own, own };
	int fd, state[2];

	lab_as(lab, "client");
	lab_listener(lab, &to[0], 1);
	lab_listener(lab, &to[1], 1);
	for (int i = 0; i < 2; i++) {
		fd = lab_socket(lab, AF_INET, SOCK_STREAM, 0);
		lab_set(lab, fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", 1);
		lab_bind(lab, fd, &own);
		lab_name(NULL, fd, &own);
		lab_connect(lab, fd, &to[i]);
		state[i] = lab_tcp_state(lab, fd);
	}
	lab_expect(lab, state[0] == TCP_ESTABLISHED &&
	    state[1] == TCP_ESTABLISHED,
	    "port %u is connected to port %u and to port %u", lab_port(&own),
	    lab_port(&to[0]), lab_port(&to[1]));
}

void
lesson_states(struct lab *lab)
{
	struct two t = { .b = lab_host(lab, "B") };

	lab_link(lab, t.a, "10.0.0.1/24", t.b, "10.0.0.2/24");
	show_begin(lab, &t);
	connect_two(lab, &t, "10.0.0.2");
	show_ending(lab, &t);
	show_closing(lab, &t);
	lab_go(lab, t.a);
	show_one_port_twice(lab);
	lab_say(lab, "Who closes first goes by FIN_WAIT1 and FIN_WAIT2 to"
	    " TIME_WAIT; the other by CLOSE_WAIT and LAST_ACK. The states"
	    " between were held open by pulling the cable, or by letting"
	    " packets die at a router.");
}

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

/* --------------------------------------------------------- early-close */

static void
reset(struct lab *lab, int fd)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	lab_note(lab, "setsockopt(%d, SO_LINGER, on, 0 s)", fd);
	lab_close(lab, fd);
}

static int
gone_client(struct lab *lab, struct lab_addr *at, bool resets)
{
	int listener = lab_listener(lab, at, 5), client, server;

	client = lab_client(lab, at);
	lab_write(lab, client, "hello");
	if (resets)
		reset(lab, client);
	else
		lab_close(lab, client);
	server = lab_accept(lab, listener, NULL);
	lab_must(lab, server, "accept");
	return server;
}

static void
expect_read(struct lab *lab, int fd, int wanted, const char *what)
{
	char text[TEXT_BYTES];
	int n = lab_read(lab, fd, text, sizeof(text));

	lab_expect(lab, n == wanted, "%s: %s", what,
	    n < 0 ? strerrorname_np(-n) : n == 0 ? "the end" : "5 bytes");
}

void
lesson_early_close(struct lab *lab)
{
	struct lab_addr fin = lab_inet("127.0.0.1", 0), rst = fin, peer;
	struct lab_addr name = lab_unix("socket");
	int server, n;

	server = gone_client(lab, &fin, false);
	expect_read(lab, server, 5, "closed before accept, first read");
	expect_read(lab, server, 0, "closed before accept, second read");
	server = gone_client(lab, &rst, true);
	lab_poll(lab, server, POLLHUP, LAB_AWAIT_MS);
	expect_read(lab, server, 5, "reset before accept, first read");
	expect_read(lab, server, -ECONNRESET, "reset before accept, second");
	n = lab_peer(lab, server, &peer);
	lab_expect(lab, n == -ENOTCONN, "and who it was is forgotten:"
	    " ENOTCONN");
	server = gone_client(lab, &name, false);
	expect_read(lab, server, 5, "UNIX, first read");
	expect_read(lab, server, 0, "UNIX, second read");
	n = lab_send(lab, server, "x", 0);
	lab_expect(lab, n == -EPIPE, "UNIX, an answer: EPIPE");
	lab_say(lab, "On Linux accept(2) gives also the client that is gone,"
	    " even by a reset, with all that it had sent.");
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

/* ----------------------------------------------------------- halfclose */

void
lesson_halfclose(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener = lab_listener(lab, &at, 1), client, server, n;
	char text[TEXT_BYTES];

	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	lab_write(lab, client, "ask");
	lab_shutdown(lab, client, SHUT_WR);
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == 3, "the server reads %d bytes", n);
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == 0, "then the end of that direction");
	n = lab_poll(lab, server, POLLRDHUP | POLLOUT, 0);
	lab_expect(lab, n == (POLLRDHUP | POLLOUT), "poll says RDHUP, and that"
	    " it may still write");
	lab_tcp_state(lab, client);
	lab_tcp_state(lab, server);
	n = lab_write(lab, server, "answer");
	lab_expect(lab, n == 6, "it does: 6 bytes");
	n = lab_read(lab, client, text, sizeof(text));
	lab_expect(lab, n == 6, "the client, which can send no more, reads"
	    " \"%s\"", n > 0 ? text : "");
	n = lab_send(lab, client, "more", 0);
	lab_expect(lab, n == -EPIPE, "the client sends: EPIPE");
	lab_say(lab, "shutdown(SHUT_WR) says \"I have finished\" and still"
	    " listens. A server must not take the end of the question for the"
	    " end of the client.");
}

/* ----------------------------------------------------------------- rst */

static void
show_refused(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int fd = lab_bound(lab, SOCK_STREAM, &at), n;

	lab_close(lab, fd);
	fd = lab_socket(lab, AF_INET, SOCK_STREAM, 0);
	n = lab_connect(lab, fd, &at);
	lab_expect(lab, n == -ECONNREFUSED, "nobody listens: ECONNREFUSED");
	if (lab_is_private(lab))
		lab_expect(lab, lab_await(lab, 1, (struct lab_wanted){
		    .kind = PACKET_TCP, .flags = PACKET_RST,
		    .from_port = lab_port(&at) }), "the refusal is a RST");
}

void
lesson_rst(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener, client, server, n;
	char text[TEXT_BYTES];

	show_refused(lab);
	listener = lab_listener(lab, &at, 1);
	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	lab_write(lab, client, "never read");
	lab_poll(lab, server, POLLIN, LAB_AWAIT_MS);
	lab_close(lab, server);
	lab_poll(lab, client, POLLIN, LAB_AWAIT_MS);
	n = lab_read(lab, client, text, sizeof(text));
	lab_expect(lab, n == -ECONNRESET, "closed with data unread: the client"
	    " gets %s", n < 0 ? strerrorname_np(-n) : "no error");
	if (lab_is_private(lab))
		lab_expect(lab, lab_await(lab, 1, (struct lab_wanted){
		    .kind = PACKET_TCP, .flags = PACKET_RST,
		    .from_port = lab_port(&at) }),
		    "a RST, not a FIN, was sent");
	lab_say(lab, "A reset says that data will not be read: there is nobody"
	    " at that port, or the reader has gone. Read all before you"
	    " close.");
}
