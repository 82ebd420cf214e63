/* SPDX-License-Identifier: ISC */
/*
 * Labs on waiting for several descriptors: select(2), pselect(2), and the
 * engines of this program, after the lecture's two-sockets.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/engine.h"
#include "sock/lab_calls.h"
#include "sock/lab_list.h"

#define TEXT_BYTES 128

/* -------------------------------------------------------------- select */

static void
bits(const fd_set *set, int n, char out[TEXT_BYTES])
{
	int i;

	for (i = 0; i < n && i < TEXT_BYTES - 1; i++)
		out[i] = FD_ISSET(i, set) ? '1' : '.';
	out[i] = '\0';
}

/* Readable and exceptional of one descriptor; io_wait NULL is for ever. */
static int
select_one(struct lab *lab, int fd, struct timeval *io_wait)
{
	fd_set in, except;
	char text[TEXT_BYTES];
	int n, err;

	FD_ZERO(&in);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &except);
	n = select(fd + 1, &in, NULL, &except, io_wait);
	err = n == -1 ? errno : 0;
	bits(&in, fd + 1, text);
	lab_note(lab, "select(%d, %s) = %d%s%s", fd + 1, err == 0 ? text : "",
	    n, err == 0 ? "" : " ", err == 0 ? "" : strerrorname_np(err));
	return err == 0 ? n : -err;
}

static double
ms_of(const struct timeval *t)
{
	return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

static int
write_late(struct lab *lab, void *arg)
{
	lab_pause(50);
	return lab_write(lab, *(int *)arg, "late") == 4 ? 0 : 1;
}

static void
show_timeouts(struct lab *lab)
{
	struct timeval none = { 0 }, wait = { .tv_usec = 300000 };
	struct timeval rest = { .tv_sec = 60 };
	double begun = lab_ms(), ms;
	int ends[2], n;
	pid_t child;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	n = select_one(lab, ends[0], &none);
	lab_expect(lab, n == 0, "a timeout of 0 asks and does not wait");
	begun = lab_ms();
	n = select_one(lab, ends[0], &wait);
	ms = lab_ms() - begun;
	lab_expect(lab, n == 0 && ms >= 300, "300 ms: it waited %.1f", ms);
	begun = lab_ms();
	child = lab_fork(lab, "writer", write_late, &ends[1]);
	n = select_one(lab, ends[0], NULL);
	ms = lab_ms() - begun;
	lab_expect(lab, n == 1 && ms >= 50, "NULL: it waited %.1f ms, until"
	    " there was something", ms);
	lab_wait(lab, child);
	n = select_one(lab, ends[0], &rest);
	lab_expect(lab, n == 1 && ms_of(&rest) < 60000, "Linux writes the rest"
	    " of the time back: %.3f of 60000 ms", ms_of(&rest));
}

static void
show_readable(struct lab *lab)
{
	struct timeval none = { 0 };
	char text[TEXT_BYTES];
	int ends[2], file, n;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	lab_close(lab, ends[1]);
	n = select_one(lab, ends[0], &none);
	lab_expect(lab, n == 1 && lab_read(lab, ends[0], text,
	    sizeof(text)) == 0, "the end is readable: select 1, read 0");
	file = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	lab_must(lab, file, "open");
	none = (struct timeval){ 0 };
	n = select_one(lab, file, &none);
	lab_expect(lab, n == 1, "a regular file is always ready");
	close(file);
	none = (struct timeval){ 0 };
	n = select_one(lab, file, &none);
	lab_expect(lab, n == -EBADF, "a closed descriptor: EBADF");
}

static void
show_listener(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	struct timeval wait = { .tv_sec = LAB_AWAIT_MS / 1000 };
	int fd = lab_listener(lab, &at, 1), n;

	lab_client(lab, &at);
	n = select_one(lab, fd, &wait);
	lab_expect(lab, n == 1, "a client makes the listener readable");
	n = lab_poll(lab, fd, POLLIN, 0);
	lab_expect(lab, n == POLLIN, "poll says the same: IN");
}

/* epoll(7) will not have what is always ready. */
static void
show_epoll_and_file(struct lab *lab)
{
	struct watch w = { .wanted = READY_IN };
	struct loop *loop;
	int err;

	if (loop_open("epoll", &loop) < 0) {
		lab_skip(lab, "no epoll here");
		return;
	}
	w.fd = open("file", O_RDONLY | O_CLOEXEC);
	err = loop_add(loop, &w);
	lab_note(lab, "epoll_ctl(ADD, a regular file): %s",
	    err == 0 ? "0" : strerrorname_np(-err));
	lab_expect(lab, err == -EPERM, "epoll refuses a regular file: EPERM");
	loop_close(loop);
	close(w.fd);
}

void
lesson_select(struct lab *lab)
{
	show_timeouts(lab);
	show_readable(lab);
	show_listener(lab);
	show_epoll_and_file(lab);
	lab_say(lab, "Ready means that the call will not wait: for data, for"
	    " the end, or for a new connection.");
}

/* ----------------------------------------------------------- fdsetsize */

#define FAR 1500                /* above FD_SETSIZE, which is 1024 */
#define FAR_BITS 4096

#ifdef __GLIBC__
/* What FD_SET calls when it is compiled with _FORTIFY_SOURCE. */
extern long __fdelt_chk(long fd);
#endif

static int
set_far_bit(struct lab *lab, void *arg)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)arg;
	/* The library's last words are for the terminal. */
	dup2(null, STDERR_FILENO);
	lab_note(lab, "FD_SET(%d, &set), with _FORTIFY_SOURCE", FAR);
#ifdef __GLIBC__
	return (int)__fdelt_chk(FAR);
#else
	return 0;
#endif
}

static void
show_library_limit(struct lab *lab)
{
#ifdef __GLIBC__
	int status = lab_wait(lab, lab_fork(lab, "child", set_far_bit, NULL));

	lab_expect(lab, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	    "FD_SET(%d): the library, asked to look, aborts: FD_SETSIZE is"
	    " %d", FAR, FD_SETSIZE);
#else
	(void)set_far_bit;
	lab_skip(lab, "this C library does not look at FD_SET");
#endif
}

/* Room for descriptors up to FAR; false when the hard limit is lower. */
static bool
raise_limit(struct lab *lab)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return false;
	if (limit.rlim_max <= FAR) {
		lab_skip(lab, "descriptors end at %llu",
		    (unsigned long long)limit.rlim_max);
		return false;
	}
	if (limit.rlim_cur <= FAR)
		limit.rlim_cur = FAR + 1;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void
lesson_fdsetsize(struct lab *lab)
{
	/* A set of our own, which has the shape that the kernel wants. */
	static union {
		fd_set set;
		unsigned long words[FAR_BITS / (8 * sizeof(unsigned long))];
	} own;
	size_t per_word = 8 * sizeof(unsigned long);
	struct timeval none = { 0 };
	int ends[2], far, n;

	show_library_limit(lab);
	lab_must(lab, lab_pipe(lab, ends), "pipe");
	if (!raise_limit(lab))
		return;
	far = fcntl(ends[0], F_DUPFD_CLOEXEC, FAR);
	lab_must(lab, far == -1 ? -errno : 0, "dup");
	lab_write(lab, ends[1], "x");
	own.words[(size_t)far / per_word] |= 1ul << ((size_t)far % per_word);
	n = select(far + 1, &own.set, NULL, NULL, &none);
	lab_note(lab, "select(%d, own set of %d bits) = %d", far + 1, FAR_BITS,
	    n);
	lab_expect(lab, n == 1, "with a larger set select(2) itself knows"
	    " descriptor %d", far);
	lab_claim(lab, 20, n != 1, "FD_SET ends at %d, but the kernel's select"
	    " took descriptor %d", FD_SETSIZE, far);
	n = lab_poll(lab, far, POLLIN, 0);
	lab_expect(lab, n == POLLIN, "poll(2) does not care");
	lab_say(lab, "FD_SETSIZE is the size of the library's fd_set. A"
	    " program that sets a bit beyond it writes into other memory,"
	    " unless somebody looks.");
}

/* ------------------------------------------------------------- pselect */

#define ASKED_NS 500
#define TRIES 21

static void
on_signal(int number)
{
	(void)number;
}

static int
by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* The median of several waits, in nanoseconds. */
static double
measure_wait(void)
{
	struct timespec wait;
	double waited[TRIES];

	for (int i = 0; i < TRIES; i++) {
		wait = (struct timespec){ .tv_nsec = ASKED_NS };
		waited[i] = lab_ms();
		pselect(0, NULL, NULL, NULL, &wait, NULL);
		waited[i] = (lab_ms() - waited[i]) * 1e6;
	}
	qsort(waited, TRIES, sizeof(waited[0]), by_size);
	return waited[TRIES / 2];
}

static void
show_mask(struct lab *lab)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct timespec wait = { .tv_sec = 60 };
	sigset_t blocked, now, none;
	int n, err;

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	lab_note(lab, "SIGUSR1 is blocked, and has come");
	n = pselect(0, NULL, NULL, NULL, &wait, &none);
	err = errno;
	lab_note(lab, "pselect(60 s, empty mask) = %d %s", n,
	    n == -1 ? strerrorname_np(err) : "");
	lab_expect(lab, n == -1 && err == EINTR, "pselect unblocks and waits in"
	    " one step: EINTR at once");
	sigprocmask(SIG_BLOCK, NULL, &now);
	lab_expect(lab, sigismember(&now, SIGUSR1) == 1,
	    "afterwards the signal is blocked again");
}

void
lesson_pselect(struct lab *lab)
{
	double waited;

	show_mask(lab);
	waited = measure_wait();
	lab_state(lab, "asked for %d ns, waited %.0f ns (median of %d)",
	    ASKED_NS, waited, TRIES);
	lab_expect(lab, waited >= ASKED_NS, "%d ns asked, %.1f us waited",
	    ASKED_NS, waited / 1e3);
	lab_claim(lab, 12, waited < 2 * ASKED_NS, "%d ns asked, %.1f us waited"
	    " (median of %d): its argument counts nanoseconds, the machine"
	    " does not", ASKED_NS, waited / 1e3, TRIES);
	lab_say(lab, "What pselect(2) adds is the mask: without it, a signal"
	    " between the test of a flag and the call is slept over.");
}

/* ----------------------------------------------------------------- mux */

struct two_readers {
	int a, b, told;
};

/* The lecture's two-sockets.c: one after the other, each blocking. */
static int
read_in_turn(struct lab *lab, void *arg)
{
	const struct two_readers *r = arg;
	char text[TEXT_BYTES];

	lab_read(lab, r->a, text, sizeof(text));
	lab_read(lab, r->b, text, sizeof(text));
	return write(r->told, "x", 1) == 1 ? 0 : 1;
}

static void
show_blocking(struct lab *lab, struct lab_addr to[2], struct two_readers r)
{
	int told[2], sender, n;
	pid_t child;

	lab_must(lab, pipe2(told, O_CLOEXEC) == -1 ? -errno : 0, "pipe");
	sender = lab_socket(lab, AF_INET, SOCK_DGRAM, 0);
	r.told = told[1];
	child = lab_fork(lab, "server", read_in_turn, &r);
	lab_send_to(lab, sender, "for B", &to[1]);
	n = lab_poll(lab, told[0], POLLIN, 100);
	lab_expect(lab, n == 0, "blocking: B has a message, the server waits"
	    " for A");
	lab_send_to(lab, sender, "for A", &to[0]);
	n = lab_poll(lab, told[0], POLLIN, LAB_AWAIT_MS);
	lab_expect(lab, n == POLLIN && lab_wait(lab, child) == 0,
	    "after one for A both are read");
}

struct reader {
	struct watch watch;
	struct loop *loop;
	char text[TEXT_BYTES];
};

static void
on_message(struct watch *w, unsigned ready)
{
	/* The watch is the first member. */
	struct reader *r = (struct reader *)(void *)w;
	ssize_t n = recv(w->fd, r->text, sizeof(r->text) - 1, MSG_DONTWAIT);

	(void)ready;
	r->text[n > 0 ? n : 0] = '\0';
	loop_stop(r->loop);
}

static void
show_engine(struct lab *lab, const char *engine, struct lab_addr to[2],
    struct two_readers fds)
{
	struct reader a = { .watch = { on_message, fds.a, READY_IN, false } };
	struct reader b = { .watch = { on_message, fds.b, READY_IN, false } };
	struct loop *loop;
	int sender = lab_socket(lab, AF_INET, SOCK_DGRAM, 0), err;

	err = loop_open(engine, &loop);
	if (err < 0) {
		lab_skip(lab, "%s: %s", engine, strerrorname_np(-err));
		return;
	}
	a.loop = b.loop = loop;
	loop_add(loop, &a.watch);
	loop_add(loop, &b.watch);
	lab_send_to(lab, sender, "for B", &to[1]);
	err = loop_run(loop);
	lab_note(lab, "%s: \"%s\" was read", engine, b.text);
	lab_expect(lab, err == 0 && strcmp(b.text, "for B") == 0,
	    "%s: B is read, whoever else waits", engine);
	loop_remove(loop, &a.watch);
	loop_remove(loop, &b.watch);
	loop_close(loop);
	close(sender);
}

/* The lecture's other way: try each, sleep, try again. */
static void
show_polling(struct lab *lab, struct two_readers r)
{
	unsigned wakeups = 0, interval = 10;
	double begun = lab_ms(), ms;
	char byte;

	do {
		recv(r.a, &byte, 1, MSG_DONTWAIT);
		recv(r.b, &byte, 1, MSG_DONTWAIT);
		lab_pause(interval);
		wakeups++;
	} while (lab_ms() - begun < 100);
	ms = lab_ms() - begun;
	lab_note(lab, "try each, sleep %u ms: %u wakeups in %.1f ms", interval,
	    wakeups, ms);
	lab_expect(lab, wakeups > 0 && wakeups <= ms / interval,
	    "trying and sleeping: %u wakeups in %.0f ms, and no traffic",
	    wakeups, ms);
}

void
lesson_mux(struct lab *lab)
{
	struct lab_addr nobody = lab_inet("127.0.0.1", 0);
	struct lab_addr to[2] = { nobody, nobody };
	const struct engine *e;
	struct two_readers r;

	r.a = lab_bound(lab, SOCK_DGRAM, &to[0]);
	r.b = lab_bound(lab, SOCK_DGRAM, &to[1]);
	show_blocking(lab, to, r);
	for (size_t i = 0; (e = engine_at(i)) != NULL; i++)
		if (e->policy == ENGINE_MANY && engine_lacks(e) == NULL)
			show_engine(lab, e->name, to, r);
	show_polling(lab, r);
	lab_say(lab, "A server that waits for one descriptor is deaf for the"
	    " others. To wait for all at once is what select(2) and its"
	    " successors are for.");
}
