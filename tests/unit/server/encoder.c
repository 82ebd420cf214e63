/* SPDX-License-Identifier: ISC */
/*
 * The encoder as a process of its own, asked by workers that are this test:
 * sound ones, and others.
 */

#include "server/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../folder.h"
#include "../cases.h"
#include "../decode.h"
#include "net/channel.h"
#include "server/order.h"
#include "site/encode_msg.h"

#define WAIT_MS 60000           /* a bound on failures, nothing else */
#define MOST ((uint64_t)4 << 20)

static struct folder folder;
static pid_t process;
static int orders, channel;

static int
add_worker(unsigned number)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(order_send(orders, ORDER_PEER, number, ends[1]), 0);
	close(ends[1]);
	return ends[0];
}

static int
start(void **state)
{
	struct encoder_setup setup = { .most = MOST };
	int ends[2];

	(void)state;
	folder_open(&folder);
	if (channel_pair(ends) < 0)
		return -1;
	fflush(NULL);
	process = fork();
	if (process == 0) {
		close(ends[0]);
		setup.orders = ends[1];
		_exit(encoder_run(&setup));
	}
	close(ends[1]);
	orders = ends[0];
	channel = add_worker(0);
	return 0;
}

/* It ends by itself when nobody is there any more. */
static int
stop(void **state)
{
	int status;

	(void)state;
	close(orders);
	close(channel);
	assert_int_equal(waitpid(process, &status, 0), process);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	folder_close(&folder);
	return 0;
}

static bool
wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1;
}

static int
open_file(const char *name, struct encode_state *out_state)
{
	int fd = openat(folder.fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*out_state = encode_state_of(&st);
	return fd;
}

static void
ask(int worker, uint32_t id, const char *name, enum coding c)
{
	struct encode_ask message = { .id = id, .coding = c };
	int fd = open_file(name, &message.state);

	assert_int_equal(channel_send(worker, &message, sizeof(message), &fd,
	    1), 0);
	close(fd);
}

/* The descriptor, -1 when nothing was made. */
static int
reply_of(int worker, struct encode_reply *out_reply)
{
	unsigned n_fds = 1;
	int fd = -1;
	ssize_t n;

	assert_true(wait_for(worker));
	n = channel_receive(worker, out_reply, sizeof(*out_reply), &fd,
	    &n_fds);
	assert_true(n > 0);
	assert_true(encode_reply_is_valid(out_reply, (size_t)n, n_fds));
	return n_fds == 1 ? fd : -1;
}

static bool
is_closed(int fd)
{
	unsigned n_fds = 0;
	char byte;

	return wait_for(fd) && channel_receive(fd, &byte, 1, NULL, &n_fds) == 0;
}

/* Is it sealed, and what `plain` becomes in that coding? */
static void
check_made(int fd, enum coding c, struct str plain)
{
	char *coded = malloc(plain.n);
	ssize_t n;

	assert_non_null(coded);
	assert_int_equal(fcntl(fd, F_GET_SEALS),
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	n = pread(fd, coded, plain.n, 0);
	assert_true(n > 0 && (size_t)n < plain.n);
	decode_expect(c, (struct str){ coded, (size_t)n }, plain);
	free(coded);
	close(fd);
}

static char *
text_of(size_t n)
{
	char *text = malloc(n);

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i / 7 % 26 * (i % 3 != 0));
	return text;
}

static void
test_made(void **state)
{
	static const size_t sizes[] = { 512, 70000, (size_t)1 << 20, MOST };
	struct encode_reply reply;
	uint32_t id = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct str plain = { text_of(sizes[i]), sizes[i] };

		folder_file(&folder, "f", plain);
		for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
			int fd;

			ask(channel, ++id, "f", (enum coding)c);
			fd = reply_of(channel, &reply);
			assert_int_equal(reply.id, id);
			assert_int_equal(reply.kind, ENCODE_MADE);
			check_made(fd, (enum coding)c, plain);
		}
		free((char *)(uintptr_t)plain.p);
	}
}

/* One makes it, all have it: it is the same memory. */
static void
test_made_once(void **state)
{
	struct str plain = { text_of(100000), 100000 };
	struct encode_reply first, second;
	struct stat a, b;
	int worker, one, other;

	(void)state;
	folder_file(&folder, "f", plain);
	worker = add_worker(1);
	ask(channel, 1, "f", CODING_BR);
	ask(worker, 7, "f", CODING_BR);
	one = reply_of(channel, &first);
	other = reply_of(worker, &second);
	assert_int_equal(second.id, 7);
	assert_int_equal(first.digest, second.digest);
	assert_int_equal(fstat(one, &a), 0);
	assert_int_equal(fstat(other, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(one);
	close(other);
	close(worker);
	free((char *)(uintptr_t)plain.p);
}

/* Many questions at once, of which each is answered. */
static void
test_many(void **state)
{
	struct str plain = { text_of(5000), 5000 };
	struct encode_reply reply;
	int workers[4];

	(void)state;
	folder_file(&folder, "f", plain);
	for (unsigned w = 0; w < COUNT(workers); w++) {
		workers[w] = add_worker(w);
		for (uint32_t id = 0; id < 20; id++)
			ask(workers[w], id, "f", CODING_REAL + id % 3);
	}
	for (unsigned w = 0; w < COUNT(workers); w++) {
		for (uint32_t id = 0; id < 20; id++) {
			int fd = reply_of(workers[w], &reply);

			assert_int_equal(reply.id, id);
			check_made(fd, CODING_REAL + id % 3, plain);
		}
		close(workers[w]);
	}
	free((char *)(uintptr_t)plain.p);
}

static void
test_no_gain(void **state)
{
	struct encode_reply reply;
	unsigned at = 4711;
	char noise[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++) {
		at = at * 1103515245 + 12345;
		noise[i] = (char)(at >> 16);
	}
	folder_file(&folder, "f", (struct str){ noise, sizeof(noise) });
	for (uint32_t id = 0; id < 6; id++) {
		ask(channel, id, "f", CODING_REAL + id % 3);
		assert_int_equal(reply_of(channel, &reply), -1);
		assert_int_equal(reply.id, id);
		assert_int_equal(reply.kind, ENCODE_NOT_SMALLER);
	}
}

/* The worker knows another state of the file than there is. */
static void
test_changed(void **state)
{
	struct encode_ask message = { .id = 1, .coding = CODING_GZIP };
	struct encode_reply reply;
	char *text = text_of(6000);
	int fd;

	(void)state;
	folder_file(&folder, "f", (struct str){ text, 6000 });
	fd = open_file("f", &message.state);
	folder_file(&folder, "f", (struct str){ text, 5999 });
	assert_int_equal(channel_send(channel, &message, sizeof(message), &fd,
	    1), 0);
	close(fd);
	assert_int_equal(reply_of(channel, &reply), -1);
	assert_int_equal(reply.kind, ENCODE_FAILED);
	/* Nor is it had from what was made of the state before. */
	message.id = 2;
	folder_file(&folder, "g", (struct str){ text, 6000 });
	fd = open_file("g", &message.state);
	assert_int_equal(channel_send(channel, &message, sizeof(message), &fd,
	    1), 0);
	close(reply_of(channel, &reply));
	assert_int_equal(reply.kind, ENCODE_MADE);
	close(fd);
	fd = openat(folder.fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(channel_send(channel, &message, sizeof(message), &fd,
	    1), 0);
	assert_int_equal(reply_of(channel, &reply), -1);
	assert_int_equal(reply.kind, ENCODE_FAILED);
	close(fd);
	free(text);
}

/* A worker leaves while its file is compressed: others get theirs. */
static void
test_leaves(void **state)
{
	struct str plain = { text_of(MOST), MOST };
	struct encode_reply reply;
	int worker = add_worker(1);

	(void)state;
	folder_file(&folder, "large", plain);
	folder_file(&folder, "f", (struct str){ plain.p, 1000 });
	ask(worker, 1, "large", CODING_BR);
	ask(worker, 2, "large", CODING_ZSTD);
	ask(channel, 3, "f", CODING_BR);
	close(worker);
	check_made(reply_of(channel, &reply), CODING_BR,
	    (struct str){ plain.p, 1000 });
	assert_int_equal(reply.id, 3);
	free((char *)(uintptr_t)plain.p);
}

static const struct {
	const char *what;
	size_t bytes;
	unsigned n_fds;
	uint32_t coding;
	uint64_t size;
} malformed[] = {
	{ "short", sizeof(struct encode_ask) - 1, 1, CODING_BR, 1000 },
	{ "one byte", 1, 1, CODING_BR, 1000 },
	{ "long", sizeof(struct encode_ask) + 1, 1, CODING_BR, 1000 },
	{ "no file", sizeof(struct encode_ask), 0, CODING_BR, 1000 },
	{ "two files", sizeof(struct encode_ask), 2, CODING_BR, 1000 },
	{ "identity", sizeof(struct encode_ask), 1, CODING_IDENTITY, 1000 },
	{ "no coding", sizeof(struct encode_ask), 1, CODING_COUNT, 1000 },
	{ "wild", sizeof(struct encode_ask), 1, UINT32_MAX, 1000 },
	{ "too small", sizeof(struct encode_ask), 1, CODING_BR, 511 },
	{ "too large", sizeof(struct encode_ask), 1, CODING_BR, MOST + 1 },
};

static void
test_malformed(void **state)
{
	struct {
		struct encode_ask ask;
		char more[8];
	} message;
	struct order_msg m;
	int fds[2] = { 0, 0 }, fd;

	(void)state;
	for (unsigned i = 0; i < COUNT(malformed); i++) {
		int worker = add_worker(i);

		memset(&message, 0, sizeof(message));
		message.ask.coding = malformed[i].coding;
		message.ask.state.size = malformed[i].size;
		assert_int_equal(channel_send(worker, &message,
		    malformed[i].bytes, fds, malformed[i].n_fds), 0);
		if (!is_closed(worker))
			fail_msg("%s", malformed[i].what);
		close(worker);
		assert_true(wait_for(orders));
		assert_int_equal(order_receive(orders, &m, &fd), 1);
		assert_int_equal(m.order, ORDER_END_WORKER);
		assert_int_equal(m.worker, i);
	}
}

/* Told to stop at once, it does not finish a long work. */
static void
test_stop_now(void **state)
{
	struct str plain = { text_of(MOST), MOST };

	(void)state;
	folder_file(&folder, "large", plain);
	ask(channel, 1, "large", CODING_ZSTD);
	assert_int_equal(order_send(orders, ORDER_STOP_NOW, 0, -1), 0);
	assert_true(is_closed(channel));
	free((char *)(uintptr_t)plain.p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_made),
		TEST(test_made_once),
		TEST(test_many),
		TEST(test_no_gain),
		TEST(test_changed),
		TEST(test_leaves),
		TEST(test_malformed),
		TEST(test_stop_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
