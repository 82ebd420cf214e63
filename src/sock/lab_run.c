/* SPDX-License-Identifier: ISC */
/*
 * The runner.  A lab's process leads a process group, which is killed when
 * its leader has ended or its deadline is over: nothing of a lab is left.
 */

#include "sock/lab_run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/lab_priv.h"

#define AT_A_TIME_MAX 16

struct crew {
	struct lab_run *runs;
	unsigned n, next;       /* how many; which begins next */
	unsigned told;          /* how many of them done() knows */
	unsigned n_working;
	struct lab_run *working[AT_A_TIME_MAX];
	int signals;
	sigset_t mask;          /* as it was before */
};

/* -------------------------------------------------- the lab's process */

static void
die_with(const char *what)
{
	perror(what);
	_exit(EXIT_FAILURE);
}

/* Whoever started us may be gone before we asked to follow. */
static void
die_with_parent(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

static void
settle(const struct lab_run *run, const sigset_t *mask, pid_t parent)
{
	int null;

	/* A shell at the end wants the terminal's own group. */
	if (run->keep == NULL)
		setpgid(0, 0);
	die_with_parent(parent);
	sigprocmask(SIG_SETMASK, mask, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (chdir(run->dir) == -1)
		die_with(run->dir);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1)
		die_with("/dev/null");
	if (run->keep == NULL)
		dup2(null, STDIN_FILENO);
	close(null);
}

_Noreturn static void
be_lab(struct lab_run *run)
{
	struct lab lab = {
		.entry = run->entry,
		.record = run->record,
		.who = "lab",
		.pcap = run->pcap,
		.has_number = run->has_number,
		.number = run->number,
	};

	lab.packets = calloc(LAB_PACKETS, sizeof(*lab.packets));
	if (lab.packets == NULL)
		die_with("lab");
	if (lab_network_begin(&lab) == 0) {
		run->entry->run(&lab);
		lab_drain(&lab);
	}
	atomic_store(&run->record->is_done, true);
	if (run->keep != NULL)
		run->keep(run, &lab);
	_exit(EXIT_SUCCESS);
}

/* --------------------------------------------------------- the runner */

static int
make_dir(struct lab_run *run)
{
	const char *where = getenv("TMPDIR");
	int n;

	if (where == NULL || where[0] == '\0')
		where = "/tmp";
	n = snprintf(run->dir, sizeof(run->dir), "%s/sock-lab-XXXXXX", where);
	if (n >= (int)sizeof(run->dir))
		return -ENAMETOOLONG;
	return mkdtemp(run->dir) == NULL ? -errno : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

static int
begin(struct crew *crew, struct lab_run *run)
{
	pid_t parent = getpid();
	int err = make_dir(run);

	if (err < 0)
		return err;
	run->record = mmap(NULL, sizeof(*run->record), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->record == MAP_FAILED) {
		run->record = NULL;
		return -errno;
	}
	run->record->begun_ns = lab_now_ns();
	run->begun_ms = lab_ms();
	run->pid = fork();
	if (run->pid == -1)
		return -errno;
	if (run->pid == 0) {
		settle(run, &crew->mask, parent);
		be_lab(run);
	}
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	return run->pidfd == -1 ? -errno : 0;
}

static const char *
first_text(const struct lab_record *r, enum lab_kind kind)
{
	unsigned n = atomic_load(&r->n_events);

	for (unsigned i = 0; i < n && i < LAB_EVENTS; i++)
		if (r->events[i].kind == kind)
			return r->events[i].text;
	return NULL;
}

static void
fail(struct lab_run *run, const char *why)
{
	run->verdict = LAB_IS_FAILED;
	snprintf(run->reason, sizeof(run->reason), "%s", why);
}

void
lab_judge(struct lab_run *run, int status)
{
	const char *failed = first_text(run->record, LAB_FAILED);
	const char *skipped = first_text(run->record, LAB_SKIPPED);
	unsigned n_failed = atomic_load(&run->record->n_failed);
	char why[64];

	run->verdict = LAB_IS_OK;
	run->reason[0] = '\0';
	if (failed != NULL) {
		fail(run, failed);
	} else if (!atomic_load(&run->record->is_done)) {
		snprintf(why, sizeof(why), "its process ended too early"
		    " (status 0x%x)", (unsigned)status);
		fail(run, why);
	} else if (n_failed > 0) {
		snprintf(why, sizeof(why), "%u of %u expectations", n_failed,
		    atomic_load(&run->record->n_expected));
		fail(run, why);
	} else if (atomic_load(&run->record->n_expected) == 0) {
		run->verdict = LAB_IS_SKIPPED;
		snprintf(run->reason, sizeof(run->reason), "%s",
		    skipped == NULL ? "nothing to expect here" : skipped);
	}
}

static void
end(struct lab_run *run)
{
	int status = 0;

	/* Its actors go first, so that nobody writes while we clean. */
	if (run->keep == NULL)
		kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) == -1 && errno == EINTR)
		continue;
	close(run->pidfd);
	run->seconds = (lab_ms() - run->begun_ms) / 1e3;
	run->pid = 0;
	nftw(run->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	lab_judge(run, status);
}

static double
ms_left(const struct lab_run *run)
{
	unsigned deadline_ms = run->deadline_ms == 0 ? LAB_DEADLINE_MS :
	    run->deadline_ms;

	return run->begun_ms + deadline_ms - lab_ms();
}

static bool
is_overdue(const struct lab_run *run)
{
	return run->keep == NULL && ms_left(run) <= 0;
}

/* Until the next deadline; rounded up, so that it is over then. */
static int
wait_ms(const struct crew *crew)
{
	double first = LAB_DEADLINE_MS, left;

	for (unsigned i = 0; i < crew->n_working; i++) {
		left = ms_left(crew->working[i]);
		if (left < first)
			first = left;
	}
	return first > 0 ? (int)first + 1 : 0;
}

static void
sweep(struct crew *crew, const struct pollfd *fds)
{
	struct lab_run *run;
	bool is_over;
	unsigned kept = 0, n = crew->n_working;

	for (unsigned i = 0; i < n; i++) {
		run = crew->working[i];
		is_over = is_overdue(run);
		if (fds[i].revents == 0 && !is_over) {
			crew->working[kept++] = run;
			continue;
		}
		end(run);
		if (is_over && !atomic_load(&run->record->is_done))
			fail(run, "it did not come to its end in time");
	}
	crew->n_working = kept;
}

/* Waits for one or more of them to end.  -EINTR when asked to stop. */
static int
wait_for_some(struct crew *crew)
{
	struct pollfd fds[AT_A_TIME_MAX + 1];
	struct signalfd_siginfo stop;
	unsigned n = crew->n_working;

	for (unsigned i = 0; i < n; i++)
		fds[i] = (struct pollfd){ crew->working[i]->pidfd, POLLIN, 0 };
	fds[n] = (struct pollfd){ crew->signals, POLLIN, 0 };
	if (poll(fds, n + 1, wait_ms(crew)) == -1)
		return errno == EINTR ? 0 : -errno;
	/* It is taken, so that it does not kill once it is no more blocked. */
	if (fds[n].revents != 0 && read(crew->signals, &stop, sizeof(stop)) > 0)
		return -EINTR;
	sweep(crew, fds);
	return 0;
}

static bool
is_over(const struct lab_run *run)
{
	return run->record != NULL && run->pid == 0;
}

static int
work(struct crew *crew, unsigned at_a_time, void (*done)(struct lab_run *run))
{
	int err = 0;

	while (crew->told < crew->n && err == 0) {
		while (crew->n_working < at_a_time && crew->next < crew->n &&
		    err == 0) {
			struct lab_run *run = &crew->runs[crew->next++];

			err = begin(crew, run);
			if (run->pid > 0)
				crew->working[crew->n_working++] = run;
		}
		if (err == 0)
			err = wait_for_some(crew);
		while (crew->told < crew->n && is_over(&crew->runs[crew->told]))
			done(&crew->runs[crew->told++]);
	}
	for (unsigned i = 0; i < crew->n_working; i++) {
		kill(crew->working[i]->pid, SIGKILL);
		end(crew->working[i]);
	}
	return err;
}

int
lab_run(struct lab_run *runs, unsigned n, unsigned at_a_time,
    void (*done)(struct lab_run *run))
{
	struct crew crew = { .runs = runs, .n = n };
	sigset_t stops;
	int err;

	assert(at_a_time > 0);
	if (at_a_time > AT_A_TIME_MAX)
		at_a_time = AT_A_TIME_MAX;
	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGHUP);
	crew.signals = signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
	if (crew.signals == -1)
		return -errno;
	sigprocmask(SIG_BLOCK, &stops, &crew.mask);
	err = work(&crew, at_a_time, done);
	close(crew.signals);
	sigprocmask(SIG_SETMASK, &crew.mask, NULL);
	return err;
}

void
lab_run_free(struct lab_run *run)
{
	if (run->record != NULL)
		munmap(run->record, sizeof(*run->record));
	run->record = NULL;
}
