/* SPDX-License-Identifier: ISC */
/* The runner, with labs that go right, fail, crash, hang, and leave things. */

#include "sock/lab.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"
#include "sock/lab_run.h"

/* A pipe whose writing end labs and their actors hold: its end is theirs. */
static int alive[2];

static void
run_right(struct lab *lab)
{
	lab_expect(lab, true, "one is %d", 1);
	lab_expect(lab, lab_number(lab, 7) == 7, "no number was given");
}

static void
run_wrong(struct lab *lab)
{
	lab_expect(lab, true, "this holds");
	lab_expect(lab, false, "this does %s", "not");
}

static void
run_must(struct lab *lab)
{
	lab_must(lab, 0, "fine");
	lab_must(lab, -ENOENT, "a thing");
	lab_expect(lab, true, "never reached");
}

static void
run_crash(struct lab *lab)
{
	lab_expect(lab, true, "so far");
	raise(SIGKILL);
}

static int
wait_for_ever(struct lab *lab, void *arg)
{
	(void)lab;
	(void)arg;
	while (pause() == -1)
		continue;
	return 1;
}

static void
run_hang(struct lab *lab)
{
	lab_fork(lab, "actor", wait_for_ever, NULL);
	wait_for_ever(lab, NULL);
}

static void
run_leave(struct lab *lab)
{
	FILE *f;

	lab_expect(lab, mkdir("folder", 0700) == 0, "a folder");
	f = fopen("folder/file", "w");
	lab_expect(lab, f != NULL, "a file in it");
	lab_fork(lab, "actor", wait_for_ever, NULL);
}

static void
run_skip(struct lab *lab)
{
	lab_skip(lab, "no %s here", "network");
}

/* There is no room for what failed, but it has failed. */
static void
run_flood(struct lab *lab)
{
	for (int i = 0; i < 5000; i++)
		lab_note(lab, "event %d", i);
	lab_expect(lab, false, "this");
}

static const struct {
	void (*run)(struct lab *lab);
	enum lab_verdict verdict;
	const char *reason;
} cases[] = {
	{ run_right, LAB_IS_OK, "" },
	{ run_wrong, LAB_IS_FAILED, "this does not" },
	{ run_must, LAB_IS_FAILED, "a thing: ENOENT" },
	{ run_crash, LAB_IS_FAILED,
	    "its process ended too early (status 0x9)" },
	{ run_hang, LAB_IS_FAILED, "it did not come to its end in time" },
	{ run_leave, LAB_IS_OK, "" },
	{ run_skip, LAB_IS_SKIPPED, "no network here" },
	{ run_flood, LAB_IS_FAILED, "1 of 1 expectations" },
};

#define HANGS 4
#define HANG_MS 200

static unsigned told;

static void
count_told(struct lab_run *run)
{
	/* In their order, however many run at a time. */
	assert_ptr_equal(run->entry->run, cases[told].run);
	told++;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* Everybody who held the writing end is gone: else this would not return. */
static void
assert_nobody_left(void)
{
	char byte;

	close(alive[1]);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	close(alive[0]);
}

static void
run_all(unsigned at_a_time)
{
	struct lab_entry entries[COUNT(cases)];
	struct lab_run runs[COUNT(cases)] = { 0 };

	assert_int_equal(pipe(alive), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		entries[i] = (struct lab_entry){ .run = cases[i].run };
		runs[i].entry = &entries[i];
		runs[i].pcap = -1;
		runs[i].deadline_ms = i == HANGS ? HANG_MS : 0;
	}
	told = 0;
	assert_int_equal(lab_run(runs, COUNT(cases), at_a_time, count_told), 0);
	assert_int_equal(told, COUNT(cases));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_string_equal(runs[i].reason, cases[i].reason);
		assert_int_equal(runs[i].verdict, cases[i].verdict);
		assert_int_equal(access(runs[i].dir, F_OK), -1);
		lab_run_free(&runs[i]);
	}
	assert_nobody_left();
}

static void
test_verdicts(void **state)
{
	(void)state;
	run_all(1);
}

static void
test_at_a_time(void **state)
{
	(void)state;
	run_all(4);
	run_all(100);
}

/* Says that it has begun; its actor and it would then stay for ever. */
static void
run_begin(struct lab *lab)
{
	lab_expect(lab, write(alive[1], "x", 1) == 1, "it has begun");
	run_hang(lab);
}

/*
 * Also in a user namespace: other changes of credentials make a process
 * forget whose death it wanted to follow.
 */
static void
test_killed_runner(void **state)
{
	struct lab_entry entry = { .needs = LAB_LOOPBACK, .run = run_begin };
	struct lab_run run = { .entry = &entry, .pcap = -1 };
	char folder[] = "/tmp/unit-lab-XXXXXX", byte;
	pid_t runner;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(pipe(alive), 0);
	runner = fork();
	assert_true(runner >= 0);
	if (runner == 0) {
		setenv("TMPDIR", folder, 1);
		_exit(lab_run(&run, 1, 1, count_told) != 0);
	}
	assert_int_equal(read(alive[0], &byte, 1), 1);
	kill(runner, SIGKILL);
	assert_int_equal(waitpid(runner, NULL, 0), runner);
	assert_nobody_left();
	/* What it could not clean any more. */
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
test_no_directory(void **state)
{
	struct lab_entry entry = { .name = "unit", .run = run_right };
	struct lab_run run = { .entry = &entry, .pcap = -1 };
	const char *was = getenv("TMPDIR");
	char saved[256] = "";

	(void)state;
	if (was != NULL)
		snprintf(saved, sizeof(saved), "%s", was);
	setenv("TMPDIR", "/proc/nowhere", 1);
	assert_int_equal(lab_run(&run, 1, 1, count_told), -ENOENT);
	if (was != NULL)
		setenv("TMPDIR", saved, 1);
	else
		unsetenv("TMPDIR");
}

static void
test_claims(void **state)
{
	(void)state;
	assert_null(lab_statements[0].text);
	for (unsigned i = 1; i <= LAB_CLAIMS; i++) {
		const struct lab_entry *e = lab_table;

		while (e->name != NULL &&
		    strcmp(e->name, lab_statements[i].lab) != 0)
			e++;
		assert_non_null(e->name);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_at_a_time),
		cmocka_unit_test(test_killed_runner),
		cmocka_unit_test(test_no_directory),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
