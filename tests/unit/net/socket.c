/* SPDX-License-Identifier: ISC */
/* Listening sockets on the loopback, always on ports that are free. */

#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

#include "tcp.h"

/* Enough that no socket of four is passed over by chance (0.75^200). */
#define CONNECTIONS 200
#define SOCKETS 4

static struct addr
loopback(const char *host)
{
	struct addr a;

	assert_int_equal(addr_resolve(host, 0, &a, 1), 1);
	return a;
}

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void
test_options(void **state)
{
	struct addr a = loopback("127.0.0.1");
	int fd, client, peer;

	(void)state;
	fd = socket_listen(&a);
	assert_true(fd >= 0);
	assert_int_not_equal(addr_port(&a), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);

	client = tcp_connect(&a);
	peer = tcp_accept(fd);
	assert_int_not_equal(option(peer, IPPROTO_TCP, TCP_NODELAY), 0);
	close(peer);
	close(client);
	close(fd);
}

static void
test_ipv6_stands_alone(void **state)
{
	struct addr six, four;
	int fd6, fd4 = -EADDRINUSE;

	(void)state;
	/* A port that is free there may be somebody's here; hardly so often. */
	for (int i = 0; i < 20 && fd4 == -EADDRINUSE; i++) {
		addr_any(&six, AF_INET6, 0);
		fd6 = socket_listen(&six);
		if (fd6 < 0)
			skip();         /* a kernel without IPv6 */
		assert_int_equal(option(fd6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
		addr_any(&four, AF_INET, addr_port(&six));
		fd4 = socket_listen(&four);
		close(fd6);
	}
	assert_true(fd4 >= 0);
	close(fd4);
}

/* A second server must not get in, whatever options it sets. */
static void
test_exclusive(void **state)
{
	struct addr a = loopback("127.0.0.1"), again, any;
	int fd, beside;

	(void)state;
	fd = socket_listen(&a);
	assert_true(fd >= 0);
	again = a;
	assert_int_equal(socket_listen(&again), -EADDRINUSE);
	addr_any(&any, AF_INET, addr_port(&a));
	assert_int_equal(socket_listen(&any), -EADDRINUSE);

	/* Nor after the first has got company. */
	beside = socket_listen_beside(&a);
	assert_true(beside >= 0);
	assert_int_equal(socket_listen(&again), -EADDRINUSE);
	close(fd);
	assert_int_equal(socket_listen(&again), -EADDRINUSE);
	close(beside);
}

/* The other one has SO_REUSEPORT, as a server of many processes has. */
static void
test_exclusive_beside_reuseport(void **state)
{
	struct addr a = loopback("127.0.0.1");
	int fd, other, on = 1;
	socklen_t len = a.len;

	(void)state;
	other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(other >= 0);
	assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &on,
	    sizeof(on)), 0);
	assert_int_equal(bind(other, &a.u.sa, a.len), 0);
	assert_int_equal(getsockname(other, &a.u.sa, &len), 0);
	assert_int_equal(listen(other, 1), 0);
	fd = socket_listen(&a);
	assert_int_equal(fd, -EADDRINUSE);
	close(other);
}

/* A server that started in the same moment and has only bound as yet. */
static void
test_race(void **state)
{
	struct addr a = loopback("127.0.0.1");
	int fd, other, on = 1;
	socklen_t len = a.len;

	(void)state;
	other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(other >= 0);
	assert_int_equal(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)), 0);
	assert_int_equal(bind(other, &a.u.sa, a.len), 0);
	assert_int_equal(getsockname(other, &a.u.sa, &len), 0);
	fd = socket_listen(&a);
	assert_true(fd >= 0);
	assert_int_equal(listen(other, 1), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(other);
	close(fd);
}

/* Takes what comes on one of the sockets; returns which, -1 for none. */
static int
accept_any(const int *fds)
{
	struct pollfd p[SOCKETS];

	for (int i = 0; i < SOCKETS; i++)
		p[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	assert_int_equal(poll(p, SOCKETS, ARRIVAL_MS), 1);
	for (int i = 0; i < SOCKETS; i++) {
		if (p[i].revents != 0) {
			close(tcp_accept(fds[i]));
			return i;
		}
	}
	return -1;
}

static void
test_share(void **state)
{
	struct addr a = loopback("127.0.0.1");
	int fds[SOCKETS], counts[SOCKETS] = { 0 };

	(void)state;
	fds[0] = socket_listen(&a);
	assert_true(fds[0] >= 0);
	for (int i = 1; i < SOCKETS; i++) {
		fds[i] = socket_listen_beside(&a);
		assert_true(fds[i] >= 0);
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		int client = tcp_connect(&a), taker = accept_any(fds);

		assert_in_range(taker, 0, SOCKETS - 1);
		counts[taker]++;
		close(client);
	}
	for (int i = 0; i < SOCKETS; i++) {
		assert_int_not_equal(counts[i], 0);
		close(fds[i]);
	}
}

/* Waits for a connection; is there a byte to read from it? */
static bool
next_speaks(int listener)
{
	int fd = tcp_accept(listener);
	char byte;
	ssize_t n;

	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	close(fd);
	return n == 1;
}

/* Whoever speaks comes first; but the silent comes, too, after a while. */
static void
test_defer(void **state)
{
	struct addr a = loopback("127.0.0.1");
	int64_t began_ms = clock_mono_ms();
	int fd, silent, client;
	bool speaks;

	(void)state;
	fd = socket_listen(&a);
	assert_int_equal(socket_defer(fd), 0);
	silent = tcp_connect(&a);
	client = tcp_connect(&a);
	assert_int_equal(send(client, "x", 1, 0), 1);
	speaks = next_speaks(fd);
	/* Unless this machine stood still for most of that while. */
	assert_true(speaks || clock_mono_ms() - began_ms > 900);
	assert_true(next_speaks(fd) != speaks);
	close(client);
	close(silent);
	close(fd);
	assert_int_equal(socket_defer(fd), -EBADF);
}

/* The server closes first, so its port has a connection in TIME-WAIT. */
static void
test_restart(void **state)
{
	struct addr a = loopback("127.0.0.1");
	int fd, client, peer;
	char byte;

	(void)state;
	fd = socket_listen(&a);
	assert_true(fd >= 0);
	client = tcp_connect(&a);
	peer = tcp_accept(fd);
	close(peer);
	assert_int_equal(read(client, &byte, 1), 0);
	close(client);
	close(fd);
	fd = socket_listen(&a);
	assert_true(fd >= 0);
	close(fd);
}

static void
test_failure(void **state)
{
	struct addr a, before;

	(void)state;
	/* TEST-NET-3 is nobody's address (RFC 5737). */
	assert_int_equal(addr_resolve("203.0.113.1", 0, &a, 1), 1);
	before = a;
	assert_int_equal(socket_listen(&a), -EADDRNOTAVAIL);
	assert_memory_equal(&a, &before, sizeof(a));
	assert_int_equal(socket_listen_beside(&a), -EADDRNOTAVAIL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_ipv6_stands_alone),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_exclusive_beside_reuseport),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_defer),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
