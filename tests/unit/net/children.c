/* SPDX-License-Identifier: ISC */

/* A parent and its children, one for each connection: here, a socketpair. */

#include "net/children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/list.h"

#include "../cases.h"

#define PATIENCE_MS 60000

/* Of one test; a child has a copy. */
static struct loop *loop;
static struct children children;
static struct watch echo;
static struct timer patience;
static unsigned ended, stuck, unstuck, stop_at;
static int stuck_for;
static bool serves_in_loop;     /* of the parent, which it inherited */

static void
on_no_patience(struct timer *t)
{
	(void)t;
	fail_msg("nothing happened for %d ms", PATIENCE_MS);
}

/* In the child */

/* Sends back what it gets, and ends where that ends. */
static void
on_bytes(struct watch *w, unsigned ready)
{
	char bytes[64];
	ssize_t n = read(w->fd, bytes, sizeof(bytes));

	(void)ready;
	if (n <= 0 || write(w->fd, bytes, (size_t)n) != n)
		loop_stop(loop);
}

static void
serve(struct children *c, int fd, const struct addr *peer)
{
	(void)c, (void)peer;
	loop_timer_stop(loop, &patience);
	echo = (struct watch){ .fn = on_bytes, .fd = fd, .wanted = READY_IN };
	if (write(fd, "!", 1) != 1 || loop_add(loop, &echo) < 0)
		_exit(1);
	if (serves_in_loop)
		return;
	/* cmocka knows nothing of children: this one never goes back. */
	if (loop_run(loop) < 0)
		_exit(2);
	children_close(c);
	_exit(0);
}

static void
finish(struct children *c)
{
	(void)c;
	(void)!write(echo.fd, "f", 1);
}

static void
end(struct children *c)
{
	(void)c;
	(void)!write(echo.fd, "e", 1);
	loop_stop(loop);
}

/* In the parent */

static void
on_ended(struct children *c)
{
	(void)c;
	if (++ended == stop_at)
		loop_stop(loop);
}

static void
on_stuck(struct children *c, int err)
{
	/* It is none of a child's business. */
	if (!c->is_parent)
		(void)!write(echo.fd, "s", 1);
	stuck += err != 0;
	unstuck += err == 0;
	stuck_for = err != 0 ? err : stuck_for;
	if (err == 0)
		loop_stop(loop);
}

static int
begin(void **state)
{
	(void)state;
	ended = stuck = unstuck = 0;
	children = (struct children){
		.serve = serve,
		.finish = finish,
		.end = end,
		.on_ended = on_ended,
		.on_stuck = on_stuck,
	};
	assert_int_equal(loop_open("poll", &loop), 0);
	patience = (struct timer){ .fn = on_no_patience };
	assert_int_equal(loop_timer_start(loop, &patience, PATIENCE_MS), 0);
	return children_open(&children, loop);
}

static int
finish_test(void **state)
{
	(void)state;
	children_close(&children);
	/* No zombie, no orphan. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	loop_close(loop);
	return 0;
}

/* What the child says next; '\0' for its end. */
static char
hear(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	return read(fd, &c, 1) == 1 ? c : '\0';
}

/* Gives our end of a connection that a child has. */
static int
connect_child(void)
{
	struct addr peer = { .len = 0 };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    ends), 0);
	children_serve(&children, ends[1], &peer);
	return ends[0];
}

static int
new_child(void)
{
	int fd = connect_child();

	assert_int_equal(hear(fd), '!');
	return fd;
}

/* The parent has closed what it handed on: only the child's end is left. */
static void
test_served(void **state)
{
	int fd = new_child();

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(hear(fd), 'x');
	shutdown(fd, SHUT_WR);
	assert_int_equal(hear(fd), '\0');
	close(fd);
	stop_at = 1;
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(ended, 1);
}

#define MANY 20

/* One signal may stand for the end of many. */
static void
test_many(void **state)
{
	int fds[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		fds[i] = new_child();
	/* Each child has copies of our ends for those before it. */
	for (int i = 0; i < MANY; i++)
		shutdown(fds[i], SHUT_WR);
	stop_at = MANY;
	assert_int_equal(loop_run(loop), 0);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	assert_int_equal(ended, MANY);
}

static void
test_finish(void **state)
{
	int a = new_child(), b = new_child();

	(void)state;
	children_finish(&children);
	assert_int_equal(hear(a), 'f');
	assert_int_equal(hear(b), 'f');
	/* They were only asked to. */
	assert_int_equal(write(a, "x", 1), 1);
	assert_int_equal(hear(a), 'x');
	close(a);
	close(b);
}

static void
test_end(void **state)
{
	int a = new_child(), b = new_child();

	(void)state;
	children_close(&children);
	/* Both pipes ended at once, and which is seen first is open. */
	assert_non_null(strchr("fe", hear(a)));
	assert_non_null(strchr("fe", hear(b)));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	close(a);
	close(b);
	assert_int_equal(children_open(&children, loop), 0);
}

/* A parent that is killed takes its children along. */
static void
test_killed(void **state)
{
	int up[2], ends[2], status;
	struct addr peer = { .len = 0 };
	pid_t parent;
	char c;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(pipe(up), 0);
	parent = fork();
	if (parent == 0) {
		close(ends[0]);
		/* Pipes of its own, of which the test holds no end. */
		children_close(&children);
		if (children_open(&children, loop) < 0)
			_exit(1);
		children_serve(&children, ends[1], &peer);
		for (;;)
			pause();
	}
	close(ends[1]);
	close(up[1]);
	assert_int_equal(hear(ends[0]), '!');
	kill(parent, SIGKILL);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	do
		c = hear(ends[0]);
	while (c != '\0');
	/* Nobody holds the pipe any more: not that child either. */
	assert_int_equal(hear(up[0]), '\0');
	close(up[0]);
	close(ends[0]);
}

/* No process can be had: the connection is held until one can be. */
static int
be_stuck(void)
{
	struct rlimit old, none;
	int fd;

	/* Root may have any number. */
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) == -1)
		return 10;
	getrlimit(RLIMIT_NPROC, &old);
	none = old;
	none.rlim_cur = 0;
	if (setrlimit(RLIMIT_NPROC, &none) == -1)
		return 11;
	fd = connect_child();
	if (stuck != 1 || unstuck != 0)
		return 12;
	if (stuck_for != -EAGAIN)
		return 13;
	setrlimit(RLIMIT_NPROC, &old);
	serves_in_loop = true;
	if (loop_run(loop) < 0 || unstuck != 1)
		return 14;
	if (hear(fd) != '!' || write(fd, "x", 1) != 1)
		return 15;
	return hear(fd) == 'x' ? 0 : 16;
}

static void
test_no_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(be_stuck());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, finish_test)
	const struct CMUnitTest tests[] = {
		TEST(test_served),
		TEST(test_many),
		TEST(test_finish),
		TEST(test_end),
		TEST(test_killed),
		TEST(test_no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
