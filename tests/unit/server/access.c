/* SPDX-License-Identifier: ISC */

/* Lines of the access log: their form, and when and where they are written. */

#include "server/access.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "net/addr.h"

#include "../../capture.h"
#include "../cases.h"

#define TIME 784111777
#define BEGIN "192.0.2.1 1994-11-06T08:49:37Z \""
#define ESCAPED_MAX 1024

/* Of one test. */
static struct loop *loop;
static struct access_log lines;
static struct exchange x;
static struct addr peer;
static char text[1 << 18];

static int
memory_file(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

static int
begin(void **state)
{
	(void)state;
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(addr_resolve("192.0.2.1", 4711, &peer, 1), 1);
	x = (struct exchange){
		.req.line = S("GET / HTTP/1.0"),
		.res.status = 200,
		.peer = &peer,
		.received = TIME,
		.body_sent = 1406,
	};
	access_open(&lines, loop, memory_file(), "a.log", true);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	access_close(&lines);
	loop_close(loop);
	return 0;
}

static void
expect_in(int fd, const char *wanted)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, wanted);
}

static void
test_line(void **state)
{
	(void)state;
	access_add(&lines, &x);
	assert_int_equal(addr_resolve("2001:fe::7", 80, &peer, 1), 1);
	x.req.line = S("HEAD /file HTTP/1.1");
	x.received++;
	x.res.status = 404;
	x.body_sent = 0;
	access_add(&lines, &x);
	expect_in(lines.fd, BEGIN "GET / HTTP/1.0\" 200 1406\n"
	    "2001:fe::7 1994-11-06T08:49:38Z \"HEAD /file HTTP/1.1\" 404 0\n");
}

/* What reads the log is not to find more than it asked for. */
static void
test_reasons(void **state)
{
	(void)state;
	x.res.status = 404;
	x.res.reason = REASON_HIDDEN;
	access_add(&lines, &x);
	lines.tells_reasons = true;
	access_add(&lines, &x);
	x.res.status = 200;
	x.res.reason = REASON_NONE;
	access_add(&lines, &x);
	expect_in(lines.fd, BEGIN "GET / HTTP/1.0\" 404 1406\n"
	    BEGIN "GET / HTTP/1.0\" 404 1406 hidden\n"
	    BEGIN "GET / HTTP/1.0\" 200 1406\n");
}

static void
test_escapes(void **state)
{
	static const struct {
		struct str line;
		const char *written;
	} cases[] = {
		{ { NULL, 0 }, "-" },
		{ STR(""), "-" },
		{ STR("a b~"), "a b~" },
		{ STR("a\"b"), "a\\x22b" },
		{ STR("a\\x22"), "a\\x5cx22" },
		{ STR("\r\n\t\0"), "\\x0d\\x0a\\x09\\x00" },
		{ STR("\x1b[m\x7f"), "\\x1b[m\\x7f" },
		{ STR("\xc3\xa4\xff"), "\\xc3\\xa4\\xff" },
	};
	char wanted[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		x.req.line = cases[i].line;
		assert_int_equal(ftruncate(lines.fd, 0), 0);
		access_add(&lines, &x);
		snprintf(wanted, sizeof(wanted), BEGIN "%s\" 200 1406\n",
		    cases[i].written);
		expect_in(lines.fd, wanted);
	}
}

/* However long the request, the line is not; it says that it was cut. */
static void
test_cut(void **state)
{
	static char request[ESCAPED_MAX + 1];
	static char wanted[4 * sizeof(request) + 100];
	size_t n = strlen(BEGIN);

	(void)state;
	memset(request, '"', sizeof(request));
	memcpy(wanted, BEGIN, n);
	for (size_t i = 0; i < ESCAPED_MAX; i++, n += 4)
		memcpy(wanted + n, "\\x22", 4);
	snprintf(wanted + n, 50, "...\" 200 1406\n");
	x.req.line = (struct str){ request, sizeof(request) };
	access_add(&lines, &x);
	expect_in(lines.fd, wanted);
}

static void
on_end(struct timer *t)
{
	(void)t;
	loop_stop(loop);
}

/* Lines gather for a moment, and then leave together. */
static void
test_gathered(void **state)
{
	struct timer stop = { .fn = on_end };

	(void)state;
	lines.is_prompt = false;
	access_add(&lines, &x);
	access_add(&lines, &x);
	expect_in(lines.fd, "");
	assert_int_equal(loop_timer_start(loop, &stop, 300), 0);
	assert_int_equal(loop_run(loop), 0);
	expect_in(lines.fd, BEGIN "GET / HTTP/1.0\" 200 1406\n"
	    BEGIN "GET / HTTP/1.0\" 200 1406\n");
}

/* A busy server does not wait for the timer. */
static void
test_many(void **state)
{
	static const char line[] = BEGIN "GET / HTTP/1.0\" 200 1406\n";
	const size_t n = strlen(line);
	ssize_t got;

	(void)state;
	lines.is_prompt = false;
	for (int i = 0; i < 3000; i++)
		access_add(&lines, &x);
	got = pread(lines.fd, text, sizeof(text), 0);
	assert_in_range(got, 100000, 3000 * n);
	assert_int_equal((size_t)got % n, 0);
	for (size_t at = 0; at < (size_t)got; at += n)
		assert_memory_equal(text + at, line, n);
}

static void
test_close_writes(void **state)
{
	int copy = dup(lines.fd);

	(void)state;
	lines.is_prompt = false;
	access_add(&lines, &x);
	access_close(&lines);
	assert_int_equal(lines.fd, -1);
	expect_in(copy, BEGIN "GET / HTTP/1.0\" 200 1406\n");
	close(copy);
	/* Whoever ends late is not logged any more. */
	access_add(&lines, &x);
}

/* What was gathered belongs into the old file. */
static void
test_reopen(void **state)
{
	int copy = dup(lines.fd), old = lines.fd;

	(void)state;
	lines.is_prompt = false;
	access_add(&lines, &x);
	access_reopen(&lines, memory_file());
	expect_in(copy, BEGIN "GET / HTTP/1.0\" 200 1406\n");
	expect_in(lines.fd, "");
	assert_int_not_equal(lines.fd, old);
	assert_int_equal(fcntl(old, F_GETFD), -1);
	close(copy);
}

static void
test_none(void **state)
{
	struct access_log none;

	(void)state;
	access_open(&none, loop, -1, NULL, true);
	access_add(&none, &x);
	assert_int_equal(none.failure->lost, 0);
	assert_int_equal(none.lines.n, 0);
	access_close(&none);
}

/* A full disk is said once, what is lost is counted, and it may end. */
static void
test_full_disk(void **state)
{
	struct capture err;
	int full = open("/dev/full", O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)state;
	if (full == -1)
		skip();
	log_open("sws", LOG_LEVEL_INFO);
	capture_begin(&err);
	access_reopen(&lines, full);
	access_add(&lines, &x);
	access_add(&lines, &x);
	access_add(&lines, &x);
	capture_end(&err);
	assert_string_equal(err.text, "sws: log a.log: No space left on "
	    "device; lines are lost until it can be written again\n");
	assert_int_equal(lines.failure->lost, 3);

	capture_begin(&err);
	access_reopen(&lines, memory_file());
	access_add(&lines, &x);
	access_add(&lines, &x);
	capture_end(&err);
	assert_string_equal(err.text,
	    "sws: log a.log: written again, 3 lines were lost\n");
	expect_in(lines.fd, BEGIN "GET / HTTP/1.0\" 200 1406\n"
	    BEGIN "GET / HTTP/1.0\" 200 1406\n");
}

/* What a child has told, its parent and siblings do not tell again. */
static void
test_shared(void **state)
{
	struct capture err;
	int full = open("/dev/full", O_WRONLY | O_APPEND | O_CLOEXEC);
	int status;
	pid_t pid;

	(void)state;
	if (full == -1)
		skip();
	assert_int_equal(access_share(&lines), 0);
	access_reopen(&lines, full);
	pid = fork();
	if (pid == 0) {
		capture_begin(&err);
		access_add(&lines, &x);
		capture_end(&err);
		_exit(err.text[0] == '\0');
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	capture_begin(&err);
	access_add(&lines, &x);
	capture_end(&err);
	assert_string_equal(err.text, "");
	assert_int_equal(lines.failure->lost, 2);
}

int
main(void)
{
#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_LOG(test_line),
		WITH_LOG(test_reasons),
		WITH_LOG(test_escapes),
		WITH_LOG(test_cut),
		WITH_LOG(test_gathered),
		WITH_LOG(test_many),
		WITH_LOG(test_close_writes),
		WITH_LOG(test_reopen),
		WITH_LOG(test_none),
		WITH_LOG(test_full_disk),
		WITH_LOG(test_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
