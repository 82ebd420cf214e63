/* SPDX-License-Identifier: ISC */
/*
 * packet(7), without a ring: a workbench looks at hundreds of packets a
 * second.  The least filter, of one instruction, has the kernel copy no more
 * of each than is kept.  The file is libpcap's own, pcap-savefile(5), with
 * nanoseconds.
 */

#include "sock/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_BYTES (4 << 20)
#define NS_PER_S 1000000000

#define PCAP_MAGIC_NS 0xa1b23c4du
#define PCAP_ETHERNET 1

/* cmsg(3) wants the alignment of its header. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(struct timespec)) +
	    CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

/* The same, with names that say more. */
_Static_assert(sizeof(struct capture_code) == sizeof(struct sock_filter) &&
    offsetof(struct capture_code, k) == offsetof(struct sock_filter, k),
    "the filter is handed to the kernel as it is");

static int
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int
attach(int fd, const struct capture_filter *filter)
{
	struct sock_filter code[CAPTURE_CODE_MAX];
	struct sock_fprog program = {
		.len = (unsigned short)filter->n,
		.filter = code,
	};

	memcpy(code, filter->code, filter->n * sizeof(code[0]));
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
	    sizeof(program)) == -1 ? -errno : 0;
}

/* A larger queue is better, but nothing fails without. */
static int
prepare(int fd, unsigned ifindex, unsigned flags)
{
	struct packet_mreq all = {
		.mr_ifindex = (int)ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};

	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES) == -1)
		set(fd, SOL_SOCKET, SO_RCVBUF, QUEUE_BYTES);
	if (set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) == -1 ||
	    set(fd, SOL_PACKET, PACKET_AUXDATA, 1) == -1)
		return -errno;
	if (flags & CAPTURE_PROMISCUOUS &&
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all,
	    sizeof(all)) == -1)
		return -errno;
	if (!(flags & CAPTURE_SENT) &&
	    set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) == -1)
		return -errno;
	return 0;
}

/* It is bound last, so that no packet comes before all is set. */
int
capture_open_filtered(unsigned ifindex, unsigned flags,
    const struct capture_filter *filter)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex,
	};
	int fd, err;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	err = attach(fd, filter);
	if (err == 0)
		err = prepare(fd, ifindex, flags);
	if (err == 0 &&
	    bind(fd, (struct sockaddr *)&where, sizeof(where)) == -1)
		err = -errno;
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

int
capture_open(unsigned ifindex, unsigned flags)
{
	static const struct capture_filter keep = {
		.n = 1,
		.code = { { BPF_RET | BPF_K, 0, 0, CAPTURE_SNAP } },
	};

	return capture_open_filtered(ifindex, flags, &keep);
}

static int64_t
ns_of(const struct timespec *at)
{
	return (int64_t)at->tv_sec * NS_PER_S + at->tv_nsec;
}

/* The time of arrival, and the length before the filter cut it. */
static void
read_control(struct msghdr *msg, struct captured *out)
{
	struct tpacket_auxdata more;
	struct timespec at;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	for (; c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&at, CMSG_DATA(c), sizeof(at));
			out->at_ns = ns_of(&at);
		} else if (c->cmsg_level == SOL_PACKET &&
		    c->cmsg_type == PACKET_AUXDATA) {
			memcpy(&more, CMSG_DATA(c), sizeof(more));
			out->whole_bytes = more.tp_len;
		}
	}
}

static int
receive(int fd, struct captured *out, struct sockaddr_ll *from)
{
	struct iovec piece = { out->bytes, sizeof(out->bytes) };
	union control control;
	struct msghdr msg = {
		.msg_name = from,
		.msg_namelen = sizeof(*from),
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct timespec now;
	ssize_t n = recvmsg(fd, &msg, 0);

	if (n == -1)
		return -errno;
	/* Without a stamp by the kernel, which is rare, it is now. */
	clock_gettime(CLOCK_REALTIME, &now);
	out->at_ns = ns_of(&now);
	out->n = out->whole_bytes = (size_t)n;
	read_control(&msg, out);
	return 0;
}

/* What is not: tunnels, whose packets begin with the header of IP. */
static bool
is_ethernet(const struct sockaddr_ll *from)
{
	return from->sll_hatype == ARPHRD_ETHER ||
	    from->sll_hatype == ARPHRD_LOOPBACK;
}

int
capture_next(int fd, struct captured *out)
{
	struct sockaddr_ll from;
	int err;

	do {
		err = receive(fd, out, &from);
		if (err < 0)
			return err;
		out->ifindex = (unsigned)from.sll_ifindex;
		out->is_sent = from.sll_pkttype == PACKET_OUTGOING;
	} while (!is_ethernet(&from) ||
	    (out->is_sent && from.sll_hatype == ARPHRD_LOOPBACK));
	return 0;
}

unsigned
capture_lost(int fd)
{
	struct tpacket_stats stats = { 0 };
	socklen_t n = sizeof(stats);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n) == -1)
		return 0;
	return stats.tp_drops;
}

struct str
capture_bytes(const struct captured *packet)
{
	return (struct str){ (const char *)packet->bytes, packet->n };
}

/* writev(2) does not write to what it is given; struct iovec cannot say so. */
static int
write_two(int file, struct iovec pieces[2])
{
	size_t whole = pieces[0].iov_len + pieces[1].iov_len;
	ssize_t n = writev(file, pieces, 2);

	if (n == -1)
		return -errno;
	return (size_t)n == whole ? 0 : -EIO;
}

int
capture_begin_pcap(int file, unsigned snap)
{
	struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snap, link;
	} head = { PCAP_MAGIC_NS, 2, 4, 0, 0, snap, PCAP_ETHERNET };
	struct iovec pieces[2] = { { &head, sizeof(head) }, { NULL, 0 } };

	return write_two(file, pieces);
}

int
capture_add_pcap(int file, const struct captured *packet)
{
	struct captured copy = *packet;
	struct {
		uint32_t s, ns, caught, whole;
	} head = {
		(uint32_t)(packet->at_ns / NS_PER_S),
		(uint32_t)(packet->at_ns % NS_PER_S),
		(uint32_t)packet->n,
		(uint32_t)packet->whole_bytes,
	};
	struct iovec pieces[2] = {
		{ &head, sizeof(head) },
		{ copy.bytes, copy.n },
	};

	return write_two(file, pieces);
}
