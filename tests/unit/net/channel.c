/* SPDX-License-Identifier: ISC */
/* Messages and descriptors between two ends, and what happens at the end. */

#include "net/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned
open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

/* A fresh pair for each test. */
static int ends[2];

static int
open_ends(void **state)
{
	(void)state;
	return channel_pair(ends);
}

static int
close_ends(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static void
test_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
		assert_true(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
	}
}

static void
test_messages_keep_their_borders(void **state)
{
	char got[16];
	unsigned n_fds = 0;

	(void)state;
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), -EAGAIN);
	assert_int_equal(channel_send(ends[0], "one", 3, NULL, 0), 0);
	assert_int_equal(channel_send(ends[0], "three", 5, NULL, 0), 0);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 3);
	assert_memory_equal(got, "one", 3);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 5);
	assert_memory_equal(got, "three", 5);

	/* Both ways. */
	assert_int_equal(channel_send(ends[1], "x", 1, NULL, 0), 0);
	assert_int_equal(channel_receive(ends[0], got, sizeof(got), NULL,
	    &n_fds), 1);
	assert_int_equal(n_fds, 0);
}

static void
test_descriptors(void **state)
{
	int pipe_ends[2], fds[CHANNEL_FDS];
	unsigned n_fds = CHANNEL_FDS;
	char got[4];

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(channel_send(ends[0], "fds", 3, pipe_ends, 2), 0);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), fds,
	    &n_fds), 3);
	assert_int_equal(n_fds, 2);
	for (int i = 0; i < 2; i++)
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);

	/* They are the pipe: what goes in here comes out there. */
	assert_int_equal(write(fds[1], "!", 1), 1);
	assert_int_equal(read(pipe_ends[0], got, sizeof(got)), 1);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(pipe_ends[i]);
	}
}

static void
test_what_does_not_fit(void **state)
{
	int sent[CHANNEL_FDS] = { 0, 0, 0, 0 }, fds[CHANNEL_FDS];
	unsigned n_fds, before = open_descriptors();
	char got[4];

	(void)state;
	n_fds = CHANNEL_FDS - 1;
	assert_int_equal(channel_send(ends[0], "x", 1, sent, CHANNEL_FDS), 0);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), fds,
	    &n_fds), -EMSGSIZE);
	assert_int_equal(open_descriptors(), before);

	n_fds = CHANNEL_FDS;
	assert_int_equal(channel_send(ends[0], "too long", 8, sent, 1), 0);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), fds,
	    &n_fds), -EMSGSIZE);
	assert_int_equal(open_descriptors(), before);

	/* The channel is as good as before. */
	assert_int_equal(channel_send(ends[0], "fits", 4, sent, 4), 0);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), fds,
	    &n_fds), 4);
	assert_int_equal(n_fds, 4);
	for (unsigned i = 0; i < n_fds; i++)
		close(fds[i]);
}

/* More than CHANNEL_FDS can only come from a peer that is not channel.c. */
static void
test_too_many_descriptors(void **state)
{
	int sent[CHANNEL_FDS + 4] = { 0 }, fds[CHANNEL_FDS];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(sent))];
	} control = { .space = { 0 } };
	struct iovec piece = { .iov_base = sent, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	unsigned n_fds = CHANNEL_FDS, before = open_descriptors();
	char got[4];

	(void)state;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(sent));
	memcpy(CMSG_DATA(c), sent, sizeof(sent));
	assert_int_equal(sendmsg(ends[0], &msg, 0), 1);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), fds,
	    &n_fds), -EMSGSIZE);
	assert_int_equal(open_descriptors(), before);
}

static void
test_full(void **state)
{
	char got[4];
	unsigned n_fds = 0;
	int err = 0, n = 0;

	(void)state;
	while (err == 0 && n < 100000) {
		err = channel_send(ends[0], "x", 1, NULL, 0);
		n++;
	}
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 1);
	assert_int_equal(channel_send(ends[0], "x", 1, NULL, 0), 0);
}

/* What was sent before the end is still read; then the end is told. */
static void
test_closed(void **state)
{
	char got[4];
	unsigned n_fds = 0;

	(void)state;
	assert_int_equal(channel_send(ends[0], "last", 4, NULL, 0), 0);
	close(ends[0]);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 4);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 0);
	assert_int_equal(channel_send(ends[1], "x", 1, NULL, 0), -EPIPE);
	assert_int_equal(open_ends(state), 0);
}

/* The other end dies with a message of ours unread. */
static void
test_closed_with_unread(void **state)
{
	char got[4];
	unsigned n_fds = 0;

	(void)state;
	assert_int_equal(channel_send(ends[0], "last", 4, NULL, 0), 0);
	assert_int_equal(channel_send(ends[1], "lost", 4, NULL, 0), 0);
	close(ends[0]);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 4);
	assert_memory_equal(got, "last", 4);
	assert_int_equal(channel_receive(ends[1], got, sizeof(got), NULL,
	    &n_fds), 0);
	close(ends[1]);

	assert_int_equal(open_ends(state), 0);
	assert_int_equal(channel_send(ends[1], "lost", 4, NULL, 0), 0);
	close(ends[0]);
	assert_int_equal(channel_send(ends[1], "x", 1, NULL, 0), -EPIPE);
	close(ends[1]);
	assert_int_equal(open_ends(state), 0);
}

int
main(void)
{
#define WITH_ENDS(test) \
	cmocka_unit_test_setup_teardown(test, open_ends, close_ends)
	static const struct CMUnitTest tests[] = {
		WITH_ENDS(test_pair),
		WITH_ENDS(test_messages_keep_their_borders),
		WITH_ENDS(test_descriptors),
		WITH_ENDS(test_what_does_not_fit),
		WITH_ENDS(test_too_many_descriptors),
		WITH_ENDS(test_full),
		WITH_ENDS(test_closed),
		WITH_ENDS(test_closed_with_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
