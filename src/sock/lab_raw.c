/* SPDX-License-Identifier: ISC */
/*
 * Labs on what is beside TCP and UDP or asks who is there: ICMP, ways through
 * routers, scans, and the first datagram of QUIC.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/icmp.h"
#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/quic.h"

#define BLOCK_BYTES 1500

/* A - R - B: A is 10.0.1.1, B is 10.0.2.2.  Returns B. */
static unsigned
build_route(struct lab *lab)
{
	unsigned r = lab_host(lab, "R"), b = lab_host(lab, "B");

	lab_link(lab, 0, "10.0.1.1/24", r, "10.0.1.2/24");
	lab_link(lab, r, "10.0.2.1/24", b, "10.0.2.2/24");
	lab_go(lab, r);
	lab_must(lab, lab_knob(lab, "net/ipv4/ip_forward", "1"), "forward");
	lab_go(lab, b);
	lab_route(lab, "0.0.0.0/0", "10.0.2.1");
	lab_go(lab, 0);
	lab_route(lab, "0.0.0.0/0", "10.0.1.2");
	return b;
}

struct far {
	unsigned r1, b;
};

/* A - R1 - R2 - B: A is 10.0.1.1, B is 10.0.3.2. */
static struct far
build_far(struct lab *lab)
{
	unsigned r1 = lab_host(lab, "R1"), r2 = lab_host(lab, "R2");
	unsigned b = lab_host(lab, "B");

	lab_link(lab, 0, "10.0.1.1/24", r1, "10.0.1.2/24");
	lab_link(lab, r1, "10.0.2.1/24", r2, "10.0.2.2/24");
	lab_link(lab, r2, "10.0.3.1/24", b, "10.0.3.2/24");
	lab_go(lab, r1);
	lab_must(lab, lab_knob(lab, "net/ipv4/ip_forward", "1"), "forward");
	lab_route(lab, "10.0.3.0/24", "10.0.2.2");
	lab_go(lab, r2);
	lab_must(lab, lab_knob(lab, "net/ipv4/ip_forward", "1"), "forward");
	lab_route(lab, "10.0.1.0/24", "10.0.2.1");
	lab_go(lab, b);
	lab_route(lab, "0.0.0.0/0", "10.0.3.1");
	lab_go(lab, 0);
	lab_route(lab, "0.0.0.0/0", "10.0.1.2");
	return (struct far){ r1, b };
}

/* ---------------------------------------------------------------- ping */

static int
send_echo(struct lab *lab, int fd, const struct lab_addr *to)
{
	static const struct echo echo = { .id = 7, .seq = 1 };
	unsigned char m[ICMP_HEAD_BYTES];
	ssize_t n;

	icmp_write_echo(AF_INET, &echo, m, sizeof(m));
	n = sendto(fd, m, sizeof(m), 0, &to->u.sa, to->n);
	lab_note(lab, "sendto(%d, echo request) = %zd", fd, n);
	return n == -1 ? -errno : 0;
}

/* The type of the next ICMP message; of a raw socket it follows IP's header. */
static int
receive_type(struct lab *lab, int fd, bool is_raw)
{
	unsigned char m[BLOCK_BYTES];
	size_t header;
	ssize_t n;

	if (lab_poll(lab, fd, POLLIN, LAB_AWAIT_MS) != POLLIN)
		return -ETIMEDOUT;
	n = recv(fd, m, sizeof(m), 0);
	header = is_raw ? (size_t)(m[0] & 15) * 4 : 0;
	if (n < 0 || (size_t)n < header + ICMP_HEAD_BYTES)
		return -EPROTO;
	lab_note(lab, "recv(%d): ICMP type %u", fd, m[header]);
	return m[header];
}

/* What somebody without capabilities may open: its errno is the status. */
static int
open_without(struct lab *lab, void *arg)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	int type = *(int *)arg;

	if (syscall(SYS_capset, &head, none) == -1)
		return 255;
	lab_note(lab, "without any capability");
	type = lab_socket(lab, AF_INET, type, IPPROTO_ICMP);
	return type < 0 ? -type : 0;
}

static int
try_without(struct lab *lab, int type)
{
	int status = lab_wait(lab, lab_fork(lab, "anybody", open_without,
	    &type));

	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void
show_permissions(struct lab *lab)
{
	const char *knob = "net/ipv4/ping_group_range";
	char range[32];
	int raw = try_without(lab, SOCK_RAW), before, after;

	lab_expect(lab, raw == EPERM, "a raw socket without CAP_NET_RAW: %s",
	    raw == 0 ? "opens" : strerrorname_np(raw));
	before = try_without(lab, SOCK_DGRAM);
	snprintf(range, sizeof(range), "%u %u", getegid(), getegid());
	lab_must(lab, lab_knob(lab, knob, range), knob);
	after = try_without(lab, SOCK_DGRAM);
	lab_expect(lab, after == 0, "a ping socket (DGRAM, ICMP): %s at first;"
	    " with the group in the range it opens without privilege",
	    before == 0 ? "opens" : strerrorname_np(before));
	lab_claim(lab, 13, after != 0, "raw without capability: %s; in one's"
	    " own namespace it opens; a ping socket needs only the knob",
	    raw == 0 ? "opens" : strerrorname_np(raw));
}

void
lesson_ping(struct lab *lab)
{
	struct lab_addr to = lab_inet("127.0.0.1", 0);
	int dgram, raw, first, second, type;

	show_permissions(lab);
	dgram = lab_socket(lab, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	lab_must(lab, dgram, "ping socket");
	lab_must(lab, send_echo(lab, dgram, &to), "send");
	type = receive_type(lab, dgram, false);
	lab_expect(lab, type == ICMP_ECHOREPLY, "a ping socket gets the reply"
	    " only: type %d", type);
	raw = lab_socket(lab, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	lab_must(lab, raw, "raw socket");
	lab_must(lab, send_echo(lab, raw, &to), "send");
	first = receive_type(lab, raw, true);
	second = receive_type(lab, raw, true);
	lab_expect(lab, first == ICMP_ECHO && second == ICMP_ECHOREPLY,
	    "a raw socket gets all of ICMP: on the loopback its own request"
	    " (type %d), then the reply (type %d)", first, second);
	lab_say(lab, "Ping needs neither root nor a set-user-id bit: a raw"
	    " socket needs CAP_NET_RAW, a ping socket a group in a knob.");
}

/* --------------------------------------------------------------- trace */

#define TRIES 3

struct hop {
	unsigned type, code;
	char host[INET_ADDRSTRLEN];
};

/* Who sent the ICMP error, and which, of the socket's error queue. */
static bool
read_hop(int fd, struct hop *out)
{
	struct icmp_error e;

	if (icmp_next_error(fd, &e) < 0)
		return false;
	out->type = e.type;
	out->code = e.code;
	inet_ntop(AF_INET, &e.from.u.in.sin_addr, out->host,
	    sizeof(out->host));
	return true;
}

static bool
probe(struct lab *lab, const struct lab_addr *to, int ttl, struct hop *out)
{
	int fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	bool found = false;

	lab_set(lab, fd, IPPROTO_IP, IP_TTL, "IP_TTL", ttl);
	lab_set(lab, fd, IPPROTO_IP, IP_RECVERR, "IP_RECVERR", 1);
	for (int i = 0; i < TRIES && !found; i++) {
		lab_send_to(lab, fd, "probe", to);
		lab_poll(lab, fd, POLLERR, LAB_AWAIT_MS / TRIES);
		found = read_hop(fd, out);
	}
	lab_close(lab, fd);
	return found;
}

static bool
is_hop(const struct hop *hop, const struct hop *wanted)
{
	return hop->type == wanted->type && hop->code == wanted->code &&
	    strcmp(hop->host, wanted->host) == 0;
}

void
lesson_trace(struct lab *lab)
{
	static const struct hop wanted[] = {
		{ 11, 0, "10.0.1.2" },
		{ 11, 0, "10.0.2.2" },
		{ 3, 3, "10.0.3.2" },
	};
	unsigned n = sizeof(wanted) / sizeof(wanted[0]);
	struct lab_addr to = lab_inet("10.0.3.2", 33434);
	bool are_in_order = true;
	struct hop hop;

	build_far(lab);
	for (unsigned i = 0; i < n; i++) {
		hop = (struct hop){ .host = "nobody" };
		probe(lab, &to, (int)i + 1, &hop);
		if (!lab_expect(lab, is_hop(&hop, &wanted[i]),
		    "TTL %u: %s, ICMP %u/%u", i + 1, hop.host, hop.type,
		    hop.code))
			are_in_order = false;
	}
	lab_claim(lab, 4, !are_in_order, "TTLs 1, 2, 3 found the hops %s",
	    are_in_order ? "from the nearest to the host: longer and longer" :
	    "in another order");
	lab_say(lab, "Each router takes one from the TTL; where it becomes 0,"
	    " that router says so. Longer and longer TTLs find one after the"
	    " other, until the host itself says that the port is closed.");
}

/* ------------------------------------------------------------ internet */

#define SLOW_BYTES_PER_S 40000
#define SENT_BYTES 12000

/* Sends the file, and ends with it. */
static int
send_file(struct lab *lab, void *arg)
{
	static const char block[SENT_BYTES];
	ssize_t n = send(*(int *)arg, block, sizeof(block), MSG_NOSIGNAL);

	lab_note(lab, "send(%d, %d bytes) = %zd", *(int *)arg, SENT_BYTES, n);
	return n == SENT_BYTES ? 0 : 1;
}

static size_t
read_all(int fd)
{
	char block[4096];
	size_t got = 0;
	ssize_t n;

	while ((n = recv(fd, block, sizeof(block), 0)) > 0)
		got += (size_t)n;
	return got;
}

void
lesson_internet(struct lab *lab)
{
	struct far f = build_far(lab);
	struct lab_addr at = lab_inet("10.0.3.2", 0);
	struct tcp_info info = { 0 };
	socklen_t info_bytes = sizeof(info);
	int listener, client, server, err;
	double ms, least_ms;
	pid_t sender;
	size_t got;

	lab_go(lab, f.r1);
	err = lab_limit(lab, "toR2", SLOW_BYTES_PER_S);
	if (err < 0)
		lab_skip(lab, "no slow cable: %s", strerrorname_np(-err));
	lab_go(lab, f.b);
	listener = lab_listener(lab, &at, 1);
	lab_go(lab, 0);
	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	ms = lab_ms();
	sender = lab_fork(lab, "sender", send_file, &client);
	close(client);
	got = read_all(server);
	ms = lab_ms() - ms;
	getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &info_bytes);
	lab_wait(lab, sender);
	lab_note(lab, "recv(%d) until the end: %zu bytes in %.0f ms", server,
	    got, ms);
	lab_expect(lab, got == SENT_BYTES, "through two routers come all"
	    " %zu bytes", got);
	/* The bucket is full at first, and the kernel's tick is coarse. */
	least_ms = (SENT_BYTES - 4000.0) / SLOW_BYTES_PER_S * 1e3;
	if (err == 0)
		lab_expect(lab, ms > least_ms, "the slow cable took %.0f ms;"
		    " it may carry %d bytes a second", ms, SLOW_BYTES_PER_S);
	lab_say(lab, "A connection is as fast as its slowest cable: TCP finds"
	    " out how much may be on the way, here with a round trip of"
	    " %.1f ms.", info.tcpi_rcv_rtt / 1e3);
}

/* ------------------------------------------------------------ scan-udp */

#define PORTS 20
#define FIRST_PORT 20001
#define OPEN_PORT (FIRST_PORT + 7)

struct scan {
	unsigned open, closed, silent;
};

/* One port: answered, refused by ICMP, or nothing within the time. */
static void
scan_port(const char *host, unsigned port, int server, int wait_ms,
    struct scan *s)
{
	struct lab_addr to = lab_inet(host, port), from = { 0 };
	struct pollfd p = { .events = POLLIN };
	char byte;

	p.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(p.fd, &to.u.sa, to.n) == -1 || send(p.fd, "?", 1, 0) != 1)
		s->silent++;
	from.n = sizeof(from.u);
	if (port == OPEN_PORT && recvfrom(server, &byte, 1, 0, &from.u.sa,
	    &from.n) == 1)
		sendto(server, "!", 1, 0, &from.u.sa, from.n);
	if (poll(&p, 1, wait_ms) == 0)
		s->silent++;
	else if (recv(p.fd, &byte, 1, 0) == 1)
		s->open++;
	else
		s->closed++;
	close(p.fd);
}

static struct scan
scan_ports(struct lab *lab, const char *host, int server, int wait_ms)
{
	struct scan s = { 0 };

	for (unsigned i = 0; i < PORTS; i++)
		scan_port(host, FIRST_PORT + i, server, wait_ms, &s);
	lab_note(lab, "%u ports of %s: %u open, %u closed, %u silent", PORTS,
	    host, s.open, s.closed, s.silent);
	return s;
}

void
lesson_scan_udp(struct lab *lab)
{
	struct lab_addr local = lab_inet("127.0.0.1", OPEN_PORT);
	struct lab_addr remote = lab_inet("10.0.2.2", OPEN_PORT);
	unsigned b = build_route(lab);
	struct scan s;
	int server;

	s = scan_ports(lab, "127.0.0.1", lab_bound(lab, SOCK_DGRAM, &local),
	    LAB_AWAIT_MS);
	lab_expect(lab, s.open == 1 && s.closed == PORTS - 1,
	    "on the loopback: %u open, %u closed, none silent", s.open,
	    s.closed);
	lab_go(lab, b);
	server = lab_bound(lab, SOCK_DGRAM, &remote);
	lab_go(lab, 0);
	s = scan_ports(lab, "10.0.2.2", server, 50);
	lab_expect(lab, s.silent > 0, "by a router, 50 ms each: %u closed,"
	    " %u silent", s.closed, s.silent);
	lab_go(lab, b);
	lab_must(lab, lab_knob(lab, "net/ipv4/icmp_ratemask", "0"), "knob");
	lab_go(lab, 0);
	s = scan_ports(lab, "10.0.2.2", server, LAB_AWAIT_MS);
	lab_expect(lab, s.open == 1 && s.closed == PORTS - 1,
	    "without the limit on ICMP: %u open, %u closed, none silent",
	    s.open, s.closed);
	lab_say(lab, "An open port answers if its program likes, a closed one"
	    " by ICMP, of which a host sends only a few a second: most of the"
	    " silence in a scan is that limit.");
}

/* ------------------------------------------------------------ scan-tcp */

/* 0, or the errno of a connect; ETIMEDOUT when nothing was heard. */
static int
scan_tcp_port(struct lab *lab, const struct lab_addr *to, int wait_ms)
{
	int fd = lab_socket(lab, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int err = 0;

	if (lab_connect(lab, fd, to) == 0)
		return 0;
	if (lab_poll(lab, fd, POLLOUT, wait_ms) == 0)
		return ETIMEDOUT;
	lab_get(lab, fd, SOL_SOCKET, SO_ERROR, "SO_ERROR", &err);
	return err;
}

static bool
has_client(void *arg)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof(info);

	/* Of a listener it tells how many wait. */
	getsockopt(*(int *)arg, IPPROTO_TCP, TCP_INFO, &info, &n);
	return info.tcpi_unacked > 0;
}

/* A listener that is full says nothing to whoever comes next. */
static void
fill_listener(struct lab *lab, int listener, const struct lab_addr *at)
{
	lab_client(lab, at);
	lab_must(lab, lab_until(has_client, &listener, LAB_AWAIT_MS) ? 0 :
	    -ETIMEDOUT, "full");
	for (int i = 0; i < 2; i++)
		lab_connect(lab, lab_socket(lab, AF_INET,
		    SOCK_STREAM | SOCK_NONBLOCK, 0), at);
}

static void
expect_port(struct lab *lab, const struct lab_addr *to, int wait_ms,
    int wanted, const char *what)
{
	int err = scan_tcp_port(lab, to, wait_ms);

	lab_expect(lab, err == wanted, "%s: %s", what,
	    err == 0 ? "open" : strerrorname_np(err));
}

void
lesson_scan_tcp(struct lab *lab)
{
	struct lab_addr open_at = lab_inet("10.0.2.2", 0), full_at = open_at;
	struct lab_addr closed_at = lab_inet("10.0.2.2", 9);
	struct lab_addr nowhere = lab_inet("10.0.7.7", 80);
	unsigned b = build_route(lab);
	struct lab_wanted unreachable = {
		.kind = PACKET_ICMP,
		.has_icmp_type = true,
		.icmp_type = 3,
	};
	int full;

	lab_go(lab, b);
	lab_listener(lab, &open_at, 5);
	full = lab_listener(lab, &full_at, 0);
	lab_go(lab, 0);
	expect_port(lab, &open_at, LAB_AWAIT_MS, 0, "SYN-ACK");
	expect_port(lab, &closed_at, LAB_AWAIT_MS, ECONNREFUSED, "RST");
	fill_listener(lab, full, &full_at);
	expect_port(lab, &full_at, 200, ETIMEDOUT, "nothing");
	expect_port(lab, &nowhere, LAB_AWAIT_MS, ENETUNREACH,
	    "ICMP \"network unreachable\"");
	lab_expect(lab, lab_await(lab, 1, unreachable),
	    "it came as ICMP 3/0 of the router");
	lab_claim(lab, 16, lab_packets(lab, unreachable) == 0, "SYN-ACK, RST,"
	    " nothing, and ICMP 3/0: four answers");
	lab_say(lab, "Open, closed and silent are what a host may be; a router"
	    " on the way may answer for it, by ICMP.");
}

/* ---------------------------------------------------------------- quic */

#define ID_BYTES (1 + QUIC_ID_BYTES)    /* with its length */
#define IDS_AT 5                /* behind the form and the version */

static const unsigned char own_versions[] = {
	0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf,
};

/* RFC 9000 17.2.1: version 0, the IDs exchanged, and what is spoken here. */
static size_t
write_negotiation(const unsigned char *in, unsigned char *out)
{
	const unsigned char *to = in + IDS_AT, *from = to + ID_BYTES;
	unsigned char *at = out + IDS_AT;

	memset(out, 0, IDS_AT);
	out[0] = 0x80;
	memcpy(at, from, ID_BYTES);
	memcpy(at + ID_BYTES, to, ID_BYTES);
	at += 2 * ID_BYTES;
	memcpy(at, own_versions, sizeof(own_versions));
	return (size_t)(at - out) + sizeof(own_versions);
}

/* Once. */
static int
answer_quic(struct lab *lab, void *arg)
{
	unsigned char in[BLOCK_BYTES], out[BLOCK_BYTES];
	struct lab_addr from = { .n = sizeof(from.u) };
	int fd = *(int *)arg;
	ssize_t n = recvfrom(fd, in, sizeof(in), 0, &from.u.sa, &from.n);

	if (n < QUIC_PROBE_BYTES || !(in[0] & 0x80))
		return 1;
	lab_note(lab, "recvfrom(%d): %zd bytes, version 0x%02x%02x%02x%02x",
	    fd, n, in[1], in[2], in[3], in[4]);
	n = (ssize_t)write_negotiation(in, out);
	return sendto(fd, out, (size_t)n, 0, &from.u.sa, from.n) == n ? 0 : 1;
}

void
lesson_quic(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int server = lab_bound(lab, SOCK_DGRAM, &at), fd;
	static const struct quic_ids ids = { "sock-to", "sockfrom" };
	uint32_t versions[QUIC_VERSIONS_MAX];
	unsigned char m[BLOCK_BYTES];
	char text[QUIC_TEXT];
	unsigned spoken = 0;
	ssize_t n;
	pid_t pid = lab_fork(lab, "server", answer_quic, &server);

	fd = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	lab_connect(lab, fd, &at);
	quic_write_probe(&ids, m);
	n = send(fd, m, QUIC_PROBE_BYTES, 0);
	lab_note(lab, "send(%d, a long header, %d bytes) = %zd", fd,
	    QUIC_PROBE_BYTES, n);
	lab_poll(lab, fd, POLLIN, LAB_AWAIT_MS);
	n = recv(fd, m, sizeof(m), MSG_DONTWAIT);
	quic_read_versions((struct str){ (char *)m, n > 0 ? (size_t)n : 0 },
	    &ids, versions, &spoken);
	quic_versions_text(versions, spoken, text);
	lab_note(lab, "recv(%d): Version Negotiation:%s", fd, text);
	lab_expect(lab, strcmp(text, " 0x00000001 0x6b3343cf") == 0,
	    "a version that nobody has is answered by those that are"
	    " spoken:%s", text);
	lab_expect(lab, lab_wait(lab, pid) == 0, "the server answered");
	if (lab_is_private(lab))
		lab_expect(lab, lab_await(lab, 2, (struct lab_wanted){
		    .kind = PACKET_UDP, .has_payload = true }),
		    "both packets are plain UDP");
	lab_say(lab, "To the network QUIC is UDP: everything else of it is"
	    " inside the datagrams, and encrypted but for this first"
	    " question.");
}
