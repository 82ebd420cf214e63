/* SPDX-License-Identifier: ISC */
/*
 * Asynchronous I/O (O_ASYNC, fcntl(2)): the kernel queues a real-time signal
 * whenever something happens to a descriptor.  Signals are read from a
 * signalfd(2), never delivered.
 *
 * A signal only says that it is worth asking; poll(2), for those descriptors
 * alone, says what is true, and whoever is ready is asked again in the next
 * turn.  So it is level-triggered after all.  When the queue of signals is
 * full, the kernel sends a plain SIGIO, and everybody is asked.  Descriptors
 * of a kind that sends no signals, such as timerfd_create(2)'s, are asked
 * every time.
 *
 * The settings belong to the open file: of two descriptors of one (dup(2))
 * only one can be watched.  And the signals are the thread's, so there can be
 * one such poller a thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "net/fdtable_priv.h"
#include "net/pollset_priv.h"

/* Signals read in a turn; further ones stay in the queue. */
#define BATCH 64
#define BATCHES 16

struct known {
	unsigned char wanted;   /* 0: not watched */
	bool is_deaf;           /* sends no signals */
};

struct sigio_state {
	struct pollset asked;   /* the signalfd, then who is to be asked */
	struct known *known;    /* by descriptor */
	size_t n_known;
	nfds_t n_watched;
	sigset_t old_mask;
};

static void
block_signals(sigset_t *out_set, sigset_t *out_old)
{
	sigemptyset(out_set);
	sigaddset(out_set, SIGRTMIN);
	sigaddset(out_set, SIGIO);
	sigprocmask(SIG_BLOCK, out_set, out_old);
}

static int
si_open(unsigned argument, void **out_state)
{
	struct sigio_state *s = calloc(1, sizeof(*s));
	sigset_t set;
	int fd, err;

	(void)argument;
	if (s == NULL)
		return -ENOMEM;
	block_signals(&set, &s->old_mask);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	err = fd == -1 ? -errno : pollset_put(&s->asked, fd, READY_IN);
	if (err < 0) {
		sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
		if (fd != -1)
			close(fd);
		free(s);
		return err;
	}
	*out_state = s;
	return 0;
}

/* From now on the descriptor sends signals, if its kind can. */
static int
listen_to(int fd, bool *out_is_deaf)
{
	struct f_owner_ex me = { .type = F_OWNER_TID, .pid = gettid() };
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETSIG, SIGRTMIN) == -1 ||
	    fcntl(fd, F_SETOWN_EX, &me) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_ASYNC) == -1)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	*out_is_deaf = flags == -1 || !(flags & O_ASYNC);
	return 0;
}

static void
leave_alone(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags != -1)
		fcntl(fd, F_SETFL, flags & ~O_ASYNC);
}

static int
add(struct sigio_state *s, int fd, unsigned wanted)
{
	struct known *known;
	int err;

	known = fdtable_reach(s->known, &s->n_known, sizeof(*known), fd);
	if (known == NULL)
		return -ENOMEM;
	s->known = known;
	/* Later, when signals come, it must not fail. */
	err = pollset_reserve(&s->asked, s->n_watched + 2);
	if (err == 0)
		err = pollset_put(&s->asked, fd, wanted);
	if (err == 0)
		err = listen_to(fd, &s->known[fd].is_deaf);
	if (err < 0)
		pollset_put(&s->asked, fd, 0);
	else
		s->n_watched++;
	return err;
}

static int
si_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct sigio_state *s = state;
	int err;

	/* It may be ready already: no signal would say so. */
	if (old == 0 && (err = add(s, fd, wanted)) < 0)
		return err;
	pollset_put(&s->asked, fd, wanted);
	s->known[fd].wanted = (unsigned char)wanted;
	if (wanted == 0) {
		leave_alone(fd);
		s->n_watched--;
	}
	return 0;
}

/* One that is not known any more had its signal under way. */
static void
ask_for(struct sigio_state *s, size_t fd)
{
	if (fd < s->n_known && s->known[fd].wanted != 0)
		pollset_put(&s->asked, (int)fd, s->known[fd].wanted);
}

static void
take_signal(struct sigio_state *s, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo != SIGIO) {
		ask_for(s, (size_t)info->ssi_fd);
		return;
	}
	for (size_t fd = 0; fd < s->n_known; fd++)
		ask_for(s, fd);
}

/* Returns whether there may be more. */
static bool
read_signals(struct sigio_state *s)
{
	struct signalfd_siginfo infos[BATCH];
	ssize_t n;

	n = read(s->asked.fds[0].fd, infos, sizeof(infos));
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(infos[0]); i++)
		take_signal(s, &infos[i]);
	return n == sizeof(infos);
}

/* Who has nothing to say is asked again when a signal comes. */
static void
forget_quiet(struct sigio_state *s)
{
	struct pollset *a = &s->asked;

	for (nfds_t i = a->n; --i > 0;)
		if (a->fds[i].revents == 0 && !s->known[a->fds[i].fd].is_deaf)
			pollset_put(a, a->fds[i].fd, 0);
}

static int
ask(struct sigio_state *s, int timeout_ms, struct poller_event *events, int max)
{
	struct pollset *a = &s->asked;
	bool has_signals;
	int ready, n;

	ready = poll(a->fds, a->n, timeout_ms);
	if (ready == -1)
		return errno == EINTR ? 0 : -errno;
	has_signals = a->fds[0].revents != 0;
	a->fds[0].revents = 0;
	n = pollset_events(a, ready - has_signals, events, max);
	forget_quiet(s);
	for (int i = 0; has_signals && i < BATCHES; i++)
		has_signals = read_signals(s);
	return n;
}

static int
si_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	int n = ask(state, timeout_ms, events, max);

	/* Perhaps there were signals, which tell whom to ask now. */
	return n == 0 ? ask(state, 0, events, max) : n;
}

static void
si_close(void *state)
{
	struct sigio_state *s = state;

	for (size_t i = 0; i < s->n_known; i++)
		if (s->known[i].wanted != 0)
			leave_alone((int)i);
	/* What is still under way would be delivered as soon as it may be. */
	while (read_signals(s))
		;
	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	close(s->asked.fds[0].fd);
	pollset_fini(&s->asked);
	free(s->known);
	free(s);
}

const struct poller_ops poller_sigio = {
	.open = si_open,
	.set = si_set,
	.wait = si_wait,
	.close = si_close,
};
