/* SPDX-License-Identifier: ISC */
/* What is said of the sockets that diag.c reads: kinds, states, addresses. */
#include "sock/diag.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>

#include "sock/diag_priv.h"

static const char *const kind_names[DIAG_KINDS] = {
	[DIAG_TCP] = "tcp",
	[DIAG_MPTCP] = "mptcp",
	[DIAG_UDP] = "udp",
	[DIAG_ICMP] = "icmp",
	[DIAG_RAW] = "raw",
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
	if (s->kind != DIAG_TCP && s->kind != DIAG_MPTCP &&
	    s->state == STATE_CLOSE)
		return NULL;
	return state_names[s->state];
}

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

const char *
diag_local_text(const struct diag_socket *s, char text[ENDPOINT_TEXT])
{
	if (s->kind == DIAG_PACKET)
		packet_text(s, text);
	else if (s->kind == DIAG_NETLINK)
		netlink_text(s, text);
	else
		endpoint_text(&s->local, text);
	return text;
}
