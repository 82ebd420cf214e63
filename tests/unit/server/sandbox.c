/* SPDX-License-Identifier: ISC */
/*
 * What a process can still do in the sandbox, found out from inside: each
 * attempt is made by a child of its own, as root and as nobody.
 */

#include "server/sandbox.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"
#include "server/privileges.h"
#include "server/sandbox_priv.h"

#define SANDBOX_FAILED 100      /* exit statuses of a child */
#define WORKS 0

/* All that the process has when it enters. */
static struct {
	char root[64], outside[64];     /* directories, with a file "f" */
	char outside_path[80];          /* of the second "f" */
	int root_fd;
	int outside_file;               /* opened before */
	int listener, tcp;              /* the second not connected */
	int pair[2], epoll;
	int clients[4];                 /* of the listener */
	struct sockaddr_in address;     /* of the listener */
	pid_t other;                    /* a process that is not ours */
	struct sandbox_filter filter;   /* of a worker, made there */
} have;

static bool
has_landlock(long abi)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION) >= abi;
}

/* ---------------------------------------------------------- attempts */

static long
open2(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0600 : 0,
	};

	return syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static char *const no_words[] = { NULL };

#define ATTEMPTS(X) \
	/* programs and processes */ \
	X(execve, execve("/bin/true", no_words, no_words)) \
	X(execveat, syscall(SYS_execveat, have.root_fd, "f", no_words, \
	    no_words, 0)) \
	X(ptrace, ptrace(PTRACE_SEIZE, have.other, NULL, NULL)) \
	X(peek, syscall(SYS_process_vm_readv, have.other, NULL, 0, NULL, 0, \
	    0)) \
	X(fork, fork()) \
	X(kill, kill(have.other, SIGCONT)) \
	X(kill_0, kill(have.other, 0)) \
	X(tgkill, syscall(SYS_tgkill, have.other, have.other, SIGCONT)) \
	X(own, fcntl(have.pair[0], F_SETOWN, have.other)) \
	X(setuid, setresuid(0, 0, 0)) \
	X(setgid, setresgid(0, 0, 0)) \
	X(unshare, unshare(CLONE_NEWUSER)) \
	X(execute_memory, (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, \
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
	/* files */ \
	X(open, open("/etc/passwd", O_RDONLY)) \
	X(open_dir, open(have.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) \
	X(openat2, open2(AT_FDCWD, "/etc/passwd", O_RDONLY)) \
	X(read_outside, open2(AT_FDCWD, have.outside_path, O_RDONLY)) \
	X(climb, open2(have.root_fd, "..", O_RDONLY)) \
	X(write, open(have.outside_path, O_WRONLY)) \
	X(write_file, open2(have.root_fd, "f", O_WRONLY)) \
	X(write_dir, open2(have.root_fd, "new", O_WRONLY | O_CREAT)) \
	X(write_outside, open2(AT_FDCWD, have.outside_path, O_WRONLY)) \
	X(write_null, open2(AT_FDCWD, "/dev/null", O_WRONLY)) \
	X(truncate, truncate(have.outside_path, 0)) \
	X(unlink, unlinkat(have.root_fd, "f", 0)) \
	X(mkdir, mkdirat(have.root_fd, "d", 0700)) \
	X(rename, renameat(have.root_fd, "f", have.root_fd, "g")) \
	X(chmod, fchmod(have.root_fd, 0777)) \
	X(mount, mount("none", "/no/such", "tmpfs", 0, NULL)) \
	X(chroot, chroot(have.root)) \
	/* the network */ \
	X(socket, socket(AF_INET, SOCK_STREAM, 0)) \
	X(socket_unix, socket(AF_UNIX, SOCK_STREAM, 0)) \
	X(netlink, socket(AF_NETLINK, SOCK_RAW, 0)) \
	X(connect, connect(have.tcp, (struct sockaddr *)&have.address, \
	    sizeof(have.address))) \
	X(bind, bind(have.tcp, (struct sockaddr *)&have.address, \
	    sizeof(have.address))) \
	X(listen, listen(have.tcp, 1)) \
	/* what works */ \
	X(read_inside, open2(have.root_fd, "f", O_RDONLY)) \
	X(list_inside, open2(have.root_fd, ".", O_RDONLY | O_DIRECTORY)) \
	X(find_inside, open2(have.root_fd, "f", O_PATH)) \
	X(read_open_file, read(have.outside_file, &(char){ 0 }, 1)) \
	X(read_piece, pread(have.outside_file, &(char){ 0 }, 1, 0)) \
	X(copy_file, sendfile(have.pair[0], have.outside_file, NULL, 1)) \
	X(send, send(have.pair[0], "x", 1, 0)) \
	X(accept, accept4(have.listener, NULL, NULL, SOCK_CLOEXEC)) \
	X(epoll, epoll_wait(have.epoll, &(struct epoll_event){ 0 }, 1, 1)) \
	X(poll, poll(NULL, 0, 1)) \
	X(select, select(0, NULL, NULL, NULL, &(struct timeval){ 0, 1 })) \
	X(pselect, pselect(0, NULL, NULL, NULL, &(struct timespec){ 0, 1 }, \
	    &(sigset_t){ 0 })) \
	X(inotify, inotify_init1(IN_CLOEXEC)) \
	X(own_pid, syscall(SYS_tgkill, getpid(), getpid(), SIGCONT)) \
	X(user, getpwuid(0) != NULL ? 0 : -1) \
	X(sort, sort_much()) \
	X(list, list_names()) \
	X(seal, seal_memory()) \
	X(run, run_true())

/* 16 MiB: so much that qsort(3) asks how much there is. */
static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static long
sort_much(void)
{
	char *p = calloc(1 << 20, 16);

	if (p == NULL)
		return -1;
	for (size_t i = 0; i < 1 << 20; i++)
		p[16 * i] = (char)i;
	qsort(p, 1 << 20, 16, compare);
	free(p);
	return 0;
}

static long
list_names(void)
{
	DIR *d = fdopendir((int)open2(have.root_fd, ".", O_RDONLY));
	struct stat st;
	int n = 0;

	if (d == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	if (fstatat(dirfd(d), "f", &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	closedir(d);
	return n == 3 ? 0 : -1;
}

static long
seal_memory(void)
{
	int fd = memfd_create("sws-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1 || write(fd, "x", 1) != 1 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == -1)
		return -1;
	return write(fd, "y", 1) == -1 && errno == EPERM ? 0 : -1;
}

static long
run_true(void)
{
	int status;
	pid_t pid;

	pid = vfork();
	if (pid == 0) {
		execve("/bin/true", no_words, no_words);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		return -1;
	return status == 0 ? 0 : -1;
}

#define X(name, call) \
	static long try_##name(void) \
	{ \
		return call; \
	}
ATTEMPTS(X)
#undef X

/* ---------------------------------------------------------- the frame */

/* What is to come of an attempt. */
enum outcome {
	OK,
	FAILS,                  /* by EPERM or EACCES */
	KILLS,
};

struct attempt {
	const char *name;
	long (*try)(void);
	enum outcome outcome;
	long landlock;          /* the ABI it takes, or 0 */
	bool needs_plain;       /* AddressSanitizer asks for that, too */
};

static void
become_nobody(void)
{
	struct identity id;

	if (identity_find("nobody", &id) < 0 || identity_assume(&id) < 0)
		_exit(SANDBOX_FAILED);
}

/* The child: enters, tries, and exits with the errno, or 0. */
static _Noreturn void
enter_and_try(enum sandbox_role role, bool as_nobody, long (*try)(void))
{
	struct sandbox sandbox = {
		.role = role,
		.read_roots = &have.root_fd,
		.n_roots = 1,
		.filter = role == SANDBOX_WORKER ? &have.filter : NULL,
	};
	unsigned layers;
	long n;

	if (as_nobody)
		become_nobody();
	if (role == SANDBOX_HOMES)
		getpwuid(0);
	if (sandbox_enter(&sandbox, &layers) < 0)
		_exit(SANDBOX_FAILED);
	n = try();
	_exit(n == -1 ? errno : WORKS);
}

static enum outcome
outcome_of(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return KILLS;
	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKS)
		return OK;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == EPERM ||
	    WEXITSTATUS(status) == EACCES))
		return FAILS;
	fail_msg("status 0x%x", (unsigned)status);
	return OK;
}

static void
check(enum sandbox_role role, const struct attempt *a, bool as_nobody)
{
	static const char *const names[] = { "works", "fails", "kills" };
	enum outcome outcome;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		enter_and_try(role, as_nobody, a->try);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	outcome = outcome_of(status);
	if (outcome != a->outcome)
		fail_msg("%s%s: it %s (status 0x%x)", a->name,
		    as_nobody ? " as nobody" : "", names[outcome],
		    (unsigned)status);
}

static void
check_all(enum sandbox_role role, const struct attempt *list, size_t n)
{
	bool skipped = false;

	for (size_t i = 0; i < n; i++) {
		if (SANITIZED && list[i].needs_plain)
			continue;
		if (list[i].landlock > 0 && !has_landlock(list[i].landlock)) {
			print_message("%s: not without Landlock, ABI %ld\n",
			    list[i].name, list[i].landlock);
			skipped = true;
			continue;
		}
		check(role, &list[i], false);
		if (geteuid() == 0)
			check(role, &list[i], true);
	}
	if (skipped)
		skip();
}

/* -------------------------------------------------------------- tables */

#define TRY(x) .name = #x, .try = try_##x

static const struct attempt of_worker[] = {
	{ TRY(execve), KILLS },
	{ TRY(execveat), KILLS },
	{ TRY(ptrace), KILLS, .needs_plain = true },
	{ TRY(peek), KILLS },
	{ TRY(unshare), KILLS },
	{ TRY(mount), KILLS },
	{ TRY(chroot), KILLS },
	{ TRY(run), FAILS, .needs_plain = true },
	{ TRY(fork), FAILS, .needs_plain = true },
	{ TRY(kill), FAILS },
	{ TRY(kill_0), FAILS },
	{ TRY(tgkill), FAILS },
	{ TRY(own), FAILS },
	{ TRY(setuid), FAILS },
	{ TRY(setgid), FAILS },
	{ TRY(execute_memory), FAILS },
	{ TRY(open), FAILS },
	{ TRY(open_dir), FAILS, .needs_plain = true },
	{ TRY(openat2), FAILS, .landlock = 1 },
	{ TRY(read_outside), FAILS, .landlock = 1 },
	{ TRY(climb), FAILS, .landlock = 1 },
	{ TRY(write), FAILS },
	{ TRY(write_file), FAILS, .landlock = 1 },
	{ TRY(write_dir), FAILS, .landlock = 1 },
	{ TRY(write_outside), FAILS, .landlock = 1 },
	{ TRY(write_null), FAILS, .landlock = 1 },
	{ TRY(truncate), FAILS },
	{ TRY(unlink), FAILS },
	{ TRY(mkdir), FAILS },
	{ TRY(rename), FAILS },
	{ TRY(chmod), FAILS },
	{ TRY(socket), FAILS },
	{ TRY(socket_unix), FAILS },
	{ TRY(netlink), FAILS },
	{ TRY(connect), FAILS },
	{ TRY(bind), FAILS },
	{ TRY(listen), FAILS },
	{ TRY(read_inside), OK },
	{ TRY(list_inside), OK },
	{ TRY(find_inside), OK },
	{ TRY(read_open_file), OK },
	{ TRY(copy_file), OK },
	{ TRY(send), OK },
	{ TRY(accept), OK },
	{ TRY(epoll), OK },
	{ TRY(poll), OK },
	{ TRY(select), OK },
	{ TRY(pselect), OK },
	{ TRY(inotify), FAILS },
	{ TRY(own_pid), OK },
	{ TRY(sort), OK },
	{ TRY(list), OK },
};

static void
test_worker(void **state)
{
	(void)state;
	check_all(SANDBOX_WORKER, of_worker, COUNT(of_worker));
}

static const struct attempt of_homes[] = {
	{ TRY(execve), KILLS },
	{ TRY(ptrace), KILLS, .needs_plain = true },
	{ TRY(run), FAILS, .needs_plain = true },
	{ TRY(kill), FAILS },
	{ TRY(execute_memory), FAILS },
	{ TRY(write), FAILS },
	{ TRY(write_file), FAILS, .landlock = 1 },
	{ TRY(write_outside), FAILS, .landlock = 1 },
	{ TRY(unlink), FAILS },
	{ TRY(socket), FAILS },
	{ TRY(netlink), FAILS },
	{ TRY(bind), FAILS },
	{ TRY(accept), FAILS },
	{ TRY(inotify), FAILS },
	{ TRY(user), OK },
	{ TRY(openat2), OK },
	{ TRY(read_inside), OK },
	{ TRY(open), OK },
	{ TRY(open_dir), OK },
	{ TRY(send), OK },
	{ TRY(poll), OK },
	{ TRY(list), OK },
};

static void
test_homes(void **state)
{
	(void)state;
	check_all(SANDBOX_HOMES, of_homes, COUNT(of_homes));
}

static const struct attempt of_encoder[] = {
	{ TRY(execve), KILLS },
	{ TRY(ptrace), KILLS, .needs_plain = true },
	{ TRY(run), FAILS, .needs_plain = true },
	{ TRY(kill), FAILS },
	{ TRY(execute_memory), FAILS },
	{ TRY(open), FAILS, .needs_plain = true },
	{ TRY(openat2), FAILS },
	{ TRY(read_inside), FAILS },
	{ TRY(read_outside), FAILS },
	{ TRY(read_open_file), FAILS, .needs_plain = true },
	{ TRY(write), FAILS },
	{ TRY(unlink), FAILS },
	{ TRY(socket), FAILS },
	{ TRY(socket_unix), FAILS },
	{ TRY(connect), FAILS },
	{ TRY(bind), FAILS },
	{ TRY(accept), FAILS },
	{ TRY(inotify), FAILS },
	{ TRY(send), OK },
	{ TRY(poll), OK },
	{ TRY(own_pid), OK },
	{ TRY(seal), OK },
	{ TRY(read_piece), OK },
};

static void
test_encoder(void **state)
{
	(void)state;
	check_all(SANDBOX_ENCODER, of_encoder, COUNT(of_encoder));
}

static const struct attempt of_spawner[] = {
	{ TRY(kill), FAILS, .landlock = 6 },
	{ TRY(kill_0), FAILS, .landlock = 6 },
	{ TRY(ptrace), FAILS, .landlock = 6 },
	{ TRY(run), OK },
	{ TRY(fork), OK },
	{ TRY(open), OK },
	{ TRY(write), OK },
	{ TRY(socket), OK },
	{ TRY(user), OK },
};

static void
test_spawner(void **state)
{
	(void)state;
	check_all(SANDBOX_SPAWNER, of_spawner, COUNT(of_spawner));
}

/* Landlock, asked for signals alone, must not deny what it can: REFER. */
static long
try_move(void)
{
	char from[] = "/tmp/sws-move-XXXXXX", to[] = "/tmp/sws-into-XXXXXX";
	char name[64];
	int fd = mkstemp(from), err;

	if (fd == -1 || mkdtemp(to) == NULL)
		return -1;
	close(fd);
	snprintf(name, sizeof(name), "%s/f", to);
	err = rename(from, name);
	unlink(err == 0 ? name : from);
	rmdir(to);
	return err;
}

static void
test_spawner_moves_files(void **state)
{
	static const struct attempt move = { TRY(move), OK };

	(void)state;
	check_all(SANDBOX_SPAWNER, &move, 1);
}

/* Its set-user-ID bit does not help a program that the spawner runs. */
static long
try_gain(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -1;
}

static void
test_spawner_gains_nothing(void **state)
{
	static const struct attempt gain = { TRY(gain), OK };

	(void)state;
	check_all(SANDBOX_SPAWNER, &gain, 1);
}

/* A worker that aborts says so; its death is not made into another. */
static long
try_abort(void)
{
	abort();
}

static void
test_abort(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		enter_and_try(SANDBOX_WORKER, false, try_abort);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* --------------------------------------------------------------- modes */

static int
probe(enum sandbox_role role, enum sandbox_mode mode, const int *root,
    unsigned *out_layers)
{
	const struct sandbox sandbox = {
		.role = role,
		.mode = mode,
		.read_roots = root,
		.n_roots = root != NULL,
	};

	return sandbox_probe(&sandbox, out_layers);
}

static void
test_layers(void **state)
{
	const unsigned all = SANDBOX_NO_NEW_PRIVS | SANDBOX_NO_CAPABILITIES |
	    SANDBOX_LANDLOCK | SANDBOX_SECCOMP;
	unsigned layers;

	(void)state;
	assert_int_equal(sandbox_layers(SANDBOX_WORKER), all);
	assert_int_equal(sandbox_layers(SANDBOX_HOMES), all);
	assert_int_equal(sandbox_layers(SANDBOX_ENCODER), all);
	assert_int_equal(sandbox_layers(SANDBOX_SPAWNER),
	    SANDBOX_NO_NEW_PRIVS | SANDBOX_NO_CAPABILITIES);
	assert_int_equal(probe(SANDBOX_WORKER, SANDBOX_OFF,
	    &have.root_fd, &layers), 0);
	assert_int_equal(layers, 0);
	assert_int_equal(probe(SANDBOX_SPAWNER, SANDBOX_REQUIRE,
	    NULL, &layers), 0);
	assert_int_equal(layers & ~(unsigned)SANDBOX_LANDLOCK,
	    sandbox_layers(SANDBOX_SPAWNER));
	assert_int_equal(probe(SANDBOX_WORKER, SANDBOX_ON,
	    &have.root_fd, &layers), 0);
	if (has_landlock(1))
		assert_int_equal(layers, all);
	assert_int_equal(probe(SANDBOX_WORKER, SANDBOX_REQUIRE,
	    &have.root_fd, &layers), layers == all ? 0 : -EOPNOTSUPP);
}

static void
test_missing_layer(void **state)
{
	const int no_directory = -1;
	unsigned layers;

	(void)state;
	/* Landlock takes open directories. */
	assert_int_equal(probe(SANDBOX_WORKER, SANDBOX_REQUIRE,
	    &no_directory, &layers), -EOPNOTSUPP);
	assert_int_equal(layers, SANDBOX_NO_NEW_PRIVS |
	    SANDBOX_NO_CAPABILITIES | SANDBOX_SECCOMP);
	assert_int_equal(probe(SANDBOX_WORKER, SANDBOX_ON,
	    &no_directory, &layers), 0);
}

static const struct {
	unsigned layers;
	const char *text;
} texts[] = {
	{ 0, "nothing" },
	{ SANDBOX_NO_NEW_PRIVS, "no_new_privs" },
	{ SANDBOX_SECCOMP | SANDBOX_NO_CAPABILITIES, "capabilities, seccomp" },
	{ 15, "no_new_privs, capabilities, landlock, seccomp" },
};

static void
test_text(void **state)
{
	char text[SANDBOX_LAYERS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_string_equal(sandbox_layers_text(texts[i].layers, text,
		    sizeof(text)), texts[i].text);
}

/* --------------------------------------------------------------- setup */

/* A directory that anybody may change, with a file in it. */
static void
make_dir(char path[64], const char *template)
{
	int dir, fd;

	memcpy(path, template, strlen(template) + 1);
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(fchmod(dir, 0777), 0);
	fd = openat(dir, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	close(fd);
	close(dir);
}

static void
remove_dir(const char *path)
{
	char name[80];

	snprintf(name, sizeof(name), "%s/f", path);
	unlink(name);
	rmdir(path);
}

static int
open_all(void **state)
{
	socklen_t len = sizeof(have.address);
	int flags = SOCK_STREAM | SOCK_CLOEXEC;

	(void)state;
	make_dir(have.root, "/tmp/sws-root-XXXXXX");
	make_dir(have.outside, "/tmp/sws-outside-XXXXXX");
	have.root_fd = open(have.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	have.outside_file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	have.listener = socket(AF_INET, flags | SOCK_NONBLOCK, 0);
	have.epoll = epoll_create1(EPOLL_CLOEXEC);
	have.tcp = socket(AF_INET, flags, 0);
	have.address.sin_family = AF_INET;
	have.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(have.listener, (struct sockaddr *)&have.address,
	    len), 0);
	assert_int_equal(listen(have.listener, 200), 0);
	assert_int_equal(getsockname(have.listener,
	    (struct sockaddr *)&have.address, &len), 0);
	assert_int_equal(socketpair(AF_UNIX, flags, 0, have.pair), 0);
	snprintf(have.outside_path, sizeof(have.outside_path), "%s/f",
	    have.outside);
	have.other = getpid();
	assert_int_equal(sandbox_compile(SANDBOX_WORKER, &have.filter), 0);
	for (size_t i = 0; i < COUNT(have.clients); i++) {
		have.clients[i] = socket(AF_INET, flags, 0);
		assert_int_equal(connect(have.clients[i],
		    (struct sockaddr *)&have.address, len), 0);
	}
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	remove_dir(have.root);
	remove_dir(have.outside);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_homes),
		cmocka_unit_test(test_encoder),
		cmocka_unit_test(test_spawner),
		cmocka_unit_test(test_spawner_moves_files),
		cmocka_unit_test(test_spawner_gains_nothing),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_missing_layer),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
