/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_PACKET_H
#define SWS_SOCK_PACKET_H

/*
 * Reads a packet as far as a lesson needs it: Ethernet, ARP (RFC 826), IPv4
 * (RFC 791), IPv6 (RFC 8200), ICMP (RFC 792), ICMPv6 (RFC 4443), UDP (RFC 768)
 * and TCP (RFC 9293).  Pure: bytes in, facts and slices out.
 */

#include <stdbool.h>

#include "base/str.h"

#define PACKET_END_TEXT 64      /* "[v6]:port" */
#define PACKET_TEXT 224         /* a packet as one line, with its NUL */

enum packet_kind {
	PACKET_UNKNOWN,         /* not IP or ARP, or cut off too early */
	PACKET_ARP,
	PACKET_IP,              /* another protocol, or a later fragment */
	PACKET_ICMP,
	PACKET_ICMP6,
	PACKET_UDP,
	PACKET_TCP,
};

/* As they stand in the header; the others are of no lesson. */
enum packet_tcp_flags {
	PACKET_FIN = 0x01,
	PACKET_SYN = 0x02,
	PACKET_RST = 0x04,
	PACKET_PSH = 0x08,
	PACKET_ACK = 0x10,
	PACKET_URG = 0x20,
};

/* Numbers in host order; what a kind does not have is 0. */
struct packet {
	enum packet_kind kind;
	unsigned ether_type;
	int family;             /* AF_INET, AF_INET6, or 0 */
	unsigned char from[16], to[16]; /* IP; for ARP the two it speaks of */
	unsigned char protocol, ttl;
	unsigned from_port, to_port;
	struct {
		unsigned flags, window, urgent;
		uint32_t seq, ack;
	} tcp;
	struct {
		unsigned type, code, id, seq;
	} icmp;
	struct {
		unsigned operation;     /* 1 who-has, 2 is-at */
		unsigned char hardware[6];      /* of the sender */
	} arp;
	/* What the header says is there, and how much of it was caught. */
	size_t payload_bytes;
	struct str payload;     /* points into the frame; may be shorter */
	/*
	 * An ICMP error carries the beginning of the packet that it is about:
	 * where that was going.
	 */
	struct {
		bool is_there;
		unsigned char protocol, to[16];
		unsigned to_port;
	} quoted;
};

/* A frame as it came from a socket or a pcap file, perhaps cut off. */
void packet_parse(struct str frame, struct packet *out);

/*
 * "10.0.0.1:4001 > 10.0.0.2:80 tcp S. seq 7 ack 1 win 65160, 12 bytes", as one
 * line without a newline.  Returns `text`.
 */
const char *packet_text(const struct packet *p, char text[PACKET_TEXT]);

/* One end of an IP packet: "10.0.0.1:4001", or without a port. */
const char *packet_end_text(const struct packet *p, bool is_sender,
    char text[PACKET_END_TEXT]);

/* "S.", the way tcpdump(1) writes it: . is ACK.  Returns `text`. */
const char *packet_flags_text(unsigned tcp_flags, char text[8]);

/* "port unreachable" for 3/3, or NULL when it has no name here. */
const char *packet_icmp_name(int family, unsigned type, unsigned code);

#endif
