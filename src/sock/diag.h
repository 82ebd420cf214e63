/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_DIAG_H
#define SWS_SOCK_DIAG_H

/*
 * The sockets of this network namespace, as the kernel lists them by
 * NETLINK_SOCK_DIAG (sock_diag(7)): what ss(8) shows, without its text.
 * Where it has no such list of a kind, /proc/net may have one.
 */

#include "sock/endpoint.h"

enum diag_kind {
	DIAG_TCP,
	DIAG_MPTCP,             /* its subflows are TCP */
	DIAG_UDP,
	DIAG_ICMP,              /* ping sockets */
	DIAG_RAW,
	DIAG_UNIX,
	DIAG_PACKET,
	DIAG_NETLINK,
	DIAG_KINDS,
};

/* Which kind of timer runs: inet_diag's idiag_timer. */
enum diag_timer {
	DIAG_TIMER_NONE,
	DIAG_TIMER_RETRANSMIT,
	DIAG_TIMER_KEEPALIVE,
	DIAG_TIMER_TIME_WAIT,
	DIAG_TIMER_PROBE,
};

/* What TCP tells of a connection; 0 where this kernel does not know. */
struct diag_tcp {
	char congestion[16];
	uint32_t rtt_us, rttvar_us, rto_us;
	uint32_t mss, path_mtu, cwnd;   /* bytes, bytes, segments */
	uint32_t unacked, lost, retransmitted;  /* segments */
	uint64_t bytes_acked, bytes_received;
};

struct diag_socket {
	enum diag_kind kind;
	int family;
	int type, protocol;
	unsigned state;         /* TCP_ESTABLISHED, ...; for all kinds */
	struct endpoint local, peer;    /* len is 0 where there is none */
	uint32_t receive_queue, send_queue;     /* of a listener: waiting
						   clients, and how many may */
	uint32_t uid;
	uint32_t inode;         /* 0: of no process (yet, or any more) */
	uint32_t peer_inode;    /* UNIX */
	uint32_t interface;     /* bound to it, or for packet sockets on it */
	uint32_t port_id, groups;       /* netlink */
	unsigned timer;         /* enum diag_timer */
	uint32_t timer_ms;
	unsigned retransmits;
	uint64_t cookie;        /* the same socket has the same, for ever */
	struct diag_tcp *tcp;   /* if it was asked for; the list's */
};

struct diag_list {
	struct diag_socket *sockets;
	size_t n, cap;
};

const char *diag_kind_name(enum diag_kind kind);

/* "LISTEN", "ESTABLISHED"; NULL for what has no state. */
const char *diag_state_name(const struct diag_socket *s);

/*
 * Adds the sockets of a kind to the list, those of IPv4 and then IPv6.
 * 0 or a negative errno; -ENOENT when the kernel cannot list that kind.
 */
int diag_read(struct diag_list *list, enum diag_kind kind, bool wants_tcp_info);

void diag_free(struct diag_list *list);

/*
 * "tcp:127.0.0.1:80", "raw:127.0.0.1:1" (the protocol), "packet:arp:eth0",
 * "netlink:route:1234".
 */
const char *diag_local_text(const struct diag_socket *s,
    char text[ENDPOINT_TEXT]);

#endif
