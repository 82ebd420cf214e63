/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_CAPTURE_H
#define SWS_SOCK_CAPTURE_H

/*
 * Sees the packets of the network that the process is in, by packet(7), and
 * writes them down as pcap, which tcpdump(1) and others read.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define CAPTURE_SNAP 512        /* bytes kept of a packet by default */
#define CAPTURE_MAX 65600       /* bytes kept at the most: a whole one */
#define CAPTURE_CODE_MAX 4096   /* BPF_MAXINSNS */

enum capture_flags {
	CAPTURE_SENT = 1,       /* what leaves, too; else only what arrives */
	CAPTURE_PROMISCUOUS = 2,        /* needs one interface */
};

/* Which packets, by the kernel's virtual machine; see filter.h. */
struct capture_filter {
	unsigned n;
	struct capture_code {
		uint16_t code;
		uint8_t if_true, if_false;
		uint32_t k;
	} code[CAPTURE_CODE_MAX];
};

struct captured {
	/*
	 * When it came, since the epoch, by the kernel.  Nobody else capturing,
	 * it begins to stamp a few ms after capture_open; until then this is
	 * the time of the reading.
	 */
	int64_t at_ns;
	unsigned ifindex;
	bool is_sent;           /* it left this network, rather than arrived */
	size_t whole_bytes;     /* as long as it was */
	size_t n;               /* bytes caught */
	unsigned char bytes[CAPTURE_MAX];
};

/*
 * Begins to watch an interface (its index; 0: all, also later ones); only
 * those with frames of Ethernet, which the loopback has too.  On the loopback
 * each packet leaves and arrives: there it is seen once.  Returns a
 * descriptor that is readable when a packet is there, or a negative errno:
 * -EPERM without CAP_NET_RAW.
 */
int capture_open(unsigned ifindex, unsigned flags);

/* As capture_open; the filter says which packets, and how much is kept. */
int capture_open_filtered(unsigned ifindex, unsigned flags,
    const struct capture_filter *filter);

/* 0, or a negative errno: -EAGAIN when no packet is waiting. */
int capture_next(int fd, struct captured *out);

/* Packets that the kernel had no room for since the last time asked. */
unsigned capture_lost(int fd);

/*
 * Begins a file of packets of which `snap` bytes are kept at the most; then
 * one packet.  0 or a negative errno of write(2).
 */
int capture_begin_pcap(int file, unsigned snap);
int capture_add_pcap(int file, const struct captured *packet);

/* The bytes, as a slice into `packet`. */
struct str capture_bytes(const struct captured *packet);

#endif
