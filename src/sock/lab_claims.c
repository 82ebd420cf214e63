/* SPDX-License-Identifier: ISC */
/*
 * The statements of the lecture that a lab measures: some are wrong, some are
 * half right, two hold.  Numbered from 1; place 0 is free.
 */

#include "sock/lab.h"

const struct lab_statement lab_statements[LAB_CLAIMS + 1] = {
	[1] = { "a socket made before fork(2) cannot serve to communicate",
	    "fork-socket" },
	[2] = { "closing the socket in one process closes it in all",
	    "fork-close" },
	[3] = { "gethostbyname(3) returns the address of a port", "names" },
	[4] = { "traceroute(8) uses shorter and shorter TTLs", "trace" },
	[5] = { "what tcpdump(1) opens is no socket", "arp" },
	[6] = { "ports below 1024 need effective user id 0", "lowport" },
	[7] = { "0x0303 in ICMP represents \"unreachable\"", "udp-down" },
	[8] = { "with UDP the sender never knows", "udp-down" },
	[9] = { "IPv6 needs no conversion of byte order", "byteorder" },
	[10] = { "TCP ends with FIN, ACK, FIN, ACK", "tcp" },
	[11] = { "datagrams are unreliable, in the UNIX domain too", "udgram" },
	[12] = { "pselect(2) waits with a resolution of nanoseconds",
	    "pselect" },
	[13] = { "raw sockets, and so ping(8), are for the superuser only",
	    "ping" },
	[14] = { "there is a domain PF_ARP", "kinds" },
	[15] = { "SO_SNDLOWAT can be set", "opts" },
	[16] = { "a TCP probe meets SYN-ACK, RST or nothing", "scan-tcp" },
	[17] = { "SCSP is a stream protocol", "kinds" },
	[18] = { "pipes are half-duplex", "pipe" },
	[19] = { "socketpair(2) is implemented only for the UNIX domain",
	    "pair-matrix" },
	[20] = { "select(2) is limited to FD_SETSIZE descriptors",
	    "fdsetsize" },
	[21] = { "the backlog is the number of clients that may wait",
	    "backlog" },
};
