/* SPDX-License-Identifier: ISC */

#include "http/status.h"

#include "../cases.h"

static const struct {
	unsigned status;
	struct str phrase;
	bool has_content;
} cases[] = {
	{ 100, STR("Continue"), false },
	{ 101, STR("Switching Protocols"), false },
	{ 200, STR("OK"), true },
	{ 204, STR("No Content"), false },
	{ 205, STR("Reset Content"), true },    /* its length says: none */
	{ 206, STR("Partial Content"), true },
	{ 301, STR("Moved Permanently"), true },
	{ 304, STR("Not Modified"), false },
	{ 404, STR("Not Found"), true },
	{ 405, STR("Method Not Allowed"), true },
	{ 408, STR("Request Timeout"), true },
	{ 412, STR("Precondition Failed"), true },
	{ 413, STR("Content Too Large"), true },
	{ 414, STR("URI Too Long"), true },
	{ 416, STR("Range Not Satisfiable"), true },
	{ 417, STR("Expectation Failed"), true },
	{ 431, STR("Request Header Fields Too Large"), true },
	{ 501, STR("Not Implemented"), true },
	{ 503, STR("Service Unavailable"), true },
	{ 505, STR("HTTP Version Not Supported"), true },
	{ 511, STR("Network Authentication Required"), true },
	/* not registered */
	{ 299, STR(""), true },
	{ 306, STR(""), true },
	{ 418, STR(""), true },
	{ 512, STR(""), true },
	{ 999, STR(""), true },
	{ 0, STR(""), false },
	{ UINT32_MAX, STR(""), true },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned status = cases[i].status;
		struct str phrase = status_phrase(status);

		if (phrase.p == NULL || !str_eq(phrase, cases[i].phrase))
			fail_msg("%u: %.*s", status, STR_ARG(phrase));
		if (status_has_content(status) != cases[i].has_content)
			fail_msg("%u: content", status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
