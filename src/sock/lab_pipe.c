/* SPDX-License-Identifier: ISC */
/* Labs on pipe(2): the lecture's pipe1.c, its end, its borders. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

#define READ_BYTES 64

/* The child of pipe1.c: reads the line, until its end. */
static int
read_line(struct lab *lab, void *arg)
{
	int *ends = arg;
	char text[READ_BYTES];

	lab_close(lab, ends[1]);
	if (lab_read(lab, ends[0], text, sizeof(text)) <= 0)
		return 1;
	return lab_read(lab, ends[0], text, sizeof(text)) == 0 ? 0 : 2;
}

static void
show_parent_to_child(struct lab *lab)
{
	char line[READ_BYTES];
	int ends[2];
	pid_t child;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	child = lab_fork(lab, "child", read_line, ends);
	lab_close(lab, ends[0]);
	snprintf(line, sizeof(line), "Hello from your parent, pid %d\n",
	    getpid());
	lab_write(lab, ends[1], line);
	lab_close(lab, ends[1]);
	lab_expect(lab, lab_wait(lab, child) == 0,
	    "the child reads its parent's line, then 0: the end");
}

static void
show_direction(struct lab *lab)
{
	int ends[2], n, capacity;
	long atomic;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	n = lab_write(lab, ends[0], "x");
	lab_expect(lab, n == -EBADF, "the reading end cannot be written:"
	    " EBADF");
	lab_claim(lab, 18, n == -EBADF, "write to the reading end: %s",
	    n < 0 ? strerrorname_np(-n) : "done");
	atomic = fpathconf(ends[1], _PC_PIPE_BUF);
	capacity = fcntl(ends[1], F_GETPIPE_SZ);
	lab_state(lab, "PIPE_BUF %ld, capacity %d", atomic, capacity);
	lab_expect(lab, atomic == PIPE_BUF && capacity >= PIPE_BUF,
	    "PIPE_BUF is %ld, the capacity %d bytes", atomic, capacity);
	lab_close(lab, ends[0]);
	lab_close(lab, ends[1]);
}

static void
show_end(struct lab *lab)
{
	char text[READ_BYTES];
	int ends[2], events;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	lab_write(lab, ends[1], "hello");
	lab_close(lab, ends[1]);
	events = lab_poll(lab, ends[0], POLLIN, 0);
	lab_expect(lab, events == (POLLIN | POLLHUP),
	    "data and no writer: poll says IN and HUP");
	lab_expect(lab, lab_read(lab, ends[0], text, sizeof(text)) == 5,
	    "first all data");
	events = lab_poll(lab, ends[0], POLLIN, 0);
	lab_expect(lab, events == POLLHUP, "then poll says HUP only");
	lab_expect(lab, lab_read(lab, ends[0], text, sizeof(text)) == 0,
	    "then read returns 0");
	lab_close(lab, ends[0]);
}

/* Holds the writing end, though it never writes, until it is told to go. */
static int
hold(struct lab *lab, void *arg)
{
	char byte;

	(void)lab;
	return read(*(int *)arg, &byte, 1) == 0 ? 0 : 1;
}

static void
show_forgotten_end(struct lab *lab)
{
	char text[READ_BYTES];
	int ends[2], go[2], n;
	pid_t child;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	lab_must(lab, pipe2(go, O_CLOEXEC), "pipe");
	child = lab_fork(lab, "child", hold, go);
	/* The child's own copy would keep it waiting for ever. */
	lab_note(lab, "the child forgets to close descriptor %d", ends[1]);
	lab_close(lab, ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	n = lab_read(lab, ends[0], text, sizeof(text));
	lab_expect(lab, n == -EAGAIN, "a forgotten writing end: no end of"
	    " file, read would wait");
	kill(child, SIGKILL);
	lab_wait(lab, child);
	n = lab_read(lab, ends[0], text, sizeof(text));
	lab_expect(lab, n == 0, "with the last copy gone, read returns 0");
	close(go[0]);
	close(go[1]);
	lab_close(lab, ends[0]);
}

static int
write_in_vain(struct lab *lab, void *arg)
{
	const int *ends = arg;

	lab_note(lab, "write(%d, \"x\", 1), nobody reads", ends[1]);
	return write(ends[1], "x", 1) == 1 ? 0 : errno;
}

static int
write_ignoring(struct lab *lab, void *arg)
{
	signal(SIGPIPE, SIG_IGN);
	lab_note(lab, "signal(SIGPIPE, SIG_IGN)");
	return write_in_vain(lab, arg);
}

static void
show_sigpipe(struct lab *lab)
{
	int ends[2], status;
	pid_t child;

	lab_must(lab, lab_pipe(lab, ends), "pipe");
	lab_close(lab, ends[0]);
	child = lab_fork(lab, "writer", write_in_vain, ends);
	status = lab_wait(lab, child);
	lab_expect(lab, WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE,
	    "a write that nobody can read kills: SIGPIPE (signal %d)",
	    SIGPIPE);
	child = lab_fork(lab, "ignorer", write_ignoring, ends);
	status = lab_wait(lab, child);
	lab_expect(lab, WIFEXITED(status) && WEXITSTATUS(status) == EPIPE,
	    "with SIGPIPE ignored, the write fails with EPIPE");
}

void
lesson_pipe(struct lab *lab)
{
	show_parent_to_child(lab);
	show_direction(lab);
	show_end(lab);
	show_forgotten_end(lab);
	show_sigpipe(lab);
	lab_say(lab, "A pipe has one direction here. It ends when its last"
	    " writing end is closed, so a copy that a child forgot keeps its"
	    " reader waiting.");
	lab_say(lab, "Whoever writes to a pipe without readers is killed by"
	    " SIGPIPE, or told EPIPE when that is ignored.");
}

/* --------------------------------------------------------- pipe-atomic */

#define WRITERS 4
#define ROUNDS 150
#define LARGEST 200000

struct writing {
	int fd;
	size_t bytes;
	char letter;
};

static int
write_records(struct lab *lab, void *arg)
{
	const struct writing *w = arg;
	static char record[LARGEST];
	size_t n;
	ssize_t written;

	(void)lab;
	memset(record, w->letter, w->bytes);
	for (unsigned i = 0; i < ROUNDS; i++)
		for (n = 0; n < w->bytes; n += (size_t)written) {
			written = write(w->fd, record + n, w->bytes - n);
			if (written == -1)
				return 1;
		}
	return 0;
}

/* A border inside a record: a letter follows another in mid-record. */
static unsigned
count_broken(int fd, size_t record_bytes)
{
	static char block[65536];
	unsigned broken = 0;
	size_t run = 0;
	char last = 0;
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (block[i] != last && run % record_bytes != 0)
				broken++;
			if (block[i] != last)
				run = 0;
			last = block[i];
			run++;
		}
	return broken;
}

static unsigned
broken_records(struct lab *lab, size_t record_bytes)
{
	struct writing w = { .bytes = record_bytes, .letter = 'A' };
	pid_t writers[WRITERS];
	unsigned broken;
	int ends[2];

	lab_must(lab, pipe2(ends, O_CLOEXEC) == -1 ? -errno : 0, "pipe");
	w.fd = ends[1];
	for (unsigned i = 0; i < WRITERS; i++, w.letter++)
		writers[i] = lab_fork(lab, "writer", write_records, &w);
	close(ends[1]);
	broken = count_broken(ends[0], record_bytes);
	close(ends[0]);
	for (unsigned i = 0; i < WRITERS; i++)
		waitpid(writers[i], NULL, 0);
	lab_state(lab, "%d writers x %d records of %zu bytes: %u broken",
	    WRITERS, ROUNDS, record_bytes, broken);
	return broken;
}

void
lesson_pipe_atomic(struct lab *lab)
{
	/* None of the larger divides the capacity: that hides the mixing. */
	static const size_t sizes[] = {
		100, 1000, 3000, PIPE_BUF,
		PIPE_BUF + 1, 5000, 12289, 70000, LARGEST - 1,
	};
	unsigned broken, small = 0, large = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		broken = broken_records(lab, sizes[i]);
		if (sizes[i] <= PIPE_BUF)
			small += broken;
		else
			large += broken;
	}
	lab_expect(lab, small == 0, "up to PIPE_BUF = %d bytes: %u of the"
	    " records are broken", PIPE_BUF, small);
	lab_expect(lab, large > 0, "above it: %u borders inside records",
	    large);
	lab_say(lab, "Up to %d bytes a write is whole. Longer ones are cut"
	    " where the pipe is full, and another writer comes between.",
	    PIPE_BUF);
}
