/* SPDX-License-Identifier: ISC */
/*
 * Labs on TCP connections, RFC 9293, after the lecture's streamread.c and
 * streamwrite.c: how they begin, and the ways in which they end.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

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
