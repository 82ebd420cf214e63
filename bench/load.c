/* SPDX-License-Identifier: ISC */

/*
 * The load generator of the bench: HTTP/1.1 over io_uring, cheap enough that
 * the server, not this program, is the one that is busy.
 *
 *	load [-c] [-a status] [-h field] [-l bytes] [-n connections]
 *	    [-s seconds] [-z files] port path
 *	load -p			can this kernel do it at all?
 *
 * Each connection sends one request, waits for the whole answer, and sends
 * the next; with -c every request has a connection of its own, which the
 * server has to close.  The head of every answer is read: the status must be
 * 200, or that of -a; Content-Length must be there, must be what -l expects,
 * and exactly as many bytes must follow; a 304 has none.  Long bodies are
 * counted and dropped inside the kernel (MSG_TRUNC).  What was seen is printed
 * as one line of JSON.
 *
 * With -z each request is for one of so many files, whose number stands for
 * the # signs in the path, digit by digit: the k-th most popular is asked for
 * 1/k times as often as the first (Zipf).  Numbers are shuffled, so that what
 * is popular lies anywhere.  The order is the same in every run.
 *
 * Left out on purpose: chunked answers, TLS, pipelining, other addresses
 * than loopback.
 */

#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
	ENTRIES = 4096,
	BUFFER = 4096,		/* any head must fit */
	REQUEST = 1024,
	MAX_ERRORS = 1000,	/* then the run has failed, and ends */
	MAX_FILES = 20000,
	DRAWN = 1 << 20		/* numbers of files; then they come again */
};

enum op { OP_CONNECT, OP_SEND, OP_RECV, OP_TIMER };

struct client {
	int fd;
	size_t got;	/* bytes of the present answer */
	size_t total;	/* its length with its head; 0: not known yet */
	char buf[BUFFER];
	char *request;	/* its own, with -z */
};

struct load {
	struct io_uring ring;
	struct sockaddr_in addr;
	char request[REQUEST];
	unsigned request_len;
	char fields[REQUEST / 2];	/* of -h */
	char status[16];	/* as a status line has it: "200 " */
	size_t body_bytes;	/* expected; 0: whatever the server says */
	unsigned nfiles;	/* of -z; 0: there is one path */
	unsigned *drawn;	/* DRAWN of their numbers */
	unsigned ndrawn;	/* so many were asked for */
	bool closes;
	bool is_over;
	struct client *clients;
	unsigned nclients;
	double seconds;
	unsigned long requests, bytes, errors;
	const char *why;	/* the first error */
};

/*
 * An entry tagged with who and what.  When the queue is full it is handed to
 * the kernel, which empties it.
 */
static struct io_uring_sqe *
entry(struct load *l, enum op op, unsigned client)
{
	struct io_uring_sqe *sqe;

	while ((sqe = io_uring_get_sqe(&l->ring)) == NULL)
		io_uring_submit(&l->ring);
	/* Preparing an entry keeps user_data: it may be set first. */
	io_uring_sqe_set_data64(sqe, (uint64_t)op << 32 | client);
	return sqe;
}

static void
begin_connect(struct load *l, unsigned i)
{
	struct client *c = &l->clients[i];

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		err(1, "socket");
	c->got = 0;
	c->total = 0;
	io_uring_prep_connect(entry(l, OP_CONNECT, i), c->fd,
	    (struct sockaddr *)&l->addr, sizeof(l->addr));
}

/* The head goes to the buffer; the rest of a long body goes nowhere. */
static void
begin_recv(struct load *l, unsigned i)
{
	struct client *c = &l->clients[i];
	struct io_uring_sqe *sqe = entry(l, OP_RECV, i);
	size_t left = c->total - c->got;

	if (c->total == 0)
		io_uring_prep_recv(sqe, c->fd, c->buf + c->got,
		    BUFFER - c->got, 0);
	else if (left == 0)	/* -c: the end of the connection is due */
		io_uring_prep_recv(sqe, c->fd, c->buf, 1, 0);
	else
		io_uring_prep_recv(sqe, c->fd, NULL, left, MSG_TRUNC);
	/* The request is still in the queue: no use looking right now. */
	if (c->got == 0)
		sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
}

/* The request for the next file that was drawn. */
static char *
next_request(struct load *l, struct client *c)
{
	unsigned number = l->drawn[l->ndrawn++ % DRAWN];
	char *p;

	memcpy(c->request, l->request, l->request_len);
	for (p = strchr(c->request, '\r'); p != c->request; p--) {
		if (*p == '#') {
			*p = (char)('0' + number % 10);
			number /= 10;
		}
	}
	return c->request;
}

static void
begin_request(struct load *l, unsigned i)
{
	struct client *c = &l->clients[i];
	struct io_uring_sqe *sqe = entry(l, OP_SEND, i);
	char *request = l->request;

	c->got = 0;
	c->total = 0;
	if (l->nfiles > 0)
		request = next_request(l, c);
	io_uring_prep_send(sqe, c->fd, request, l->request_len, MSG_NOSIGNAL);
	/* A send that works is of no interest: the answer tells. */
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	begin_recv(l, i);
}

static void
fail(struct load *l, unsigned i, const char *why)
{
	if (l->why == NULL)
		l->why = why;
	if (++l->errors >= MAX_ERRORS)
		l->is_over = true;
	close(l->clients[i].fd);
	if (!l->is_over)
		begin_connect(l, i);
}

/* Reads the head in the buffer; a text when the answer is not as it should. */
static const char *
read_head(const struct load *l, struct client *c)
{
	static const char version[] = "HTTP/1.1 ";
	static const char field[] = "\r\nContent-Length:";
	const char *end, *p;
	unsigned long bytes;

	end = memmem(c->buf, c->got, "\r\n\r\n", 4);
	if (end == NULL)
		return c->got < BUFFER ? NULL : "head too long";
	p = c->buf + sizeof(version) - 1;
	if (memcmp(c->buf, version, sizeof(version) - 1) != 0 ||
	    memcmp(p, l->status, strlen(l->status)) != 0)
		return "not the status that was expected";
	if (strcmp(l->status, "304 ") == 0) {
		c->total = (size_t)(end - c->buf) + 4;
		return NULL;
	}
	for (p = c->buf; p < end; p++)
		if (*p == '\r' &&
		    strncasecmp(p, field, sizeof(field) - 1) == 0)
			break;
	if (p == end)
		return "no Content-Length";
	/* The blank line ends the number: strtoul stays in the buffer. */
	bytes = strtoul(p + sizeof(field) - 1, NULL, 10);
	if (l->body_bytes != 0 && bytes != l->body_bytes)
		return "wrong Content-Length";
	c->total = (size_t)(end - c->buf) + 4 + bytes;
	return NULL;
}

static void
on_eof(struct load *l, unsigned i)
{
	struct client *c = &l->clients[i];

	if (!l->closes || c->total == 0 || c->got != c->total) {
		fail(l, i, "closed too early");
		return;
	}
	l->requests++;
	close(c->fd);
	begin_connect(l, i);
}

static void
on_recv(struct load *l, unsigned i, int res)
{
	struct client *c = &l->clients[i];
	const char *why = NULL;

	if (res == 0) {
		on_eof(l, i);
		return;
	}
	if (res < 0) {
		fail(l, i, strerror(-res));
		return;
	}
	c->got += (size_t)res;
	l->bytes += (unsigned long)res;
	if (c->total == 0)
		why = read_head(l, c);
	if (why == NULL && c->total != 0 && c->got > c->total)
		why = "more bytes than Content-Length";
	if (why != NULL) {
		fail(l, i, why);
	} else if (c->total != 0 && c->got == c->total && !l->closes) {
		l->requests++;
		begin_request(l, i);
	} else {
		begin_recv(l, i);
	}
}

static void
on_event(struct load *l, const struct io_uring_cqe *cqe)
{
	unsigned i = (unsigned)cqe->user_data;

	switch ((enum op)(cqe->user_data >> 32)) {
	case OP_CONNECT:
		if (cqe->res < 0)
			fail(l, i, strerror(-cqe->res));
		else
			begin_request(l, i);
		break;
	case OP_RECV:
		on_recv(l, i, cqe->res);
		break;
	case OP_SEND:
		/* Only failures come here; the receive sees them as well. */
		break;
	case OP_TIMER:
		l->is_over = true;
		break;
	}
}

static int
open_ring(struct load *l)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
		    IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
		.cq_entries = 4 * ENTRIES,
	};
	int res;

	res = io_uring_queue_init_params(ENTRIES, &l->ring, &params);
	if (res == 0)
		(void)io_uring_register_ring_fd(&l->ring);
	return res;
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
run(struct load *l)
{
	struct __kernel_timespec span = {
		.tv_sec = (long)l->seconds,
		.tv_nsec = (long)((l->seconds - (double)(long)l->seconds) *
		    1e9),
	};
	struct io_uring_cqe *cqe;
	unsigned head, i, n;

	io_uring_prep_timeout(entry(l, OP_TIMER, 0), &span, 0, 0);
	for (i = 0; i < l->nclients; i++)
		begin_connect(l, i);
	while (!l->is_over) {
		(void)io_uring_submit_and_wait(&l->ring, 1);
		n = 0;
		io_uring_for_each_cqe(&l->ring, head, cqe) {
			on_event(l, cqe);
			n++;
		}
		io_uring_cq_advance(&l->ring, n);
	}
}

static void
usage(void)
{
	fprintf(stderr, "usage: load [-c] [-a status] [-h field] [-l bytes] "
	    "[-n connections]\n            [-s seconds] [-z files] "
	    "port path\n       load -p\n");
	exit(64);
}

static void
add_field(struct load *l, const char *field)
{
	size_t n = strlen(l->fields);
	int more = snprintf(l->fields + n, sizeof(l->fields) - n, "%s\r\n",
	    field);

	if (more < 0 || (size_t)more >= sizeof(l->fields) - n)
		errx(1, "fields too long");
}

static void
parse_options(struct load *l, int argc, char *argv[])
{
	int opt, res;

	while ((opt = getopt(argc, argv, "a:ch:l:n:ps:z:")) != -1) {
		switch (opt) {
		case 'a':
			snprintf(l->status, sizeof(l->status), "%s ", optarg);
			break;
		case 'c':
			l->closes = true;
			break;
		case 'h':
			add_field(l, optarg);
			break;
		case 'l':
			l->body_bytes = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			l->nclients = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'p':
			res = open_ring(l);
			if (res < 0)
				errx(1, "io_uring: %s", strerror(-res));
			exit(0);
		case 's':
			l->seconds = strtod(optarg, NULL);
			break;
		case 'z':
			l->nfiles = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2 || l->nclients == 0)
		usage();
}

static void
make_request(struct load *l, const char *port, const char *path)
{
	int n;

	l->addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	n = snprintf(l->request, sizeof(l->request), "GET %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1:%s\r\n%s%s\r\n", path, port, l->fields,
	    l->closes ? "Connection: close\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(l->request))
		errx(1, "path too long");
	l->request_len = (unsigned)n;
}

/* The same numbers in every run and on every machine. */
static unsigned
noise(void)
{
	static uint64_t seed = 4711;

	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(seed >> 33);
}

/* The first whose share, with all before it, is more than `at`. */
static unsigned
place_of(const double *shares, unsigned n, double at)
{
	unsigned low = 0, high = n - 1, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (shares[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void
draw(struct load *l)
{
	double *shares = calloc(l->nfiles, sizeof(*shares)), sum = 0;
	unsigned *names = calloc(l->nfiles, sizeof(*names)), i, other;

	l->drawn = calloc(DRAWN, sizeof(*l->drawn));
	if (shares == NULL || names == NULL || l->drawn == NULL)
		err(1, "%u files", l->nfiles);
	for (i = 0; i < l->nfiles; i++) {
		shares[i] = sum += 1 / (double)(i + 1);
		other = noise() % (i + 1);
		names[i] = names[other];
		names[other] = i;
	}
	for (i = 0; i < DRAWN; i++)
		l->drawn[i] = names[place_of(shares, l->nfiles,
		    sum * noise() / 0x80000000)];
	free(shares);
	free(names);
	for (i = 0; i < l->nclients; i++) {
		l->clients[i].request = malloc(REQUEST);
		if (l->clients[i].request == NULL)
			err(1, "%u connections", l->nclients);
	}
}

int
main(int argc, char *argv[])
{
	const struct rlimit files = { MAX_FILES, MAX_FILES };
	struct load l = { .nclients = 64, .seconds = 2, .status = "200 " };
	double start, wall;
	int res;

	parse_options(&l, argc, argv);
	make_request(&l, argv[optind], argv[optind + 1]);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	l.clients = calloc(l.nclients, sizeof(*l.clients));
	if (l.clients == NULL)
		err(1, "%u connections", l.nclients);
	if (l.nfiles > 0)
		draw(&l);
	res = open_ring(&l);
	if (res < 0)
		errx(1, "io_uring: %s", strerror(-res));
	start = now();
	run(&l);
	wall = now() - start;
	printf("{\"requests\": %lu, \"bytes\": %lu, \"seconds\": %.4f, "
	    "\"errors\": %lu, \"why\": \"%s\"}\n", l.requests, l.bytes, wall,
	    l.errors, l.why != NULL ? l.why : "");
	return 0;
}
