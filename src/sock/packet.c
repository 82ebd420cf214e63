/* SPDX-License-Identifier: ISC */
/*
 * The decoder.  Each layer takes the slice that the layer below left, and what
 * is too short for its header ends the reading there: the facts found so far
 * stay.  Options of IPv4 and TCP are skipped, extension headers of IPv6 too.
 */

#include "sock/packet.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#define ETHER_HEADER 14
#define VLAN_TAG 4
#define ARP_BYTES 28            /* for Ethernet and IPv4 */
#define IP4_HEADER 20
#define IP6_HEADER 40
#define UDP_HEADER 8
#define TCP_HEADER 20
#define ICMP_HEADER 8
#define EXTENSIONS_MAX 8        /* headers of IPv6 that are skipped */

enum {
	ICMP4_UNREACHABLE = 3,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP6_LAST_ERROR = 127,
	ANY_CODE = 256,
};

static const struct {
	int family;
	unsigned type, code;
	const char *name;
} icmp_names[] = {
	{ AF_INET, 0, ANY_CODE, "echo reply" },
	{ AF_INET, 3, 0, "network unreachable" },
	{ AF_INET, 3, 1, "host unreachable" },
	{ AF_INET, 3, 2, "protocol unreachable" },
	{ AF_INET, 3, 3, "port unreachable" },
	{ AF_INET, 3, 4, "fragmentation needed" },
	{ AF_INET, 3, 13, "administratively prohibited" },
	{ AF_INET, 5, ANY_CODE, "redirect" },
	{ AF_INET, 8, ANY_CODE, "echo request" },
	{ AF_INET, 11, 0, "time to live exceeded" },
	{ AF_INET, 11, 1, "reassembly time exceeded" },
	{ AF_INET6, 1, 0, "no route" },
	{ AF_INET6, 1, 1, "administratively prohibited" },
	{ AF_INET6, 1, 3, "address unreachable" },
	{ AF_INET6, 1, 4, "port unreachable" },
	{ AF_INET6, 2, ANY_CODE, "packet too big" },
	{ AF_INET6, 3, 0, "hop limit exceeded" },
	{ AF_INET6, 128, ANY_CODE, "echo request" },
	{ AF_INET6, 129, ANY_CODE, "echo reply" },
	{ AF_INET6, 130, ANY_CODE, "multicast listener query" },
	{ AF_INET6, 133, ANY_CODE, "router solicitation" },
	{ AF_INET6, 134, ANY_CODE, "router advertisement" },
	{ AF_INET6, 135, ANY_CODE, "neighbor solicitation" },
	{ AF_INET6, 136, ANY_CODE, "neighbor advertisement" },
	{ AF_INET6, 143, ANY_CODE, "multicast listener report" },
};

static unsigned
byte(struct str s, size_t at)
{
	return (unsigned char)s.p[at];
}

static unsigned
get16(struct str s, size_t at)
{
	return byte(s, at) << 8 | byte(s, at + 1);
}

static uint32_t
get32(struct str s, size_t at)
{
	return (uint32_t)get16(s, at) << 16 | get16(s, at + 2);
}

/* What the sender meant to be there; the rest is padding of the link. */
static struct str
at_most(struct str s, size_t n)
{
	if (s.n > n)
		s.n = n;
	return s;
}

static void
set_payload(struct packet *out, struct str caught, size_t whole_bytes)
{
	out->payload = at_most(caught, whole_bytes);
	out->payload_bytes = whole_bytes;
}

static size_t
less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

static void
parse_arp(struct str s, struct packet *out)
{
	/* Only ARP of IPv4 over Ethernet is read. */
	if (s.n < ARP_BYTES || get16(s, 2) != ETHERTYPE_IP || byte(s, 4) != 6 ||
	    byte(s, 5) != 4)
		return;
	out->kind = PACKET_ARP;
	out->arp.operation = get16(s, 6);
	memcpy(out->arp.hardware, s.p + 8, 6);
	memcpy(out->from, s.p + 14, 4);
	memcpy(out->to, s.p + 24, 4);
}

static void
parse_udp(struct str s, struct packet *out)
{
	if (s.n < UDP_HEADER)
		return;
	out->kind = PACKET_UDP;
	out->from_port = get16(s, 0);
	out->to_port = get16(s, 2);
	set_payload(out, str_skip(s, UDP_HEADER),
	    less(get16(s, 4), UDP_HEADER));
}

static void
parse_tcp(struct str s, size_t whole_bytes, struct packet *out)
{
	size_t header;

	if (s.n < TCP_HEADER)
		return;
	out->kind = PACKET_TCP;
	out->from_port = get16(s, 0);
	out->to_port = get16(s, 2);
	out->tcp.seq = get32(s, 4);
	out->tcp.ack = get32(s, 8);
	out->tcp.flags = byte(s, 13);
	out->tcp.window = get16(s, 14);
	out->tcp.urgent = get16(s, 18);
	header = (size_t)(byte(s, 12) >> 4) * 4;
	set_payload(out, str_skip(s, header), less(whole_bytes, header));
}

/* The packet that an ICMP error is about: its addresses and ports. */
static void
parse_quoted4(struct str s, struct packet *out)
{
	size_t header;

	if (s.n < IP4_HEADER)
		return;
	out->quoted.is_there = true;
	out->quoted.protocol = (unsigned char)byte(s, 9);
	memcpy(out->quoted.to, s.p + 16, 4);
	header = (size_t)(byte(s, 0) & 15) * 4;
	if (s.n >= header + 4)
		out->quoted.to_port = get16(s, header + 2);
}

static void
parse_quoted6(struct str s, struct packet *out)
{
	if (s.n < IP6_HEADER)
		return;
	out->quoted.is_there = true;
	out->quoted.protocol = (unsigned char)byte(s, 6);
	memcpy(out->quoted.to, s.p + 24, 16);
	if (s.n >= IP6_HEADER + 4)
		out->quoted.to_port = get16(s, IP6_HEADER + 2);
}

static void
parse_icmp(struct str s, size_t whole_bytes, struct packet *out)
{
	bool is_v6 = out->family == AF_INET6;

	if (s.n < ICMP_HEADER)
		return;
	out->kind = is_v6 ? PACKET_ICMP6 : PACKET_ICMP;
	out->icmp.type = byte(s, 0);
	out->icmp.code = byte(s, 1);
	out->icmp.id = get16(s, 4);
	out->icmp.seq = get16(s, 6);
	set_payload(out, str_skip(s, ICMP_HEADER),
	    less(whole_bytes, ICMP_HEADER));
	if (is_v6 && out->icmp.type <= ICMP6_LAST_ERROR)
		parse_quoted6(out->payload, out);
	else if (!is_v6 && (out->icmp.type == ICMP4_UNREACHABLE ||
	    out->icmp.type == ICMP4_TIME_EXCEEDED))
		parse_quoted4(out->payload, out);
}

static void
parse_transport(struct str s, size_t whole_bytes, struct packet *out)
{
	s = at_most(s, whole_bytes);
	out->kind = PACKET_IP;
	set_payload(out, s, whole_bytes);
	if (out->protocol == IPPROTO_TCP)
		parse_tcp(s, whole_bytes, out);
	else if (out->protocol == IPPROTO_UDP)
		parse_udp(s, out);
	else if (out->protocol == IPPROTO_ICMP ||
	    out->protocol == IPPROTO_ICMPV6)
		parse_icmp(s, whole_bytes, out);
}

static void
parse_ip4(struct str s, struct packet *out)
{
	size_t header, total;

	if (s.n < IP4_HEADER || byte(s, 0) >> 4 != 4)
		return;
	out->family = AF_INET;
	out->ttl = (unsigned char)byte(s, 8);
	out->protocol = (unsigned char)byte(s, 9);
	memcpy(out->from, s.p + 12, 4);
	memcpy(out->to, s.p + 16, 4);
	header = (size_t)(byte(s, 0) & 15) * 4;
	total = get16(s, 2);
	if (header < IP4_HEADER || total < header)
		return;
	/* Only the first fragment begins with the next header. */
	if ((get16(s, 6) & 0x1fff) != 0) {
		out->kind = PACKET_IP;
		set_payload(out, str_skip(s, header), total - header);
		return;
	}
	parse_transport(str_skip(s, header), total - header, out);
}

static bool
is_extension(unsigned protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	    protocol == IPPROTO_DSTOPTS;
}

static void
parse_ip6(struct str s, struct packet *out)
{
	struct str rest = str_skip(s, IP6_HEADER);
	size_t whole, n;

	if (s.n < IP6_HEADER || byte(s, 0) >> 4 != 6)
		return;
	out->family = AF_INET6;
	out->ttl = (unsigned char)byte(s, 7);
	out->protocol = (unsigned char)byte(s, 6);
	memcpy(out->from, s.p + 8, 16);
	memcpy(out->to, s.p + 24, 16);
	whole = get16(s, 4);
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(out->protocol) &&
	    rest.n >= 8; i++) {
		n = ((size_t)byte(rest, 1) + 1) * 8;
		out->protocol = (unsigned char)byte(rest, 0);
		rest = str_skip(rest, n);
		whole = less(whole, n);
	}
	parse_transport(rest, whole, out);
}

void
packet_parse(struct str frame, struct packet *out)
{
	struct str rest = str_skip(frame, ETHER_HEADER);

	memset(out, 0, sizeof(*out));
	if (frame.n < ETHER_HEADER)
		return;
	out->ether_type = get16(frame, 12);
	if (out->ether_type == ETHERTYPE_VLAN && rest.n >= VLAN_TAG) {
		out->ether_type = get16(rest, 2);
		rest = str_skip(rest, VLAN_TAG);
	}
	if (out->ether_type == ETHERTYPE_ARP)
		parse_arp(rest, out);
	else if (out->ether_type == ETHERTYPE_IP)
		parse_ip4(rest, out);
	else if (out->ether_type == ETHERTYPE_IPV6)
		parse_ip6(rest, out);
}

const char *
packet_icmp_name(int family, unsigned type, unsigned code)
{
	size_t n = sizeof(icmp_names) / sizeof(icmp_names[0]);

	for (size_t i = 0; i < n; i++)
		if (icmp_names[i].family == family &&
		    icmp_names[i].type == type &&
		    (icmp_names[i].code == code ||
		    icmp_names[i].code == ANY_CODE))
			return icmp_names[i].name;
	return NULL;
}

const char *
packet_flags_text(unsigned tcp_flags, char text[8])
{
	static const struct {
		unsigned flag;
		char letter;
	} letters[] = {
		{ PACKET_FIN, 'F' },
		{ PACKET_SYN, 'S' },
		{ PACKET_RST, 'R' },
		{ PACKET_PSH, 'P' },
		{ PACKET_URG, 'U' },
		{ PACKET_ACK, '.' },
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (tcp_flags & letters[i].flag)
			text[n++] = letters[i].letter;
	text[n] = '\0';
	return text;
}

static const char *
host_text(int family, const unsigned char *address, char text[PACKET_END_TEXT])
{
	if (inet_ntop(family, address, text, PACKET_END_TEXT) == NULL)
		text[0] = '\0';
	return text;
}

/* With its port where the kind has ports. */
static const char *
end_text(const struct packet *p, const unsigned char *address, unsigned port,
    char text[PACKET_END_TEXT])
{
	char host[PACKET_END_TEXT];
	bool is_v6 = p->family == AF_INET6;

	host_text(p->family, address, host);
	if (p->kind != PACKET_TCP && p->kind != PACKET_UDP)
		snprintf(text, PACKET_END_TEXT, "%.45s", host);
	else
		snprintf(text, PACKET_END_TEXT,
		    is_v6 ? "[%.45s]:%u" : "%.45s:%u", host, port);
	return text;
}

const char *
packet_end_text(const struct packet *p, bool is_sender,
    char text[PACKET_END_TEXT])
{
	return end_text(p, is_sender ? p->from : p->to,
	    is_sender ? p->from_port : p->to_port, text);
}

static void
arp_text(const struct packet *p, char text[PACKET_TEXT])
{
	char from[PACKET_END_TEXT], to[PACKET_END_TEXT];
	const unsigned char *h = p->arp.hardware;

	host_text(AF_INET, p->from, from);
	host_text(AF_INET, p->to, to);
	if (p->arp.operation == 2)
		snprintf(text, PACKET_TEXT,
		    "arp %s is-at %02x:%02x:%02x:%02x:%02x:%02x", from,
		    h[0], h[1], h[2], h[3], h[4], h[5]);
	else
		snprintf(text, PACKET_TEXT, "arp who-has %s tell %s", to, from);
}

static void
tcp_text(const struct packet *p, char *at, size_t room)
{
	char flags[8];
	int n;

	n = snprintf(at, room, "tcp %s seq %u ack %u win %u",
	    packet_flags_text(p->tcp.flags, flags), p->tcp.seq, p->tcp.ack,
	    p->tcp.window);
	if (p->tcp.flags & PACKET_URG && (size_t)n < room)
		n += snprintf(at + n, room - (size_t)n, " urg %u",
		    p->tcp.urgent);
	if (p->payload_bytes > 0 && (size_t)n < room)
		snprintf(at + n, room - (size_t)n, ", %zu bytes",
		    p->payload_bytes);
}

static void
icmp_text(const struct packet *p, char *at, size_t room)
{
	const char *name = packet_icmp_name(p->family, p->icmp.type,
	    p->icmp.code);
	char to[PACKET_END_TEXT];
	int n;

	n = snprintf(at, room, "icmp %u/%u %s", p->icmp.type, p->icmp.code,
	    name == NULL ? "" : name);
	if ((size_t)n >= room)
		return;
	at += n;
	room -= (size_t)n;
	if (p->quoted.is_there)
		snprintf(at, room, ", about %s port %u",
		    host_text(p->family, p->quoted.to, to), p->quoted.to_port);
	else if (name != NULL && strncmp(name, "echo", 4) == 0)
		snprintf(at, room, " id %u seq %u ttl %u", p->icmp.id,
		    p->icmp.seq, p->ttl);
}

static void
kind_text(const struct packet *p, char *at, size_t room)
{
	if (p->kind == PACKET_TCP)
		tcp_text(p, at, room);
	else if (p->kind == PACKET_UDP)
		snprintf(at, room, "udp %zu bytes", p->payload_bytes);
	else if (p->kind == PACKET_ICMP || p->kind == PACKET_ICMP6)
		icmp_text(p, at, room);
	else
		snprintf(at, room, "ip protocol %u, %zu bytes", p->protocol,
		    p->payload_bytes);
}

const char *
packet_text(const struct packet *p, char text[PACKET_TEXT])
{
	char from[PACKET_END_TEXT], to[PACKET_END_TEXT];
	int n;

	if (p->kind == PACKET_ARP) {
		arp_text(p, text);
		return text;
	}
	if (p->kind == PACKET_UNKNOWN || p->family == 0) {
		snprintf(text, PACKET_TEXT, "ether type 0x%04x", p->ether_type);
		return text;
	}
	n = snprintf(text, PACKET_TEXT, "%s > %s ",
	    end_text(p, p->from, p->from_port, from),
	    end_text(p, p->to, p->to_port, to));
	kind_text(p, text + n, PACKET_TEXT - (size_t)n);
	return text;
}
