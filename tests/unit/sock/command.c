/* SPDX-License-Identifier: ISC */
/* command(3) of the homework, sentence by sentence, over pipes and sockets. */
#include "sock/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"

static const enum command_via vias[] = { COMMAND_PIPES, COMMAND_SOCKETPAIR };

static struct {
	char out[64], err[64];
	struct command_text o, e;
} got;

static int
run(const char *string, enum command_via via)
{
	memset(got.out, 'x', sizeof(got.out));
	memset(got.err, 'x', sizeof(got.err));
	got.o = (struct command_text){ got.out, sizeof(got.out), 0, 0 };
	got.e = (struct command_text){ got.err, sizeof(got.err), 0, 0 };
	return command_run(string, via, 0, &got.o, &got.e);
}

/* H1: two buffers, one for each output. */
static void
test_outputs_are_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vias); i++) {
		assert_int_equal(run("echo one; echo two >&2", vias[i]), 0);
		assert_string_equal(got.out, "one\n");
		assert_string_equal(got.err, "two\n");
	}
}

/* H1: as waitpid(2) has it; 127 when the shell could not be found. */
static void
test_status(void **state)
{
	int status;

	(void)state;
	for (size_t i = 0; i < COUNT(vias); i++) {
		status = run("exit 3", vias[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
		status = run("kill -TERM $$", vias[i]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
		status = run("/proc/nowhere", vias[i]);
		assert_int_equal(WEXITSTATUS(status), 127);
	}
}

/* H1: NULL asks whether there is a shell. */
static void
test_null_asks_for_a_shell(void **state)
{
	(void)state;
	assert_int_equal(command_run(NULL, COMMAND_PIPES, 0, NULL, NULL), 1);
}

/* H1: a NUL ends the text where there is room for it. */
static void
test_nul_only_if_there_is_room(void **state)
{
	char four[5] = "xxxxx";
	struct command_text o = { four, 4, 0, 0 }, e = { got.err, 1, 0, 0 };

	(void)state;
	assert_int_equal(command_run("printf abcd; printf z >&2",
	    COMMAND_PIPES, 0, &o, &e), 0);
	assert_memory_equal(four, "abcdx", 5);
	assert_int_equal(o.n, 4);
	assert_int_equal(command_run("printf abc", COMMAND_PIPES, 0, &o, &e),
	    0);
	assert_memory_equal(four, "abc\0x", 5);
	assert_int_equal(e.n, 0);
}

static void
test_what_does_not_fit_is_counted(void **state)
{
	(void)state;
	assert_int_equal(run("head -c 1000000 /dev/zero", COMMAND_PIPES), 0);
	assert_int_equal(got.o.n, sizeof(got.out));
	assert_int_equal(got.o.lost, 1000000 - sizeof(got.out));
}

/* The case for which the published command.c waits for ever. */
static void
test_ten_megabytes_on_each(void **state)
{
	static const char script[] =
	    "for i in 1 2 3 4 5 6 7 8 9 10; do "
	    "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; done";
	size_t size = 11000000;
	struct command_text o = { malloc(size), size, 0, 0 };
	struct command_text e = { malloc(size), size, 0, 0 };

	(void)state;
	assert_non_null(o.p);
	assert_non_null(e.p);
	for (size_t i = 0; i < COUNT(vias); i++) {
		assert_int_equal(command_run(script, vias[i], 0, &o, &e), 0);
		assert_int_equal(o.n, 10000000);
		assert_int_equal(e.n, 10000000);
	}
	free(o.p);
	free(e.p);
}

static void
test_timeout(void **state)
{
	struct command_text o = { got.out, sizeof(got.out), 0, 0 };
	struct command_text e = { got.err, sizeof(got.err), 0, 0 };

	(void)state;
	assert_int_equal(command_run("echo begun; exec sleep 1000",
	    COMMAND_PIPES, 200, &o, &e), -ETIMEDOUT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* H1: we ignore them meanwhile; the command has them as we had. */
static void
test_signals(void **state)
{
	struct sigaction sa;
	sigset_t mask;

	(void)state;
	/* Who was started in the background may have it ignored. */
	signal(SIGINT, SIG_DFL);
	assert_int_equal(run("kill -INT $PPID; kill -QUIT $PPID; echo alive",
	    COMMAND_PIPES), 0);
	assert_string_equal(got.out, "alive\n");
	assert_true(WIFSIGNALED(run("kill -INT $$", COMMAND_PIPES)));
	sigaction(SIGINT, NULL, &sa);
	assert_true(sa.sa_handler == SIG_DFL);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_false(sigismember(&mask, SIGCHLD));
}

/* H1: what fails is told by its errno, and leaves nothing open. */
static void
test_errors(void **state)
{
	struct rlimit before, few;
	int next = dup(0);

	(void)state;
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (rlim_t more = 0; more < 4; more++) {
		few = before;
		few.rlim_cur = (rlim_t)next + more;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_int_equal(run("echo", vias[more % 2]), -EMFILE);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		assert_int_equal(dup(0), next);
		close(next);
	}
}

/* What a command has open that we start by other means. */
static void
count_by_popen(char text[16])
{
	FILE *f = popen("ls /proc/self/fd | wc -l", "r");

	assert_non_null(f);
	assert_non_null(fgets(text, 16, f));
	pclose(f);
}

/* No descriptor stays behind, and none of ours gets to the command. */
static void
test_descriptors(void **state)
{
	int before = dup(0), after;
	char usual[16];

	(void)state;
	close(before);
	count_by_popen(usual);
	for (size_t i = 0; i < COUNT(vias); i++) {
		assert_int_equal(run("ls /proc/self/fd | wc -l", vias[i]), 0);
		assert_string_equal(got.out, usual);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outputs_are_apart),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_null_asks_for_a_shell),
		cmocka_unit_test(test_nul_only_if_there_is_room),
		cmocka_unit_test(test_what_does_not_fit_is_counted),
		cmocka_unit_test(test_ten_megabytes_on_each),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
