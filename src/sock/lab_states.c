/* SPDX-License-Identifier: ISC */
/*
 * The lab on the states that a TCP connection goes through, RFC 9293 3.3.2.
 */

#include <errno.h>
#include <netinet/tcp.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

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
