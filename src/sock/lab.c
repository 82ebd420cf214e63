/* SPDX-License-Identifier: ISC */
/*
 * What a lab tells, and its actors.  Events go to the shared record: the next
 * free place is taken by one atomic addition, and its kind is set last.
 */

#include "sock/lab.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sock/lab_priv.h"

#define NS_PER_S 1000000000

int64_t
lab_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

double
lab_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void
lab_event(struct lab *lab, enum lab_kind kind, int64_t at_ns, const char *who,
    const char *text)
{
	struct lab_record *r = lab->record;
	unsigned n = atomic_fetch_add(&r->n_events, 1);
	struct lab_event *e = &r->events[n];

	if (n >= LAB_EVENTS)
		return;
	e->at_ns = at_ns;
	snprintf(e->who, sizeof(e->who), "%s", who);
	snprintf(e->text, sizeof(e->text), "%s", text);
	atomic_thread_fence(memory_order_release);
	e->kind = kind;
}

__attribute__((format(printf, 3, 0))) static void
tell(struct lab *lab, enum lab_kind kind, const char *format, va_list args)
{
	int err = errno;
	char text[LAB_TEXT];

	vsnprintf(text, sizeof(text), format, args);
	lab_event(lab, kind, lab_now_ns(), lab->who, text);
	errno = err;
}

bool
lab_expect(struct lab *lab, bool is_so, const char *format, ...)
{
	va_list args;

	atomic_fetch_add(&lab->record->n_expected, 1);
	if (!is_so)
		atomic_fetch_add(&lab->record->n_failed, 1);
	va_start(args, format);
	tell(lab, is_so ? LAB_EXPECTED : LAB_FAILED, format, args);
	va_end(args);
	return is_so;
}

void
lab_say(struct lab *lab, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(lab, LAB_SAID, format, args);
	va_end(args);
}

void
lab_note(struct lab *lab, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(lab, LAB_CALL, format, args);
	va_end(args);
}

void
lab_state(struct lab *lab, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(lab, LAB_STATE, format, args);
	va_end(args);
}

void
lab_skip(struct lab *lab, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(lab, LAB_SKIPPED, format, args);
	va_end(args);
}

void
lab_claim(struct lab *lab, unsigned number, bool holds, const char *format, ...)
{
	va_list args;
	size_t size = sizeof(lab->record->claims[number].measured);

	lab->record->claims[number].holds = holds;
	va_start(args, format);
	vsnprintf(lab->record->claims[number].measured, size, format, args);
	va_end(args);
	atomic_store(&lab->record->claims[number].is_measured, true);
}

void
lab_as(struct lab *lab, const char *who)
{
	lab->who = who;
}

long
lab_number(const struct lab *lab, long otherwise)
{
	return lab->has_number ? lab->number : otherwise;
}

/* An actor never outlives the lab, however that ends. */
pid_t
lab_fork(struct lab *lab, const char *who,
    int (*act)(struct lab *lab, void *arg), void *arg)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		lab_must(lab, -errno, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		lab->who = who;
		_exit(act(lab, arg));
	}
	return pid;
}

int
lab_wait(struct lab *lab, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		lab_state(lab, "process %d killed by SIG%s", pid,
		    sigabbrev_np(WTERMSIG(status)));
	else
		lab_state(lab, "process %d ended with %d", pid,
		    WEXITSTATUS(status));
	return status;
}

void
lab_pause(unsigned ms)
{
	struct timespec t = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		continue;
}

bool
lab_until(bool (*is_so)(void *arg), void *arg, unsigned max_ms)
{
	double end = lab_ms() + max_ms;
	bool so;

	while (!(so = is_so(arg)) && lab_ms() < end)
		lab_pause(1);
	return so;
}

void
lab_must(struct lab *lab, int err, const char *what)
{
	if (err >= 0)
		return;
	lab_expect(lab, false, "%s: %s", what, strerrorname_np(-err));
	_exit(EXIT_FAILURE);
}
