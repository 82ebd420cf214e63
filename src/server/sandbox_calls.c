/* SPDX-License-Identifier: ISC */
/*
 * What a process may still ask of the kernel, by seccomp(2).  The calls that
 * need names of files or numbers of processes are bounded by Landlock, since
 * seccomp sees no memory.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/sandbox_priv.h"

/* Who may make a call; when nobody, it ends the process. */
enum {
	NOBODY = 0,
	FORKER = 1 << SANDBOX_FORKER,
	SIGNALLED = 1 << SANDBOX_SIGNALLED,
	WORKER = 1 << SANDBOX_WORKER | FORKER | SIGNALLED,
	HOMES = 1 << SANDBOX_HOMES,
	ENCODER = 1 << SANDBOX_ENCODER,
	BOTH = WORKER | HOMES,
	EACH = BOTH | ENCODER,
};

/* With which arguments: any, or the one with this index, counted from 0. */
#define ANY { 0, _SCMP_CMP_MIN, 0, 0 }
#define IS(index, value) { index, SCMP_CMP_EQ, value, 0 }
#define WITHOUT(index, bits) { index, SCMP_CMP_MASKED_EQ, bits, 0 }
/* Stands for it in a program; no process has that number, nor is it a call,
   a flag or an architecture. */
#define OWN_PID ((scmp_datum_t)0x7ffffffe)

/* Of the flags of open(2), those that could change something. */
#define CHANGES (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

/* Of the flags of clone(2), those that fork(3) has no use for. */
#define OTHER_CLONES (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_NEWNS | \
    CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
    CLONE_NEWPID | CLONE_NEWNET)

/*
 * Every other call fails with EPERM, so that a library's new idea costs a
 * feature and not the process.
 */
static const struct rule {
	int call;
	unsigned roles;
	struct scmp_arg_cmp when;
	const char *why;
} rules[] = {
	/* Bytes. */
	{ SCMP_SYS(read), BOTH, ANY, "files in memory, pipes, inotify" },
	{ SCMP_SYS(write), EACH, ANY, "the access log, pipes, standard error" },
	{ SCMP_SYS(readv), BOTH, ANY, "as read" },
	{ SCMP_SYS(writev), BOTH, ANY, "as write" },
	{ SCMP_SYS(pread64), EACH, ANY, "pieces of files" },
	{ SCMP_SYS(recvfrom), BOTH, ANY, "requests" },
	{ SCMP_SYS(recvmsg), EACH, ANY, "messages with descriptors" },
	{ SCMP_SYS(sendmsg), EACH, ANY, "answers, messages with descriptors" },
	/* All sockets are connected; and a call that is allowed whatever its
	   arguments are costs the kernel a bit to look up, no filter to run. */
	{ SCMP_SYS(sendto), EACH, ANY, "answers, syslog" },
	{ SCMP_SYS(sendfile), WORKER, ANY, "files to sockets" },
	{ SCMP_SYS(lseek), BOTH, ANY, "the beginning of a file" },

	/* Connections. */
	{ SCMP_SYS(accept4), WORKER, ANY, "clients" },
	{ SCMP_SYS(getpeername), WORKER, ANY, "clients, by io_uring" },
	{ SCMP_SYS(shutdown), BOTH, ANY, "the end of an answer" },
	{ SCMP_SYS(getsockopt), WORKER, ANY, "how near a client is" },
	{ SCMP_SYS(ioctl), WORKER, IS(1, SIOCOUTQ), "how slow a client is" },
	{ SCMP_SYS(setsockopt), WORKER, ANY, "buffers, no delay, lingering" },

	/* Descriptors. */
	{ SCMP_SYS(close), EACH, ANY, "what is open" },
	{ SCMP_SYS(pipe2), WORKER, ANY, "to and from CGI programs" },
	{ SCMP_SYS(memfd_create), WORKER | ENCODER, ANY, "content in memory" },
	{ SCMP_SYS(fcntl), BOTH, IS(1, F_GETFL), "flags" },
	{ SCMP_SYS(fcntl), BOTH, IS(1, F_SETFL), "not to wait" },
	{ SCMP_SYS(fcntl), BOTH, IS(1, F_GETFD), "fdopendir(3), stdio(3)" },
	{ SCMP_SYS(fcntl), BOTH, IS(1, F_SETFD), "closing on exec" },
	{ SCMP_SYS(fcntl), EACH, IS(1, F_DUPFD_CLOEXEC), "as dup" },
	{ SCMP_SYS(fcntl), ENCODER, IS(1, F_ADD_SEALS), "what is handed out" },

	/* Waiting. */
	{ SCMP_SYS(epoll_ctl), BOTH, ANY, "the loop" },
	{ SCMP_SYS(epoll_wait), BOTH, ANY, "the loop" },
	{ SCMP_SYS(epoll_pwait), BOTH, ANY, "as epoll_wait" },
	/* What is submitted by it, the ring restricts (net/uring_setup.c). */
	{ SCMP_SYS(io_uring_enter), WORKER, ANY, "the loop" },
	{ SCMP_SYS(poll), EACH, ANY, "the loop" },
	{ SCMP_SYS(ppoll), EACH, ANY, "as poll" },
	{ SCMP_SYS(select), BOTH, ANY, "the loop" },
	{ SCMP_SYS(pselect6), BOTH, ANY, "the loop" },
	{ SCMP_SYS(epoll_create1), WORKER, ANY, "libev, when it begins anew" },
	{ SCMP_SYS(restart_syscall), EACH, ANY, "waiting, after a stop" },
	{ SCMP_SYS(timerfd_settime), WORKER, ANY, "failures in homes" },
	{ SCMP_SYS(clock_gettime), EACH, ANY, "time without vdso(7)" },
	{ SCMP_SYS(clock_getres), EACH, ANY, "as clock_gettime" },
	{ SCMP_SYS(gettimeofday), EACH, ANY, "as clock_gettime" },
	{ SCMP_SYS(time), EACH, ANY, "as clock_gettime" },

	/* Engines. */
	{ SCMP_SYS(clone), FORKER, WITHOUT(0, OTHER_CLONES), "children" },
	{ SCMP_SYS(wait4), FORKER, ANY, "children" },
	{ SCMP_SYS(set_robust_list), FORKER, ANY, "fork(3)" },
	{ SCMP_SYS(socketpair), FORKER, ANY, "children, who ask services" },
	{ SCMP_SYS(timerfd_create), FORKER, ANY, "as timerfd_settime" },
	{ SCMP_SYS(fcntl), SIGNALLED, IS(1, F_SETSIG), "which signal" },
	{ SCMP_SYS(fcntl), SIGNALLED, IS(1, F_SETOWN_EX), "to whom: itself" },

	/* Files, below the roots. */
	{ SCMP_SYS(openat2), BOTH, ANY, "files, directories" },
	{ SCMP_SYS(fstat), EACH, ANY, "what was opened" },
	{ SCMP_SYS(newfstatat), EACH, ANY, "as fstat, by name" },
	{ SCMP_SYS(statx), BOTH, ANY, "as newfstatat" },
	{ SCMP_SYS(fstatfs), BOTH, ANY, "what the cache may trust" },
	{ SCMP_SYS(getdents64), BOTH, ANY, "listings" },
	{ SCMP_SYS(readlinkat), BOTH, ANY, "where a link leads" },
	{ SCMP_SYS(fchdir), WORKER, ANY, "where inotify is to watch" },
	{ SCMP_SYS(inotify_add_watch), WORKER, ANY, "changes of files" },
	{ SCMP_SYS(inotify_rm_watch), WORKER, ANY, "changes of files" },

	/* Memory, in which no new code may come up. */
	{ SCMP_SYS(brk), EACH, ANY, "malloc(3)" },
	{ SCMP_SYS(mmap), EACH, WITHOUT(2, PROT_EXEC), "malloc(3)" },
	{ SCMP_SYS(mprotect), EACH, WITHOUT(2, PROT_EXEC), "malloc(3)" },
	{ SCMP_SYS(mremap), EACH, ANY, "realloc(3)" },
	{ SCMP_SYS(munmap), EACH, ANY, "free(3)" },
	{ SCMP_SYS(madvise), EACH, ANY, "free(3)" },
	{ SCMP_SYS(sysinfo), BOTH, ANY, "qsort(3) of large directories" },

	/* The process itself. */
	{ SCMP_SYS(rt_sigaction), EACH, ANY, "signals, at the end" },
	{ SCMP_SYS(rt_sigprocmask), EACH, ANY, "pselect, abort(3)" },
	{ SCMP_SYS(rt_sigreturn), EACH, ANY, "the end of a handler" },
	{ SCMP_SYS(tgkill), EACH, IS(0, OWN_PID), "abort(3), no other" },
	{ SCMP_SYS(getpid), EACH, ANY, "syslog(3), abort(3)" },
	{ SCMP_SYS(gettid), EACH, ANY, "abort(3)" },
	{ SCMP_SYS(getuid), BOTH, ANY, "who serves" },
	{ SCMP_SYS(geteuid), BOTH, ANY, "who serves" },
	{ SCMP_SYS(prlimit64), EACH, IS(2, 0), "limits, to read them" },
	{ SCMP_SYS(getrlimit), EACH, ANY, "as prlimit64" },
	{ SCMP_SYS(getrandom), EACH, ANY, "boundaries, hashes, malloc(3)" },
	{ SCMP_SYS(futex), EACH, ANY, "locks of the C library" },
	{ SCMP_SYS(sched_yield), EACH, ANY, "the same" },
	{ SCMP_SYS(exit), EACH, ANY, "the end" },
	{ SCMP_SYS(exit_group), EACH, ANY, "the end" },

	/* Users: getpwnam(3) reads files or asks a daemon of this host. */
	{ SCMP_SYS(openat), HOMES, WITHOUT(2, CHANGES), "databases" },
	{ SCMP_SYS(faccessat), HOMES, ANY, "databases" },
	{ SCMP_SYS(faccessat2), HOMES, ANY, "databases" },
	{ SCMP_SYS(socket), HOMES, IS(0, AF_UNIX), "daemons" },
	{ SCMP_SYS(connect), HOMES, ANY, "daemons" },
	{ SCMP_SYS(uname), HOMES, ANY, "the name of the host" },

#if SANITIZED
	{ SCMP_SYS(clone), EACH, ANY, "the search for leaks" },
	{ SCMP_SYS(ptrace), EACH, ANY, "the search for leaks" },
	{ SCMP_SYS(wait4), EACH, ANY, "the search for leaks" },
	{ SCMP_SYS(prctl), EACH, ANY, "the search for leaks" },
	{ SCMP_SYS(getppid), EACH, ANY, "the search for leaks" },
	{ SCMP_SYS(open), EACH, WITHOUT(1, CHANGES), "the search for leaks" },
	{ SCMP_SYS(openat), WORKER | ENCODER, WITHOUT(2, CHANGES), "the same" },
	{ SCMP_SYS(stat), EACH, ANY, "reports" },
	{ SCMP_SYS(readlink), EACH, ANY, "reports" },
	{ SCMP_SYS(sigaltstack), EACH, ANY, "reports" },
#else
	{ SCMP_SYS(ptrace), NOBODY, ANY, "into other processes" },
#endif

	/* No mistake leads here. */
	{ SCMP_SYS(execve), NOBODY, ANY, "a program" },
	{ SCMP_SYS(execveat), NOBODY, ANY, "a program" },
	{ SCMP_SYS(process_vm_readv), NOBODY, ANY, "into other processes" },
	{ SCMP_SYS(process_vm_writev), NOBODY, ANY, "into other processes" },
	{ SCMP_SYS(pidfd_getfd), NOBODY, ANY, "into other processes" },
	{ SCMP_SYS(open_by_handle_at), NOBODY, ANY, "around every path" },
	{ SCMP_SYS(chroot), NOBODY, ANY, "another view of files" },
	{ SCMP_SYS(mount), NOBODY, ANY, "another view of files" },
	{ SCMP_SYS(umount2), NOBODY, ANY, "another view of files" },
	{ SCMP_SYS(pivot_root), NOBODY, ANY, "another view of files" },
	{ SCMP_SYS(setns), NOBODY, ANY, "another view of the system" },
	{ SCMP_SYS(unshare), NOBODY, ANY, "another view of the system" },
	{ SCMP_SYS(bpf), NOBODY, ANY, "code in the kernel" },
	{ SCMP_SYS(init_module), NOBODY, ANY, "code in the kernel" },
	{ SCMP_SYS(finit_module), NOBODY, ANY, "code in the kernel" },
	{ SCMP_SYS(kexec_load), NOBODY, ANY, "another kernel" },
	{ SCMP_SYS(kexec_file_load), NOBODY, ANY, "another kernel" },
	{ SCMP_SYS(userfaultfd), NOBODY, ANY, "what attacks are made of" },
	{ SCMP_SYS(perf_event_open), NOBODY, ANY, "what attacks are made of" },
	{ SCMP_SYS(keyctl), NOBODY, ANY, "the keys of others" },
};

#define N_RULES (sizeof(rules) / sizeof(rules[0]))

static int
add_rule(scmp_filter_ctx filter, const struct rule *r)
{
	if (r->roles == NOBODY)
		return seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, r->call,
		    0);
	if (r->when.op == _SCMP_CMP_MIN)
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, r->call, 0);
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, r->call, 1,
	    &r->when);
}

static int
fill_filter(scmp_filter_ctx filter, unsigned role)
{
	int err;

	/* Calls of another architecture would have other numbers. */
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < N_RULES && err == 0; i++)
		if (rules[i].roles == NOBODY || rules[i].roles & role)
			err = add_rule(filter, &rules[i]);
	return err;
}

/* The one instruction that compares with the number of the process. */
static struct sock_filter *
find_own_pid(struct sandbox_filter *f)
{
	struct sock_filter *found = NULL;

	for (unsigned i = 0; i < f->n; i++) {
		if (f->code[i].k != OWN_PID)
			continue;
		if (found != NULL || BPF_CLASS(f->code[i].code) != BPF_JMP)
			return NULL;
		found = &f->code[i];
	}
	return found;
}

/* The library writes programs into files only. */
static int
export_filter(scmp_filter_ctx filter, struct sandbox_filter *out_filter)
{
	ssize_t n = -1;
	int fd, err;

	fd = memfd_create("filter", MFD_CLOEXEC);
	if (fd == -1)
		return -errno;
	err = seccomp_export_bpf(filter, fd);
	if (err == 0)
		n = pread(fd, out_filter->code, sizeof(out_filter->code), 0);
	close(fd);
	if (err < 0)
		return err;
	if (n <= 0 || (size_t)n == sizeof(out_filter->code))
		return -E2BIG;
	out_filter->n = (unsigned short)((size_t)n /
	    sizeof(out_filter->code[0]));
	return find_own_pid(out_filter) == NULL ? -EINVAL : 0;
}

int
sandbox_compile(enum sandbox_role role, struct sandbox_filter *out_filter)
{
	scmp_filter_ctx filter;
	int err;

	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return -ENOMEM;
	err = fill_filter(filter, 1u << role);
	/* A tree of comparisons is shorter than a list of them. */
	if (err == 0)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (err == 0)
		err = export_filter(filter, out_filter);
	seccomp_release(filter);
	return err;
}

int
sandbox_filter(const struct sandbox *s)
{
	struct sandbox_filter own;
	struct sock_fprog program;
	int err = 0;

	if (s->filter != NULL)
		own = *s->filter;
	else
		err = sandbox_compile(s->role, &own);
	if (err != 0)
		return err;
	find_own_pid(&own)->k = (uint32_t)getpid();
	program = (struct sock_fprog){ own.n, own.code };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1 ?
	    -errno : 0;
}

/* Returns how many. */
static size_t
print_rules(FILE *out, unsigned roles_of)
{
	size_t n = 0;

	for (size_t i = 0; i < N_RULES; i++) {
		const struct rule *r = &rules[i];
		char *name;

		if (r->roles != roles_of)
			continue;
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE,
		    r->call);
		fprintf(out, "  %-20s%s%s\n", name != NULL ? name : "?",
		    r->why, r->when.op == _SCMP_CMP_MIN ? "" : " (in part)");
		free(name);
		n++;
	}
	return n;
}

void
sandbox_help(FILE *out)
{
	static const struct {
		unsigned roles;
		const char *heading;
	} groups[] = {
		{ EACH, "Workers, who looks users up, and who compresses, "
		    "may call" },
		{ BOTH, "Workers, and who looks users up" },
		{ WORKER | ENCODER, "Workers, and who compresses" },
		{ WORKER, "Workers alone" },
		{ FORKER, "Workers with the engines fork and select-fork" },
		{ SIGNALLED, "Workers with the engine sigio" },
		{ HOMES, "Who looks users up, alone" },
		{ ENCODER, "Who compresses, alone" },
		{ NOBODY, "These end the process" },
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		fprintf(out, "%s%s\n", i == 0 ? "" : "\n",
		    groups[i].heading);
		n += print_rules(out, groups[i].roles);
	}
	/* Each combination of roles in the table has its group. */
	assert(n == N_RULES);
	fputs("\nAll others fail.\n", out);
}
