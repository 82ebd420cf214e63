/* SPDX-License-Identifier: ISC */
/* Connections drawn as ladders. */
#include "sock/ladder.h"

#include <netinet/in.h>

#include "../cases.h"

enum { A, B, C };

#define SA (PACKET_SYN | PACKET_ACK)
#define FA (PACKET_FIN | PACKET_ACK)
#define PA (PACKET_PSH | PACKET_ACK)

/* Between A, which has port 4001, and B, which has port 80. */
static struct packet
tcp(int from, unsigned flags, uint32_t seq, uint32_t ack, size_t bytes)
{
	struct packet p = {
		.kind = PACKET_TCP,
		.family = AF_INET,
		.protocol = IPPROTO_TCP,
		.from = { 10, 0, 0, (unsigned char)(from + 1) },
		.to = { 10, 0, 0, (unsigned char)(from == B ? 1 : 2) },
		.from_port = from == B ? 80 : 4001,
		.to_port = from == B ? 4001 : 80,
		.tcp = { .flags = flags, .seq = seq, .ack = ack },
		.payload_bytes = bytes,
	};

	return p;
}

/* Numbers that wrap while they are counted. */
#define START 0xfffffffeu

static const struct {
	int from;
	unsigned flags;
	uint32_t seq, ack;
	size_t bytes;
	const char *rung;
	bool is_over;
} whole[] = {
	{ A, PACKET_SYN, START, 0, 0,
	    "|-- SYN seq 0 -------------------------------->|", false },
	{ B, SA, 7000, START + 1, 0,
	    "|<--------------------- SYN+ACK seq 0, ack 1 --|", false },
	{ A, PACKET_ACK, START + 1, 7001, 0,
	    "|-- ACK seq 1, ack 1 ------------------------->|", false },
	{ A, PA, START + 1, 7001, 5,
	    "|-- PSH+ACK 5 bytes, seq 1, ack 1 ------------>|", false },
	{ A, FA, START + 6, 7001, 0,
	    "|-- FIN+ACK seq 6, ack 1 --------------------->|", false },
	{ B, FA, 7001, START + 6, 0,
	    "|<--------------------- FIN+ACK seq 1, ack 6 --|", false },
	{ B, PACKET_ACK, 7002, START + 7, 0,
	    "|<------------------------- ACK seq 2, ack 7 --|", false },
	{ A, PACKET_ACK, START + 7, 7002, 0,
	    "|-- ACK seq 7, ack 2 ------------------------->|", true },
};

static void
test_whole(void **state)
{
	struct ladder l = { .is_begun = false };
	char text[LADDER_TEXT];
	struct packet p;

	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++) {
		p = tcp(whole[i].from, whole[i].flags, whole[i].seq,
		    whole[i].ack, whole[i].bytes);
		assert_true(ladder_take(&l, &p, text));
		assert_string_equal(text, whole[i].rung);
		assert_int_equal(l.is_over, whole[i].is_over);
	}
	assert_string_equal(ladder_head(&l, text),
	    "10.0.0.1:4001                        10.0.0.2:80");
}

static void
test_reset(void **state)
{
	struct packet syn = tcp(A, PACKET_SYN, 1, 0, 0);
	struct packet rst = tcp(B, PACKET_RST | PACKET_ACK, 0, 2, 0);
	struct ladder l = { .is_begun = false };
	char text[LADDER_TEXT];

	(void)state;
	assert_true(ladder_take(&l, &syn, text));
	assert_false(l.is_over);
	assert_true(ladder_take(&l, &rst, text));
	assert_true(l.is_over);
}

static void
test_begins_with_the_answer(void **state)
{
	struct packet answer = tcp(B, SA, 9, 5, 0);
	struct packet ack = tcp(A, PACKET_ACK, 5, 10, 0);
	struct ladder l = { .is_begun = false };
	char text[LADDER_TEXT];

	(void)state;
	assert_true(ladder_take(&l, &answer, text));
	assert_string_equal(text,
	    "|<--------------------- SYN+ACK seq 0, ack 1 --|");
	assert_true(ladder_take(&l, &ack, text));
	assert_string_equal(text,
	    "|-- ACK seq 1, ack 1 ------------------------->|");
}

static void
test_others_are_passed_over(void **state)
{
	struct packet ours = tcp(A, PACKET_SYN, 1, 0, 0);
	struct packet port = ours, host = tcp(C, PACKET_SYN, 1, 0, 0);
	struct packet arp = { .kind = PACKET_ARP };
	struct ladder l = { .is_begun = false };
	char text[LADDER_TEXT];

	(void)state;
	port.from_port = 4002;
	assert_false(ladder_take(&l, &arp, text));
	assert_true(ladder_take(&l, &ours, text));
	assert_false(ladder_take(&l, &port, text));
	assert_false(ladder_take(&l, &host, text));
	assert_false(ladder_take(&l, &arp, text));
}

static void
test_error_about_it(void **state)
{
	struct packet sent = tcp(A, 0, 0, 0, 44), error = tcp(B, 0, 0, 0, 0);
	struct ladder l = { .is_begun = false };
	char text[LADDER_TEXT];

	(void)state;
	sent.kind = PACKET_UDP;
	sent.protocol = IPPROTO_UDP;
	error.kind = PACKET_ICMP;
	error.icmp.type = error.icmp.code = 3;
	error.quoted.is_there = true;
	error.quoted.protocol = IPPROTO_UDP;
	error.quoted.to_port = 80;
	memcpy(error.quoted.to, sent.to, sizeof(sent.to));
	assert_true(ladder_take(&l, &sent, text));
	assert_string_equal(text,
	    "|-- 44 bytes --------------------------------->|");
	assert_true(ladder_take(&l, &error, text));
	assert_string_equal(text,
	    "|<---------------- ICMP 3/3 port unreachable --|");
	error.quoted.to_port = 81;
	assert_false(ladder_take(&l, &error, text));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_begins_with_the_answer),
		cmocka_unit_test(test_others_are_passed_over),
		cmocka_unit_test(test_error_about_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
