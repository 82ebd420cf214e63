/* SPDX-License-Identifier: ISC */
/* Connections on their way from one worker to its successor. */

#include "server/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "net/channel.h"
#include "../cases.h"

static struct loop *loop;
static struct giver giver;
static struct taker taker;
static int ends[2];             /* the giver's, the taker's */
static int connection[2];
static unsigned n_taken, n_ended, n_rooms;
static char last[64];           /* what was unread of the last one */
static struct addr peer;

/* It is the same connection: what is written comes out at its other end. */
static void
assert_connected(int fd)
{
	char byte = 0;

	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(connection[1], &byte, 1), 1);
	assert_int_equal(byte, 'x');
}

static void
take(struct taker *t, int fd, const struct addr *from, struct str unread)
{
	(void)t;
	assert_int_equal(from->len, peer.len);
	assert_memory_equal(&from->u, &peer.u, peer.len);
	assert_true(unread.n < sizeof(last));
	*str_put(last, unread) = '\0';
	assert_connected(fd);
	close(fd);
	n_taken++;
}

static void
on_ended(struct taker *t)
{
	assert_false(taker_is_open(t));
	n_ended++;
	loop_stop(loop);
}

static void
on_room(struct giver *g)
{
	(void)g;
	n_rooms++;
	loop_stop(loop);
}

static int
open_all(void **state)
{
	(void)state;
	n_taken = n_ended = n_rooms = 0;
	giver = (struct giver){ .go_on = on_room };
	taker = (struct taker){ .take = take, .ended = on_ended };
	addr_any(&peer, AF_INET, 80);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, connection), 0);
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(taker_open(&taker, loop, ends[1]), 0);
	return giver_open(&giver, loop, ends[0]);
}

static int
close_all(void **state)
{
	(void)state;
	giver_close(&giver);
	taker_close(&taker);
	loop_close(loop);
	close(connection[0]);
	close(connection[1]);
	return 0;
}

static int
pass(const char *unread)
{
	return giver_pass(&giver, connection[0], &peer, str_of(unread));
}

/* All are through before the end is told. */
static void
test_passed(void **state)
{
	(void)state;
	assert_int_equal(pass(""), 0);
	assert_int_equal(pass("GET / HT"), 0);
	giver_close(&giver);
	taker_wake(&taker);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(n_taken, 2);
	assert_string_equal(last, "GET / HT");
	assert_int_equal(n_ended, 1);
}

/* Of a channel that is full the giver is told when it is not any more. */
static void
test_full(void **state)
{
	unsigned n = 0;
	int err;

	(void)state;
	while ((err = pass("GET")) == 0)
		n++;
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(pass("GET"), -EAGAIN);
	taker_wake(&taker);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(n_rooms, 1);
	assert_int_equal(pass(""), 0);
	giver_close(&giver);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(n_taken, n + 1);
}

/* More than a connection ever holds; then it is not sent at all. */
static void
test_too_much(void **state)
{
	static char much[97 << 10];

	(void)state;
	assert_int_equal(giver_pass(&giver, connection[0], &peer,
	    (struct str){ much, sizeof(much) }), -EMSGSIZE);
	assert_int_equal(pass(""), 0);
}

/* The other worker may have been taken over: nothing more is taken of it. */
static void
assert_refused(const void *message, size_t n, unsigned n_fds)
{
	assert_int_equal(channel_send(ends[0], message, n, connection, n_fds),
	    0);
	assert_int_equal(pass(""), 0);
	taker_wake(&taker);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(n_taken, 0);
	assert_int_equal(n_ended, 1);
	assert_int_equal(pass(""), -EPIPE);
}

static void
test_short(void **state)
{
	(void)state;
	assert_refused("?", 1, 1);
}

static void
test_without_connection(void **state)
{
	(void)state;
	assert_refused(&peer, sizeof(peer), 0);
}

static void
test_false_address(void **state)
{
	struct addr false_peer = peer;

	(void)state;
	false_peer.len = sizeof(false_peer.u) + 1;
	assert_refused(&false_peer, sizeof(false_peer), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_passed),
		CASE(test_full),
		CASE(test_too_much),
		CASE(test_short),
		CASE(test_without_connection),
		CASE(test_false_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
