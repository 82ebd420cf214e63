/* SPDX-License-Identifier: ISC */

#include "http/coding.h"

#include "../cases.h"

/* In the order of the enum: identity, br, zstd, gzip. */
static const struct {
	const char *value;
	uint16_t weights[CODING_COUNT];
} cases[] = {
	/* RFC 9110 12.5.3, its examples */
	{ NULL, { 1, 0, 0, 0 } },
	{ "", { 1, 0, 0, 0 } },
	{ "compress, gzip", { 1, 0, 0, 1000 } },
	{ "*", { 1000, 1000, 1000, 1000 } },
	{ "compress;q=0.5, gzip;q=1.0", { 1, 0, 0, 1000 } },
	{ "gzip;q=1.0, identity; q=0.5, *;q=0", { 500, 0, 0, 1000 } },
	/* What clients send */
	{ "gzip, deflate", { 1, 0, 0, 1000 } },
	{ "gzip, deflate, br", { 1, 1000, 0, 1000 } },
	{ "gzip, deflate, br, zstd", { 1, 1000, 1000, 1000 } },
	{ "identity", { 1000, 0, 0, 0 } },
	{ "gzip,deflate;q=0.1", { 1, 0, 0, 1000 } },
	{ "x-gzip", { 1, 0, 0, 1000 } },
	{ "GZip , BR", { 1, 1000, 0, 1000 } },
	/* Weights */
	{ "br;q=0.001,gzip;q=0.01,zstd;q=0.1", { 1, 1, 100, 10 } },
	{ "br;q=0", { 1, 0, 0, 0 } },
	{ "br;q=0.", { 1, 0, 0, 0 } },
	{ "br;q=0.000", { 1, 0, 0, 0 } },
	{ "br;q=1", { 1, 1000, 0, 0 } },
	{ "br;q=1.", { 1, 1000, 0, 0 } },
	{ "br;q=1.000", { 1, 1000, 0, 0 } },
	{ "br;q=0.999", { 1, 999, 0, 0 } },
	{ "br ;\tQ=0.5", { 1, 500, 0, 0 } },
	/* No identity */
	{ "identity;q=0", { 0, 0, 0, 0 } },
	{ "*;q=0", { 0, 0, 0, 0 } },
	{ "gzip, identity;q=0", { 0, 0, 0, 1000 } },
	{ "gzip, *;q=0", { 0, 0, 0, 1000 } },
	{ "*;q=0, identity;q=0.1", { 100, 0, 0, 0 } },
	/* All others */
	{ "*;q=0.3, br", { 300, 1000, 300, 300 } },
	{ "gzip;q=0, *", { 1000, 1000, 1000, 0 } },
	/* Malformed members do not spoil the others. */
	{ "br;q=2, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=1.001, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=0.0001, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=-1, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=.5, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=0,5, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=00.5, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=0.5;x=1, gzip", { 1, 0, 0, 1000 } },
	{ "br;q=, gzip", { 1, 0, 0, 1000 } },
	{ "br;, gzip", { 1, 0, 0, 1000 } },
	{ "br;level=9, gzip", { 1, 0, 0, 1000 } },
	{ "br q=0.5, gzip", { 1, 0, 0, 1000 } },
	{ ";q=1, =, \"br\", gzip", { 1, 0, 0, 1000 } },
	{ " , ,gzip,, ", { 1, 0, 0, 1000 } },
	{ "brotli, gzipped", { 1, 0, 0, 0 } },
	/* The last word counts. */
	{ "gzip, gzip;q=0", { 1, 0, 0, 0 } },
	{ "gzip;q=0, x-gzip;q=0.5", { 1, 0, 0, 500 } },
};

static struct str
value_of(const char *text)
{
	return text == NULL ? (struct str){ NULL, 0 } : str_of(text);
}

static void
check_weights(size_t i, const struct codings *found)
{
	for (unsigned c = 0; c < CODING_COUNT; c++)
		if (found->weight[c] != cases[i].weights[c])
			fail_msg("\"%s\": %.*s is %u, not %u", cases[i].value,
			    STR_ARG(coding_name(c)), found->weight[c],
			    cases[i].weights[c]);
}

static void
test_parse(void **state)
{
	struct codings found;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		coding_parse(value_of(cases[i].value), &found);
		check_weights(i, &found);
	}
}

/* Whatever was seen before. */
static void
test_recall(void **state)
{
	struct coding_memo memo = { 0 };
	struct codings found;

	(void)state;
	for (unsigned round = 0; round < 2 * COUNT(cases); round++) {
		size_t i = round % COUNT(cases);

		coding_recall(&memo, value_of(cases[i].value), &found);
		check_weights(i, &found);
		coding_recall(&memo, value_of(cases[i].value), &found);
		check_weights(i, &found);
	}
}

static void
test_recall_long(void **state)
{
	const char *value = "deflate, deflate, deflate, deflate, deflate, "
	    "deflate, br;q=0.4";
	struct coding_memo memo = { 0 };
	struct codings found;

	(void)state;
	coding_recall(&memo, str_of(value), &found);
	assert_int_equal(found.weight[CODING_BR], 400);
}

#define NONE UINT64_MAX

static const struct {
	const char *value;
	uint64_t sizes[CODING_COUNT];
	enum coding chosen;
} choices[] = {
	{ "gzip, br", { 100, NONE, NONE, NONE }, CODING_IDENTITY },
	{ "gzip, br", { 100, NONE, NONE, 50 }, CODING_GZIP },
	{ "gzip, br", { 100, 40, NONE, 50 }, CODING_BR },
	/* Ties by size; what is larger than identity may still be asked for. */
	{ "gzip, br", { 100, 60, NONE, 50 }, CODING_GZIP },
	{ "gzip, br, identity", { 100, 160, NONE, 150 }, CODING_IDENTITY },
	{ "gzip", { 100, NONE, NONE, 150 }, CODING_GZIP },
	/* Weights come first. */
	{ "gzip, br;q=0.9", { 100, 40, NONE, 50 }, CODING_GZIP },
	{ "identity, br;q=0.9", { 100, 40, NONE, 50 }, CODING_IDENTITY },
	{ "zstd;q=0.2, *;q=0.1", { 100, 40, 60, 50 }, CODING_ZSTD },
	{ "*", { 100, 40, 30, 50 }, CODING_ZSTD },
	{ "", { 100, 40, 30, 50 }, CODING_IDENTITY },
	{ NULL, { 100, 40, 30, 50 }, CODING_IDENTITY },
	/* Nothing is acceptable. */
	{ "identity;q=0", { 100, 40, 30, 50 }, CODING_COUNT },
	{ "*;q=0", { 100, 40, 30, 50 }, CODING_COUNT },
	{ "br, *;q=0", { 100, NONE, 30, 50 }, CODING_COUNT },
	{ "br, identity;q=0", { 100, 40, 30, 50 }, CODING_BR },
};

static void
test_choose(void **state)
{
	struct codings accepted;
	enum coding chosen;

	(void)state;
	for (size_t i = 0; i < COUNT(choices); i++) {
		coding_parse(value_of(choices[i].value), &accepted);
		chosen = coding_choose(&accepted, choices[i].sizes);
		if (chosen != choices[i].chosen)
			fail_msg("\"%s\", row %zu: %d, not %d",
			    choices[i].value, i, (int)chosen,
			    (int)choices[i].chosen);
	}
}

#define ALL ((1u << CODING_COUNT) - 1)

static const struct {
	const char *value;
	unsigned among;
	enum coding wanted;
} wishes[] = {
	{ "gzip, deflate, br, zstd", ALL, CODING_BR },
	{ "gzip, deflate, br, zstd", ALL & ~(1u << CODING_BR), CODING_ZSTD },
	{ "gzip, deflate, br, zstd", 0, CODING_COUNT },
	{ "br;q=0.5, gzip", ALL, CODING_GZIP },
	{ "gzip;q=0.5, identity", ALL, CODING_COUNT },
	{ "gzip;q=0.5, *;q=0", ALL, CODING_GZIP },
	{ "", ALL, CODING_COUNT },
	{ NULL, ALL, CODING_COUNT },
	{ "*;q=0", ALL, CODING_COUNT },
	{ "*", ALL, CODING_BR },
};

static void
test_wanted(void **state)
{
	struct codings accepted;

	(void)state;
	for (size_t i = 0; i < COUNT(wishes); i++) {
		coding_parse(value_of(wishes[i].value), &accepted);
		assert_int_equal(coding_wanted(&accepted, wishes[i].among),
		    wishes[i].wanted);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_true(str_eq(coding_name(CODING_BR), S("br")));
	assert_true(str_eq(coding_suffix(CODING_ZSTD), S(".zst")));
	assert_true(str_eq(coding_suffix(CODING_IDENTITY), S("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_recall),
		cmocka_unit_test(test_recall_long),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
