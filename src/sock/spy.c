/* SPDX-License-Identifier: ISC */
/*
 * Each system call stops its process twice.  At the entry its arguments are
 * kept, at the exit it is shown, with what its pointers point to by then.
 * Calls that name no socket are not shown, nor are those of whom there is no
 * room to keep in mind.
 */
#include "sock/spy.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/call_priv.h"
#include "sock/say.h"

#define TRACED_MAX 256          /* processes and threads at a time */
#define SYSCALL_STOP (SIGTRAP | 0x80)

/*
 * How arguments are written, a letter for each group of them: k domain, type
 * and protocol; f, i numbers; a an address and its length; A one that is
 * given back; b bytes and their length; B those that were read; m flags of
 * messages; t flags of types; h how to shut down; o an option and its value;
 * O one that is asked for; p a pointer; v two descriptors that were made.
 */
static const struct shape {
	uint64_t nr;
	const char *name, *arguments;
} shapes[] = {
	{ SYS_socket, "socket", "k" },
	{ SYS_socketpair, "socketpair", "kv" },
	{ SYS_bind, "bind", "fa" },
	{ SYS_connect, "connect", "fa" },
	{ SYS_listen, "listen", "fi" },
#ifdef SYS_accept
	{ SYS_accept, "accept", "fA" },
#endif
	{ SYS_accept4, "accept4", "fAt" },
	{ SYS_getsockname, "getsockname", "fA" },
	{ SYS_getpeername, "getpeername", "fA" },
	{ SYS_sendto, "sendto", "fbma" },
	{ SYS_recvfrom, "recvfrom", "fBmA" },
	{ SYS_sendmsg, "sendmsg", "fpm" },
	{ SYS_recvmsg, "recvmsg", "fpm" },
	{ SYS_sendmmsg, "sendmmsg", "fpim" },
	{ SYS_recvmmsg, "recvmmsg", "fpimp" },
	{ SYS_setsockopt, "setsockopt", "fo" },
	{ SYS_getsockopt, "getsockopt", "fO" },
	{ SYS_shutdown, "shutdown", "fh" },
};

struct traced {
	pid_t pid;              /* 0: nobody */
	const struct shape *shape;      /* of the call it is in; NULL: others */
	uint64_t args[6];
	socklen_t length;       /* that an address had room for, at the entry */
	double since;
};

struct spy {
	pid_t first;
	int status;             /* of the first */
	struct traced traced[TRACED_MAX];
};

/* Its memory; how many bytes there were, at most n. */
static size_t
peek(pid_t pid, uint64_t at, void *p, size_t n)
{
	struct iovec ours = { p, n };
	struct iovec theirs = { .iov_len = n };
	ssize_t got;

	memcpy(&theirs.iov_base, &at, sizeof(theirs.iov_base));
	got = at != 0 ? process_vm_readv(pid, &ours, 1, &theirs, 1, 0) : -1;
	return got > 0 ? (size_t)got : 0;
}

/* ------------------------------------------------------------ arguments */

static void
add_address(struct call_line *l, pid_t pid, uint64_t at, uint64_t len)
{
	union {
		struct sockaddr sa;
		struct sockaddr_storage room;
	} u;
	char text[CALL_TEXT];
	size_t n = len < sizeof(u) ? (size_t)len : sizeof(u);

	n = peek(pid, at, &u, n);
	call_put(l, "%s", call_address_text(text, &u.sa, (socklen_t)n));
}

/* One that the kernel gave, with its length before and after. */
static void
add_given(struct call_line *l, const struct traced *t, const uint64_t *arg,
    bool has_failed)
{
	socklen_t after = 0;

	if (arg[0] == 0 || peek(t->pid, arg[1], &after, sizeof(after)) == 0) {
		call_put(l, "NULL, NULL");
		return;
	}
	if (has_failed)
		call_put(l, "%#llx", (unsigned long long)arg[0]);
	else
		add_address(l, t->pid, arg[0], after);
	if (t->length == after)
		call_put(l, ", [%u]", (unsigned)after);
	else
		call_put(l, ", [%u => %u]", (unsigned)t->length,
		    (unsigned)after);
}

static void
add_bytes(struct call_line *l, pid_t pid, const uint64_t *arg, uint64_t n)
{
	char bytes[CALL_SHOWN_BYTES], text[CALL_TEXT];
	size_t got = peek(pid, arg[0], bytes,
	    n < sizeof(bytes) ? (size_t)n : sizeof(bytes));

	call_put(l, "%s, %llu", call_bytes_text(text, bytes, got, (size_t)n),
	    (unsigned long long)arg[1]);
}

static void
add_pair(struct call_line *l, pid_t pid, uint64_t at)
{
	int ends[2];

	if (peek(pid, at, ends, sizeof(ends)) == sizeof(ends))
		call_put(l, "[%d, %d]", ends[0], ends[1]);
	else
		call_put(l, "%#llx", (unsigned long long)at);
}

/* Level, option, value and length, which may be behind a pointer. */
static void
add_option(struct call_line *l, const struct traced *t, const uint64_t *arg,
    bool is_given)
{
	char value[CALL_SHOWN_BYTES], text[CALL_TEXT];
	socklen_t len = (socklen_t)arg[3];

	if (is_given && peek(t->pid, arg[3], &len, sizeof(len)) == 0)
		len = 0;
	len = (socklen_t)peek(t->pid, arg[2], value,
	    len < sizeof(value) ? len : sizeof(value));
	call_put(l, "%s", call_option_text(text, (int)arg[0], (int)arg[1],
	    value, len));
	if (is_given)
		call_put(l, ", [%u]", (unsigned)len);
	else
		call_put(l, ", %u", (unsigned)arg[3]);
}

/* Writes what one letter stands for; how many arguments that were. */
static unsigned
add_argument(struct call_line *l, const struct traced *t, char letter,
    const uint64_t *arg, int64_t result)
{
	uint64_t read = result > 0 ? (uint64_t)result : 0;
	char text[CALL_TEXT];

	switch (letter) {
	case 'k':
		call_put(l, "%s", call_kind_text(text, (int)arg[0], (int)arg[1],
		    (int)arg[2]));
		return 3;
	case 'a':
		add_address(l, t->pid, arg[0], arg[1]);
		call_put(l, ", %u", (unsigned)arg[1]);
		return 2;
	case 'A':
		add_given(l, t, arg, result < 0);
		return 2;
	case 'b':
		add_bytes(l, t->pid, arg, arg[1]);
		return 2;
	case 'B':
		add_bytes(l, t->pid, arg, read < arg[1] ? read : arg[1]);
		return 2;
	case 'o':
	case 'O':
		add_option(l, t, arg, letter == 'O');
		return 4;
	case 'm':
	case 't':
	case 'h':
		call_put(l, "%s", call_flags_text(text, letter, (int)arg[0]));
		return 1;
	case 'v':
		add_pair(l, t->pid, arg[0]);
		return 1;
	case 'p':
		call_put(l, "%#llx", (unsigned long long)arg[0]);
		return 1;
	default:
		call_put(l, "%d", (int)arg[0]);
		return 1;
	}
}

static void
show(const struct traced *t, int64_t result)
{
	double took = say_seconds() - t->since;
	struct call_line l = { .n = 0 };
	struct record r;
	unsigned at = 0;

	call_put(&l, "%s(", t->shape->name);
	for (const char *a = t->shape->arguments; *a != '\0'; a++) {
		call_put(&l, "%s", at > 0 ? ", " : "");
		at += add_argument(&l, t, *a, t->args + at, result);
	}
	call_put(&l, ") = %lld", result < 0 ? -1LL : (long long)result);
	if (result < 0)
		call_put(&l, " %s (%s)", strerrorname_np((int)-result),
		    strerror((int)-result));
	record_begin(&r, "call");
	record_number(&r, "pid", t->pid);
	record_text(&r, "call", t->shape->name);
	record_text(&r, "text", l.text);
	record_number(&r, "result", result < 0 ? -1 : result);
	record_errno(&r, "errno", result < 0 ? (int)-result : 0);
	record_real(&r, "seconds", took);
	record_say(&r, SAY_CALL, "[%d] %s <%.6f>", t->pid, l.text, took);
}

/* ---------------------------------------------------------------- stops */

/* The entry of a process, or a free one; NULL when there is neither. */
static struct traced *
find(struct spy *s, pid_t pid)
{
	struct traced *empty = NULL;

	for (size_t i = 0; i < TRACED_MAX; i++) {
		if (s->traced[i].pid == pid)
			return &s->traced[i];
		if (s->traced[i].pid == 0 && empty == NULL)
			empty = &s->traced[i];
	}
	return empty;
}

static const struct shape *
shape_of(uint64_t nr)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].nr == nr)
			return &shapes[i];
	return NULL;
}

/*
 * What has room for an address says so behind a pointer.  Before it stand
 * descriptors, and perhaps bytes with flags: recvfrom(2).
 */
static socklen_t
room_at_entry(const struct traced *t)
{
	socklen_t room = 0;
	size_t at = 0;

	for (const char *a = t->shape->arguments; *a != '\0'; a++) {
		if (*a == 'A')
			peek(t->pid, t->args[at + 1], &room, sizeof(room));
		at += strchr("aAbB", *a) != NULL ? 2 : 1;
	}
	return room;
}

static void
on_call(struct spy *s, pid_t pid)
{
	struct __ptrace_syscall_info info;
	struct traced *t = find(s, pid);

	if (t == NULL || ptrace(PTRACE_GET_SYSCALL_INFO, pid,
	    (void *)sizeof(info), &info) <= 0)
		return;
	t->pid = pid;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		t->shape = shape_of(info.entry.nr);
		for (size_t i = 0; i < 6; i++)
			t->args[i] = info.entry.args[i];
		t->length = t->shape != NULL ? room_at_entry(t) : 0;
		t->since = say_seconds();
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->shape != NULL) {
		show(t, info.exit.rval);
		t->shape = NULL;
	}
}

static void
on_end(struct spy *s, pid_t pid, int status)
{
	struct traced *t = find(s, pid);

	if (t != NULL)
		t->pid = 0;
	if (pid == s->first)
		s->status = status;
}

/* What came of a stop: the signal that the process is to get; 0: none. */
static int
on_stop(struct spy *s, pid_t pid, int status)
{
	struct traced *t;
	int signo = WSTOPSIG(status);

	if (signo == SYSCALL_STOP) {
		on_call(s, pid);
		return 0;
	}
	if (status >> 16 != 0)
		return 0;       /* it forked or executed, which is its matter */
	/* The first stop of a new one is ours, not a signal that was sent. */
	t = find(s, pid);
	if (t != NULL && t->pid == pid)
		return signo;
	if (t != NULL)
		*t = (struct traced){ .pid = pid };
	return signo == SIGSTOP ? 0 : signo;
}

static void
watch_all(struct spy *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) != -1 || errno == EINTR) {
		if (pid == -1)
			continue;
		if (!WIFSTOPPED(status))
			on_end(s, pid, status);
		else
			ptrace(PTRACE_SYSCALL, pid, NULL,
			    (void *)(intptr_t)on_stop(s, pid, status));
	}
}

/* As it did, but without a second core file. */
static _Noreturn void
end_as(int status)
{
	struct rlimit none = { 0, 0 };

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &none);
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

void
spy_fork(int out, int err)
{
	static const long options = PTRACE_O_TRACESYSGOOD |
	    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	struct spy s = { .status = 0 };
	pid_t child = fork();

	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			raise(SIGSTOP);
		return;
	}
	if (child == -1)
		return;
	close(out);
	close(err);
	/* It ends when they end, who may have it otherwise. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	s.first = child;
	waitpid(child, &s.status, 0);
	if (!WIFSTOPPED(s.status)) {
		say_error(OUTCOME_UNAVAILABLE, NULL, "ptrace", 0,
		    "calls cannot be watched here");
		end_as(s.status);
	}
	ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options);
	s.traced[0].pid = child;
	ptrace(PTRACE_SYSCALL, child, NULL, NULL);
	watch_all(&s);
	end_as(s.status);
}
