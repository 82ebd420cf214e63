/* SPDX-License-Identifier: ISC */
/* Private networks, each tried in a process of its own. */

#include "sock/netns.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"

enum {
	FORBIDDEN = 77,         /* no namespaces here, and it said why */
};

/* What fn() returns, as a process of its own that has a network, if it may. */
static void
in_private(int (*fn)(void))
{
	char why[NETNS_WHY] = "";
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (netns_enter(0, why) < 0)
			_exit(why[0] == '\0' ? 1 : FORBIDDEN);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == FORBIDDEN)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A number for each way to be wrong. */
static int
look_around(void)
{
	struct if_nameindex *all = if_nameindex();
	int n = 0;

	if (geteuid() != 0)
		return 2;
	while (all != NULL && all[n].if_index != 0)
		n++;
	if_freenameindex(all);
	/* The loopback; some kernels add tunnels that nobody asked for. */
	return n >= 1 && if_nametoindex("lo") != 0 ? 0 : 3;
}

static int
be_two_hosts(void)
{
	const char *knob = "net/ipv4/ip_default_ttl";
	int home = netns_here(), other = netns_new();
	long here = 0, there = 0;

	if (home < 0 || other < 0)
		return 2;
	if (netns_write_knob(knob, "33") < 0 || netns_go(other) < 0)
		return 3;
	if (netns_write_knob(knob, "44") < 0 ||
	    netns_read_knob(knob, &there) < 0)
		return 4;
	if (netns_go(home) < 0 || netns_read_knob(knob, &here) < 0)
		return 5;
	return here == 33 && there == 44 ? 0 : 6;
}

static void
test_enter(void **state)
{
	(void)state;
	in_private(look_around);
}

static void
test_two_hosts(void **state)
{
	(void)state;
	in_private(be_two_hosts);
}

static void
test_knobs(void **state)
{
	long value = -1;

	(void)state;
	assert_int_equal(netns_read_knob("kernel/pid_max", &value), 0);
	assert_true(value > 0);
	assert_int_equal(netns_read_knob("no/such/knob", &value), -ENOENT);
	assert_int_equal(netns_read_knob("kernel/ostype", &value), -EINVAL);
	assert_int_equal(netns_write_knob("no/such/knob", "1"), -ENOENT);
	assert_int_equal(netns_go(-1), -EBADF);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_two_hosts),
		cmocka_unit_test(test_knobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
