/* SPDX-License-Identifier: ISC */

/* Which sockets are opened, and what is said when one cannot be. */

#include "server/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "net/socket.h"

#include "../../capture.h"
#include "../../folder.h"
#include "../cases.h"

static struct listeners listeners;
static struct capture said;     /* by the last `try_open` */

static int
try_open(const struct config *config)
{
	int err;

	capture_begin(&said);
	err = listeners_open(&listeners, config);
	capture_end(&said);
	return err;
}

static void
open_well(const struct config *config)
{
	int err = try_open(config);

	assert_string_equal(said.text, "");
	assert_int_equal(err, 0);
}

/* A socket that listens, on its own or another's port. */
static int
occupy(struct addr *addr, unsigned port)
{
	int fd;

	assert_int_equal(addr_resolve("127.0.0.1", port, addr, 1), 1);
	fd = socket_listen(addr);
	assert_true(fd >= 0);
	return fd;
}

/* A kernel that knows IPv6 may still have no address of it. */
static bool
has(const char *address)
{
	struct addr addr;
	int fd;

	assert_int_equal(addr_resolve(address, 0, &addr, 1), 1);
	fd = socket_listen(&addr);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void
test_one(void **state)
{
	struct config config = {
		.workers = 1, .n_addresses = 1, .addresses = { "127.0.0.1" },
	};
	struct addr bound = { .len = sizeof(bound.u) };
	unsigned before = folder_descriptors();

	(void)state;
	open_well(&config);
	assert_int_equal(listeners.n, 1);
	assert_in_range(listeners_port(&listeners), 1, 65535);
	assert_int_equal(getsockname(listeners.list[0].fds[0], &bound.u.sa,
	    &bound.len), 0);
	assert_int_equal(addr_port(&bound), listeners_port(&listeners));
	assert_false(addr_is_any(&bound));
	listeners_close(&listeners);
	assert_int_equal(folder_descriptors(), before);
}

/* Each worker has a socket of its own on the same address. */
static void
test_workers(void **state)
{
	struct config config = {
		.workers = 4, .n_addresses = 1, .addresses = { "127.0.0.1" },
	};
	unsigned before = folder_descriptors(), port;

	(void)state;
	open_well(&config);
	port = listeners_port(&listeners);
	for (unsigned i = 0; i < config.workers; i++) {
		struct addr bound = { .len = sizeof(bound.u) };
		int listens = 0;
		socklen_t size = sizeof(listens);
		int fd = listeners.list[0].fds[i];

		assert_int_equal(getsockname(fd, &bound.u.sa, &bound.len), 0);
		assert_int_equal(addr_port(&bound), port);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN,
		    &listens, &size), 0);
		assert_true(listens);
	}
	listeners_close(&listeners);
	assert_int_equal(folder_descriptors(), before);
}

/* Without an address: all of the host, IPv6 too where there is any. */
static void
test_all(void **state)
{
	struct config config = { .workers = 1 };

	(void)state;
	open_well(&config);
	assert_int_equal(listeners.n, has("::") ? 2 : 1);
	for (unsigned i = 0; i < listeners.n; i++) {
		assert_true(addr_is_any(&listeners.list[i].addr));
		assert_int_equal(addr_port(&listeners.list[i].addr),
		    listeners_port(&listeners));
	}
	listeners_close(&listeners);
}

/* One port for all, also when it is any. */
static void
test_several(void **state)
{
	struct config config = {
		.workers = 2,
		.n_addresses = 3,
		.addresses = { "127.0.0.1", "127.0.0.2", "127.0.0.3" },
	};

	(void)state;
	open_well(&config);
	assert_int_equal(listeners.n, 3);
	for (unsigned i = 0; i < listeners.n; i++)
		assert_int_equal(addr_port(&listeners.list[i].addr),
		    listeners_port(&listeners));
	listeners_close(&listeners);
}

static void
test_both_families(void **state)
{
	struct config config = {
		.workers = 1,
		.n_addresses = 2,
		.addresses = { "127.0.0.1", "[::1]" },
	};

	(void)state;
	if (!has("::1"))
		skip();
	open_well(&config);
	assert_int_equal(listeners.n, 2);
	assert_int_equal(listeners.list[1].addr.u.sa.sa_family, AF_INET6);
	assert_int_equal(addr_port(&listeners.list[1].addr),
	    listeners_port(&listeners));
	listeners_close(&listeners);
}

/* Who holds the port, and what can be done. */
static void
test_taken(void **state)
{
	struct config config = {
		.workers = 1, .n_addresses = 1, .addresses = { "127.0.0.1" },
	};
	unsigned before = folder_descriptors();
	struct addr addr;
	char wanted[160];
	int fd = occupy(&addr, 0);

	(void)state;
	config.port = addr_port(&addr);
	assert_int_equal(try_open(&config), -EADDRINUSE);
	snprintf(wanted, sizeof(wanted),
	    "sws: cannot listen on 127.0.0.1:%u: port %u is taken by ",
	    config.port, config.port);
	assert_memory_equal(said.text, wanted, strlen(wanted));
	/* Others may hold it, too, on other addresses. */
	snprintf(wanted, sizeof(wanted), "[%d]", (int)getpid());
	assert_non_null(strstr(said.text, wanted));
	snprintf(wanted, sizeof(wanted), "]; try another, such as -p %u\n",
	    config.port + 1);
	assert_non_null(strstr(said.text, wanted));
	assert_int_equal(listeners.n, 0);
	close(fd);
	assert_int_equal(folder_descriptors(), before);
	open_well(&config);
	assert_int_equal(listeners_port(&listeners), config.port);
	listeners_close(&listeners);
}

/* One address too many: those before it are given back. */
static void
test_second_is_taken(void **state)
{
	struct config config = {
		.workers = 2,
		.n_addresses = 2,
		.addresses = { "127.0.0.2", "127.0.0.1" },
	};
	unsigned before = folder_descriptors();
	struct addr addr;
	int fd = occupy(&addr, 0);

	(void)state;
	config.port = addr_port(&addr);
	assert_int_equal(try_open(&config), -EADDRINUSE);
	assert_non_null(strstr(said.text, "cannot listen on 127.0.0.1:"));
	assert_int_equal(listeners.n, 0);
	close(fd);
	assert_int_equal(folder_descriptors(), before);
}

/* An address for documentation (RFC 5737), which nobody has. */
static void
test_not_ours(void **state)
{
	struct config config = {
		.workers = 1,
		.port = 8080,
		.n_addresses = 1,
		.addresses = { "192.0.2.1" },
	};

	(void)state;
	assert_int_equal(try_open(&config), -EADDRNOTAVAIL);
	assert_string_equal(said.text, "sws: cannot listen on "
	    "192.0.2.1:8080: this host does not have that address; see "
	    "'ip address' for those it has\n");
}

/* Given twice, meant once. */
static void
test_same_twice(void **state)
{
	struct config config = {
		.workers = 1,
		.n_addresses = 2,
		.addresses = { "127.0.0.1", "127.0.0.1" },
	};

	(void)state;
	open_well(&config);
	assert_int_equal(listeners.n, 1);
	listeners_close(&listeners);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_second_is_taken),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_same_twice),
	};

	log_open("sws", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
