/* SPDX-License-Identifier: ISC */
/*
 * One request and its dump for each family.  The answers' structs are those of
 * linux/inet_diag.h, unix_diag.h, packet_diag.h and netlink_diag.h; nothing in
 * a message is read before its length says that it is there.
 *
 * The kernel lists raw sockets only where it was built to
 * (CONFIG_INET_RAW_DIAG), and ping sockets nowhere; then /proc does.
 */
#include "sock/diag.h"

#include <assert.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sock/diag_priv.h"

#define ANSWER_BYTES (256 * 1024)       /* the kernel fills 32 KiB at most */
#define SOCKETS_MAX (4 * 1024 * 1024)   /* more than a machine has ports for */
#define ALL_STATES 0xffffffffu
#define REQUEST_MAX 64

/* What a message is about begins with one of these. */
union answer {
	struct inet_diag_msg inet;
	struct unix_diag_msg un;
	struct packet_diag_msg packet;
	struct netlink_diag_msg netlink;
};

/* How a family answers: a struct, and attributes behind it. */
struct format {
	size_t bytes;           /* of the struct */
	void (*take)(struct diag_socket *s, const union answer *m);
	void (*take_attribute)(struct diag_socket *s, int type,
	    struct str payload);
};

/* A dump that is under way. */
struct dump {
	struct diag_list *list;
	enum diag_kind kind;
	const struct format *format;
	int fd;
};

/* ---------------------------------------------------------------- list */

struct diag_socket *
diag_add(struct diag_list *list)
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
u32_of(struct str payload)
{
	uint32_t v = 0;

	if (payload.n >= sizeof(v))
		memcpy(&v, payload.p, sizeof(v));
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

void
diag_set_kind(struct diag_socket *s)
{
	static const struct {
		int type, protocol;
	} kinds[] = {
		[DIAG_TCP] = { SOCK_STREAM, 0 },
		[DIAG_MPTCP] = { SOCK_STREAM, IPPROTO_MPTCP },
		[DIAG_UDP] = { SOCK_DGRAM, 0 },
		[DIAG_ICMP] = { SOCK_DGRAM, IPPROTO_ICMP },
		[DIAG_RAW] = { SOCK_RAW, 0 },
	};

	s->type = kinds[s->kind].type;
	s->protocol = kinds[s->kind].protocol;
}

void
diag_set_inet(struct endpoint *e, const struct diag_socket *s, const void *ip,
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

static void
take_inet(struct diag_socket *s, const union answer *answer)
{
	const struct inet_diag_msg *m = &answer->inet;
	const struct inet_diag_sockid *id = &m->id;

	s->family = m->idiag_family;
	s->state = m->idiag_state;
	s->receive_queue = m->idiag_rqueue;
	s->send_queue = m->idiag_wqueue;
	s->uid = m->idiag_uid;
	s->inode = m->idiag_inode;
	s->interface = id->idiag_if;
	s->timer = m->idiag_timer;
	s->timer_ms = m->idiag_expires;
	s->retransmits = m->idiag_retrans;
	s->cookie = cookie_of(id->idiag_cookie);
	diag_set_kind(s);
	diag_set_inet(&s->local, s, id->idiag_src, id->idiag_sport,
	    id->idiag_if);
	/* A raw socket has a peer, if any, without a port. */
	if (id->idiag_dport != 0 ||
	    (s->kind == DIAG_RAW && s->state == STATE_ESTABLISHED))
		diag_set_inet(&s->peer, s, id->idiag_dst, id->idiag_dport,
		    id->idiag_if);
}

static void
take_inet_attribute(struct diag_socket *s, int type, struct str payload)
{
	if (s->kind != DIAG_TCP)
		return;
	if (type == INET_DIAG_INFO)
		take_tcp_info(s, payload);
	else if (type == INET_DIAG_CONG)
		take_congestion(s, payload);
}

static const struct format inet_format = {
	.bytes = sizeof(struct inet_diag_msg),
	.take = take_inet,
	.take_attribute = take_inet_attribute,
};

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

static void
take_unix(struct diag_socket *s, const union answer *answer)
{
	const struct unix_diag_msg *m = &answer->un;

	s->family = AF_UNIX;
	s->type = m->udiag_type;
	s->state = m->udiag_state;
	s->inode = m->udiag_ino;
	s->cookie = cookie_of(m->udiag_cookie);
	s->local.type = m->udiag_type;
	s->local.u.sa.sa_family = AF_UNIX;
	s->local.len = sizeof(sa_family_t);
}

static void
take_unix_attribute(struct diag_socket *s, int type, struct str payload)
{
	if (type == UNIX_DIAG_NAME)
		set_unix_name(&s->local, s, payload);
	else if (type == UNIX_DIAG_PEER)
		s->peer_inode = u32_of(payload);
	else if (type == UNIX_DIAG_RQLEN)
		take_unix_queues(s, payload);
	else if (type == UNIX_DIAG_UID)
		s->uid = u32_of(payload);
}

static const struct format unix_format = {
	.bytes = sizeof(struct unix_diag_msg),
	.take = take_unix,
	.take_attribute = take_unix_attribute,
};

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

static void
take_packet(struct diag_socket *s, const union answer *answer)
{
	const struct packet_diag_msg *m = &answer->packet;

	s->family = AF_PACKET;
	s->type = m->pdiag_type;
	s->protocol = m->pdiag_num;
	s->inode = m->pdiag_ino;
	s->cookie = cookie_of(m->pdiag_cookie);
}

static void
take_packet_attribute(struct diag_socket *s, int type, struct str payload)
{
	if (type == PACKET_DIAG_INFO)
		take_packet_info(s, payload);
	else if (type == PACKET_DIAG_UID)
		s->uid = u32_of(payload);
	else if (type == PACKET_DIAG_MEMINFO)
		take_memory(s, payload);
}

static const struct format packet_format = {
	.bytes = sizeof(struct packet_diag_msg),
	.take = take_packet,
	.take_attribute = take_packet_attribute,
};

static void
take_netlink(struct diag_socket *s, const union answer *answer)
{
	const struct netlink_diag_msg *m = &answer->netlink;

	s->family = AF_NETLINK;
	s->type = m->ndiag_type;
	s->protocol = m->ndiag_protocol;
	s->inode = m->ndiag_ino;
	s->port_id = m->ndiag_portid;
	s->groups = m->ndiag_dst_group;
	s->cookie = cookie_of(m->ndiag_cookie);
}

static void
take_netlink_attribute(struct diag_socket *s, int type, struct str payload)
{
	if (type == NETLINK_DIAG_MEMINFO)
		take_memory(s, payload);
}

static const struct format netlink_format = {
	.bytes = sizeof(struct netlink_diag_msg),
	.take = take_netlink,
	.take_attribute = take_netlink_attribute,
};

/* --------------------------------------------------------------- dumps */

static int
take_socket(struct dump *d, const struct nlmsghdr *h)
{
	size_t n = d->format->bytes, left;
	const struct rtattr *a;
	struct diag_socket *s;
	union answer answer;
	const char *at;

	if (!take_struct(h, &answer, n))
		return -EBADMSG;
	s = diag_add(d->list);
	if (s == NULL)
		return -ENOMEM;
	s->kind = d->kind;
	d->format->take(s, &answer);
	at = attributes_of(h, n, &left);
	while ((a = next_attribute(&at, &left)) != NULL)
		d->format->take_attribute(s, a->rta_type, payload_of(a));
	return 0;
}

/* 1 at the end of the dump, 0 before, or a negative errno. */
static int
take_message(struct dump *d, const struct nlmsghdr *h)
{
	int err = 0;

	switch (h->nlmsg_type) {
	case NLMSG_ERROR:
		take_struct(h, &err, sizeof(err));
		return err < 0 ? err : -EBADMSG;
	case NLMSG_DONE:
		/* A kind that the kernel cannot list ends so, at once. */
		take_struct(h, &err, sizeof(err));
		return err < 0 ? err : 1;
	default:
		return take_socket(d, h);
	}
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
		char request[REQUEST_MAX];
	} m = {
		.h.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + n),
		.h.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	};
	int result;

	assert(n <= sizeof(m.request));
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

/* The protocol of MPTCP has no room in the request: it stands behind it. */
static int
read_inet(struct diag_list *list, enum diag_kind kind, int family,
    bool wants_tcp_info)
{
	static const uint8_t protocols[] = {
		[DIAG_TCP] = IPPROTO_TCP,
		[DIAG_UDP] = IPPROTO_UDP,
		[DIAG_RAW] = IPPROTO_RAW,
	};
	struct {
		struct inet_diag_req_v2 q;
		struct rtattr head;
		uint32_t protocol;
	} m = {
		.q.sdiag_family = (uint8_t)family,
		.q.idiag_states = ALL_STATES,
		.head.rta_len = RTA_LENGTH(sizeof(uint32_t)),
		.head.rta_type = INET_DIAG_REQ_PROTOCOL,
		.protocol = IPPROTO_MPTCP,
	};
	struct dump d = { .list = list, .kind = kind, .format = &inet_format };

	if (kind == DIAG_MPTCP)
		return run_dump(&d, &m, sizeof(m));
	m.q.sdiag_protocol = protocols[kind];
	if (wants_tcp_info && kind == DIAG_TCP)
		m.q.idiag_ext = 1 << (INET_DIAG_INFO - 1) |
		    1 << (INET_DIAG_CONG - 1);
	return run_dump(&d, &m.q, sizeof(m.q));
}

static int
read_both(struct diag_list *list, enum diag_kind kind, bool wants_tcp_info)
{
	int err = read_inet(list, kind, AF_INET, wants_tcp_info);

	return err < 0 ? err : read_inet(list, kind, AF_INET6, wants_tcp_info);
}

static int
read_raw(struct diag_list *list)
{
	int err = read_both(list, DIAG_RAW, false);

	return err == -ENOENT ? diag_read_proc(list, DIAG_RAW) : err;
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
	struct dump d = {
		.list = list,
		.kind = DIAG_UNIX,
		.format = &unix_format,
	};

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
		.format = &packet_format,
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
		.format = &netlink_format,
	};

	return run_dump(&d, &q, sizeof(q));
}

int
diag_read(struct diag_list *list, enum diag_kind kind, bool wants_tcp_info)
{
	switch (kind) {
	case DIAG_TCP:
	case DIAG_MPTCP:
	case DIAG_UDP:
		return read_both(list, kind, wants_tcp_info);
	case DIAG_ICMP:
		return diag_read_proc(list, kind);
	case DIAG_RAW:
		return read_raw(list);
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
