/* SPDX-License-Identifier: ISC */
/* The question which versions of QUIC are spoken, and its answer. */
#include "sock/quic.h"

#include "../cases.h"

static const struct quic_ids ids = {
	.to = { 1, 2, 3, 4, 5, 6, 7, 8 },
	.from = { 9, 10, 11, 12, 13, 14, 15, 16 },
};

/* RFC 9000 17.2.1: the IDs of the probe, the other way round. */
#define HEAD "\x80\0\0\0\0\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10" \
	"\x08\x01\x02\x03\x04\x05\x06\x07\x08"

static void
test_probe(void **state)
{
	static const unsigned char wanted[] = {
		0xc0, 0x1a, 0x2a, 0x3a, 0x4a,
		8, 1, 2, 3, 4, 5, 6, 7, 8,
		8, 9, 10, 11, 12, 13, 14, 15, 16,
		0,
	};
	unsigned char m[QUIC_PROBE_BYTES];

	(void)state;
	memset(m, 0x55, sizeof(m));
	quic_write_probe(&ids, m);
	assert_memory_equal(m, wanted, sizeof(wanted));
	assert_int_equal(m[QUIC_PROBE_BYTES - 1], 0);
}

static const struct {
	struct str m;
	unsigned n;             /* 0: is no answer */
	const char *text;
} answers[] = {
	{ STR(HEAD "\0\0\0\x01\x6b\x33\x43\xcf"), 2,
	    " 0x00000001 0x6b3343cf" },
	{ STR(HEAD "\0\0\0\x01\x6b\x33\x43"), 1, " 0x00000001" },
	{ STR(HEAD), 0, "" },
	{ STR(""), 0, "" },
	{ STR("\x80\0\0\0\0"), 0, "" },
	{ STR("\x80\0\0\0\0\x08\x09"), 0, "" },
	/* A version, so another kind of packet; a short header. */
	{ STR("\x80\0\0\0\x01" "rest"), 0, "" },
	{ STR("\x40\0\0\0\0" "rest"), 0, "" },
	/* IDs that are not those of the probe. */
	{ STR("\x80\0\0\0\0\x08" "AAAAAAAA\x08" "BBBBBBBB\0\0\0\x01"), 0,
	    "" },
	{ STR("\x80\0\0\0\0\0\0\0\0\0\x01"), 0, "" },
};

static void
test_answers(void **state)
{
	uint32_t versions[QUIC_VERSIONS_MAX];
	char text[QUIC_TEXT];
	unsigned n;

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		n = 0;
		if (quic_read_versions(answers[i].m, &ids, versions, &n) !=
		    (answers[i].n > 0))
			fail_msg("answer %zu", i);
		if (answers[i].n == 0)
			continue;
		assert_int_equal(n, answers[i].n);
		assert_string_equal(quic_versions_text(versions, n, text),
		    answers[i].text);
	}
}

static void
test_many(void **state)
{
	char m[sizeof(HEAD) - 1 + 4 * 100];
	uint32_t versions[QUIC_VERSIONS_MAX];
	char text[QUIC_TEXT];
	unsigned n = 0;

	(void)state;
	memset(m, 0x11, sizeof(m));
	memcpy(m, HEAD, sizeof(HEAD) - 1);
	assert_true(quic_read_versions((struct str){ m, sizeof(m) }, &ids,
	    versions, &n));
	assert_int_equal(n, QUIC_VERSIONS_MAX);
	quic_versions_text(versions, n, text);
	assert_int_equal(strlen(text), 11 * QUIC_VERSIONS_MAX);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
