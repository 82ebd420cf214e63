/* SPDX-License-Identifier: ISC */

/*
 * Each means of looking at many bytes against the plain one, and that one
 * against the grammar.  The memory is of just the size that is looked at, so
 * that a sanitizer sees any look behind the end.
 */

#include "h1/scan.h"

#include <stdlib.h>

#include "h1/scan_priv.h"

#include "../cases.h"

#define MAX_BYTES 100   /* two steps of the widest, a half one, and a rest */

/* Of each class some byte that is of it, and the bytes that are. */
static const struct {
	const char *name;
	char member;
	const char *punctuation;        /* beside letters and digits */
	bool takes_high;
} classes[] = {
	[H1_TOKEN] = { "token", 'a', "!#$%&'*+-.^_`|~", false },
	[H1_TARGET] = { "target", '/', "!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	    true },
	[H1_VALUE] = { "value", ' ',
	    "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true },
	[H1_HOST] = { "host", '.', "!$%&'()*+,-.;=_~", false },
};

static bool
is_member(unsigned c, enum h1_class class)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return true;
	if (c >= 0x80)
		return classes[class].takes_high;
	return c != 0 && strchr(classes[class].punctuation, (int)c) != NULL;
}

static void
expect(const struct h1_scanner *f, struct str s, enum h1_class class,
    size_t wanted)
{
	size_t got = f->span(s, class);

	if (got != wanted)
		fail_msg("%s, %s, %zu bytes: %zu, not %zu", f->name,
		    classes[class].name, s.n, got, wanted);
}

/* The scanners that this processor can run. */
static const struct h1_scanner *
next_scanner(size_t *at)
{
	while (*at < h1_n_scanners) {
		const struct h1_scanner *f = &h1_scanners[(*at)++];

		if (f->is_here())
			return f;
	}
	return NULL;
}

#define EACH_SCANNER(f) \
	(size_t at_ = 0; (f = next_scanner(&at_)) != NULL;)

/* Each byte at each place of a run: is the run over there? */
static void
try_bytes(const struct h1_scanner *f, enum h1_class class, char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned c = 0; c < 256; c++) {
			p[i] = (char)c;
			expect(f, (struct str){ p, n }, class,
			    is_member(c, class) ? n : i);
		}
		p[i] = classes[class].member;
	}
	expect(f, (struct str){ p, n }, class, n);
}

static void
test_each_byte(void **state)
{
	const struct h1_scanner *f;
	char *p = malloc(MAX_BYTES);

	(void)state;
	assert_non_null(p);
	for
		EACH_SCANNER(f)
		{
			for (unsigned class = 0; class < H1_CLASSES; class ++) {
				memset(p, classes[class].member, MAX_BYTES);
				try_bytes(f, class, p, MAX_BYTES);
			}
		}
	free(p);
}

/* All of p from each place that a wide load could begin at. */
static void
try_places(const struct h1_scanner *f, const char *p, size_t n)
{
	for (size_t from = 0; from <= 32; from++)
		expect(f, (struct str){ p + from, n - from }, H1_TOKEN,
		    n - from);
}

static void
test_lengths(void **state)
{
	const struct h1_scanner *f;

	(void)state;
	for (size_t n = 32; n <= 32 + MAX_BYTES; n++) {
		char *p = malloc(n);

		assert_non_null(p);
		memset(p, 'a', n);
		for
			EACH_SCANNER(f)
		try_places(f, p, n);
		free(p);
	}
}

/* Anything: they stop where the plain one does, and so does the best. */
static void
test_noise(void **state)
{
	const struct h1_scanner *f, *plain = &h1_scanners[h1_n_scanners - 1];
	unsigned seed = 4711;
	char *p = malloc(MAX_BYTES);

	(void)state;
	assert_non_null(p);
	for (unsigned round = 0; round < 20000; round++) {
		enum h1_class class = round % H1_CLASSES;
		struct str s = { p, round % (MAX_BYTES + 1) };
		size_t wanted;

		for (size_t i = 0; i < s.n; i++) {
			seed = seed * 1103515245 + 12345;
			/* Mostly letters: runs should be long at times. */
			p[i] = (char)(seed >> 16 & 31 ? 'a' : seed >> 21);
		}
		wanted = plain->span(s, class);
		for
			EACH_SCANNER(f)
		expect(f, s, class, wanted);
		assert_int_equal(h1_span(s, class), wanted);
	}
	free(p);
}

/* Nothing is nothing, and a slice ends where it says. */
static void
test_ends(void **state)
{
	(void)state;
	assert_int_equal(h1_span((struct str){ NULL, 0 }, H1_VALUE), 0);
	assert_int_equal(h1_span((struct str){ "aaaa", 2 }, H1_VALUE), 2);
	assert_string_equal(h1_scanners[h1_n_scanners - 1].name, "plain");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
