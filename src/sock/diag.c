/* SPDX-License-Identifier: ISC */
/*
 * One request and its dump for each family.  The answers' structs are those of
 * linux/inet_diag.h, unix_diag.h, packet_diag.h and netlink_diag.h; nothing in
 * a message is read before its length says that it is there.
 */
#include "sock/diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_BYTES (256 * 1024)       /* the kernel fills 32 KiB at most */
#define SOCKETS_MAX (4 * 1024 * 1024)   /* more than a machine has ports for */
#define ALL_STATES 0xffffffffu

/* From linux/if_packet.h and the kernel's tcp_states.h. */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE = 7, STATE_LISTEN = 10 };

/* A dump that is under way. */
struct dump {
	struct diag_list *list;
	enum diag_kind kind;
	int (*take)(struct dump *d, const struct nlmsghdr *h);
	int fd;
};

static const char *const kind_names[DIAG_KINDS] = {
	[DIAG_TCP] = "tcp",
	[DIAG_UDP] = "udp",
	[DIAG_ICMP] = "icmp",
	[DIAG_UNIX] = "unix",
	[DIAG_PACKET] = "packet",
	[DIAG_NETLINK] = "netlink",
};

static const char *const state_names[] = {
	NULL, "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
	"SYN_RECV", NULL,
};

const char *
diag_kind_name(enum diag_kind kind)
{
	return kind_names[kind];
}

const char *
diag_state_name(const struct diag_socket *s)
{
	if (s->kind == DIAG_PACKET || s->kind == DIAG_NETLINK ||
	    s->state >= sizeof(state_names) / sizeof(state_names[0]))
		return NULL;
	if (s->kind != DIAG_TCP && s->state == STATE_CLOSE)
		return NULL;
	return state_names[s->state];
}

/* ---------------------------------------------------------------- list */

static struct diag_socket *
add_socket(struct diag_list *list)
{
	size_t cap = list->cap > 0 ? 2 * list->cap : 256;
	struct diag_socket *grown;

	if (list->n == list->cap) {
		if (cap > SOCKETS_MAX)
			return NULL;
		grown = realloc(list->sockets, cap * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		list->sockets = grown;
		list->cap = cap;
	}
	list->sockets[list->n] = (struct diag_socket){ .state = 0 };
	return &list->sockets[list->n++];
}

void
diag_free(struct diag_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->sockets[i].tcp);
	free(list->sockets);
	*list = (struct diag_list){ .n = 0 };
}

/* ---------------------------------------------------------- attributes */

/* The next attribute, or NULL; *rest are the bytes behind the header. */
static const struct rtattr *
next_attribute(const char **at, size_t *left)
{
	const struct rtattr *a = (const void *)*at;
	size_t n;

	if (*left < sizeof(*a) || a->rta_len < sizeof(*a) || a->rta_len > *left)
		return NULL;
	n = RTA_ALIGN(a->rta_len);
	n = n < *left ? n : *left;
	*at += n;
	*left -= n;
	return a;
}

static struct str
payload_of(const struct rtattr *a)
{
	const char *p = (const char *)a + sizeof(*a);

	return (struct str){ p, a->rta_len - sizeof(*a) };
}

static uint32_t
payload_u32(const struct rtattr *a)
{
	struct str s = payload_of(a);
	uint32_t v = 0;

	if (s.n >= sizeof(v))
		memcpy(&v, s.p, sizeof(v));
	return v;
}

/* What stands behind a struct of n bytes in the message. */
static const char *
attributes_of(const struct nlmsghdr *h, size_t n, size_t *out_left)
{
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(n);

	*out_left = h->nlmsg_len > head ? h->nlmsg_len - head : 0;
	return (const char *)h + head;
}

/* The struct at the front of the message; false when it is cut short. */
static bool
take_struct(const struct nlmsghdr *h, void *to, size_t n)
{
	if (h->nlmsg_len < NLMSG_HDRLEN + n)
		return false;
	memcpy(to, (const char *)h + NLMSG_HDRLEN, n);
	return true;
}

static uint64_t
cookie_of(const uint32_t c[2])
{
	return (uint64_t)c[1] << 32 | c[0];
}

/* ---------------------------------------------------------------- inet */

static void
set_inet(struct endpoint *e, const struct diag_socket *s, const uint32_t *ip,
    uint16_t port, uint32_t scope)
{
	e->type = s->type;
	e->protocol = s->protocol;
	e->u.sa.sa_family = (sa_family_t)s->family;
	if (s->family == AF_INET) {
		e->len = sizeof(e->u.in);
		e->u.in.sin_port = port;
		memcpy(&e->u.in.sin_addr, ip, sizeof(e->u.in.sin_addr));
		return;
	}
	e->len = sizeof(e->u.in6);
	e->u.in6.sin6_port = port;
	memcpy(&e->u.in6.sin6_addr, ip, sizeof(e->u.in6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&e->u.in6.sin6_addr))
		e->u.in6.sin6_scope_id = scope;
}

/* An older kernel gives less of it, a newer one more. */
static void
take_tcp_info(struct diag_socket *s, struct str payload)
{
	struct tcp_info i = { .tcpi_state = 0 };

	s->tcp = s->tcp != NULL ? s->tcp : calloc(1, sizeof(*s->tcp));
	if (s->tcp == NULL)
		return;
	memcpy(&i, payload.p, payload.n < sizeof(i) ? payload.n : sizeof(i));
	s->tcp->rtt_us = i.tcpi_rtt;
	s->tcp->rttvar_us = i.tcpi_rttvar;
	s->tcp->rto_us = i.tcpi_rto;
	s->tcp->mss = i.tcpi_snd_mss;
	s->tcp->path_mtu = i.tcpi_pmtu;
	s->tcp->cwnd = i.tcpi_snd_cwnd;
	s->tcp->unacked = i.tcpi_unacked;
	s->tcp->lost = i.tcpi_lost;
	s->tcp->retransmitted = i.tcpi_total_retrans;
	s->tcp->bytes_acked = i.tcpi_bytes_acked;
	s->tcp->bytes_received = i.tcpi_bytes_received;
}

static void
take_congestion(struct diag_socket *s, struct str name)
{
	s->tcp = s->tcp != NULL ? s->tcp : calloc(1, sizeof(*s->tcp));
	if (s->tcp != NULL)
		snprintf(s->tcp->congestion, sizeof(s->tcp->congestion),
		    "%.*s", (int)strnlen(name.p, name.n), name.p);
}

static int
take_inet(struct dump *d, const struct nlmsghdr *h)
{
	const struct rtattr *a;
	struct inet_diag_msg m;
	struct diag_socket *s;
	const char *at;
	size_t left;

	if (!take_struct(h, &m, sizeof(m)))
		return -EBADMSG;
	s = add_socket(d->list);
	if (s == NULL)
		return -ENOMEM;
	s->kind = d->kind;
	s->family = m.idiag_family;
	s->type = d->kind == DIAG_TCP ? SOCK_STREAM : SOCK_DGRAM;
	s->protocol = 0;
	s->state = m.idiag_state;
	s->receive_queue = m.idiag_rqueue;
	s->send_queue = m.idiag_wqueue;
	s->uid = m.idiag_uid;
	s->inode = m.idiag_inode;
	s->interface = m.id.idiag_if;
	s->timer = m.idiag_timer;
	s->timer_ms = m.idiag_expires;
	s->retransmits = m.idiag_retrans;
	s->cookie = cookie_of(m.id.idiag_cookie);
	set_inet(&s->local, s, m.id.idiag_src, m.id.idiag_sport, m.id.idiag_if);
	if (m.id.idiag_dport != 0)
		set_inet(&s->peer, s, m.id.idiag_dst, m.id.idiag_dport,
		    m.id.idiag_if);
	at = attributes_of(h, sizeof(m), &left);
	while ((a = next_attribute(&at, &left)) != NULL) {
		if (a->rta_type == INET_DIAG_INFO && d->kind == DIAG_TCP)
			take_tcp_info(s, payload_of(a));
		else if (a->rta_type == INET_DIAG_CONG)
			take_congestion(s, payload_of(a));
	}
	return 0;
}

/* ---------------------------------------------------------------- unix */

static void
set_unix_name(struct endpoint *e, const struct diag_socket *s, struct str name)
{
	if (name.n > sizeof(e->u.un.sun_path))
		return;
	e->type = s->type;
	e->u.un.sun_family = AF_UNIX;
	memcpy(e->u.un.sun_path, name.p, name.n);
	e->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
}

static void
take_unix_queues(struct diag_socket *s, struct str payload)
{
	struct unix_diag_rqlen q;

	if (payload.n < sizeof(q))
		return;
	memcpy(&q, payload.p, sizeof(q));
	s->receive_queue = q.udiag_rqueue;
	s->send_queue = q.udiag_wqueue;
}

static int
take_unix(struct dump *d, const struct nlmsghdr *h)
{
	const struct rtattr *a;
	struct unix_diag_msg m;
	struct diag_socket *s;
	const char *at;
	size_t left;

	if (!take_struct(h, &m, sizeof(m)))
		return -EBADMSG;
	s = add_socket(d->list);
	if (s == NULL)
		return -ENOMEM;
	s->kind = DIAG_UNIX;
	s->family = AF_UNIX;
	s->type = m.udiag_type;
	s->state = m.udiag_state;
	s->inode = m.udiag_ino;
	s->cookie = cookie_of(m.udiag_cookie);
	s->local.type = m.udiag_type;
	s->local.u.sa.sa_family = AF_UNIX;
	s->local.len = sizeof(sa_family_t);
	at = attributes_of(h, sizeof(m), &left);
	while ((a = next_attribute(&at, &left)) != NULL) {
		if (a->rta_type == UNIX_DIAG_NAME)
			set_unix_name(&s->local, s, payload_of(a));
		else if (a->rta_type == UNIX_DIAG_PEER)
			s->peer_inode = payload_u32(a);
		else if (a->rta_type == UNIX_DIAG_RQLEN)
			take_unix_queues(s, payload_of(a));
		else if (a->rta_type == UNIX_DIAG_UID)
			s->uid = payload_u32(a);
	}
	return 0;
}

/* -------------------------------------------------- packet and netlink */

/* SK_MEMINFO_ of linux/sock_diag.h: an array of numbers. */
static void
take_memory(struct diag_socket *s, struct str payload)
{
	uint32_t v[SK_MEMINFO_VARS] = { 0 };

	memcpy(v, payload.p, payload.n < sizeof(v) ? payload.n : sizeof(v));
	s->receive_queue = v[SK_MEMINFO_RMEM_ALLOC];
	s->send_queue = v[SK_MEMINFO_WMEM_ALLOC];
}

static void
take_packet_info(struct diag_socket *s, struct str payload)
{
	struct packet_diag_info info;

	if (payload.n < sizeof(info))
		return;
	memcpy(&info, payload.p, sizeof(info));
	s->interface = info.pdi_index;
}

static int
take_packet(struct dump *d, const struct nlmsghdr *h)
{
	const struct rtattr *a;
	struct packet_diag_msg m;
	struct diag_socket *s;
	const char *at;
	size_t left;

	if (!take_struct(h, &m, sizeof(m)))
		return -EBADMSG;
	s = add_socket(d->list);
	if (s == NULL)
		return -ENOMEM;
	s->kind = DIAG_PACKET;
	s->family = AF_PACKET;
	s->type = m.pdiag_type;
	s->protocol = m.pdiag_num;
	s->inode = m.pdiag_ino;
	s->cookie = cookie_of(m.pdiag_cookie);
	at = attributes_of(h, sizeof(m), &left);
	while ((a = next_attribute(&at, &left)) != NULL) {
		if (a->rta_type == PACKET_DIAG_INFO)
			take_packet_info(s, payload_of(a));
		else if (a->rta_type == PACKET_DIAG_UID)
			s->uid = payload_u32(a);
		else if (a->rta_type == PACKET_DIAG_MEMINFO)
			take_memory(s, payload_of(a));
	}
	return 0;
}

static int
take_netlink(struct dump *d, const struct nlmsghdr *h)
{
	const struct rtattr *a;
	struct netlink_diag_msg m;
	struct diag_socket *s;
	const char *at;
	size_t left;

	if (!take_struct(h, &m, sizeof(m)))
		return -EBADMSG;
	s = add_socket(d->list);
	if (s == NULL)
		return -ENOMEM;
	s->kind = DIAG_NETLINK;
	s->family = AF_NETLINK;
	s->type = m.ndiag_type;
	s->protocol = m.ndiag_protocol;
	s->inode = m.ndiag_ino;
	s->port_id = m.ndiag_portid;
	s->groups = m.ndiag_dst_group;
	s->cookie = cookie_of(m.ndiag_cookie);
	at = attributes_of(h, sizeof(m), &left);
	while ((a = next_attribute(&at, &left)) != NULL)
		if (a->rta_type == NETLINK_DIAG_MEMINFO)
			take_memory(s, payload_of(a));
	return 0;
}

/* --------------------------------------------------------------- dumps */

/* 1 at the end of the dump, 0 before, or a negative errno. */
static int
take_message(struct dump *d, const struct nlmsghdr *h)
{
	int err = 0;

	if (h->nlmsg_type == NLMSG_ERROR) {
		take_struct(h, &err, sizeof(err));
		return err < 0 ? err : -EBADMSG;
	}
	if (h->nlmsg_type == NLMSG_DONE)
		return 1;
	return d->take(d, h);
}

/* 1 at the end of the dump, 0 when more is to come, or a negative errno. */
static int
take_answer(struct dump *d, const char *p, size_t n)
{
	const struct nlmsghdr *h;
	int result = 0;

	while (result == 0 && n >= sizeof(*h)) {
		h = (const void *)p;
		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
			return -EBADMSG;
		result = take_message(d, h);
		n -= NLMSG_ALIGN(h->nlmsg_len) < n ?
		    NLMSG_ALIGN(h->nlmsg_len) : n;
		p += NLMSG_ALIGN(h->nlmsg_len);
	}
	return result;
}

static int
read_answers(struct dump *d)
{
	char *room = malloc(ANSWER_BYTES);
	int result = room == NULL ? -ENOMEM : 0;
	ssize_t n;

	while (result == 0) {
		n = recv(d->fd, room, ANSWER_BYTES, 0);
		if (n > 0)
			result = take_answer(d, room, (size_t)n);
		else if (n == 0 || errno != EINTR)
			result = n == 0 ? -EBADMSG : -errno;
	}
	free(room);
	return result > 0 ? 0 : result;
}

static int
run_dump(struct dump *d, const void *request, size_t n)
{
	struct {
		struct nlmsghdr h;
		char request[sizeof(struct inet_diag_req_v2)];
	} m = {
		.h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n),
		.h.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	};
	int result;

	memcpy(m.request, request, n);
	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (d->fd == -1)
		return -errno;
	if (send(d->fd, &m, m.h.nlmsg_len, 0) == -1)
		result = -errno;
	else
		result = read_answers(d);
	close(d->fd);
	return result;
}

static int
read_inet(struct diag_list *list, enum diag_kind kind, int family,
    bool wants_tcp_info)
{
	static const int protocols[] = {
		[DIAG_TCP] = IPPROTO_TCP,
		[DIAG_UDP] = IPPROTO_UDP,
		[DIAG_ICMP] = IPPROTO_ICMP,
	};
	struct inet_diag_req_v2 q = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = (uint8_t)protocols[kind],
		.idiag_states = ALL_STATES,
	};
	struct dump d = { .list = list, .kind = kind, .take = take_inet };

	if (kind == DIAG_ICMP && family == AF_INET6)
		q.sdiag_protocol = IPPROTO_ICMPV6;
	if (wants_tcp_info)
		q.idiag_ext = 1 << (INET_DIAG_INFO - 1) |
		    1 << (INET_DIAG_CONG - 1);
	return run_dump(&d, &q, sizeof(q));
}

static int
read_unix(struct diag_list *list)
{
	struct unix_diag_req q = {
		.sdiag_family = AF_UNIX,
		.udiag_states = ALL_STATES,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER |
		    UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID,
	};
	struct dump d = { .list = list, .kind = DIAG_UNIX, .take = take_unix };

	return run_dump(&d, &q, sizeof(q));
}

static int
read_packet(struct diag_list *list)
{
	struct packet_diag_req q = {
		.sdiag_family = AF_PACKET,
		.pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO,
	};
	struct dump d = {
		.list = list,
		.kind = DIAG_PACKET,
		.take = take_packet,
	};

	return run_dump(&d, &q, sizeof(q));
}

static int
read_netlink(struct diag_list *list)
{
	struct netlink_diag_req q = {
		.sdiag_family = AF_NETLINK,
		.sdiag_protocol = NDIAG_PROTO_ALL,
		.ndiag_show = NDIAG_SHOW_MEMINFO,
	};
	struct dump d = {
		.list = list,
		.kind = DIAG_NETLINK,
		.take = take_netlink,
	};

	return run_dump(&d, &q, sizeof(q));
}

int
diag_read(struct diag_list *list, enum diag_kind kind, bool wants_tcp_info)
{
	int err;

	switch (kind) {
	case DIAG_TCP:
	case DIAG_UDP:
	case DIAG_ICMP:
		wants_tcp_info = wants_tcp_info && kind == DIAG_TCP;
		err = read_inet(list, kind, AF_INET, wants_tcp_info);
		return err < 0 ? err :
		    read_inet(list, kind, AF_INET6, wants_tcp_info);
	case DIAG_UNIX:
		return read_unix(list);
	case DIAG_PACKET:
		return read_packet(list);
	case DIAG_NETLINK:
		return read_netlink(list);
	case DIAG_KINDS:
		break;
	}
	return -EINVAL;
}

/* ---------------------------------------------------------------- text */

static void
packet_text(const struct diag_socket *s, char text[ENDPOINT_TEXT])
{
	static const struct {
		int protocol;
		const char *name;
	} names[] = {
		{ ETHERTYPE_IP, "ip" },
		{ ETHERTYPE_ARP, "arp" },
		{ ETHERTYPE_IPV6, "ipv6" },
		{ 0x0003, "all" },
	};
	char interface[IF_NAMESIZE] = "*", number[16];
	const char *name = number;

	snprintf(number, sizeof(number), "%#06x", (unsigned)s->protocol);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].protocol == s->protocol)
			name = names[i].name;
	if (s->interface != 0 &&
	    if_indextoname(s->interface, interface) == NULL)
		snprintf(interface, sizeof(interface), "%u", s->interface);
	snprintf(text, ENDPOINT_TEXT, "packet:%s:%s", name, interface);
}

static void
netlink_text(const struct diag_socket *s, char text[ENDPOINT_TEXT])
{
	static const char *const names[] = {
		[NETLINK_ROUTE] = "route",
		[NETLINK_SOCK_DIAG] = "sock_diag",
		[NETLINK_XFRM] = "xfrm",
		[NETLINK_AUDIT] = "audit",
		[NETLINK_FIB_LOOKUP] = "fib_lookup",
		[NETLINK_CONNECTOR] = "connector",
		[NETLINK_NETFILTER] = "netfilter",
		[NETLINK_KOBJECT_UEVENT] = "kobject_uevent",
		[NETLINK_GENERIC] = "generic",
		[NETLINK_CRYPTO] = "crypto",
	};
	size_t i = (size_t)s->protocol;

	if (i < sizeof(names) / sizeof(names[0]) && names[i] != NULL)
		snprintf(text, ENDPOINT_TEXT, "netlink:%s:%u", names[i],
		    s->port_id);
	else
		snprintf(text, ENDPOINT_TEXT, "netlink:%zu:%u", i, s->port_id);
}

/* A ping socket has an identifier where others have a port. */
static void
icmp_text(const struct diag_socket *s, char text[ENDPOINT_TEXT])
{
	endpoint_text(&s->local, text);
	memmove(text + 4, text + 3, strlen(text + 3) + 1);
	memcpy(text, "icmp", 4);
}

const char *
diag_local_text(const struct diag_socket *s, char text[ENDPOINT_TEXT])
{
	if (s->kind == DIAG_PACKET)
		packet_text(s, text);
	else if (s->kind == DIAG_NETLINK)
		netlink_text(s, text);
	else if (s->kind == DIAG_ICMP)
		icmp_text(s, text);
	else
		endpoint_text(&s->local, text);
	return text;
}
