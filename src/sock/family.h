/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_FAMILY_H
#define SWS_SOCK_FAMILY_H

/* A process with all that descend from it, and what they cost. */

#include <stdint.h>
#include <sys/types.h>

#define FAMILY_MAX 8192

struct family {
	pid_t pids[FAMILY_MAX]; /* the first is the eldest */
	int64_t marks_ns[FAMILY_MAX];   /* their CPU time at family_mark */
	unsigned n;
};

/*
 * All there are now, at most FAMILY_MAX.  0 or a negative errno, when /proc
 * cannot be read.
 */
int family_find(struct family *f, pid_t eldest);

/* CPU time of those in the list that live, in ns: clock_getcpuclockid(3). */
int64_t family_cpu_ns(const struct family *f);

/* Later only those are kept that had CPU time since. */
void family_mark(struct family *f);
void family_keep_busy(struct family *f);

/*
 * Their memory, pages that several share divided among them (PSS, proc(5)).
 * What the kernel keeps for them, sockets and page tables, is not in it.
 * -errno when one may not be read.
 */
int64_t family_bytes(const struct family *f);

/*
 * Counts the system calls of all of them by ptrace(2), while `step` does its
 * work a bit at a time: it returns 1 to be called again when `fd` is readable,
 * 2 when a part is done, 0 at the end, or a negative errno.  What is counted
 * is what lies between the first 2 and the 0.
 * Returns how many calls, or a negative errno: -EPERM when that is not
 * allowed.  SIGCHLD is ours meanwhile.
 */
int64_t family_count_calls(const struct family *f, int fd,
    int (*step)(void *context), void *context);

#endif
