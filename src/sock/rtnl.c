/* SPDX-License-Identifier: ISC */
/*
 * Requests of rtnetlink(7) and their one answer.  Attributes are laid out as
 * netlink(7) and rtnetlink(7) say: length, type, value, padded to four bytes;
 * a nested one counts what is inside it.
 */

#include "sock/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOT_QDISC_HANDLE 0x00010000u   /* "1:" as tc(8) writes it */
#define ANSWER_WAIT_S 2

/* IF_OPER_UP of <linux/if.h>, which does not go with <net/if.h>. */
#define OPERSTATE_UP 6

/* A link with all its attributes has less than 2000 bytes. */
struct answer {
	_Alignas(4) unsigned char bytes[8192];
};

/* A prefix, and the bytes of its address. */
struct prefix {
	unsigned char family;
	unsigned char bits;
	unsigned char n;
	unsigned char address[16];
};

static struct nlmsghdr *
header(struct rtnl *r)
{
	return (struct nlmsghdr *)(void *)r->bytes;
}

/* Room for n bytes at the end, zeroed and padded. */
static void *
extend(struct rtnl *r, size_t n)
{
	struct nlmsghdr *h = header(r);
	size_t at = NLMSG_ALIGN(h->nlmsg_len);

	/* Names are bounded before they come here, so there is always room. */
	if (n > RTNL_REQUEST - at)
		abort();
	memset(r->bytes + at, 0, RTNL_REQUEST - at);
	h->nlmsg_len = (uint32_t)(at + n);
	return r->bytes + at;
}

static void *
start(struct rtnl *r, uint16_t type, uint16_t flags, size_t body_bytes)
{
	memset(r, 0, sizeof(*r));
	*header(r) = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN,
		.nlmsg_type = type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
	};
	return extend(r, body_bytes);
}

static struct rtattr *
add(struct rtnl *r, unsigned short type, const void *value, size_t n)
{
	struct rtattr *a = extend(r, RTA_LENGTH(n));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	if (n > 0)
		memcpy(RTA_DATA(a), value, n);
	return a;
}

static void
add_u32(struct rtnl *r, unsigned short type, uint32_t value)
{
	add(r, type, &value, sizeof(value));
}

static void
add_text(struct rtnl *r, unsigned short type, const char *text)
{
	add(r, type, text, strlen(text) + 1);
}

/* Closes a nested attribute: it ends where the request now ends. */
static void
end(struct rtnl *r, struct rtattr *a)
{
	unsigned char *from = (unsigned char *)a;

	header(r)->nlmsg_len = NLMSG_ALIGN(header(r)->nlmsg_len);
	a->rta_len = (unsigned short)(r->bytes + header(r)->nlmsg_len - from);
}

static bool
is_name(const char *name)
{
	return name[0] != '\0' && strlen(name) < IFNAMSIZ;
}

static int
index_of(const char *name, unsigned *out_index)
{
	if (!is_name(name))
		return -EINVAL;
	*out_index = if_nametoindex(name);
	return *out_index == 0 ? -ENODEV : 0;
}

/* "default" is not needed: 0.0.0.0/0 and ::/0 say it. */
static int
parse_prefix(const char *text, struct prefix *out)
{
	char address[INET6_ADDRSTRLEN], *tail;
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	bool is_v6 = strchr(text, ':') != NULL;
	long most = is_v6 ? 128 : 32, bits = most;

	if (n >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, n);
	address[n] = '\0';
	if (slash != NULL) {
		bits = strtol(slash + 1, &tail, 10);
		if (tail == slash + 1 || *tail != '\0' || bits < 0 ||
		    bits > most)
			return -EINVAL;
	}
	out->family = is_v6 ? AF_INET6 : AF_INET;
	out->bits = (unsigned char)bits;
	out->n = is_v6 ? 16 : 4;
	return inet_pton(out->family, address, out->address) == 1 ? 0 : -EINVAL;
}

static struct rtattr *
start_link(struct rtnl *r, const char *name, const char *kind)
{
	struct rtattr *info;

	start(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(struct ifinfomsg));
	add_text(r, IFLA_IFNAME, name);
	info = add(r, IFLA_LINKINFO, NULL, 0);
	add_text(r, IFLA_INFO_KIND, kind);
	return info;
}

int
rtnl_veth(struct rtnl *r, const char *name, const char *peer, int peer_ns)
{
	struct rtattr *info, *data, *other;

	if (!is_name(name) || !is_name(peer))
		return -EINVAL;
	info = start_link(r, name, "veth");
	data = add(r, IFLA_INFO_DATA, NULL, 0);
	other = add(r, VETH_INFO_PEER, NULL, 0);
	/* The peer is described by a link message of its own inside it. */
	extend(r, sizeof(struct ifinfomsg));
	add_text(r, IFLA_IFNAME, peer);
	add_u32(r, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	end(r, other);
	end(r, data);
	end(r, info);
	return 0;
}

int
rtnl_bridge(struct rtnl *r, const char *name)
{
	if (!is_name(name))
		return -EINVAL;
	end(r, start_link(r, name, "bridge"));
	return 0;
}

static int
start_change(struct rtnl *r, const char *name, unsigned flags, unsigned change)
{
	struct ifinfomsg *link;
	unsigned index;
	int err = index_of(name, &index);

	if (err < 0)
		return err;
	link = start(r, RTM_NEWLINK, 0, sizeof(*link));
	link->ifi_index = (int)index;
	link->ifi_flags = flags;
	link->ifi_change = change;
	return 0;
}

int
rtnl_plug(struct rtnl *r, const char *name, const char *bridge)
{
	unsigned master;
	int err = index_of(bridge, &master);

	if (err == 0)
		err = start_change(r, name, IFF_UP, IFF_UP);
	if (err == 0)
		add_u32(r, IFLA_MASTER, master);
	return err;
}

int
rtnl_set_up(struct rtnl *r, const char *name, bool is_up)
{
	return start_change(r, name, is_up ? IFF_UP : 0, IFF_UP);
}

/* The last address of an IPv4 network is its broadcast (RFC 919). */
static void
add_broadcast(struct rtnl *r, const struct prefix *p)
{
	uint32_t address;

	memcpy(&address, p->address, sizeof(address));
	if (p->bits < 32)
		address |= htonl(0xffffffffu >> p->bits);
	add(r, IFA_BROADCAST, &address, sizeof(address));
}

int
rtnl_address(struct rtnl *r, const char *name, const char *prefix)
{
	struct ifaddrmsg *m;
	struct prefix p;
	unsigned index;
	int err = index_of(name, &index);

	if (err == 0)
		err = parse_prefix(prefix, &p);
	if (err < 0)
		return err;
	m = start(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*m));
	m->ifa_family = p.family;
	m->ifa_prefixlen = p.bits;
	m->ifa_flags = IFA_F_NODAD;
	m->ifa_index = index;
	add(r, IFA_LOCAL, p.address, p.n);
	add(r, IFA_ADDRESS, p.address, p.n);
	if (p.family == AF_INET)
		add_broadcast(r, &p);
	return 0;
}

int
rtnl_route(struct rtnl *r, const char *prefix, const char *gateway)
{
	struct prefix to, by;
	struct rtmsg *m;
	int err = parse_prefix(prefix, &to);

	if (err == 0 && gateway != NULL)
		err = parse_prefix(gateway, &by);
	if (err < 0)
		return err;
	if (gateway != NULL && by.family != to.family)
		return -EINVAL;
	m = start(r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*m));
	m->rtm_family = to.family;
	m->rtm_dst_len = to.bits;
	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_type = gateway == NULL ? RTN_BLACKHOLE : RTN_UNICAST;
	if (to.bits > 0)
		add(r, RTA_DST, to.address, to.n);
	if (gateway != NULL)
		add(r, RTA_GATEWAY, by.address, by.n);
	return 0;
}

int
rtnl_limit(struct rtnl *r, const char *name, uint32_t bytes_per_s,
    uint32_t burst_bytes, uint32_t queue_bytes)
{
	struct tc_tbf_qopt bucket = {
		.rate = { .rate = bytes_per_s,
		    .linklayer = TC_LINKLAYER_ETHERNET },
		.limit = queue_bytes,
	};
	struct rtattr *options;
	struct tcmsg *m;
	unsigned index;
	int err = index_of(name, &index);

	if (err < 0)
		return err;
	m = start(r, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*m));
	m->tcm_ifindex = (int)index;
	m->tcm_parent = TC_H_ROOT;
	m->tcm_handle = ROOT_QDISC_HANDLE;
	add_text(r, TCA_KIND, "tbf");
	options = add(r, TCA_OPTIONS, NULL, 0);
	add(r, TCA_TBF_PARMS, &bucket, sizeof(bucket));
	add_u32(r, TCA_TBF_BURST, burst_bytes);
	end(r, options);
	return 0;
}

/* Sends it and waits for the answer; its length, or a negative errno. */
static int
exchange(const struct rtnl *r, struct answer *out)
{
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	struct nlmsghdr h;
	ssize_t n = -1;
	int fd, err;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd == -1)
		return -errno;
	memcpy(&h, r->bytes, sizeof(h));
	err = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (err == 0 && send(fd, r->bytes, h.nlmsg_len, 0) != -1)
		n = recv(fd, out->bytes, sizeof(out->bytes), 0);
	err = n == -1 ? -errno : 0;
	close(fd);
	if (err == 0 && (size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		err = -EPROTO;
	return err < 0 ? err : (int)n;
}

/* Of an error message its number, which is 0 for an acknowledgement. */
static int
error_of(const struct answer *a, int otherwise)
{
	struct nlmsghdr h;
	struct nlmsgerr e;

	memcpy(&h, a->bytes, sizeof(h));
	memcpy(&e, a->bytes + NLMSG_HDRLEN, sizeof(e));
	return h.nlmsg_type == NLMSG_ERROR ? e.error : otherwise;
}

/* The first byte of an attribute of a link; -ENOENT when it has none. */
static int
link_byte(const struct answer *answer, size_t n, unsigned short type)
{
	size_t at = NLMSG_LENGTH(sizeof(struct ifinfomsg));
	struct rtattr a;

	while (at + sizeof(a) < n) {
		memcpy(&a, answer->bytes + at, sizeof(a));
		if (a.rta_len < sizeof(a) || a.rta_len > n - at)
			return -EPROTO;
		if (a.rta_type == type)
			return answer->bytes[at + RTA_LENGTH(0)];
		at += RTA_ALIGN(a.rta_len);
	}
	return -ENOENT;
}

int
rtnl_is_running(const char *name)
{
	struct answer answer;
	struct rtnl r;
	int n, state, err = start_change(&r, name, 0, 0);

	if (err < 0)
		return err;
	header(&r)->nlmsg_type = RTM_GETLINK;
	header(&r)->nlmsg_flags = NLM_F_REQUEST;
	n = exchange(&r, &answer);
	if (n < 0)
		return n;
	err = error_of(&answer, 0);
	if (err < 0)
		return err;
	state = link_byte(&answer, (size_t)n, IFLA_OPERSTATE);
	return state < 0 ? state : state == OPERSTATE_UP;
}

int
rtnl_do(const struct rtnl *r)
{
	struct answer answer;
	int n = exchange(r, &answer);

	return n < 0 ? n : error_of(&answer, -EPROTO);
}
