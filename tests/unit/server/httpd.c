/* SPDX-License-Identifier: ISC */
/* Command lines of bozohttpd: what sws makes of them. */

#include "server/httpd.h"

#include <string.h>

#include "../cases.h"

#define ARGS_MAX 20

static char words[256];

/* `line` is split at spaces; its words live until the next call. */
static enum config_verdict
parse(const char *line, struct config *config)
{
	char *args[ARGS_MAX + 1], *rest = words, *word;
	int n = 0;

	assert_true(strlen(line) < sizeof(words));
	memcpy(words, line, strlen(line) + 1);
	while ((word = strsep(&rest, " ")) != NULL && n < ARGS_MAX)
		args[n++] = word;
	assert_null(rest);
	args[n] = NULL;
	return httpd_parse(n, args, config);
}

static void
test_name(void **state)
{
	(void)state;
	assert_true(httpd_is_name("httpd"));
	assert_true(httpd_is_name("/usr/libexec/httpd"));
	assert_false(httpd_is_name("sws"));
	assert_false(httpd_is_name("/usr/libexec/httpd/sws"));
	assert_false(httpd_is_name("bozohttpd"));
	assert_false(httpd_is_name(""));
	assert_false(httpd_is_name(NULL));
}

static void
test_line_of_the_lecture(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("httpd -b -I 8080 -X -u -p sws -c cgi-bin "
	    "docroot", &c), CONFIG_RUN);
	assert_int_equal(c.mode, MODE_DAEMON);
	assert_int_equal(c.port, 8080);
	assert_true(c.listings);
	assert_string_equal(c.user_dir, "sws");
	assert_string_equal(c.cgi_root, "cgi-bin");
	assert_string_equal(c.root, "docroot");
	assert_int_equal(c.n_addresses, 0);
	assert_null(c.log_file);
	assert_null(c.user);
	assert_int_equal(c.sandbox, SANDBOX_ON);
}

/* What bozohttpd does when it is not told otherwise. */
static void
test_defaults(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("httpd -b docroot", &c), CONFIG_RUN);
	assert_int_equal(c.port, 80);
	assert_false(c.listings);
	assert_string_equal(c.user_dir, "");
	assert_null(c.cgi_root);
	assert_int_equal(parse("httpd -bu docroot", &c), CONFIG_RUN);
	assert_string_equal(c.user_dir, "public_html");
	/* A name alone turns nothing on. */
	assert_int_equal(parse("httpd -bp sws docroot", &c), CONFIG_RUN);
	assert_string_equal(c.user_dir, "");
}

static void
test_flags(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("httpd -bfsHnX -i ::1 -i 127.0.0.1 -x start.htm "
	    "-S x/1 -U www docroot", &c), CONFIG_RUN);
	assert_int_equal(c.mode, MODE_FOREGROUND);
	assert_string_equal(c.log_file, "/dev/stderr");
	assert_false(c.hidden);
	/* Only the last -i counts. */
	assert_int_equal(c.n_addresses, 1);
	assert_string_equal(c.addresses[0], "127.0.0.1");
	assert_string_equal(c.index, "start.htm");
	assert_string_equal(c.server_header, "x/1");
	assert_string_equal(c.user, "www");
	assert_int_equal(parse("httpd -b -- -f", &c), CONFIG_RUN);
	assert_string_equal(c.root, "-f");
	assert_int_equal(c.mode, MODE_DAEMON);
}

static const char *const refused[] = {
	"httpd docroot",                        /* by inetd(8) */
	"httpd -b",
	"httpd -b docroot name",
	"httpd -b -I",
	"httpd -b -I http docroot",
	"httpd -b -y docroot",
	"httpd -b --port=80 docroot",           /* sws's own way */
	"httpd -b -C .php /usr/bin/php docroot",
	"httpd -b -M a b c d docroot",
	"httpd -b -t /var/www docroot",
	"httpd -b -v /var/www docroot",
	"httpd -b -Z cert key docroot",
	"httpd -bE docroot",
	"httpd -be docroot",
};

static void
test_refused(void **state)
{
	struct config c;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (parse(refused[i], &c) != CONFIG_USAGE)
			fail_msg("\"%s\" was taken", refused[i]);
}

static void
test_answers(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("httpd -h", &c), CONFIG_EXIT);
	assert_int_equal(parse("httpd -G", &c), CONFIG_EXIT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_line_of_the_lecture),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
