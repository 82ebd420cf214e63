/* SPDX-License-Identifier: ISC */
#include "sock/family.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
/* Nobody who is traced needs so long from one call to the next. */
#define PATIENCE_MS 5000

/* --------------------------------------------------------------- finding */

static bool
has_member(const struct family *f, pid_t pid)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->pids[i] == pid)
			return true;
	return false;
}

/* 0 when it is gone: nobody's child. */
static pid_t
parent_of(const char *pid)
{
	char path[64], line[512];
	const char *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	end = fgets(line, sizeof(line), f);
	fclose(f);
	/* The name may hold anything: behind it are the state, the parent. */
	end = end != NULL ? strrchr(line, ')') : NULL;
	if (end == NULL || strlen(end) < 4)
		return 0;
	return (pid_t)strtol(end + 4, NULL, 10);
}

/* Adds children of members; true when there were any. */
static bool
add_children(struct family *f, DIR *proc)
{
	unsigned before = f->n;
	const struct dirent *e;

	rewinddir(proc);
	while ((e = readdir(proc)) != NULL && f->n < FAMILY_MAX) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid > 0 && !has_member(f, pid) &&
		    has_member(f, parent_of(e->d_name)))
			f->pids[f->n++] = pid;
	}
	return f->n > before;
}

int
family_find(struct family *f, pid_t eldest)
{
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		return -errno;
	f->pids[0] = eldest;
	f->n = 1;
	while (add_children(f, proc))
		;
	closedir(proc);
	return 0;
}

/* ----------------------------------------------------------------- costs */

/* 0 when it is gone. */
static int64_t
cpu_ns_of(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) == -1)
		return 0;
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t
family_cpu_ns(const struct family *f)
{
	int64_t sum_ns = 0;

	for (unsigned i = 0; i < f->n; i++)
		sum_ns += cpu_ns_of(f->pids[i]);
	return sum_ns;
}

void
family_mark(struct family *f)
{
	for (unsigned i = 0; i < f->n; i++)
		f->marks_ns[i] = cpu_ns_of(f->pids[i]);
}

void
family_keep_busy(struct family *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->n; i++)
		if (cpu_ns_of(f->pids[i]) > f->marks_ns[i])
			f->pids[n++] = f->pids[i];
	f->n = n;
}

static int64_t
bytes_of(pid_t pid)
{
	char path[64], line[256];
	int64_t kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	while (kib == -1 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "Pss:", 4) == 0)
			kib = strtol(line + 4, NULL, 10);
	fclose(f);
	return kib == -1 ? -ESRCH : kib * 1024;
}

int64_t
family_bytes(const struct family *f)
{
	int64_t sum = 0, bytes;

	for (unsigned i = 0; i < f->n; i++) {
		bytes = bytes_of(f->pids[i]);
		if (bytes < 0)
			return bytes;
		sum += bytes;
	}
	return sum;
}

/* -------------------------------------------------------------- counting */

/* Waits until a process that stopped has said so; false when it ended. */
static bool
wait_for_stop(pid_t pid)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
}

static void
let_go(const struct family *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = f->pids[i];

		if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
		    wait_for_stop(pid))
			ptrace(PTRACE_DETACH, pid, NULL, NULL);
	}
}

static int
seize(const struct family *f)
{
	const long options = PTRACE_O_TRACESYSGOOD;
	int err;

	for (unsigned i = 0; i < f->n; i++) {
		pid_t pid = f->pids[i];

		if (ptrace(PTRACE_SEIZE, pid, NULL, options) == -1) {
			err = -errno;
			let_go(f, i);
			return err;
		}
		if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
		    wait_for_stop(pid))
			ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	return 0;
}

/* Goes on with all that stopped.  Returns how many did at a system call. */
static int64_t
resume_all(void)
{
	int64_t stops = 0;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		long signo = 0;

		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			stops++;
		else if (status >> 16 == 0)
			signo = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, pid, NULL, signo);
	}
	return stops;
}

static int
open_sigchld(sigset_t *out_old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, out_old);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A call stops twice, before it and behind it; of the last, perhaps once. */
static int64_t
count_stops(int sigchld, int fd, int (*step)(void *), void *context)
{
	struct pollfd fds[] = { { fd, POLLIN, 0 }, { sigchld, POLLIN, 0 } };
	struct signalfd_siginfo info;
	bool is_counted = false;
	int64_t stops = 0;
	int state;

	while ((state = step(context)) > 0) {
		is_counted = is_counted || state == 2;
		if (poll(fds, 2, PATIENCE_MS) == 0)
			return -ETIMEDOUT;
		while (read(sigchld, &info, sizeof(info)) > 0)
			;
		stops += resume_all() * is_counted;
	}
	return state < 0 ? state : (stops + 1) / 2;
}

int64_t
family_count_calls(const struct family *f, int fd, int (*step)(void *),
    void *context)
{
	sigset_t old;
	int sigchld = open_sigchld(&old);
	int64_t n;

	n = sigchld == -1 ? -errno : seize(f);
	if (n == 0) {
		n = count_stops(sigchld, fd, step, context);
		let_go(f, f->n);
	}
	if (sigchld != -1)
		close(sigchld);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return n;
}
