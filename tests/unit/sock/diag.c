/* SPDX-License-Identifier: ISC */
/* What a kernel answers, also one that has no such list, or lies. */
#include "sock/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/diag_priv.h"

#include "../cases.h"

/* The kernel's part: what it is asked, and what it says. */
static struct {
	char asked[128];
	size_t n_asked;
	union {
		struct nlmsghdr h;      /* it is aligned */
		char bytes[1024];
	} answer;
	size_t n_answer;
} kernel;

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
ssize_t __wrap_send(int fd, const void *p, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *p, size_t n, int flags);

int
__wrap_socket(int family, int type, int protocol)
{
	assert_int_equal(family, AF_NETLINK);
	assert_int_equal(protocol, NETLINK_SOCK_DIAG);
	return __real_socket(AF_UNIX, type, 0);
}

ssize_t
__wrap_send(int fd, const void *p, size_t n, int flags)
{
	(void)fd;
	(void)flags;
	assert_in_range(n, 0, sizeof(kernel.asked));
	memcpy(kernel.asked, p, n);
	kernel.n_asked = n;
	return (ssize_t)n;
}

ssize_t
__wrap_recv(int fd, void *p, size_t n, int flags)
{
	(void)fd;
	(void)flags;
	assert_in_range(kernel.n_answer, 0, n);
	memcpy(p, kernel.answer.bytes, kernel.n_answer);
	return (ssize_t)kernel.n_answer;
}

static struct nlmsghdr *
answer_message(uint16_t type, const void *p, size_t n)
{
	struct nlmsghdr *h = (void *)(kernel.answer.bytes + kernel.n_answer);

	*h = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(n),
		.nlmsg_type = type,
	};
	memcpy(NLMSG_DATA(h), p, n);
	kernel.n_answer += NLMSG_SPACE(n);
	return h;
}

/* Behind what the message has. */
static struct rtattr *
answer_attribute(struct nlmsghdr *h, uint16_t type, const void *p, size_t n)
{
	struct rtattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), p, n);
	h->nlmsg_len = (uint32_t)(NLMSG_ALIGN(h->nlmsg_len) + RTA_SPACE(n));
	kernel.n_answer += RTA_SPACE(n);
	return a;
}

static int
begin(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

/* ------------------------------------------------------------------ ends */

static void
test_kernel_has_no_list(void **state)
{
	static const enum diag_kind kinds[] = {
		DIAG_TCP, DIAG_MPTCP, DIAG_UDP,
		DIAG_UNIX, DIAG_PACKET, DIAG_NETLINK,
	};
	struct diag_list list = { .n = 0 };
	int err = -ENOENT;

	(void)state;
	answer_message(NLMSG_DONE, &err, sizeof(err));
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_int_equal(diag_read(&list, kinds[i], true), -ENOENT);
	begin(NULL);
	answer_message(NLMSG_ERROR, &err, sizeof(err));
	assert_int_equal(diag_read(&list, DIAG_UNIX, false), -ENOENT);
	assert_int_equal(list.n, 0);
}

/* Its protocol is 262, and the request has a byte for it. */
static void
test_mptcp_is_asked_for(void **state)
{
	struct diag_list list = { .n = 0 };
	struct inet_diag_req_v2 q;
	struct rtattr a;
	uint32_t protocol;
	const char *at = kernel.asked + NLMSG_HDRLEN;
	int none = 0;

	(void)state;
	answer_message(NLMSG_DONE, &none, sizeof(none));
	assert_int_equal(diag_read(&list, DIAG_MPTCP, false), 0);
	assert_int_equal(kernel.n_asked,
	    NLMSG_HDRLEN + sizeof(q) + RTA_LENGTH(sizeof(protocol)));
	memcpy(&q, at, sizeof(q));
	memcpy(&a, at + sizeof(q), sizeof(a));
	memcpy(&protocol, at + sizeof(q) + sizeof(a), sizeof(protocol));
	assert_int_equal(q.sdiag_protocol, 0);
	assert_int_equal(a.rta_type, INET_DIAG_REQ_PROTOCOL);
	assert_int_equal(protocol, IPPROTO_MPTCP);
	/* The others ask as ever. */
	assert_int_equal(diag_read(&list, DIAG_UDP, false), 0);
	assert_int_equal(kernel.n_asked, NLMSG_HDRLEN + sizeof(q));
	memcpy(&q, at, sizeof(q));
	assert_int_equal(q.sdiag_protocol, IPPROTO_UDP);
}

/* -------------------------------------------------------------- decoding */

static void
test_packet_and_netlink(void **state)
{
	static const uint32_t memory[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RMEM_ALLOC] = 4352,
		[SK_MEMINFO_WMEM_ALLOC] = 7,
	};
	const struct packet_diag_msg packet = {
		.pdiag_type = SOCK_RAW,
		.pdiag_num = 0x0806,
		.pdiag_ino = 41,
		.pdiag_cookie = { 1, 2 },
	};
	const struct netlink_diag_msg netlink = {
		.ndiag_protocol = NETLINK_ROUTE,
		.ndiag_portid = 1234,
		.ndiag_ino = 42,
	};
	struct diag_list list = { .n = 0 };
	char text[ENDPOINT_TEXT];
	struct nlmsghdr *h;
	int none = 0;

	(void)state;
	h = answer_message(SOCK_DIAG_BY_FAMILY, &packet, sizeof(packet));
	answer_attribute(h, PACKET_DIAG_UID, &(uint32_t){ 1000 }, 4);
	answer_attribute(h, PACKET_DIAG_MEMINFO, memory, sizeof(memory));
	answer_message(NLMSG_DONE, &none, sizeof(none));
	assert_int_equal(diag_read(&list, DIAG_PACKET, false), 0);
	begin(NULL);
	h = answer_message(SOCK_DIAG_BY_FAMILY, &netlink, sizeof(netlink));
	answer_attribute(h, NETLINK_DIAG_MEMINFO, memory, sizeof(memory));
	answer_message(NLMSG_DONE, &none, sizeof(none));
	assert_int_equal(diag_read(&list, DIAG_NETLINK, false), 0);

	assert_int_equal(list.n, 2);
	assert_string_equal(diag_local_text(&list.sockets[0], text),
	    "packet:arp:*");
	assert_int_equal(list.sockets[0].uid, 1000);
	assert_int_equal(list.sockets[0].inode, 41);
	assert_true(list.sockets[0].cookie == ((uint64_t)2 << 32 | 1));
	assert_string_equal(diag_local_text(&list.sockets[1], text),
	    "netlink:route:1234");
	for (size_t i = 0; i < list.n; i++) {
		assert_int_equal(list.sockets[i].receive_queue, 4352);
		assert_int_equal(list.sockets[i].send_queue, 7);
	}
	diag_free(&list);
}

/* A struct that is cut short is refused, an attribute passed over. */
static void
test_lengths_that_lie(void **state)
{
	const struct netlink_diag_msg netlink = { .ndiag_ino = 42 };
	struct diag_list list = { .n = 0 };
	struct nlmsghdr *h;
	struct rtattr *a;
	int none = 0;

	(void)state;
	answer_message(SOCK_DIAG_BY_FAMILY, &netlink, sizeof(netlink) - 1);
	assert_int_equal(diag_read(&list, DIAG_NETLINK, false), -EBADMSG);
	begin(NULL);
	h = answer_message(SOCK_DIAG_BY_FAMILY, &netlink, sizeof(netlink));
	h->nlmsg_len += 1000;
	assert_int_equal(diag_read(&list, DIAG_NETLINK, false), -EBADMSG);
	assert_int_equal(list.n, 0);
	begin(NULL);
	h = answer_message(SOCK_DIAG_BY_FAMILY, &netlink, sizeof(netlink));
	a = answer_attribute(h, NETLINK_DIAG_MEMINFO, &(uint32_t){ 5 }, 4);
	a->rta_len += 100;
	answer_message(NLMSG_DONE, &none, sizeof(none));
	assert_int_equal(diag_read(&list, DIAG_NETLINK, false), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.sockets[0].receive_queue, 0);
	diag_free(&list);
}

/* ----------------------------------------------------------------- /proc */

/* The words of an address, as this processor reads them. */
static void
write_line(char *line, size_t size, const char *local, unsigned state)
{
	uint32_t ip;

	assert_int_equal(inet_pton(AF_INET, local, &ip), 1);
	snprintf(line, size, "  100: %08X:0001 %08X:0000 %02X "
	    "00000005:0000000A 00:00000000 00000000  1000        0 68384543 "
	    "2 0000000000000000 0\n", ip, ip, state);
}

static void
test_line_of_ipv4(void **state)
{
	struct diag_socket s = { .kind = DIAG_RAW, .family = AF_INET };
	char line[256], text[ENDPOINT_TEXT];

	(void)state;
	write_line(line, sizeof(line), "127.0.0.2", 1);
	assert_true(diag_take_line(&s, line));
	assert_string_equal(diag_local_text(&s, text), "raw:127.0.0.2:1");
	assert_string_equal(diag_state_name(&s), "ESTABLISHED");
	assert_string_equal(endpoint_text(&s.peer, text), "raw:127.0.0.2:0");
	assert_int_equal(s.send_queue, 5);
	assert_int_equal(s.receive_queue, 10);
	assert_int_equal(s.uid, 1000);
	assert_int_equal(s.inode, 68384543);
	write_line(line, sizeof(line), "127.0.0.2", 7);
	s = (struct diag_socket){ .kind = DIAG_ICMP, .family = AF_INET };
	assert_true(diag_take_line(&s, line));
	assert_string_equal(diag_local_text(&s, text), "icmp:127.0.0.2:1");
	assert_null(diag_state_name(&s));
	assert_int_equal(s.peer.len, 0);
}

static void
test_line_of_ipv6(void **state)
{
	struct diag_socket s = { .kind = DIAG_RAW, .family = AF_INET6 };
	char line[512], text[ENDPOINT_TEXT];
	uint32_t ip[4];

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::17", ip), 1);
	snprintf(line, sizeof(line), "  134: %08X%08X%08X%08X:003A "
	    "00000000000000000000000000000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 7 2 00000000f08636e0 0\n",
	    ip[0], ip[1], ip[2], ip[3]);
	assert_true(diag_take_line(&s, line));
	assert_string_equal(diag_local_text(&s, text), "raw:[2001:db8::17]:58");
	assert_int_equal(s.inode, 7);
}

static void
test_no_line(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"  sl  local_address rem_address   st tx_queue rx_queue\n",
		" 1: 0100007F",
		" 1: 0100007F:",
		" 1: 0100007F:0001",
		" 1: 0100007F:0001 0100007F:0000 01",
		" 1: 0100007F:0001 0100007F:0000 01 0:0 0:0 0 0 0",
		" 1: 0100007:0001 0100007F:0000 01 0:0 0:0 0 0 0 5 2 0 0\n",
		" 1: 0100007F:10000 0100007F:0000 01 0:0 0:0 0 0 0 5 2 0 0\n",
		" 1: 0100007F:0001 0100007F:-1 01 0:0 0:0 0 0 0 5 2 0 0\n",
		" 1: 0100007F:0001 0100007F:0000 01 00 0:0 0 0 0 5 2 0 0\n",
	};
	struct diag_socket s = { .kind = DIAG_RAW, .family = AF_INET };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (diag_take_line(&s, lines[i]))
			fail_msg("\"%s\" was taken", lines[i]);
		assert_int_equal(s.local.len, 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kernel_has_no_list, begin),
		cmocka_unit_test_setup(test_mptcp_is_asked_for, begin),
		cmocka_unit_test_setup(test_packet_and_netlink, begin),
		cmocka_unit_test_setup(test_lengths_that_lie, begin),
		cmocka_unit_test(test_line_of_ipv4),
		cmocka_unit_test(test_line_of_ipv6),
		cmocka_unit_test(test_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
