/* SPDX-License-Identifier: ISC */

#include "http/date.h"

#include <errno.h>

#include "../cases.h"

#define EXAMPLE 784111777       /* the date that RFC 9110 5.6.7 shows */
#define NOW 1760000000          /* 2025-10-09 08:53:20 */
#define BAD INT64_MIN           /* refused */

static const struct {
	struct str text;
	int64_t time;
} parsed[] = {
	/* The three forms */
	{ STR("Sun, 06 Nov 1994 08:49:37 GMT"), EXAMPLE },
	{ STR("Sunday, 06-Nov-94 08:49:37 GMT"), EXAMPLE },
	{ STR("Sun Nov  6 08:49:37 1994"), EXAMPLE },
	{ STR("Sun Nov 06 08:49:37 1994"), EXAMPLE },
	{ STR("Wed Nov 16 08:49:37 1994"), EXAMPLE + 10 * 86400 },
	/* The day's name has to be one, not the right one. */
	{ STR("Mon, 06 Nov 1994 08:49:37 GMT"), EXAMPLE },
	{ STR("Wednesday, 06-Nov-94 08:49:37 GMT"), EXAMPLE },
	/* Edges of time */
	{ STR("Thu, 01 Jan 1970 00:00:00 GMT"), 0 },
	{ STR("Wed, 31 Dec 1969 23:59:59 GMT"), -1 },
	{ STR("Tue, 19 Jan 2038 03:14:08 GMT"), 2147483648 },
	{ STR("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799 },
	{ STR("Sat, 01 Jan 0000 00:00:00 GMT"), -62167219200 },
	/* Leap years and leap seconds */
	{ STR("Tue, 29 Feb 2000 00:00:00 GMT"), 951782400 },
	{ STR("Thu, 29 Feb 2024 12:00:00 GMT"), 1709208000 },
	{ STR("Thu, 29 Feb 2100 00:00:00 GMT"), BAD },
	{ STR("Thu, 29 Feb 2023 00:00:00 GMT"), BAD },
	{ STR("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228799 },
	{ STR("Sat, 31 Dec 2016 23:59:61 GMT"), BAD },
	/* Two digits: at most 50 years after NOW */
	{ STR("Thursday, 09-Oct-25 08:53:20 GMT"), NOW },
	{ STR("Friday, 09-Oct-75 08:53:20 GMT"), 3337836800 },
	{ STR("Friday, 09-Oct-75 08:53:21 GMT"), 182076801 },
	{ STR("Friday, 01-Jan-76 00:00:00 GMT"), 189302400 },
	{ STR("Saturday, 01-Jan-00 00:00:00 GMT"), 946684800 },
	{ STR("Tuesday, 29-Feb-00 00:00:00 GMT"), 951782400 },
	/* Numbers that are no dates */
	{ STR("Sun, 00 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 31 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 32 Dec 1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 06 Nov 1994 24:00:00 GMT"), BAD },
	{ STR("Sun, 06 Nov 1994 08:60:37 GMT"), BAD },
	/* Nearly a form */
	{ STR(""), BAD },
	{ STR("784111777"), BAD },
	{ STR("Sun, 6 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 06 Nov 94 08:49:37 GMT"), BAD },
	{ STR("Sun, 06 Nov 1994 8:49:37 GMT"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49 GMT"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:37"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:37 UTC"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:37 gmt"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:37 +0000"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:37 GMT "), BAD },
	{ STR(" Sun, 06 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("Sun,  06 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("sun, 06 nov 1994 08:49:37 GMT"), BAD },
	{ STR("Son, 06 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 06 Okt 1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 06-Nov-1994 08:49:37 GMT"), BAD },
	{ STR("Sun, 06-Nov-94 08:49:37 GMT"), BAD },
	{ STR("Sunday, 06 Nov 1994 08:49:37 GMT"), BAD },
	{ STR("Sun Nov 6 08:49:37 1994"), BAD },
	{ STR("Sun Nov  6 08:49:37 1994 GMT"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:37 GM"), BAD },
	{ STR("Sun, 06 Nov 1994 08:49:3\0 GMT"), BAD },
	{ STR("1994-11-06T08:49:37Z"), BAD },
};

static const struct {
	int64_t time;
	const char *http, *iso;
} written[] = {
	{ EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" },
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z" },
	{ -1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59Z" },
	{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00Z" },
	{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00Z" },
	{ 1735689599, "Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59Z" },
	{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z" },
	{ INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT", "0000-01-01T00:00:00Z" },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parsed); i++) {
		time_t t = BAD;
		int err = date_parse(parsed[i].text, NOW, &t);

		if (t != parsed[i].time || err != (t == BAD ? -EINVAL : 0))
			fail_msg("%s: %lld", parsed[i].text.p, (long long)t);
	}
}

static void
test_write(void **state)
{
	char text[DATE_LEN + 1] = "", iso[DATE_ISO_LEN + 1] = "";

	(void)state;
	for (size_t i = 0; i < COUNT(written); i++) {
		date_write(text, written[i].time);
		date_write_iso(iso, written[i].time);
		assert_string_equal(text, written[i].http);
		assert_string_equal(iso, written[i].iso);
	}
}

/* Against the C library, about once a day over three centuries. */
static void
test_agrees_with_libc(void **state)
{
	char ours[DATE_LEN + 1] = "", theirs[DATE_LEN + 1];
	struct tm tm;
	time_t back;

	(void)state;
	for (time_t t = -5000000000; t < 5000000000; t += 86399) {
		date_write(ours, t);
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT",
		    gmtime_r(&t, &tm));
		assert_string_equal(ours, theirs);
		assert_int_equal(date_parse(str_of(ours), NOW, &back), 0);
		assert_int_equal(back, t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_agrees_with_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
