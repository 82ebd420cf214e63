/* SPDX-License-Identifier: ISC */
/* What is written down of packets: the file that libpcap defines. */

#include "sock/capture.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../cases.h"

static void
test_pcap(void **state)
{
	static const struct captured packet = {
		.at_ns = 1700000000123456789,
		.whole_bytes = 1514,
		.n = 3,
		.bytes = { 'a', 'b', 'c' },
	};
	static const uint16_t version[] = { 2, 4 };
	uint32_t wanted[] = {
		0xa1b23c4d, 0, 0, 0, CAPTURE_SNAP, 1,
		1700000000, 123456789, 3, 1514,
	};
	FILE *f = tmpfile();
	uint32_t head[COUNT(wanted)];
	char bytes[8];

	(void)state;
	memcpy(&wanted[1], version, sizeof(version));
	assert_non_null(f);
	assert_int_equal(capture_begin_pcap(fileno(f), CAPTURE_SNAP), 0);
	assert_int_equal(capture_add_pcap(fileno(f), &packet), 0);
	rewind(f);
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	assert_memory_equal(head, wanted, sizeof(head));
	assert_int_equal(fread(bytes, 1, sizeof(bytes), f), 3);
	assert_memory_equal(bytes, "abc", 3);
	fclose(f);
}

static void
test_full(void **state)
{
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	if (f == NULL)
		skip();
	assert_int_equal(capture_begin_pcap(fileno(f), CAPTURE_SNAP), -ENOSPC);
	fclose(f);
}

static void
test_bytes(void **state)
{
	static const struct captured packet = { .n = 2, .bytes = { 1, 2, 3 } };
	struct str s = capture_bytes(&packet);

	(void)state;
	assert_int_equal(s.n, 2);
	assert_ptr_equal(s.p, packet.bytes);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
