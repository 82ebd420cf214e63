/* SPDX-License-Identifier: ISC */
/* Who holds a port: this test does, and sometimes a child of it. */

#include "net/holder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/socket.h"

/* A port that nobody listens on, at no address: all holders are told. */
static unsigned
free_port(void)
{
	struct addr a;
	socklen_t len;
	int off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr_any(&a, fd >= 0 ? AF_INET6 : AF_INET, 0);
	if (fd >= 0)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	else
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	len = a.len;
	assert_int_equal(bind(fd, &a.u.sa, a.len), 0);
	assert_int_equal(getsockname(fd, &a.u.sa, &len), 0);
	close(fd);
	return addr_port(&a);
}

static int
listen_on(const char *host, unsigned *out_port)
{
	struct addr a;
	int fd;

	assert_int_equal(addr_resolve(host, free_port(), &a, 1), 1);
	fd = socket_listen(&a);
	*out_port = addr_port(&a);
	return fd;
}

static void
test_one(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	char text[64], expected[64];
	unsigned port;
	int fd;

	(void)state;
	snprintf(expected, sizeof(expected), "holder?test[%d]", getpid());
	for (size_t i = 0; i < 2; i++) {
		fd = listen_on(hosts[i], &port);
		if (fd < 0)
			continue;       /* a kernel without IPv6 */
		assert_string_equal(holder_of_port(port, text, sizeof(text)),
		    expected);
		close(fd);
		assert_string_equal(holder_of_port(port, text, sizeof(text)),
		    "");
	}
}

static void
test_two(void **state)
{
	char text[64], name[32];
	unsigned port;
	int fd = listen_on("127.0.0.1", &port), status;
	pid_t child;

	(void)state;
	assert_true(fd >= 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		pause();
		_exit(0);
	}
	holder_of_port(port, text, sizeof(text));
	assert_non_null(strstr(text, "], holder?test["));
	snprintf(name, sizeof(name), "holder?test[%d]", getpid());
	assert_non_null(strstr(text, name));
	snprintf(name, sizeof(name), "holder?test[%d]", child);
	assert_non_null(strstr(text, name));

	/* The second has no room: it is left out whole. */
	holder_of_port(port, text, strlen(text));
	assert_null(strchr(text, ','));
	assert_int_equal(text[strlen(text) - 1], ']');
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(fd);
}

static void
test_small(void **state)
{
	char text[4] = "xyz";
	unsigned port;
	int fd = listen_on("127.0.0.1", &port);

	(void)state;
	assert_true(fd >= 0);
	assert_string_equal(holder_of_port(port, text, sizeof(text)), "");
	close(fd);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_small),
	};

	/* A control byte, to see that it does not reach the terminal. */
	prctl(PR_SET_NAME, "holder\033test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
