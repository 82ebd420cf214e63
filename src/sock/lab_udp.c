/* SPDX-License-Identifier: ISC */
/*
 * Labs on UDP, udp(7), after the lecture's dgramread.c and dgramsend.c: ports,
 * errors that come late, losses, and how long a datagram may be.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/netns.h"

#define TEXT_BYTES 128
#define POEM "The sea is calm tonight, the tide is full . . ."

/* cmsg(3) wants the alignment of its header. */
union control {
	struct cmsghdr align;
	char space[256];
};

/* ------------------------------------------------------------ udp-port */

static unsigned
entries_here(void)
{
	DIR *here = opendir(".");
	unsigned n = 0;

	if (here == NULL)
		return 0;
	while (readdir(here) != NULL)
		n++;
	closedir(here);
	return n;
}

/* "32768 60999", of which the reader of knobs takes the first. */
static bool
is_ephemeral(unsigned port)
{
	long least = 1024;

	netns_read_knob("net/ipv4/ip_local_port_range", &least);
	return port >= (unsigned long)least;
}

static void
show_free_port(struct lab *lab)
{
	struct lab_addr again, at = lab_inet("0.0.0.0", 0);
	unsigned files = entries_here();
	int fd = lab_bound(lab, SOCK_DGRAM, &at), err;

	lab_state(lab, "Socket has port #%u", lab_port(&at));
	lab_expect(lab, is_ephemeral(lab_port(&at)),
	    "port 0 became %u, of the range for this", lab_port(&at));
	lab_expect(lab, entries_here() == files, "no file was made");
	lab_close(lab, fd);
	again = at;
	fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	err = lab_bind(lab, fd, &again);
	lab_expect(lab, err == 0, "closed, the port is free at once");
	lab_close(lab, fd);
}

/* The destination of what was received, by IP_PKTINFO; "" if unknown. */
static void
destination(int fd, char out_host[INET_ADDRSTRLEN])
{
	union control control;
	char byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct in_pktinfo info;
	struct cmsghdr *c;

	out_host[0] = '\0';
	if (recvmsg(fd, &msg, 0) == -1)
		return;
	for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		inet_ntop(AF_INET, &info.ipi_addr, out_host, INET_ADDRSTRLEN);
	}
}

static void
show_addresses(struct lab *lab)
{
	struct lab_addr any = lab_inet("0.0.0.0", 0), to, one;
	char host[INET_ADDRSTRLEN], text[TEXT_BYTES];
	int all = lab_bound(lab, SOCK_DGRAM, &any), only, sender, n;

	lab_set(lab, all, IPPROTO_IP, IP_PKTINFO, "IP_PKTINFO", 1);
	sender = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	for (unsigned i = 1; i <= 2; i++) {
		snprintf(text, sizeof(text), "127.0.0.%u", i);
		to = lab_inet(text, lab_port(&any));
		lab_send_to(lab, sender, "x", &to);
		destination(all, host);
		lab_expect(lab, strcmp(host, text) == 0,
		    "the wildcard got it; it was sent to %s", host);
	}
	one = lab_inet("127.0.0.2", 0);
	only = lab_bound(lab, SOCK_DGRAM, &one);
	to = lab_inet("127.0.0.1", lab_port(&one));
	lab_send_to(lab, sender, "for 1", &to);
	lab_send_to(lab, sender, "for 2", &one);
	n = lab_receive_from(lab, only, text, sizeof(text), &to);
	lab_expect(lab, n == 5 && strcmp(text, "for 2") == 0,
	    "bound to 127.0.0.2, it only got \"%s\"", n > 0 ? text : "");
	n = lab_receive(lab, only, text, sizeof(text), MSG_DONTWAIT);
	lab_expect(lab, n == -EAGAIN, "and nothing else");
}

static void
show_names(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0), peer;
	int reader = lab_bound(lab, SOCK_DGRAM, &at), sender, err;
	struct servent *http;

	sender = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	err = lab_peer(lab, sender, &peer);
	lab_expect(lab, err == -ENOTCONN, "no peer before connect: ENOTCONN");
	lab_connect(lab, sender, &at);
	err = lab_peer(lab, sender, &peer);
	lab_expect(lab, err == 0 && lab_port(&peer) == lab_port(&at),
	    "connect(2) of a datagram socket sets its peer: port %u",
	    lab_port(&peer));
	lab_close(lab, sender);
	lab_close(lab, reader);
	http = getservbyname("http", "tcp");
	if (http == NULL)
		lab_skip(lab, "no /etc/services here");
	else
		lab_expect(lab, ntohs((uint16_t)http->s_port) == 80,
		    "/etc/services: http is %u/tcp",
		    ntohs((uint16_t)http->s_port));
}

void
lesson_udp_port(struct lab *lab)
{
	show_free_port(lab);
	show_addresses(lab);
	show_names(lab);
	lab_say(lab, "Who asks for port 0 is given a free one and learns it by"
	    " getsockname(2). The wildcard takes what is sent to any address"
	    " of the host; nothing of this leaves a file.");
}

/* ------------------------------------------------------------ udp-down */

/*
 * A port that nobody receives at: its socket, connected to itself elsewhere,
 * takes nothing from others, and keeps them from having the port.
 */
static struct lab_addr
nobody(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	struct lab_addr other = lab_inet("127.0.0.1", 9);
	int fd = lab_bound(lab, SOCK_DGRAM, &at);

	lab_must(lab, lab_connect(lab, fd, &other), "connect");
	return at;
}

static unsigned
show_unconnected(struct lab *lab, const struct lab_addr *to)
{
	int fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0), err = 0;
	unsigned ok = 0;

	for (int i = 0; i < 3; i++)
		ok += lab_send_to(lab, fd, POEM, to) > 0;
	lab_get(lab, fd, SOL_SOCKET, SO_ERROR, "SO_ERROR", &err);
	lab_expect(lab, ok == 3 && err == 0,
	    "unconnected: %u of 3 sends succeed, and no error ever", ok);
	lab_close(lab, fd);
	return ok;
}

static bool
has_error(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg };

	return poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

static void
show_connected(struct lab *lab, const struct lab_addr *to)
{
	int fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0), err = 0, n;

	lab_connect(lab, fd, to);
	n = lab_send(lab, fd, POEM, 0);
	lab_expect(lab, n > 0, "connected: the first send succeeds");
	lab_until(has_error, &fd, LAB_AWAIT_MS);
	n = lab_send(lab, fd, POEM, 0);
	lab_expect(lab, n == -ECONNREFUSED, "the second reports the first:"
	    " %s", n < 0 ? strerrorname_np(-n) : "no error");
	lab_claim(lab, 8, n >= 0, "a connected socket's second send: %s",
	    n < 0 ? strerrorname_np(-n) : "no error");
	n = lab_send(lab, fd, POEM, 0);
	lab_expect(lab, n > 0, "an error is told once: the third succeeds");
	lab_until(has_error, &fd, LAB_AWAIT_MS);
	lab_get(lab, fd, SOL_SOCKET, SO_ERROR, "SO_ERROR", &err);
	lab_expect(lab, err == ECONNREFUSED, "SO_ERROR: %s",
	    err == 0 ? "0" : strerrorname_np(err));
	lab_get(lab, fd, SOL_SOCKET, SO_ERROR, "SO_ERROR", &err);
	lab_expect(lab, err == 0, "reading SO_ERROR cleared it");
	lab_close(lab, fd);
}

/* The ICMP error of the socket's error queue; false when there is none. */
static bool
read_error(int fd, struct sock_extended_err *out)
{
	union control control;
	struct msghdr msg = {
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) == -1)
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c == NULL || c->cmsg_level != IPPROTO_IP ||
	    c->cmsg_type != IP_RECVERR)
		return false;
	memcpy(out, CMSG_DATA(c), sizeof(*out));
	return true;
}

static void
show_error_queue(struct lab *lab, const struct lab_addr *to)
{
	int fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	struct sock_extended_err e = { 0 };
	bool is_there;

	lab_set(lab, fd, IPPROTO_IP, IP_RECVERR, "IP_RECVERR", 1);
	lab_send_to(lab, fd, POEM, to);
	lab_until(has_error, &fd, LAB_AWAIT_MS);
	is_there = read_error(fd, &e);
	lab_note(lab, "recvmsg(%d, MSG_ERRQUEUE): ICMP %u/%u", fd, e.ee_type,
	    e.ee_code);
	lab_expect(lab, is_there && e.ee_type == 3 && e.ee_code == 3,
	    "unconnected with IP_RECVERR: ICMP %u/%u, %s", e.ee_type,
	    e.ee_code, is_there ? strerrorname_np((int)e.ee_errno) : "nothing");
	lab_close(lab, fd);
}

static void
show_icmp(struct lab *lab)
{
	struct lab_wanted unreachable = {
		.kind = PACKET_ICMP,
		.has_icmp_type = true,
		.icmp_type = 3,
		.icmp_code = 3,
	};
	const char *name = packet_icmp_name(AF_INET, 3, 3);

	if (!lab_is_private(lab))
		return;
	lab_expect(lab, lab_await(lab, 1, unreachable),
	    "on the wire: ICMP 0x0303, %s (%u of them)", name,
	    lab_packets(lab, unreachable));
	lab_claim(lab, 7, name == NULL || lab_packets(lab, unreachable) == 0,
	    "type 3 is unreachable, and code 3 says what: %s", name);
}

void
lesson_udp_down(struct lab *lab)
{
	struct lab_addr to = nobody(lab);

	show_unconnected(lab, &to);
	show_connected(lab, &to);
	show_error_queue(lab, &to);
	show_icmp(lab);
	lab_say(lab, "The host answers each datagram to a closed port with"
	    " ICMP \"port unreachable\". A connected socket is told by its"
	    " next call, an unconnected one only if it asked (IP_RECVERR).");
}

/* ------------------------------------------------------------ udp-drop */

#define SENT 100

/* The datagrams that the queue dropped, as the last one received tells. */
static unsigned
count_received(int fd, uint32_t *out_dropped)
{
	union control control;
	char block[1024];
	struct iovec piece = { block, sizeof(block) };
	struct cmsghdr *c;
	unsigned n = 0;

	for (;; n++) {
		struct msghdr msg = {
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.space,
			.msg_controllen = sizeof(control.space),
		};

		if (recvmsg(fd, &msg, MSG_DONTWAIT) == -1)
			return n;
		for (c = CMSG_FIRSTHDR(&msg); c != NULL;
		    c = CMSG_NXTHDR(&msg, c))
			if (c->cmsg_level == SOL_SOCKET &&
			    c->cmsg_type == SO_RXQ_OVFL)
				memcpy(out_dropped, CMSG_DATA(c),
				    sizeof(*out_dropped));
	}
}

static unsigned
flood(int fd, const struct lab_addr *to)
{
	static const char block[512];
	unsigned ok = 0;

	for (int i = 0; i < SENT; i++)
		ok += sendto(fd, block, sizeof(block), 0, &to->u.sa, to->n) > 0;
	return ok;
}

struct tally {
	struct lab *lab;
	int reader, sender;
	const struct lab_addr *to;
	unsigned sent, received;
	uint32_t dropped;
};

/*
 * The count of those dropped comes along with a datagram that had room again,
 * so one more is sent: has each been received or counted?
 */
static bool
is_even(void *arg)
{
	struct tally *t = arg;

	lab_send_to(t->lab, t->sender, "how many?", t->to);
	t->sent++;
	lab_poll(t->lab, t->reader, POLLIN, LAB_AWAIT_MS);
	t->received += count_received(t->reader, &t->dropped);
	return t->received + t->dropped == t->sent;
}

void
lesson_udp_drop(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int reader = lab_bound(lab, SOCK_DGRAM, &at), sender, size = 0;
	unsigned ok, got;
	struct tally t = { .lab = lab, .to = &at, .sent = SENT };
	bool are_counted;

	lab_set(lab, reader, SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF", 2048);
	lab_get(lab, reader, SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF", &size);
	lab_expect(lab, size >= 2 * 2048, "asked for 2048, got %d: doubled for"
	    " the kernel's own use", size);
	lab_set(lab, reader, SOL_SOCKET, SO_RXQ_OVFL, "SO_RXQ_OVFL", 1);
	sender = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	ok = flood(sender, &at);
	lab_note(lab, "%d x sendto(%d, 512 bytes): %u succeed", SENT, sender,
	    ok);
	lab_poll(lab, reader, POLLIN, LAB_AWAIT_MS);
	got = t.received = count_received(reader, &t.dropped);
	t.reader = reader;
	t.sender = sender;
	are_counted = lab_until(is_even, &t, LAB_AWAIT_MS);
	lab_note(lab, "received %u, then %u; SO_RXQ_OVFL %u", got,
	    t.received - got, t.dropped);
	lab_expect(lab, ok == SENT, "all %u sends succeed", ok);
	lab_expect(lab, got > 0 && got < SENT, "%u of them are received", got);
	lab_expect(lab, are_counted && t.dropped > 0,
	    "SO_RXQ_OVFL counts the %u that were dropped", t.dropped);
	lab_say(lab, "The sender never learns that %u of %d datagrams were"
	    " thrown away, since the reader's buffer was full.", t.dropped,
	    SENT);
}

/* ---------------------------------------------------------- dgram-size */

static int
send_bytes(struct lab *lab, int fd, const struct lab_addr *to, size_t n)
{
	static const char block[1 << 17];
	ssize_t sent = sendto(fd, block, n, 0, &to->u.sa, to->n);
	int err = sent == -1 ? errno : 0;

	lab_note(lab, "sendto(%d, %zu bytes) = %zd%s%s", fd, n, sent,
	    err != 0 ? " " : "", err != 0 ? strerrorname_np(err) : "");
	return err != 0 ? -err : (int)sent;
}

void
lesson_dgram_size(struct lab *lab)
{
	struct lab_addr from, at = lab_inet("127.0.0.1", 0);
	int reader = lab_bound(lab, SOCK_DGRAM, &at);
	int fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0), n;
	char text[TEXT_BYTES], four[5];

	n = send_bytes(lab, fd, &at, 65507);
	lab_expect(lab, n == 65507, "65507 bytes go: 65535 less 20 of IP and"
	    " 8 of UDP");
	n = send_bytes(lab, fd, &at, 65508);
	lab_expect(lab, n == -EMSGSIZE, "65508 do not: EMSGSIZE");
	n = (int)recv(reader, text, 1, MSG_TRUNC);
	lab_expect(lab, n == 65507, "it arrives whole: %d bytes", n);
	lab_send_to(lab, fd, "0123456789", &at);
	n = lab_receive(lab, reader, four, sizeof(four), MSG_TRUNC);
	lab_expect(lab, n == 10, "4 bytes of room for 10: MSG_TRUNC tells %d",
	    n);
	lab_send_to(lab, fd, "", &at);
	n = lab_receive_from(lab, reader, text, sizeof(text), &from);
	lab_expect(lab, n == 0, "a datagram of no bytes is read as 0, and is"
	    " no end");
	lab_send_to(lab, fd, "more", &at);
	n = lab_receive_from(lab, reader, text, sizeof(text), &from);
	lab_expect(lab, n == 4, "more comes after it");
	lab_say(lab, "A datagram comes whole or not at all, and what the"
	    " reader has no room for is lost.");
}
