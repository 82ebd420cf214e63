/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_LIST_H
#define SWS_SOCK_LAB_LIST_H

/* The labs, in the order of the lecture. */

#include "sock/lab.h"

/* X(function lesson_..., name, rows of the checklist, needs, title) */

#define LABS(X) \
	X(pipe, "pipe", "P1 P2 P3 P4 P5 P7", LAB_ALONE, \
	    "a pipe from parent to child, its end, and SIGPIPE") \
	X(pipe_atomic, "pipe-atomic", "P6 P7", LAB_ALONE, \
	    "several writers in one pipe: up to PIPE_BUF nothing is mixed") \
	X(pair, "pair", "S1 S5 P10", LAB_ALONE, \
	    "two processes talk both ways: by socketpair, by two pipes") \
	X(pair_matrix, "pair-matrix", "S2 S3 D2", LAB_LOOPBACK, \
	    "socketpair(2) for each domain, type and protocol") \
	X(pair_types, "pair-types", "S4 D9", LAB_ALONE, \
	    "what the type of a pair changes: borders, remainders, the end") \
	X(fork_socket, "fork-socket", "S6 S7", LAB_LOOPBACK, \
	    "a socket that is older than fork(2), and several writers") \
	X(fork_close, "fork-close", "S8", LAB_ALONE, \
	    "close(2) is for one process, shutdown(2) for all") \
	X(deadlock, "deadlock", "H3", LAB_ALONE, \
	    "to wait for a child before reading its output hangs") \
	X(kinds, "kinds", "D1 D2 D3 D4 D5", LAB_LOOPBACK, \
	    "which domains, types and protocols there are: not only TCP") \
	X(unix_file, "unix-file", "L1 L2 L3 L10 U8", LAB_LOOPBACK, \
	    "a UNIX socket's file is where one meets, not what is read") \
	X(stale, "stale", "L4", LAB_ALONE, \
	    "what a killed server leaves behind, and what its file answers") \
	X(unix_perm, "unix-perm", "L5", LAB_ROOT, \
	    "the file's mode after bind(2), and which bit connect(2) needs") \
	X(unix_types, "unix-types", "L6 L7", LAB_ALONE, \
	    "reader and sender of different types; paths that are too long") \
	X(udgram, "udgram", "D7 D8", LAB_ALONE, \
	    "UNIX datagrams are reliable: the sender waits for the reader") \
	X(udp_port, "udp-port", "U1 U8 U9 U11 U13", LAB_LOOPBACK, \
	    "the kernel picks a port; which address a datagram was sent to") \
	X(udp_down, "udp-down", "U4 U5 U6 O17", LAB_LOOPBACK, \
	    "datagrams to a port where nobody listens") \
	X(udp_drop, "udp-drop", "U20 O10", LAB_LOOPBACK, \
	    "a full receive buffer loses datagrams in silence") \
	X(dgram_size, "dgram-size", "D8 D9", LAB_LOOPBACK, \
	    "how long a datagram may be") \
	X(lowport, "lowport", "U10", LAB_NETWORK, \
	    "who may bind a port below 1024") \
	X(byteorder, "byteorder", "U15 U16 U17", LAB_LOOPBACK, \
	    "without htons(3) the port is another one") \
	X(broadcast, "broadcast", "U18 O7", LAB_NETWORK, \
	    "one datagram for a whole network") \
	X(arp, "arp", "R4 R5", LAB_NETWORK, \
	    "the first packet to a neighbour is a question") \
	X(reuse, "reuse", "U12 U14 O2 O3", LAB_LOOPBACK, \
	    "two sockets on one port: who gets what") \
	X(tcp, "tcp", "T1 T6 T13 T18 O0 U13", LAB_LOOPBACK, \
	    "a connection from its three segments to its last") \
	X(states, "states", "T7 T8", LAB_NETWORK, \
	    "every state of TCP, and two connections from one port") \
	X(serial, "serial", "T5 T10", LAB_LOOPBACK, \
	    "a server for one client at a time") \
	X(early_close, "early-close", "T11", LAB_LOOPBACK, \
	    "a client that is gone before accept(2)") \
	X(backlog, "backlog", "T12", LAB_LOOPBACK, \
	    "a listen queue of N lets N+1 clients in") \
	X(halfclose, "halfclose", "T15", LAB_LOOPBACK, \
	    "one direction ends, the other goes on") \
	X(rst, "rst", "T4 T16", LAB_LOOPBACK, \
	    "what a reset means: nobody there, or data that nobody read") \
	X(timewait, "timewait", "T14 O2", LAB_LOOPBACK, \
	    "\"Address already in use\" after the server has ended") \
	X(linger, "linger", "O6", LAB_LOOPBACK, \
	    "what close(2) does with data that was not sent") \
	X(names, "names", "N1 N2 N3 N4 N5 N7", LAB_NETWORK | LAB_MOUNTS, \
	    "from names to addresses: files, DNS, and several answers") \
	X(dual, "dual", "T9 N6", LAB_LOOPBACK, \
	    "one socket for IPv4 and IPv6, or one each") \
	X(select, "select", "M6 M8 M9 M11 M21", LAB_LOOPBACK, \
	    "when a descriptor is ready, and how long select(2) waits") \
	X(fdsetsize, "fdsetsize", "M12", LAB_ALONE, \
	    "descriptors beyond FD_SETSIZE") \
	X(pselect, "pselect", "M13", LAB_ALONE, \
	    "signals and the time that pselect(2) waits") \
	X(oob, "oob", "M10 O8", LAB_LOOPBACK, \
	    "urgent data, its mark and its signal") \
	X(sigio, "sigio", "M4 M21", LAB_LOOPBACK, \
	    "a signal that names the descriptor, and what when too many") \
	X(aio, "aio", "M5", LAB_ALONE, \
	    "asynchronous input by POSIX: a thread") \
	X(mux, "mux", "M1 M3 M14", LAB_LOOPBACK, \
	    "two sockets and one server: in turn, by trying, by each engine") \
	X(fork_leak, "fork-leak", "M2", LAB_LOOPBACK, \
	    "what a server with fork(2) must close and wait for") \
	X(opts, "opts", "O1 O4 O5 O9 O11 O12 O13 O14 O15 O16 O18", \
	    LAB_LOOPBACK, "the table of socket options: values and effects") \
	X(ping, "ping", "R1 R2", LAB_NETWORK, \
	    "echo by a raw socket, and by one without privilege") \
	X(trace, "trace", "R3", LAB_NETWORK, \
	    "longer and longer TTLs through two routers") \
	X(internet, "internet", "T17", LAB_NETWORK, \
	    "a connection through two routers and a slow cable") \
	X(scan_udp, "scan-udp", "R7", LAB_NETWORK, \
	    "datagrams to many ports: open, closed, and silent") \
	X(scan_tcp, "scan-tcp", "R6", LAB_NETWORK, \
	    "connections to ports that are open, closed, full, nowhere") \
	X(quic, "quic", "D6", LAB_LOOPBACK, \
	    "the first datagrams of QUIC are UDP")

#define LAB_PROTOTYPE(function, name, rows, needs, title) \
	void lesson_##function(struct lab *lab);
LABS(LAB_PROTOTYPE)
#undef LAB_PROTOTYPE

#endif
