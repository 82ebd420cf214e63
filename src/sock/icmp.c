/* SPDX-License-Identifier: ISC */
/*
 * ICMP as far as ping, trace and scan need it.  Errors are read from the
 * socket's error queue, which any user may ask for: no raw socket sees them
 * for us.
 */
#include "sock/icmp.h"

#include <arpa/inet.h>
#include <errno.h>
/* The kernel's struct of the queue needs the time of that header. */
#include <time.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "sock/call.h"
#include "sock/packet.h"

#define CONTROL_BYTES 512
#define IP4_HEADER 20

/* ---------------------------------------------------------------- echo */

/* RFC 1071; the sum of the bytes as they will be sent. */
static uint16_t
checksum(const unsigned char *m, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)m[i] << 8 | m[i + 1];
	if (n % 2 == 1)
		sum += (uint32_t)m[n - 1] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
put16(unsigned char *at, unsigned v)
{
	at[0] = (unsigned char)(v >> 8 & 0xff);
	at[1] = (unsigned char)(v & 0xff);
}

static unsigned
get16(struct str m, size_t at)
{
	return (unsigned)(unsigned char)m.p[at] << 8 |
	    (unsigned char)m.p[at + 1];
}

void
icmp_write_echo(int family, const struct echo *e, unsigned char *m, size_t n)
{
	m[0] = family == AF_INET6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	m[1] = 0;
	put16(m + 2, 0);
	put16(m + 4, e->id);
	put16(m + 6, e->seq);
	if (family == AF_INET)
		put16(m + 2, checksum(m, n));
}

bool
icmp_read_reply(int family, bool has_ip_header, struct str m,
    struct echo *out_echo)
{
	unsigned wanted = family == AF_INET6 ? ICMP6_ECHO_REPLY :
	    ICMP_ECHOREPLY;

	if (has_ip_header && m.n < IP4_HEADER)
		return false;
	if (has_ip_header)
		m = str_skip(m, (size_t)(m.p[0] & 15) * 4);
	if (m.n < ICMP_HEAD_BYTES || (unsigned char)m.p[0] != wanted ||
	    m.p[1] != 0)
		return false;
	out_echo->id = (uint16_t)get16(m, 4);
	out_echo->seq = (uint16_t)get16(m, 6);
	return true;
}

/* -------------------------------------------------------------- errors */

int
icmp_want_errors(int fd, int family)
{
	int on = 1;

	return family == AF_INET6 ?
	    call_setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on)) :
	    call_setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

static bool
is_error(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

/* The address of who said it follows the struct: SO_EE_OFFENDER. */
static void
read_error(const struct cmsghdr *c, struct icmp_error *out)
{
	size_t head = sizeof(struct sock_extended_err), n;
	const unsigned char *data = CMSG_DATA(c);
	struct sock_extended_err e;

	memcpy(&e, data, head);
	out->err = (int)e.ee_errno;
	out->is_local = e.ee_origin != SO_EE_ORIGIN_ICMP &&
	    e.ee_origin != SO_EE_ORIGIN_ICMP6;
	out->type = e.ee_type;
	out->code = e.ee_code;
	n = c->cmsg_len - CMSG_LEN(head);
	if (n > sizeof(out->from.u))
		n = sizeof(out->from.u);
	memcpy(&out->from.u, data + head, n);
	out->from.len = out->from.u.sa.sa_family == AF_INET6 ?
	    sizeof(out->from.u.in6) : sizeof(out->from.u.in);
}

int
icmp_next_error(int fd, struct icmp_error *out)
{
	/* cmsg(3) wants the alignment of its header. */
	union {
		struct cmsghdr align;
		char space[CONTROL_BYTES];
	} control;
	struct icmp_error e = { .to.len = sizeof(e.to.u) };
	struct iovec sent = { e.sent, sizeof(e.sent) };
	struct msghdr msg = {
		.msg_name = &e.to.u,
		.msg_namelen = sizeof(e.to.u),
		.msg_iov = &sent,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;

	n = call_recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT);
	if (n < 0)
		return (int)n;
	e.to.len = msg.msg_namelen;
	e.sent_n = (size_t)n < sizeof(e.sent) ? (size_t)n : sizeof(e.sent);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL;
	    c = CMSG_NXTHDR(&msg, c))
		if (is_error(c))
			read_error(c, &e);
	*out = e;
	return 0;
}

bool
icmp_is_closed_port(const struct icmp_error *e)
{
	return !e->is_local && e->err == ECONNREFUSED;
}

const char *
icmp_error_text(const struct icmp_error *e, char text[ICMP_ERROR_TEXT])
{
	const char *name = packet_icmp_name(e->from.u.sa.sa_family, e->type,
	    e->code);
	char host[ADDR_TEXT];

	if (e->is_local)
		snprintf(text, ICMP_ERROR_TEXT, "%s", strerror(e->err));
	else
		snprintf(text, ICMP_ERROR_TEXT, "%s: %s (ICMP %u/%u)",
		    addr_host_text(&e->from, host), name != NULL ? name :
		    strerror(e->err), e->type, e->code);
	return text;
}
