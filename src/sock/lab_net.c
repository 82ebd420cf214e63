/* SPDX-License-Identifier: ISC */
/*
 * The network of a lab.  Each host is a network namespace with a capture of
 * what arrives there, so every packet is seen once, where it got to.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/lab_priv.h"
#include "sock/rtnl.h"

/* Of a slow cable: a packet at once, and as much as a window may wait. */
#define LIMIT_BURST_BYTES 1600
#define LIMIT_QUEUE_BYTES (1 << 20)

bool
lab_is_private(const struct lab *lab)
{
	return lab->is_private;
}

static void
request(struct lab *lab, int err, const struct rtnl *r, const char *what)
{
	if (err == 0)
		err = rtnl_do(r);
	lab_must(lab, err, what);
}

void
lab_set_up(struct lab *lab, const char *interface, bool is_up)
{
	struct rtnl r;

	request(lab, rtnl_set_up(&r, interface, is_up), &r, interface);
}

void
lab_address(struct lab *lab, const char *interface, const char *prefix)
{
	struct rtnl r;

	request(lab, rtnl_address(&r, interface, prefix), &r, prefix);
}

void
lab_route(struct lab *lab, const char *prefix, const char *gateway)
{
	struct rtnl r;

	request(lab, rtnl_route(&r, prefix, gateway), &r, prefix);
}

int
lab_limit(struct lab *lab, const char *interface, unsigned bytes_per_s)
{
	struct rtnl r;
	int err = rtnl_limit(&r, interface, bytes_per_s, LIMIT_BURST_BYTES,
	    LIMIT_QUEUE_BYTES);

	if (err == 0)
		err = rtnl_do(&r);
	lab_note(lab, "%s: at most %u bytes a second: %s", interface,
	    bytes_per_s, err == 0 ? "0" : strerrorname_np(-err));
	return err;
}

void
lab_bridge(struct lab *lab, const char *name)
{
	struct rtnl r;

	request(lab, rtnl_bridge(&r, name), &r, name);
	lab->hosts[lab->here].bridge = if_nametoindex(name);
	lab_set_up(lab, name, true);
}

void
lab_plug(struct lab *lab, const char *interface, const char *bridge)
{
	struct rtnl r;

	request(lab, rtnl_plug(&r, interface, bridge), &r, bridge);
}

int
lab_knob(struct lab *lab, const char *knob, const char *value)
{
	int err = netns_write_knob(knob, value);

	lab_note(lab, "%s = \"%s\"%s%s", knob, value, err < 0 ? ": " : "",
	    err < 0 ? strerrorname_np(-err) : "");
	return err;
}

void
lab_go(struct lab *lab, unsigned host)
{
	lab_must(lab, netns_go(lab->hosts[host].ns), "setns");
	lab->here = host;
}

struct stamping {
	int capture, probe;
};

/* What is stamped on arrival is older than the moment of its reading. */
static bool
is_stamping(void *arg)
{
	const struct stamping *s = arg;
	struct pollfd p = { .fd = s->capture, .events = POLLIN };
	struct captured c;
	int64_t now_ns;
	char byte;

	/* Taken in, so that none is left that an error could answer. */
	if (send(s->probe, "x", 1, 0) != 1 ||
	    recv(s->probe, &byte, 1, 0) != 1 || poll(&p, 1, LAB_AWAIT_MS) != 1)
		return false;
	now_ns = lab_now_ns();
	return capture_next(s->capture, &c) == 0 && c.at_ns < now_ns;
}

/* The kernel begins to stamp packets some time after it was asked. */
static void
wait_stamping(struct lab *lab, int capture)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t n = sizeof(at);
	struct stamping s = { .capture = capture };

	s.probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s.probe == -1 || bind(s.probe, (struct sockaddr *)&at, n) == -1 ||
	    getsockname(s.probe, (struct sockaddr *)&at, &n) == -1 ||
	    connect(s.probe, (struct sockaddr *)&at, n) == -1)
		lab_must(lab, -errno, "probe");
	if (!lab_until(is_stamping, &s, LAB_AWAIT_MS))
		lab_must(lab, -ETIME, "time of packets");
	close(s.probe);
}

/* The process is in a fresh network: it gets a name, a loopback, a capture. */
static void
furnish(struct lab *lab, unsigned host, const char *name)
{
	struct lab_host *h = &lab->hosts[host];

	snprintf(h->name, sizeof(h->name), "%s", name);
	lab_set_up(lab, "lo", true);
	/* On cables, IPv6 would look for routers and neighbours. */
	netns_write_knob("net/ipv6/conf/default/disable_ipv6", "1");
	h->capture = capture_open(0, 0);
	lab_must(lab, h->capture, "capture");
}

unsigned
lab_host(struct lab *lab, const char *name)
{
	unsigned back = lab->here, host = lab->n_hosts;

	lab_must(lab, host < LAB_HOSTS ? 0 : -ENOBUFS, "too many hosts");
	lab->hosts[host].ns = netns_new();
	lab_must(lab, lab->hosts[host].ns, name);
	lab->n_hosts++;
	lab_go(lab, host);
	furnish(lab, host, name);
	lab_go(lab, back);
	return host;
}

static bool
is_running(void *arg)
{
	return rtnl_is_running(arg) == 1;
}

/* Before that, what is sent is thrown away, and a bridge shuts the port. */
static void
wait_running(struct lab *lab, unsigned host, char *interface)
{
	lab_go(lab, host);
	if (!lab_until(is_running, interface, LAB_AWAIT_MS))
		lab_must(lab, -ENETDOWN, interface);
}

static void
attach(struct lab *lab, unsigned host, const char *interface,
    const char *prefix)
{
	lab_go(lab, host);
	if (prefix != NULL)
		lab_address(lab, interface, prefix);
	lab_set_up(lab, interface, true);
}

void
lab_link(struct lab *lab, unsigned a, const char *a_prefix, unsigned b,
    const char *b_prefix)
{
	char to_a[LAB_WHO + 2], to_b[LAB_WHO + 2];
	unsigned back = lab->here;
	struct rtnl r;

	snprintf(to_a, sizeof(to_a), "to%s", lab->hosts[a].name);
	snprintf(to_b, sizeof(to_b), "to%s", lab->hosts[b].name);
	lab_go(lab, a);
	request(lab, rtnl_veth(&r, to_b, to_a, lab->hosts[b].ns), &r, to_b);
	attach(lab, a, to_b, a_prefix);
	attach(lab, b, to_a, b_prefix);
	wait_running(lab, a, to_b);
	wait_running(lab, b, to_a);
	lab_go(lab, back);
}

int
lab_network_begin(struct lab *lab)
{
	unsigned needs = lab->entry->needs, flags = 0;
	char why[NETNS_WHY];
	int err;

	if (needs & LAB_ROOT && geteuid() != 0) {
		lab_skip(lab, "needs root: two users");
		return -EPERM;
	}
	if (needs & LAB_MOUNTS)
		flags |= NETNS_MOUNTS;
	if (needs & LAB_ROOT)
		flags |= NETNS_REAL_ROOT;
	if (!(needs & (LAB_LOOPBACK | LAB_NETWORK)))
		return 0;
	err = netns_enter(flags, why);
	if (err < 0) {
		lab_skip(lab, "%s%s", needs & LAB_NETWORK ? "" :
		    "packets cannot be seen: ", why);
		return needs & LAB_NETWORK ? err : 0;
	}
	lab->is_private = true;
	lab->n_hosts = 1;
	lab->hosts[0].ns = netns_here();
	lab_must(lab, lab->hosts[0].ns, "namespace");
	furnish(lab, 0, "A");
	wait_stamping(lab, lab->hosts[0].capture);
	return 0;
}

/* Each packet once: not where it came in, and in the bridge of that port. */
static void
keep(struct lab *lab, const struct captured *c, const struct lab_host *host)
{
	struct lab_packet *kept;
	char text[PACKET_TEXT];
	struct packet p;

	if (host->bridge != 0 && c->ifindex == host->bridge)
		return;
	if (lab->pcap >= 0)
		capture_add_pcap(lab->pcap, c);
	packet_parse(capture_bytes(c), &p);
	lab_event(lab, LAB_PACKET, c->at_ns, host->name,
	    packet_text(&p, text));
	if (lab->n_packets++ >= LAB_PACKETS)
		return;
	kept = &lab->packets[lab->n_packets - 1];
	kept->at_ns = c->at_ns;
	memcpy(kept->bytes, c->bytes, c->n);
	packet_parse((struct str){ (const char *)kept->bytes, c->n },
	    &kept->packet);
}

void
lab_drain(struct lab *lab)
{
	struct captured c;

	for (unsigned i = 0; i < lab->n_hosts; i++)
		while (capture_next(lab->hosts[i].capture, &c) == 0)
			keep(lab, &c, &lab->hosts[i]);
}

static bool
is_port(unsigned wanted, unsigned port)
{
	return wanted == 0 || wanted == port;
}

static bool
is_wanted(const struct packet *p, const struct lab_wanted *w)
{
	if (w->kind != PACKET_UNKNOWN && p->kind != w->kind)
		return false;
	if ((p->tcp.flags & w->flags) != w->flags ||
	    (p->tcp.flags & w->no_flags) != 0)
		return false;
	if (w->has_icmp_type && (p->icmp.type != w->icmp_type ||
	    p->icmp.code != w->icmp_code))
		return false;
	if (w->has_payload && p->payload_bytes == 0)
		return false;
	return is_port(w->from_port, p->from_port) &&
	    is_port(w->to_port, p->to_port);
}

static unsigned
kept_packets(const struct lab *lab)
{
	return lab->n_packets < LAB_PACKETS ? lab->n_packets : LAB_PACKETS;
}

/* How many wanted packets came before this one: hosts are read in turn. */
static unsigned
rank(const struct lab *lab, unsigned of, const struct lab_wanted *wanted)
{
	const struct lab_packet *p = lab->packets;
	unsigned n = 0;

	for (unsigned i = 0; i < kept_packets(lab); i++)
		if ((p[i].at_ns < p[of].at_ns ||
		    (p[i].at_ns == p[of].at_ns && i < of)) &&
		    is_wanted(&p[i].packet, wanted))
			n++;
	return n;
}

const struct packet *
lab_packet(struct lab *lab, unsigned nth, struct lab_wanted wanted)
{
	lab_drain(lab);
	for (unsigned i = 0; i < kept_packets(lab); i++)
		if (is_wanted(&lab->packets[i].packet, &wanted) &&
		    rank(lab, i, &wanted) == nth)
			return &lab->packets[i].packet;
	return NULL;
}

unsigned
lab_packets(struct lab *lab, struct lab_wanted wanted)
{
	unsigned n = 0;

	lab_drain(lab);
	for (unsigned i = 0; i < kept_packets(lab); i++)
		n += is_wanted(&lab->packets[i].packet, &wanted);
	return n;
}

struct awaited {
	struct lab *lab;
	unsigned n;
	struct lab_wanted wanted;
};

static bool
has_arrived(void *arg)
{
	struct awaited *a = arg;

	return lab_packets(a->lab, a->wanted) >= a->n;
}

bool
lab_await(struct lab *lab, unsigned n, struct lab_wanted wanted)
{
	struct awaited a = { lab, n, wanted };

	return lab_until(has_arrived, &a, LAB_AWAIT_MS);
}
