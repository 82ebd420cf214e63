/* SPDX-License-Identifier: ISC */
/* What a program's header says, and what it must not say. */

#include "site/cgi_head.h"

#include "../cases.h"

#define TYPE "Content-Type: a/b\n"

static const struct {
	const char *in;
	enum cgi_parse result;
	size_t used;
	unsigned status, n;
	const char *location;
	uint64_t length;        /* UINT64_MAX: none */
} cases[] = {
	{ TYPE "\nx", CGI_HEAD_DONE, 19, 0, 1, NULL, UINT64_MAX },
	{ "Content-Type: a/b\r\n\r\n", CGI_HEAD_DONE, 21, 0, 1, NULL,
	    UINT64_MAX },
	{ "Status: 404 No\n\n", CGI_HEAD_DONE, 16, 404, 0, NULL, UINT64_MAX },
	{ "Status:200\n\n", CGI_HEAD_DONE, 12, 200, 0, NULL, UINT64_MAX },
	{ "Location: /a\n\n", CGI_HEAD_DONE, 14, 0, 1, "/a", UINT64_MAX },
	{ TYPE "Content-Length: 3\n\n", CGI_HEAD_DONE, 37, 0, 1, NULL, 3 },
	{ TYPE "Connection: x\nDate: y\nTE: z\n\n", CGI_HEAD_DONE, 47, 0, 1,
	    NULL, UINT64_MAX },

	{ "", CGI_HEAD_MORE, 0, 0, 0, NULL, 0 },
	{ TYPE, CGI_HEAD_MORE, 0, 0, 0, NULL, 0 },
	{ TYPE "\r", CGI_HEAD_MORE, 0, 0, 0, NULL, 0 },
	{ "no colon yet", CGI_HEAD_MORE, 0, 0, 0, NULL, 0 },

	{ "\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "X: y\n\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "no colon\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ TYPE TYPE, CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ TYPE " folded\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "A b: c\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "A: b\rC: d\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "Status: 99\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "Status: 100\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "Status: 600\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "Status: 2000\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "Content-Length: 1, 1\n", CGI_HEAD_BAD, 0, 0, 0, NULL, 0 },
	{ "Content-Length: 9223372036854775808\n", CGI_HEAD_BAD, 0, 0, 0,
	    NULL, 0 },
};

static void
test_cases(void **state)
{
	struct cgi_head h;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t used = 0;

		assert_int_equal(cgi_head_parse(str_of(cases[i].in), &h,
		    &used), cases[i].result);
		if (cases[i].result != CGI_HEAD_DONE)
			continue;
		assert_int_equal(used, cases[i].used);
		assert_int_equal(h.status, cases[i].status);
		assert_int_equal(h.n, cases[i].n);
		assert_int_equal(h.has_length, cases[i].length != UINT64_MAX);
		if (h.has_length)
			assert_int_equal(h.length, cases[i].length);
		assert_int_equal(h.location.p == NULL,
		    cases[i].location == NULL);
		if (cases[i].location != NULL)
			assert_true(str_eq(h.location,
			    str_of(cases[i].location)));
	}
}

static const struct {
	const char *in;
	bool is_local;
} redirects[] = {
	{ "Location: /a\n\n", true },
	{ "Location: /a?b\n" TYPE "\n", true },
	{ "Location: /a\nStatus: 302\n\n", false },
	{ "Location: //host/a\n\n", false },
	{ "Location: /a#b\n\n", false },
	{ "Location: http://host/a\n\n", false },
	{ "Location: a\n\n", false },
	{ TYPE "\n", false },
};

static void
test_redirects(void **state)
{
	struct cgi_head h;
	size_t used;

	(void)state;
	for (size_t i = 0; i < COUNT(redirects); i++) {
		assert_int_equal(cgi_head_parse(str_of(redirects[i].in), &h,
		    &used), CGI_HEAD_DONE);
		assert_int_equal(cgi_head_is_local_redirect(&h),
		    redirects[i].is_local);
	}
}

/* At the limit, and one byte beyond; whether it came at once or not. */
static void
test_length(void **state)
{
	static const char begin[] = TYPE "X: ";
	static char in[CGI_HEAD_MAX + 2];
	struct str s = { in, CGI_HEAD_MAX };
	struct cgi_head h;
	size_t used = 0;

	(void)state;
	memset(in, 'x', sizeof(in));
	memcpy(in, begin, sizeof(begin) - 1);
	assert_int_equal(cgi_head_parse(s, &h, &used), CGI_HEAD_MORE);
	memcpy(in + CGI_HEAD_MAX - 2, "\n\n", 2);
	assert_int_equal(cgi_head_parse(s, &h, &used), CGI_HEAD_DONE);
	assert_int_equal(used, CGI_HEAD_MAX);
	memcpy(in + CGI_HEAD_MAX - 2, "x\n\n", 3);
	s.n++;
	assert_int_equal(cgi_head_parse(s, &h, &used), CGI_HEAD_BAD);
	in[CGI_HEAD_MAX - 1] = 'x';
	in[CGI_HEAD_MAX] = 'x';
	assert_int_equal(cgi_head_parse(s, &h, &used), CGI_HEAD_BAD);
}

static void
test_fields_too_many(void **state)
{
	char in[(CGI_FIELDS + 2) * 5 + 1] = "";
	struct cgi_head h;
	size_t used, n = 0;

	(void)state;
	memcpy(in, TYPE, sizeof(TYPE) - 1);
	n = sizeof(TYPE) - 1;
	for (unsigned i = 1; i < CGI_FIELDS; i++, n += 4)
		memcpy(in + n, "A:b\n", 4);
	memcpy(in + n, "\n", 2);
	assert_int_equal(cgi_head_parse(str_of(in), &h, &used), CGI_HEAD_DONE);
	memcpy(in + n, "A:b\n\n", 6);
	assert_int_equal(cgi_head_parse(str_of(in), &h, &used), CGI_HEAD_BAD);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_fields_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
