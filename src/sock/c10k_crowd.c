/* SPDX-License-Identifier: ISC */
/*
 * The clients of sock c10k, all in this process.  It waits for one at a time,
 * so what it costs does not depend on how many there are.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sock/c10k_priv.h"

#define NS_PER_S INT64_C(1000000000)
#define PATIENCE_S 10
/* So many come at a time, fewer than may wait to be accepted. */
#define BATCH 256
/* Of the 28,232 ports of an address (ip(7)): to find a free one takes time. */
#define PORTS 3000
#define ANSWER_MAX 4096
#define COUNT_ROUNDS 32
/* The call that is cut off at the end must not count for much. */
#define COUNT_LEAST 16
#define COUNT_NS (NS_PER_S / 10)

#define PING "ping"
#define GET "GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define GOOD "HTTP/1.1 200"
#define LENGTH "\r\nContent-Length: "

int64_t
c10k_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ------------------------------------------------------------ connecting */

/* Gone at once, without leaving anything in TIME-WAIT. */
static void
drop(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* Once 127.0.0.1 has many, the next come from 127.0.0.2. */
static int
choose_source(int fd, unsigned number)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK + number / PORTS) },
	};
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (number < PORTS)
		return 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (const struct sockaddr *)&from, sizeof(from)) == -1 ?
	    -errno : 0;
}

/*
 * To have tried io_uring here leaves the kernel some work in this process, and
 * who waits then, with a time limit, has EINTR without any signal.  On Linux
 * connect(2) may be called again: it waits for the connection that it began.
 */
static int
connect_to(int fd, const struct sockaddr *sa, socklen_t len)
{
	int result;

	do
		result = connect(fd, sa, len);
	while (result == -1 && errno == EINTR);
	if (result == -1)
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	return 0;
}

/* A descriptor or a negative errno. */
static int
come(const struct crowd *c, unsigned number)
{
	const struct sockaddr *sa =
	    (const struct sockaddr *)&c->server->address;
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd == -1)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (sa->sa_family == AF_INET)
		err = choose_source(fd, number);
	if (err == 0)
		err = connect_to(fd, sa, c->server->address_len);
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

/* ---------------------------------------------------------------- asking */

static int
ask(const struct crowd *c, int fd)
{
	size_t n = strlen(c->question);
	ssize_t sent;

	do
		sent = send(fd, c->question, n, MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent == (ssize_t)n ? 0 : -errno;
}

/*
 * How long the answer is, of which this is the beginning; 0 when that cannot be
 * said yet.  Two answers of a web server need not be equally long: it has no
 * strong tag for a file that has just been made.
 */
static size_t
answer_size(const struct crowd *c, const char *answer)
{
	const char *end, *length;

	if (!c->is_http)
		return strlen(PING);
	end = strstr(answer, "\r\n\r\n");
	length = strcasestr(answer, LENGTH);
	if (end == NULL || length == NULL || length > end)
		return 0;
	return (size_t)(end + 4 - answer) +
	    strtoul(length + strlen(LENGTH), NULL, 10);
}

static ssize_t
receive(int fd, char *p, size_t n, int flags)
{
	ssize_t got;

	do
		got = recv(fd, p, n, flags);
	while (got == -1 && errno == EINTR);
	return got;
}

/* 0, or -ECONNRESET when it is not what was expected. */
static int
hear(const struct crowd *c, int fd, int flags)
{
	const char *begins = c->is_http ? GOOD : PING;
	char answer[ANSWER_MAX];
	size_t got = 0;
	ssize_t n;

	do {
		n = receive(fd, answer + got, sizeof(answer) - 1 - got,
		    got == 0 ? flags : 0);
		if (n == -1)
			return errno == EAGAIN && !(flags & MSG_DONTWAIT) ?
			    -ETIMEDOUT : -errno;
		if (n == 0)
			return -ECONNRESET;
		got += (size_t)n;
		answer[got] = '\0';
	} while (got != answer_size(c, answer));
	return memcmp(answer, begins, strlen(begins)) == 0 ? 0 : -ECONNRESET;
}

/* ------------------------------------------------------------- the crowd */

int
crowd_open(struct crowd *c, const struct c10k_server *s, bool is_http,
    unsigned n_active, unsigned room)
{
	int fd;

	*c = (struct crowd){
		.server = s,
		.question = is_http ? GET : PING,
		.is_http = is_http,
		.room = room,
	};
	c->fds = calloc(room + n_active, sizeof(c->fds[0]));
	if (c->fds == NULL)
		return -ENOMEM;
	for (; c->n_active < n_active; c->n_active++) {
		fd = come(c, 0);
		if (fd < 0)
			return fd;
		c->fds[c->n_active] = fd;
	}
	return 0;
}

void
crowd_close(struct crowd *c)
{
	for (unsigned i = 0; i < c->n_active + c->n; i++)
		drop(c->fds[i]);
	free(c->fds);
	*c = (struct crowd){ .n = 0 };
}

/* Up to `most` come and ask; *out_n is how many. */
static int
let_come(struct crowd *c, unsigned most, unsigned *out_n)
{
	int *fds = c->fds + c->n_active + c->n, err;

	for (*out_n = 0; *out_n < most; (*out_n)++) {
		fds[*out_n] = come(c, c->n_active + c->n + *out_n);
		if (fds[*out_n] < 0)
			return fds[*out_n];
		err = ask(c, fds[*out_n]);
		if (err < 0) {
			drop(fds[*out_n]);
			return err;
		}
	}
	return 0;
}

int
crowd_grow(struct crowd *c, unsigned n)
{
	unsigned came, heard;
	int err = 0;

	while (c->n < n && err == 0) {
		int *fds = c->fds + c->n_active + c->n;
		int failed = 0;

		err = let_come(c, n - c->n < BATCH ? n - c->n : BATCH, &came);
		for (heard = 0; heard < came && failed == 0; heard++)
			failed = hear(c, fds[heard], 0);
		heard -= failed < 0;
		for (unsigned i = heard; i < came; i++)
			drop(fds[i]);
		c->n += heard;
		err = failed < 0 ? failed : err;
	}
	return err;
}

int
crowd_ask(struct crowd *c, unsigned rounds, int64_t until_ns,
    struct histogram *times, uint64_t *out_events)
{
	int64_t asked_ns[C10K_ACTIVE_MAX];
	int err;

	*out_events = 0;
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < c->n_active; i++) {
			asked_ns[i] = c10k_now_ns();
			err = ask(c, c->fds[i]);
			if (err < 0)
				return err;
		}
		for (unsigned i = 0; i < c->n_active; i++) {
			err = hear(c, c->fds[i], 0);
			if (err < 0)
				return err;
			histogram_add(times,
			    (uint64_t)(c10k_now_ns() - asked_ns[i]));
		}
		*out_events += c->n_active;
		if (c10k_now_ns() >= until_ns)
			break;
	}
	return 0;
}

int
crowd_visit(struct crowd *c, unsigned n, struct histogram *times)
{
	int64_t since_ns = c10k_now_ns();
	unsigned came;
	int err = let_come(c, n, &came), failed;

	for (unsigned i = 0; i < came; i++) {
		failed = hear(c, c->fds[i], 0);
		if (failed == 0)
			histogram_add(times,
			    (uint64_t)(c10k_now_ns() - since_ns));
		else if (err == 0)
			err = failed;
		drop(c->fds[i]);
	}
	return err;
}

/* -------------------------------------------------------------- counting */

static int
begin_round(struct crowd *c)
{
	int err = 0;

	c->at = 0;
	for (unsigned i = 0; i < c->n_active && err == 0; i++)
		err = ask(c, c->fds[i]);
	return err;
}

/* For family_count_calls: hears what has come, and asks again. */
static int
count_step(void *context)
{
	struct crowd *c = context;
	int err = 0;

	while (c->at < c->n_active && err == 0) {
		err = hear(c, c->fds[c->at], MSG_DONTWAIT);
		c->at += err == 0;
	}
	if (err < 0)
		return err == -EAGAIN ? 1 : err;
	if (c->rounds_left == 0 ||
	    (c->rounds_left <= COUNT_ROUNDS - COUNT_LEAST &&
	    c10k_now_ns() >= c->until_ns))
		return 0;
	c->rounds_left--;
	err = begin_round(c);
	return err < 0 ? err : 2;
}

/*
 * The last to answer is who is waited for; the answers of all others are there
 * when its is, or come as soon.
 */
double
crowd_count_calls(struct crowd *c, const struct family *f)
{
	unsigned rounds = COUNT_ROUNDS;
	int64_t calls;

	c->rounds_left = rounds;
	if (begin_round(c) < 0)
		return -1;
	c->until_ns = c10k_now_ns() + COUNT_NS;
	calls = family_count_calls(f, c->fds[c->n_active - 1], count_step, c);
	/* Answers that nobody waited for would be taken for the next ones. */
	while (c->at < c->n_active)
		if (hear(c, c->fds[c->at++], 0) < 0)
			return -1;
	rounds -= c->rounds_left;
	return calls < 0 || rounds == 0 ? -1 :
	    (double)calls / ((double)rounds * c->n_active);
}
