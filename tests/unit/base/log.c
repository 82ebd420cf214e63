/* SPDX-License-Identifier: ISC */

/* Standard error is a pipe's end while a line is logged. */

#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/str.h"

#include "../cases.h"

struct capture {
	int saved_fd, read_fd;
	char bytes[4096];
	struct str text;
};

static void
capture_begin(struct capture *c)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	c->saved_fd = dup(STDERR_FILENO);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	c->read_fd = ends[0];
}

static void
capture_end(struct capture *c)
{
	ssize_t n;

	dup2(c->saved_fd, STDERR_FILENO);
	close(c->saved_fd);
	n = read(c->read_fd, c->bytes, sizeof(c->bytes));
	close(c->read_fd);
	assert_true(n >= 0);
	c->text = (struct str){ c->bytes, (size_t)n };
}

static void
test_levels(void **state)
{
	static const struct {
		enum log_level most;
		struct str text;
	} cases[] = {
		{ LOG_LEVEL_ERROR, STR("sws: e1\n") },
		{ LOG_LEVEL_INFO, STR("sws: e1\nsws: i2\n") },
		{ LOG_LEVEL_DEBUG, STR("sws: e1\nsws: i2\nsws: d3\n") },
	};
	struct capture c;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		log_open("sws", cases[i].most);
		capture_begin(&c);
		log_error("e%d", 1);
		log_info("i%d", 2);
		log_debug("d%d", 3);
		capture_end(&c);
		assert_true(str_eq(c.text, cases[i].text));
	}
}

static void
test_one_line(void **state)
{
	struct capture c;

	(void)state;
	log_open("sws", LOG_LEVEL_INFO);
	capture_begin(&c);
	log_error("%s", "a\nb\x1b[1m\x7f\xc3\xa4");
	capture_end(&c);
	assert_true(str_eq(c.text, S("sws: a?b?[1m?\xc3\xa4\n")));
}

static void
test_long_line(void **state)
{
	struct capture c;

	(void)state;
	log_open("sws", LOG_LEVEL_INFO);
	capture_begin(&c);
	log_error("%*d", 3000, 1);
	capture_end(&c);
	assert_true(str_starts(c.text, S("sws:  ")));
	assert_true(str_ends(c.text, S(" ...\n")));
	assert_in_range(c.text.n, 1000, 1024);
}

static void
test_keeps_errno(void **state)
{
	int kept;

	(void)state;
	log_open("sws", LOG_LEVEL_INFO);
	errno = ENOENT;
	log_debug("not shown");
	log_use_syslog();
	log_info("one line of a unit test");
	kept = errno;
	assert_int_equal(kept, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_one_line),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
