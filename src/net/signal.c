/* SPDX-License-Identifier: ISC */
/* The self-pipe: async-signal-safe, and the same for every poller. */
#include "net/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/list.h"

/* Rule Zero: a signal handler is given nothing else to know the pipe by. */
static volatile sig_atomic_t pipe_end = -1;

static void
handler(int signo)
{
	unsigned char byte = (unsigned char)signo;
	int saved = errno;

	/* A full pipe already holds enough to wake the loop. */
	(void)!write(pipe_end, &byte, 1);
	errno = saved;
}

static void
on_readable(struct watch *w, unsigned ready)
{
	struct signals *s = list_entry(w, struct signals, watch);
	unsigned char bytes[64];
	ssize_t n;

	(void)ready;
	n = read(w->fd, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < n; i++)
		s->fn(s, bytes[i]);
}

static int
catch_all(const int *list, size_t n, void (*action)(int))
{
	struct sigaction sa = { .sa_handler = action, .sa_flags = SA_RESTART };

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < n; i++) {
		if (sigaction(list[i], &sa, NULL) == -1)
			return -errno;
	}
	return 0;
}

int
signals_open(struct signals *s, struct loop *l, const int *list, size_t n)
{
	int ends[2], err;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return -errno;
	s->loop = l;
	s->write_end = ends[1];
	s->watch = (struct watch){
		.fn = on_readable,
		.fd = ends[0],
		.wanted = READY_IN,
	};
	err = loop_add(l, &s->watch);
	if (err < 0) {
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	pipe_end = ends[1];
	return catch_all(list, n, handler);
}

void
signals_close(struct signals *s, const int *list, size_t n)
{
	catch_all(list, n, SIG_DFL);
	pipe_end = -1;
	loop_remove(s->loop, &s->watch);
	close(s->watch.fd);
	close(s->write_end);
}
