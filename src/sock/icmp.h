/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_ICMP_H
#define SWS_SOCK_ICMP_H

/*
 * Echo requests and replies (RFC 792, RFC 4443 4), and what a socket is told
 * of ICMP errors (IP_RECVERR of ip(7), IPV6_RECVERR).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "net/addr.h"

#define ICMP_HEAD_BYTES 8

struct echo {
	uint16_t id, seq;       /* host order */
};

/*
 * Writes a request with its checksum; the n bytes of m behind the header are
 * its payload and were written before.  n counts the header too, and is at
 * least ICMP_HEAD_BYTES.  Of ICMPv6 the kernel makes the checksum.
 */
void icmp_write_echo(int family, const struct echo *e, unsigned char *m,
    size_t n);

/*
 * Is this an echo reply?  A raw socket for IPv4 gives the header of IP too;
 * then has_ip_header.
 */
bool icmp_read_reply(int family, bool has_ip_header, struct str m,
    struct echo *out_echo);

/* An error that came back for a datagram of ours. */
struct icmp_error {
	int err;                /* positive errno: ECONNREFUSED, ... */
	bool is_local;          /* our own kernel's, no message of ICMP */
	unsigned type, code;    /* of ICMP or ICMPv6 */
	struct addr from;       /* who said so; without a port */
	struct addr to;         /* where the datagram was sent to */
	/* How it began, behind the header of UDP; of ICMP with its header. */
	unsigned char sent[ICMP_HEAD_BYTES];
	size_t sent_n;
};

/* Asks for such errors.  0 or a negative errno. */
int icmp_want_errors(int fd, int family);

/* The next one of the socket's queue: 0, or -EAGAIN when there is none. */
int icmp_next_error(int fd, struct icmp_error *out);

/* Does it say that the datagram got there, but nobody has the port? */
bool icmp_is_closed_port(const struct icmp_error *e);

#define ICMP_ERROR_TEXT 160

/* "10.0.0.1: port unreachable (ICMP 3/3)".  Returns `text`. */
const char *icmp_error_text(const struct icmp_error *e,
    char text[ICMP_ERROR_TEXT]);

#endif
