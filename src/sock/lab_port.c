/* SPDX-License-Identifier: ISC */
/*
 * Labs on addresses and ports: who may have one, who shares it, in which order
 * its bytes are, and how a datagram finds its host.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/capture.h"
#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/netns.h"

#define TEXT_BYTES 128

/* ------------------------------------------------------------- lowport */

/* Still user 0 of the namespace, but without any capability. */
static int
renounce(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &head, none) == -1 ? -errno : 0;
}

/* Its exit status is the errno. */
static int
bind_without(struct lab *lab, void *arg)
{
	const struct lab_addr *at = arg;

	if (renounce() < 0)
		return 255;
	lab_note(lab, "no capability, euid %u", geteuid());
	return -lab_bind(lab, lab_socket(lab, AF_INET, SOCK_DGRAM, 0), at);
}

static int
try_without(struct lab *lab, unsigned port)
{
	struct lab_addr at = lab_inet("127.0.0.1", port);
	int status = lab_wait(lab, lab_fork(lab, "anybody", bind_without, &at));

	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

void
lesson_lowport(struct lab *lab)
{
	const char *knob = "net/ipv4/ip_unprivileged_port_start";
	struct lab_addr at = lab_inet("127.0.0.1", 80);
	long first = 1024;
	int err, without;
	bool is_free;

	netns_read_knob(knob, &first);
	lab_state(lab, "%s = %ld", knob, first);
	err = lab_bind(lab, lab_socket(lab, AF_INET, SOCK_DGRAM, 0), &at);
	lab_expect(lab, err == 0, "with CAP_NET_BIND_SERVICE here, which any"
	    " user has in a network of his own: port 80");
	without = try_without(lab, 81);
	if (first > 81)
		lab_expect(lab, without == EACCES, "user 0 without the"
		    " capability: port 81: EACCES");
	lab_expect(lab, try_without(lab, 0) == 0, "port 0 is for everybody: it"
	    " means any free one");
	is_free = lab_knob(lab, knob, "0") == 0 && try_without(lab, 82) == 0;
	lab_expect(lab, is_free, "with %s = 0 nobody needs a capability",
	    knob);
	lab_claim(lab, 6, !is_free && without == 0, "euid 0 without a"
	    " capability: %s; with the knob at 0: %s", without == 0 ? "bound" :
	    strerrorname_np(without), is_free ? "bound" : "refused");
	lab_say(lab, "It is not user 0 that may, but CAP_NET_BIND_SERVICE, and"
	    " from which port on nobody needs it is a knob.");
}

/* ----------------------------------------------------------- byteorder */

static void
show_bytes(struct lab *lab)
{
	union {
		uint32_t number;
		unsigned char bytes[4];
	} four = { .number = htonl(0xc0000201) };
	union {
		uint16_t number;
		unsigned char bytes[2];
	} two = { .number = htons(8080) };

	lab_state(lab, "htons(8080) in memory: %02x %02x", two.bytes[0],
	    two.bytes[1]);
	lab_state(lab, "htonl(0xc0000201) in memory: %02x %02x %02x %02x",
	    four.bytes[0], four.bytes[1], four.bytes[2], four.bytes[3]);
	lab_expect(lab, two.bytes[0] == 0x1f && two.bytes[1] == 0x90,
	    "htons(3): the greater of 2 bytes first");
	lab_expect(lab, four.bytes[0] == 192 && four.bytes[3] == 1,
	    "htonl(3): the greatest of 4 bytes first: 192.0.2.1");
	lab_expect(lab, ntohs(two.number) == 8080 &&
	    ntohl(four.number) == 0xc0000201, "and back");
}

/* Binds 8080 as it stands; the port that this is, or a negative errno. */
static int
bind_unconverted(struct lab *lab, int domain, struct lab_addr *at)
{
	int fd = lab_socket(lab, domain, SOCK_DGRAM, 0);
	int err;

	/* Both families have the port at the same place. */
	at->u.in.sin_port = 8080;
	err = lab_bind(lab, fd, at);
	if (err == 0)
		err = lab_name(lab, fd, at);
	lab_close(lab, fd);
	return err < 0 ? err : (int)lab_port(at);
}

void
lesson_byteorder(struct lab *lab)
{
	struct lab_addr v4 = lab_inet("127.0.0.1", 0), v6 = lab_inet("::1", 0);
	int wanted = ntohs(8080), port;
	volatile unsigned number = 65536;

	show_bytes(lab);
	port = bind_unconverted(lab, AF_INET, &v4);
	lab_expect(lab, port == wanted, "8080 without htons(3) binds %d", port);
	port = bind_unconverted(lab, AF_INET6, &v6);
	if (port < 0) {
		lab_skip(lab, "IPv6: %s", strerrorname_np(-port));
	} else {
		lab_expect(lab, port == wanted, "in IPv6, too: %d", port);
		lab_claim(lab, 9, port == 8080, "an address is bytes, but the"
		    " port must be converted: 8080 without htons(3) binds %d",
		    port);
	}
	lab_expect(lab, htons((uint16_t)number) == 0, "65536 in the 16 bits of"
	    " a port is 0, so check before you convert");
	lab_say(lab, "Ports travel with the greater byte first. Who forgets"
	    " to convert talks to himself at %d and to nobody else.", wanted);
}

/* ----------------------------------------------------------- broadcast */

#define ANSWER_PORT 7007

static int
bound_at(struct lab *lab, unsigned host, const char *name, const char *address)
{
	struct lab_addr at = lab_inet(address, ANSWER_PORT);

	lab_as(lab, name);
	lab_go(lab, host);
	return lab_bound(lab, SOCK_DGRAM, &at);
}

static void
answer(struct lab *lab, int fd, const char *name)
{
	struct lab_addr from;
	char text[TEXT_BYTES];
	int n;

	lab_as(lab, name);
	lab_poll(lab, fd, POLLIN, LAB_AWAIT_MS);
	n = lab_receive_from(lab, fd, text, sizeof(text), &from);
	lab_expect(lab, n > 0, "%s hears \"%s\"", name, n > 0 ? text : "");
	lab_send_to(lab, fd, name, &from);
}

static void
hear_answers(struct lab *lab, int fd)
{
	char text[TEXT_BYTES], who[2][LAB_ADDR_TEXT] = { "", "" };
	struct lab_addr from;
	unsigned n = 0;

	lab_as(lab, "A");
	while (n < 2 && lab_poll(lab, fd, POLLIN, LAB_AWAIT_MS) == POLLIN &&
	    lab_receive_from(lab, fd, text, sizeof(text), &from) > 0)
		lab_addr_text(&from, who[n++]);
	lab_expect(lab, n == 2, "answers from %s and %s", who[0], who[1]);
}

/* A switch with three hosts on it. */
static void
build_lan(struct lab *lab, unsigned out_hosts[3])
{
	static const char *const names[] = { "A", "B", "C", "D" };
	static const char *const prefixes[] = {
		"10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.0.4/24",
	};
	unsigned lan = lab_host(lab, "S"), host;
	char interface[16];

	lab_go(lab, lan);
	lab_bridge(lab, "lan");
	for (unsigned i = 0; i < 4; i++) {
		host = i == 0 ? 0 : lab_host(lab, names[i]);
		if (i > 0)
			out_hosts[i - 1] = host;
		lab_link(lab, host, prefixes[i], lan, NULL);
		snprintf(interface, sizeof(interface), "to%s", names[i]);
		lab_plug(lab, interface, "lan");
	}
}

void
lesson_broadcast(struct lab *lab)
{
	struct lab_addr all = lab_inet("10.0.0.255", ANSWER_PORT);
	int fd, b, c, d, n;
	unsigned hosts[3];
	char text[TEXT_BYTES];

	build_lan(lab, hosts);
	b = bound_at(lab, hosts[0], "B", "0.0.0.0");
	c = bound_at(lab, hosts[1], "C", "0.0.0.0");
	d = bound_at(lab, hosts[2], "D", "10.0.0.4");
	lab_as(lab, "A");
	lab_go(lab, 0);
	fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	n = lab_send_to(lab, fd, "who is there?", &all);
	lab_expect(lab, n == -EACCES, "without SO_BROADCAST: EACCES");
	lab_set(lab, fd, SOL_SOCKET, SO_BROADCAST, "SO_BROADCAST", 1);
	n = lab_send_to(lab, fd, "who is there?", &all);
	lab_expect(lab, n > 0, "with it, one datagram goes to all");
	answer(lab, b, "B");
	answer(lab, c, "C");
	hear_answers(lab, fd);
	lab_as(lab, "D");
	n = lab_receive(lab, d, text, sizeof(text), MSG_DONTWAIT);
	lab_expect(lab, n == -EAGAIN, "D, bound to its own address, hears"
	    " nothing");
	lab_say(lab, "The highest address of the network is everybody. Only"
	    " who is bound to the wildcard hears it, and who is there"
	    " answers.");
}

/* ----------------------------------------------------------------- arp */

static void
show_packet_socket(struct lab *lab)
{
	unsigned interface = if_nametoindex("toB");
	int fd = capture_open(interface, CAPTURE_PROMISCUOUS);
	int domain = 0;
	struct stat st;

	lab_must(lab, fd, "capture");
	lab_get(lab, fd, SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN", &domain);
	lab_expect(lab, fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    domain == AF_PACKET,
	    "what captures, promiscuous, is a socket of domain AF_PACKET (%d)",
	    domain);
	lab_claim(lab, 5, domain != AF_PACKET, "on Linux it is a socket of"
	    " domain %d, AF_PACKET", domain);
	lab_close(lab, fd);
}

void
lesson_arp(struct lab *lab)
{
	struct lab_wanted asked = { .kind = PACKET_ARP };
	struct lab_wanted data = { .kind = PACKET_UDP };
	struct lab_addr from, to = lab_inet("10.0.0.2", ANSWER_PORT);
	const struct packet *question, *reply;
	unsigned b = lab_host(lab, "B");
	char text[TEXT_BYTES];
	int reader, n;

	lab_link(lab, 0, "10.0.0.1/24", b, "10.0.0.2/24");
	reader = bound_at(lab, b, "B", "10.0.0.2");
	lab_as(lab, "A");
	lab_go(lab, 0);
	show_packet_socket(lab);
	lab_send_to(lab, lab_socket(lab, AF_INET, SOCK_DGRAM, 0), "hello", &to);
	lab_poll(lab, reader, POLLIN, LAB_AWAIT_MS);
	n = lab_receive_from(lab, reader, text, sizeof(text), &from);
	lab_expect(lab, n == 5 && lab_await(lab, 1, data),
	    "the datagram arrives");
	lab_expect(lab, lab_packets(lab, asked) == 2,
	    "%u ARP packets came before it", lab_packets(lab, asked));
	question = lab_packet(lab, 0, asked);
	reply = lab_packet(lab, 1, asked);
	lab_expect(lab, question != NULL && question->arp.operation == 1,
	    "the first asks who has 10.0.0.2");
	lab_expect(lab, reply != NULL && reply->arp.operation == 2,
	    "the second says where it is");
	lab_say(lab, "IP knows no cables: before the first packet to a"
	    " neighbour, ARP asks everybody for its hardware address.");
}

/* --------------------------------------------------------------- reuse */

#define SENDERS 40

static int
bound_with(struct lab *lab, int type, int option, const char *name,
    struct lab_addr *io_at)
{
	int fd = lab_socket(lab, AF_INET, type, 0), err;

	if (option != 0)
		lab_set(lab, fd, SOL_SOCKET, option, name, 1);
	err = lab_bind(lab, fd, io_at);
	if (err == 0)
		lab_name(NULL, fd, io_at);
	return err < 0 ? err : fd;
}

static unsigned
count_waiting(int fd)
{
	unsigned n = 0;
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
		n++;
	return n;
}

static void
send_from_many(struct lab *lab, const struct lab_addr *to)
{
	unsigned ok = 0;
	int fd;

	for (int i = 0; i < SENDERS; i++) {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ok += sendto(fd, "x", 1, 0, &to->u.sa, to->n) == 1;
		close(fd);
	}
	lab_note(lab, "%u senders, one datagram each", ok);
}

static void
show_datagrams(struct lab *lab, int option, const char *name, bool is_split)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int first = bound_with(lab, SOCK_DGRAM, option, name, &at);
	int second = bound_with(lab, SOCK_DGRAM, option, name, &at);
	unsigned old = 0, new = 0, tries = 0;

	lab_expect(lab, first >= 0 && second >= 0,
	    "UDP, both with %s: both have the port", name);
	send_from_many(lab, &at);
	for (; old + new < SENDERS &&tries < LAB_AWAIT_MS; tries++) {
		old += count_waiting(first);
		new += count_waiting(second);
		if (old + new < SENDERS)
			lab_pause(1);
	}
	if (is_split)
		lab_expect(lab, old > 0 && new > 0 && old + new == SENDERS,
		    "%s: they share, %u and %u", name, old, new);
	else
		lab_expect(lab, old == 0 && new == SENDERS,
		    "%s: the last binder takes all, %u and %u", name, old,
		    new);
	lab_close(lab, first);
	lab_close(lab, second);
}

static void
show_listeners(struct lab *lab, int option, const char *name, int wanted)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int first = bound_with(lab, SOCK_STREAM, option, name, &at), second;
	int err;

	lab_listen(lab, first, 1);
	second = bound_with(lab, SOCK_STREAM, option, name, &at);
	err = second < 0 ? second : lab_listen(lab, second, 1);
	lab_expect(lab, err == wanted, "TCP, a second listener with %s: %s",
	    name, err == 0 ? "both listen" : strerrorname_np(-err));
}

void
lesson_reuse(struct lab *lab)
{
	int fd = lab_socket(lab, AF_UNIX, SOCK_STREAM, 0), err;

	show_datagrams(lab, SO_REUSEADDR, "SO_REUSEADDR", false);
	show_datagrams(lab, SO_REUSEPORT, "SO_REUSEPORT", true);
	show_listeners(lab, 0, "nothing", -EADDRINUSE);
	show_listeners(lab, SO_REUSEADDR, "SO_REUSEADDR", -EADDRINUSE);
	show_listeners(lab, SO_REUSEPORT, "SO_REUSEPORT", 0);
	/* Older kernels take it and do nothing. */
	err = lab_set(lab, fd, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT", 1);
	lab_expect(lab, err == -EOPNOTSUPP || err == 0,
	    "UNIX sockets know no ports: SO_REUSEPORT %s",
	    err == 0 ? "does nothing" : strerrorname_np(-err));
	lab_say(lab, "SO_REUSEADDR lets UDP sockets have one port, and the"
	    " last gets everything; SO_REUSEPORT shares it out, by sender."
	    " A port with a listener is taken, unless both said"
	    " SO_REUSEPORT.");
}
