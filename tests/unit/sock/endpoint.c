/* SPDX-License-Identifier: ISC */
/* A kernel that was started without IPv6, as far as socket(2) shows it. */
#include "sock/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/say.h"

#include "../cases.h"

static bool has_ipv6;

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);

int
__wrap_socket(int family, int type, int protocol)
{
	if (family == AF_INET6 && !has_ipv6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(family, type, protocol);
}

/* On 127.0.0.1 alone; its port goes to *out_port. */
static int
listen_on_ipv4(unsigned *out_port)
{
	struct endpoint local;
	struct target t;
	struct job job = { 0 };
	int fd;

	assert_int_equal(target_parse("tcp4:127.0.0.1:0", &t), OUTCOME_DONE);
	assert_int_equal(endpoint_listen(&job, &t, 5, &fd, &local),
	    OUTCOME_DONE);
	*out_port = ntohs(local.u.in.sin_port);
	return fd;
}

/* No host means this one, of which [::1] is tried first. */
static void
connect_to_ipv4(void)
{
	struct target t;
	struct job job = { 0 };
	unsigned port;
	char text[32];
	int listener = listen_on_ipv4(&port), fd;

	snprintf(text, sizeof(text), "tcp::%u", port);
	assert_int_equal(target_parse(text, &t), OUTCOME_DONE);
	assert_int_equal(endpoint_connect(&job, &t, &fd), OUTCOME_DONE);
	close(fd);
	close(listener);
}

static void
test_family_is_refused(void **state)
{
	(void)state;
	has_ipv6 = true;
	connect_to_ipv4();
}

static void
test_family_is_missing(void **state)
{
	struct endpoint local;
	struct target t;
	struct job job = { 0 };
	int fd;

	(void)state;
	has_ipv6 = false;
	assert_false(endpoint_has_family(AF_INET6));
	assert_true(endpoint_has_family(AF_INET));
	connect_to_ipv4();
	/* The wildcard of the other is left. */
	assert_int_equal(target_parse("tcp::0", &t), OUTCOME_DONE);
	assert_int_equal(endpoint_listen(&job, &t, 5, &fd, &local),
	    OUTCOME_DONE);
	assert_int_equal(local.u.sa.sa_family, AF_INET);
	close(fd);
}

/* There is no other to go on to: that is said. */
static void
test_only_family_is_missing(void **state)
{
	struct target t;
	struct job job = { 0 };
	int fd = -1;

	(void)state;
	has_ipv6 = false;
	assert_int_equal(target_parse("tcp:[::1]:80", &t), OUTCOME_DONE);
	assert_int_equal(endpoint_connect(&job, &t, &fd), OUTCOME_UNAVAILABLE);
	assert_int_equal(fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_family_is_refused),
		cmocka_unit_test(test_family_is_missing),
		cmocka_unit_test(test_only_family_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
