/* SPDX-License-Identifier: ISC */
/* Frames in hexadecimal, and what they say as one line. */

#include "sock/packet.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "../cases.h"

#define FRAME_MAX 128

#define ETHER(type) "020000000002" "020000000001" type
#define IP4(length, flags, ttl, protocol) \
	"4500" length "0001" flags ttl protocol "0000" "0a000001" "0a000002"
#define IP6(length, next) \
	"60000000" length next "40" \
	"fd000000000000000000000000000001" "fd000000000000000000000000000002"

static const struct {
	const char *hex;
	enum packet_kind kind;
	const char *text;
	size_t payload_bytes;
} cases[] = {
	{ ETHER("0806") "0001" "0800" "06" "04" "0001"
	    "020000000001" "0a000001" "000000000000" "0a000002",
	    PACKET_ARP, "arp who-has 10.0.0.2 tell 10.0.0.1", 0 },
	{ ETHER("0806") "0001" "0800" "06" "04" "0002"
	    "020000000002" "0a000002" "020000000001" "0a000001",
	    PACKET_ARP, "arp 10.0.0.2 is-at 02:00:00:00:00:02", 0 },
	{ ETHER("0800") IP4("0028", "4000", "40", "06")
	    "0fa1" "0050" "00000007" "00000000" "5002" "ffff" "0000" "0000",
	    PACKET_TCP,
	    "10.0.0.1:4001 > 10.0.0.2:80 tcp S seq 7 ack 0 win 65535", 0 },
	/* With options, data, and the padding of the link behind it. */
	{ ETHER("0800") IP4("002f", "4000", "40", "06")
	    "0fa1" "0050" "00000008" "00000002" "6018" "0100" "0000" "0000"
	    "01010101" "616263" "0000",
	    PACKET_TCP, "10.0.0.1:4001 > 10.0.0.2:80 tcp P. seq 8 ack 2"
	    " win 256, 3 bytes", 3 },
	{ ETHER("0800") IP4("0029", "4000", "40", "06")
	    "0fa1" "0050" "00000008" "00000002" "5031" "0100" "0000" "0001"
	    "21",
	    PACKET_TCP, "10.0.0.1:4001 > 10.0.0.2:80 tcp FU. seq 8 ack 2"
	    " win 256 urg 1, 1 bytes", 1 },
	{ ETHER("0800") IP4("001e", "0000", "40", "11")
	    "0035" "1388" "000a" "0000" "6869",
	    PACKET_UDP, "10.0.0.1:53 > 10.0.0.2:5000 udp 2 bytes", 2 },
	{ ETHER("0800") IP4("001c", "0000", "40", "01")
	    "0800" "0000" "0007" "0001",
	    PACKET_ICMP, "10.0.0.1 > 10.0.0.2 icmp 8/0 echo request id 7"
	    " seq 1 ttl 64", 0 },
	{ ETHER("0800") IP4("0038", "0000", "40", "01")
	    "0303" "0000" "00000000"
	    IP4("001c", "0000", "01", "11") "8235" "829a" "0008" "0000",
	    PACKET_ICMP, "10.0.0.1 > 10.0.0.2 icmp 3/3 port unreachable,"
	    " about 10.0.0.2 port 33434", 28 },
	/* A code without a name. */
	{ ETHER("0800") IP4("001c", "0000", "40", "01")
	    "0363" "0000" "00000000",
	    PACKET_ICMP, "10.0.0.1 > 10.0.0.2 icmp 3/99 ", 0 },
	/* A later fragment begins in the middle of something. */
	{ ETHER("0800") IP4("001c", "0001", "40", "11")
	    "0035" "1388" "0008" "0000",
	    PACKET_IP, "10.0.0.1 > 10.0.0.2 ip protocol 17, 8 bytes", 8 },
	{ ETHER("0800") IP4("0018", "0000", "40", "2f") "00000000",
	    PACKET_IP, "10.0.0.1 > 10.0.0.2 ip protocol 47, 4 bytes", 4 },
	{ ETHER("86dd") IP6("0008", "11") "0035" "1388" "0008" "0000",
	    PACKET_UDP, "[fd00::1]:53 > [fd00::2]:5000 udp 0 bytes", 0 },
	/* A hop-by-hop header in between (RFC 8200 4.3). */
	{ ETHER("86dd") IP6("0010", "00") "11" "00" "000000000000"
	    "0035" "1388" "0008" "0000",
	    PACKET_UDP, "[fd00::1]:53 > [fd00::2]:5000 udp 0 bytes", 0 },
	{ ETHER("86dd") IP6("0008", "3a") "80" "00" "0000" "0007" "0002",
	    PACKET_ICMP6, "fd00::1 > fd00::2 icmp 128/0 echo request id 7"
	    " seq 2 ttl 64", 0 },
	{ ETHER("8100") "0064" "0800" IP4("001c", "0000", "40", "11")
	    "0035" "1388" "0008" "0000",
	    PACKET_UDP, "10.0.0.1:53 > 10.0.0.2:5000 udp 0 bytes", 0 },
	{ ETHER("88cc") "0000", PACKET_UNKNOWN, "ether type 0x88cc", 0 },
	/* IP's own header says that it is shorter than a header. */
	{ ETHER("0800") "4400" "001c" "0001" "0000" "40" "11" "0000"
	    "0a000001" "0a000002" "0035" "1388" "0008" "0000",
	    PACKET_UNKNOWN, "ether type 0x0800", 0 },
	{ "02000000", PACKET_UNKNOWN, "ether type 0x0000", 0 },
};

static struct str
frame_of(const char *hex, char out[FRAME_MAX])
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= FRAME_MAX);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(str_hex_digit(hex[2 * i]) << 4 |
		    str_hex_digit(hex[2 * i + 1]));
	return (struct str){ out, n };
}

static void
test_text(void **state)
{
	char bytes[FRAME_MAX], text[PACKET_TEXT];
	struct packet p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		packet_parse(frame_of(cases[i].hex, bytes), &p);
		assert_string_equal(packet_text(&p, text), cases[i].text);
		assert_int_equal(p.kind, cases[i].kind);
		assert_int_equal(p.payload_bytes, cases[i].payload_bytes);
	}
}

/* Cut off anywhere it is still read without looking behind the end. */
static void
test_cut(void **state)
{
	char bytes[FRAME_MAX], text[PACKET_TEXT], *copy;
	struct str whole;
	struct packet p;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		whole = frame_of(cases[i].hex, bytes);
		for (size_t n = 0; n < whole.n; n++) {
			/* Of its own, so that a sanitizer knows its end. */
			copy = malloc(n + 1);
			assert_non_null(copy);
			memcpy(copy, whole.p, n);
			packet_parse((struct str){ copy, n }, &p);
			assert_true(p.payload.n <= n);
			packet_text(&p, text);
			free(copy);
		}
	}
}

static void
test_payload(void **state)
{
	char bytes[FRAME_MAX];
	struct packet p;

	(void)state;
	packet_parse(frame_of(cases[3].hex, bytes), &p);
	assert_true(str_eq(p.payload, S("abc")));
	assert_int_equal(p.tcp.flags, PACKET_PSH | PACKET_ACK);
}

static void
test_flags(void **state)
{
	char text[8];

	(void)state;
	assert_string_equal(packet_flags_text(0, text), "");
	assert_string_equal(packet_flags_text(PACKET_SYN | PACKET_ACK, text),
	    "S.");
	assert_string_equal(packet_flags_text(0xff, text), "FSRPU.");
}

static void
test_icmp_names(void **state)
{
	(void)state;
	assert_string_equal(packet_icmp_name(AF_INET, 3, 3),
	    "port unreachable");
	assert_string_equal(packet_icmp_name(AF_INET6, 1, 4),
	    "port unreachable");
	assert_string_equal(packet_icmp_name(AF_INET, 8, 200), "echo request");
	assert_null(packet_icmp_name(AF_INET, 3, 77));
	assert_null(packet_icmp_name(AF_INET6, 8, 0));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_payload),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_icmp_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
