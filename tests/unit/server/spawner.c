/* SPDX-License-Identifier: ISC */
/* The process that runs programs, driven by workers made up for it. */

#include "server/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"
#include "base/clock.h"
#include "net/channel.h"
#include "server/order.h"
#include "site/spawn_msg.h"

#define WAIT_MS 60000           /* a bound on failures, nothing else */

static char top[] = "/tmp/sws-spawner-XXXXXX";
static struct config config = { .cgi_max = 2 };
static pid_t process;
static int orders, channel;

static void
write_program(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fchmod(fileno(f), 0755);
	fclose(f);
}

static int
make_programs(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL || chdir(top) == -1)
		return -1;
	write_program("says", "echo $# $1 $A");
	write_program("fails", "exit 3");
	write_program("group", "sleep 1000 & echo on; wait");
	write_program("stubborn", "trap '' TERM; sleep 1000 & echo on; "
	    "while :; do sleep 1; done");
	return 0;
}

static int
remove_programs(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

static int
add_worker(void)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(order_send(orders, ORDER_PEER, 1, ends[1]), 0);
	close(ends[1]);
	return ends[0];
}

static int
start(void **state)
{
	struct spawner_setup setup = { .config = &config };
	int ends[2];

	(void)state;
	if (channel_pair(ends) < 0)
		return -1;
	fflush(NULL);
	process = fork();
	if (process == 0) {
		close(ends[0]);
		setup.cgi_root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
		setup.orders = ends[1];
		_exit(spawner_run(&setup));
	}
	close(ends[1]);
	orders = ends[0];
	channel = add_worker();
	return 0;
}

static int
stop(void **state)
{
	int status;

	(void)state;
	close(orders);
	close(channel);
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}

static bool
wait_for(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* Returns our end of what the program prints. */
static int
run(int to, uint32_t id, const char *path, size_t n)
{
	struct spawn_msg head = { .kind = SPAWN_RUN, .id = id };
	char message[256];
	int ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[3];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), path, n);
	fds[0] = fds[2] = null;
	fds[1] = ends[1];
	assert_int_equal(channel_send(to, message, sizeof(head) + n, fds, 3),
	    0);
	close(null);
	close(ends[1]);
	return ends[0];
}

#define RUN(to, id, path) run(to, id, path, sizeof(path))

static void
tell(int to, uint32_t kind, uint32_t id)
{
	struct spawn_msg m = { .kind = kind, .id = id };

	assert_int_equal(channel_send(to, &m, sizeof(m), NULL, 0), 0);
}

static struct spawn_msg
reply(int from)
{
	struct spawn_msg m = { 0 };
	unsigned n_fds = 0;

	assert_true(wait_for(from, WAIT_MS));
	assert_int_equal(channel_receive(from, &m, sizeof(m), NULL, &n_fds),
	    sizeof(m));
	return m;
}

static void
assert_says(int fd, const char *text)
{
	char got[64] = "";

	assert_true(wait_for(fd, WAIT_MS));
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_string_equal(got, text);
}

/* Nobody has the other end any more: all of the group has ended. */
static void
assert_ends(int fd)
{
	assert_says(fd, "");
	close(fd);
}

static bool
is_closed(int fd)
{
	unsigned n_fds = 0;
	char byte;

	return wait_for(fd, WAIT_MS) &&
	    channel_receive(fd, &byte, 1, NULL, &n_fds) == 0;
}

/* Descriptors of the spawner. */
static unsigned
count_descriptors(void)
{
	char path[64];
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)process,
		    fd);
		if (access(path, F_OK) == 0)
			n++;
	}
	return n;
}

/* It has done all it was told, for it has run this. */
static void
settle(void)
{
	int out = RUN(channel, 999, "fails");

	assert_int_equal(reply(channel).kind, SPAWN_ENDED);
	tell(channel, SPAWN_DONE, 999);
	close(out);
}

static void
test_run(void **state)
{
	struct spawn_msg m;
	int out = RUN(channel, 7, "says");

	(void)state;
	assert_says(out, "0\n");
	m = reply(channel);
	assert_int_equal(m.kind, SPAWN_ENDED);
	assert_int_equal(m.id, 7);
	assert_int_equal(m.value, 0);
	assert_ends(out);
	tell(channel, SPAWN_DONE, 7);

	out = RUN(channel, 7, "fails");
	m = reply(channel);
	assert_int_equal(m.kind, SPAWN_ENDED);
	assert_true(WIFEXITED(m.value) && WEXITSTATUS(m.value) == 3);
	close(out);
}

static void
test_not_run(void **state)
{
	struct spawn_msg m;
	int out;

	(void)state;
	out = RUN(channel, 1, "nowhere");
	m = reply(channel);
	assert_int_equal(m.kind, SPAWN_FAILED);
	assert_int_equal(m.value, ENOENT);
	assert_ends(out);
	out = RUN(channel, 1, ".");
	m = reply(channel);
	assert_int_equal(m.kind, SPAWN_FAILED);
	assert_int_equal(m.value, EACCES);
	assert_ends(out);
}

static void
test_kill(void **state)
{
	int out = RUN(channel, 1, "group");
	int64_t told_ms;

	(void)state;
	assert_says(out, "on\n");
	tell(channel, SPAWN_KILL, 1);
	assert_ends(out);
	out = RUN(channel, 1, "stubborn");
	assert_says(out, "on\n");
	told_ms = clock_mono_ms();
	tell(channel, SPAWN_KILL, 1);
	assert_ends(out);
	/* It was given time to end by itself. */
	assert_true(clock_mono_ms() - told_ms >= 1000);
}

/* What a worker leaves behind ends with it. */
static void
test_worker_that_dies(void **state)
{
	int worker = add_worker(), out = RUN(worker, 1, "group");

	(void)state;
	assert_says(out, "on\n");
	close(worker);
	assert_ends(out);
	settle();
}

static void
test_turns(void **state)
{
	int out[5];

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		out[i] = RUN(channel, i, "group");
		assert_says(out[i], "on\n");
	}
	for (uint32_t i = 2; i < 5; i++)
		out[i] = RUN(channel, i, "group");
	/* Two run, two wait, that is all. */
	assert_int_equal(reply(channel).id, 4);
	assert_ends(out[4]);
	assert_false(wait_for(out[2], 100));
	tell(channel, SPAWN_KILL, 3);
	assert_ends(out[3]);
	tell(channel, SPAWN_KILL, 0);
	assert_ends(out[0]);
	assert_says(out[2], "on\n");
	tell(channel, SPAWN_KILL, 1);
	tell(channel, SPAWN_KILL, 2);
	assert_ends(out[1]);
	assert_ends(out[2]);
}

/* That worker is not heard any more; others do not notice. */
static void
test_malformed(void **state)
{
	static const struct {
		uint32_t kind, n_args;
		size_t n;
		unsigned n_fds;
	} cases[] = {
		{ 0, 0, sizeof(struct spawn_msg), 0 },
		{ SPAWN_ENDED, 0, sizeof(struct spawn_msg), 0 },
		{ SPAWN_DONE, 0, sizeof(struct spawn_msg) + 1, 0 },
		{ SPAWN_DONE, 0, sizeof(struct spawn_msg) - 1, 0 },
		{ SPAWN_KILL, 0, 1, 0 },
		{ SPAWN_RUN, 0, sizeof(struct spawn_msg) + 2, 2 },
		{ SPAWN_RUN, 0, sizeof(struct spawn_msg) + 2, 4 },
		{ SPAWN_RUN, 1, sizeof(struct spawn_msg) + 2, 3 },
		{ SPAWN_RUN, 0, sizeof(struct spawn_msg), 3 },
	};
	int fds[4] = { 0, 0, 0, 0 }, out = RUN(channel, 1, "group");

	(void)state;
	assert_says(out, "on\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct spawn_msg m = {
			.kind = cases[i].kind,
			.id = 1,
			.n_args = cases[i].n_args,
		};
		char message[64] = "";
		int worker = add_worker();

		memcpy(message, &m, sizeof(m));
		message[sizeof(m)] = 'x';
		assert_int_equal(channel_send(worker, message, cases[i].n,
		    fds, cases[i].n_fds), 0);
		assert_true(is_closed(worker));
		close(worker);
	}
	settle();
	tell(channel, SPAWN_KILL, 1);
	assert_ends(out);
}

static void
test_same_id_twice(void **state)
{
	int worker = add_worker(), first = RUN(worker, 1, "group"), second;

	(void)state;
	assert_says(first, "on\n");
	second = RUN(worker, 1, "says");
	assert_true(is_closed(worker));
	assert_ends(second);
	assert_ends(first);
	close(worker);
}

static void
test_no_descriptor_is_left(void **state)
{
	unsigned before;

	(void)state;
	settle();
	before = count_descriptors();
	for (uint32_t i = 0; i < 20; i++) {
		int worker = add_worker(), out = RUN(worker, i, "says");

		assert_says(out, "0\n");
		if (i % 2)
			tell(worker, SPAWN_KILL, i);
		close(worker);
		close(out);
	}
	settle();
	for (int i = 0; i < WAIT_MS && count_descriptors() != before; i++)
		usleep(1000);
	assert_int_equal(count_descriptors(), before);
}

int
main(void)
{
#define WITH_PROCESS(test) cmocka_unit_test_setup_teardown(test, start, stop)
	static const struct CMUnitTest tests[] = {
		WITH_PROCESS(test_run),
		WITH_PROCESS(test_not_run),
		WITH_PROCESS(test_kill),
		WITH_PROCESS(test_worker_that_dies),
		WITH_PROCESS(test_turns),
		WITH_PROCESS(test_malformed),
		WITH_PROCESS(test_same_id_twice),
		WITH_PROCESS(test_no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
