/* SPDX-License-Identifier: ISC */
#include "server/launch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "site/resolve.h"

/* glibc's setrlimit(2) takes an enum, of which POSIX knows nothing. */
static void
limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit r = { .rlim_cur = most, .rlim_max = most };

	/* Above what is allowed already it stays as it is. */
	if (most != 0)
		setrlimit(resource, &r);
}

static void
set_limits(const struct cgi_limits *l)
{
	limit(RLIMIT_CPU, l->cpu_s);
	limit(RLIMIT_AS, (rlim_t)l->memory_mib << 20);
	limit(RLIMIT_NPROC, l->processes);
	limit(RLIMIT_NOFILE, l->files);
	limit(RLIMIT_FSIZE, (rlim_t)l->file_size_mib << 20);
	/* 1, since 0 means "as it is" here, and of limits a core_pattern(5)
	   that is a pipe heeds only this. */
	limit(RLIMIT_CORE, 1);
	if (l->nice > 0)
		(void)!nice((int)l->nice);
}

/* Between vfork(2) and execve(2): system calls and nothing else. */
static int
become(const struct launcher *l, const struct spawn_run *run, int dir,
    const int fds[3])
{
	sigset_t none;

	sigemptyset(&none);
	setpgid(0, 0);
	/* Should the spawner not live to end it, the kernel does. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 3; i++) {
		if (dup2(fds[i], i) == -1)
			return errno;
	}
	if (fchdir(dir) == -1 || close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == -1)
		return errno;
	for (unsigned i = 0; i < l->n_reset; i++)
		signal(l->reset[i], SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set_limits(&l->config->cgi_limits);
	execve(run->args[0], run->args, run->env);
	return errno;
}

/* Returns the process or a negative errno. */
static pid_t
execute(const struct launcher *l, const struct spawn_run *run, int dir,
    const int fds[3])
{
	volatile int err = 0;
	pid_t pid;

	/* The child borrows our memory until it executes: no copy is made. */
	pid = vfork();
	if (pid == 0) {
		err = become(l, run, dir, fds);
		_exit(127);
	}
	if (pid == -1)
		return -errno;
	if (err != 0) {
		waitpid(pid, NULL, 0);
		return -err;
	}
	return pid;
}

/*
 * Cuts the path into directory and "./name" (written into `name`), opens the
 * directory and looks again at what the worker has seen.  It is executed by
 * its name: who puts a link in its place meanwhile could as well put a program
 * there.
 */
static int
open_dir(const struct launcher *l, struct spawn_run *run, char *name,
    size_t size)
{
	const char *slash = strrchr(run->path, '/');
	const char *last = slash == NULL ? run->path : slash + 1;
	size_t n = (size_t)(last - run->path);
	char dir[PATH_MAX];
	struct stat st;
	int err;

	if (n >= sizeof(dir) ||
	    (size_t)snprintf(name, size, "./%s", last) >= size)
		return -ENAMETOOLONG;
	memcpy(dir, run->path, n);
	dir[n] = '\0';
	err = resolve_stat(l->root, run->path, l->config->symlinks, &st);
	if (err < 0)
		return err;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	run->args[0] = name;
	return resolve_dir_followed(l->root, dir, l->config->symlinks);
}

pid_t
launch(const struct launcher *l, struct spawn_run *run, const int fds[3])
{
	char name[NAME_MAX + 3];
	pid_t pid;
	int dir;

	dir = open_dir(l, run, name, sizeof(name));
	if (dir < 0)
		return dir;
	pid = execute(l, run, dir, fds);
	close(dir);
	return pid;
}

void
launcher_init(struct launcher *l, int root, const struct config *config)
{
	struct sigaction sa;

	*l = (struct launcher){ .root = root, .config = config };
	for (int signo = 1; signo < NSIG; signo++) {
		if (sigaction(signo, NULL, &sa) == 0 &&
		    sa.sa_handler != SIG_DFL)
			l->reset[l->n_reset++] = signo;
	}
}
