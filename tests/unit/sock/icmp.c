/* SPDX-License-Identifier: ISC */
/* Echo requests, replies, and errors of a socket's queue. */
#include "sock/icmp.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "../cases.h"

static void
test_request(void **state)
{
	/* The sum of RFC 1071, worked out by hand: ~(0x0800+7+1+0x6162). */
	static const unsigned char v4[] = {
		8, 0, 0x96, 0x95, 0, 7, 0, 1, 'a', 'b',
	};
	static const unsigned char odd[] = {
		8, 0, 0x96, 0xf7, 0, 7, 0, 1, 'a',
	};
	static const unsigned char v6[] = {
		128, 0, 0, 0, 0, 7, 0, 1, 'a', 'b',
	};
	static const struct echo e = { 7, 1 };
	unsigned char m[10] = "........ab";

	(void)state;
	icmp_write_echo(AF_INET, &e, m, sizeof(m));
	assert_memory_equal(m, v4, sizeof(v4));
	icmp_write_echo(AF_INET, &e, m, sizeof(odd));
	assert_memory_equal(m, odd, sizeof(odd));
	icmp_write_echo(AF_INET6, &e, m, sizeof(m));
	assert_memory_equal(m, v6, sizeof(v6));
}

#define HEADER "\x45..................."
#define LONG_HEADER "\x46......................."

static const struct {
	int family;
	bool has_ip_header, is_reply;
	struct str m;
} replies[] = {
	{ AF_INET, false, true, STR("\0\0..\x12\x34\x56\x78") },
	{ AF_INET, true, true, STR(HEADER "\0\0..\x12\x34\x56\x78") },
	{ AF_INET, true, true, STR(LONG_HEADER "\0\0..\x12\x34\x56\x78rest") },
	{ AF_INET6, false, true, STR("\x81\0..\x12\x34\x56\x78") },
	{ AF_INET, false, false, STR("\x08\0..\x12\x34\x56\x78") },
	{ AF_INET6, false, false, STR("\x80\0..\x12\x34\x56\x78") },
	{ AF_INET, false, false, STR("\0\x01..\x12\x34\x56\x78") },
	{ AF_INET, false, false, STR("\0\0..\x12\x34\x56") },
	{ AF_INET, true, false, STR("\x4f...................\0\0..1234") },
	{ AF_INET, true, false, STR("\x45..") },
	{ AF_INET, true, false, STR("") },
	{ AF_INET6, false, false, STR("") },
};

static void
test_replies(void **state)
{
	struct echo e;

	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		e = (struct echo){ 0, 0 };
		if (icmp_read_reply(replies[i].family,
		    replies[i].has_ip_header, replies[i].m, &e) !=
		    replies[i].is_reply)
			fail_msg("reply %zu", i);
		assert_int_equal(e.id, replies[i].is_reply ? 0x1234 : 0);
		assert_int_equal(e.seq, replies[i].is_reply ? 0x5678 : 0);
	}
}

/* A datagram to a port that hears somebody else only: it is refused. */
static void
test_errors(void **state)
{
	struct addr a = { .len = sizeof(a.u.in) };
	int closed = socket(AF_INET, SOCK_DGRAM, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd p = { .fd = fd };
	char text[ICMP_ERROR_TEXT];
	struct icmp_error e;

	(void)state;
	a.u.in.sin_family = AF_INET;
	a.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(closed, &a.u.sa, a.len), 0);
	assert_int_equal(getsockname(closed, &a.u.sa, &a.len), 0);
	/* Not just closed, or it could be another's a moment later. */
	assert_int_equal(connect(closed, &a.u.sa, a.len), 0);
	assert_int_equal(icmp_want_errors(fd, AF_INET), 0);
	assert_int_equal(icmp_next_error(fd, &e), -EAGAIN);
	assert_int_equal(sendto(fd, "hello", 5, 0, &a.u.sa, a.len), 5);
	assert_int_equal(poll(&p, 1, -1), 1);
	assert_int_equal(icmp_next_error(fd, &e), 0);
	assert_true(icmp_is_closed_port(&e));
	assert_int_equal(e.type, 3);
	assert_int_equal(e.code, 3);
	assert_int_equal(addr_port(&e.to), addr_port(&a));
	assert_int_equal(e.sent_n, 5);
	assert_memory_equal(e.sent, "hello", 5);
	assert_string_equal(icmp_error_text(&e, text),
	    "127.0.0.1: port unreachable (ICMP 3/3)");
	close(fd);
	close(closed);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
