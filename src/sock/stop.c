/* SPDX-License-Identifier: ISC */
/* signalfd(2): no handler, no global, and poll(2) may wait for it. */
#include "sock/stop.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t
stop_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

int
stop_open(void)
{
	sigset_t set = stop_signals();
	int fd;

	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd == -1 ? -errno : fd;
}

void
stop_forget(void)
{
	sigset_t set = stop_signals();

	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int
stop_taken(int stop_fd)
{
	struct signalfd_siginfo info;
	ssize_t n = read(stop_fd, &info, sizeof(info));

	stop_forget();
	return n == sizeof(info) ? (int)info.ssi_signo : 0;
}

void
stop_close(int stop_fd)
{
	/* What waits here would otherwise have its default action now. */
	stop_taken(stop_fd);
	close(stop_fd);
}
