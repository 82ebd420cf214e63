/* SPDX-License-Identifier: ISC */
/* The process for home directories, with users and homes made for it. */

#include "server/homes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"
#include "net/channel.h"
#include "server/order.h"
#include "site/home_msg.h"

#define WAIT_MS 60000           /* a bound on failures, nothing else */

/* How a user differs from one who is served: in the uid, in the shell. */
static const struct {
	const char *name, *home, *shell;
	unsigned uid_more;
} users[] = {
	{ "alice", "alice", "/bin/sh", 0 },
	{ "shell.less", "alice", "", 0 },
	{ "nologin", "alice", "/usr/sbin/nologin", 0 },
	{ "false", "alice", "/bin/false", 0 },
	{ "stranger", "alice", "/bin/sh", 1 },
	{ "bare", "bare", "/bin/sh", 0 },
	{ "plain", "plain", "/bin/sh", 0 },
	{ "linked", "linked", "/bin/sh", 0 },
	{ "leaving", "leaving", "/bin/sh", 0 },
	{ "homeless", "nowhere", "/bin/sh", 0 },
};

static char top[] = "/tmp/sws-homes-XXXXXX";
static unsigned *look_ups;      /* counted by the process under test */
static struct config config = {
	.user_dir = "sws",
	.index = "index.html",
	.listings = true,
};

static pid_t process;
static int orders, channel;

static int
find_user(const char *name, struct passwd *entry, char *buffer, size_t size,
    struct passwd **result)
{
	++*look_ups;
	*result = NULL;
	for (size_t i = 0; i < COUNT(users); i++) {
		size_t n = strlen(top) + strlen(users[i].home) + 2;

		if (strcmp(users[i].name, name) != 0)
			continue;
		snprintf(buffer, size, "%s/%s", top, users[i].home);
		snprintf(buffer + n, size - n, "%s", users[i].shell);
		*entry = (struct passwd){
			.pw_uid = getuid() + users[i].uid_more,
			.pw_dir = buffer,
			.pw_shell = buffer + n,
		};
		*result = entry;
	}
	return 0;
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
make_homes(void **state)
{
	static const char *const dirs[] = {
		"alice", "alice/sws", "alice/sws/sub", "alice/sws/own",
		"alice/sws/odd", "alice/sws/odd/index.html", "bare", "plain",
		"linked", "linked/public", "leaving",
	};

	(void)state;
	look_ups = mmap(NULL, sizeof(*look_ups), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (look_ups == MAP_FAILED || mkdtemp(top) == NULL || chdir(top) == -1)
		return -1;
	for (size_t i = 0; i < COUNT(dirs); i++)
		if (mkdir(dirs[i], 0755) == -1)
			return -1;
	write_file("secret", "secret");
	write_file("alice/private", "secret");
	write_file("alice/sws/file.txt", "a file");
	write_file("alice/sws/own/index.html", "an index");
	write_file("linked/public/index.html", "linked");
	write_file("plain/sws", "no directory");
	return mkfifo("alice/sws/fifo", 0666) |
	    symlink("file.txt", "alice/sws/near") |
	    symlink("../private", "alice/sws/far") |
	    symlink("public", "linked/sws") |
	    symlink("../alice/sws", "leaving/sws");
}

static int
remove_homes(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command);
}

/* Another worker of the process. */
static int
add_worker(void)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(order_send(orders, ORDER_PEER, 0, ends[1]), 0);
	close(ends[1]);
	return ends[0];
}

static int
start(void **state)
{
	struct homes_setup setup = {
		.config = &config,
		.find_user = find_user,
	};
	int ends[2];

	(void)state;
	if (channel_pair(ends) < 0)
		return -1;
	*look_ups = 0;
	fflush(NULL);
	process = fork();
	if (process == 0) {
		close(ends[0]);
		setup.orders = ends[1];
		_exit(homes_run(&setup));
	}
	close(ends[1]);
	orders = ends[0];
	channel = add_worker();
	return 0;
}

/* The process must end by itself when told so, or when nobody could. */
static void
assert_ends(void)
{
	int status;

	assert_int_equal(waitpid(process, &status, 0), process);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	process = 0;
}

static int
stop(void **state)
{
	(void)state;
	close(orders);
	close(channel);
	if (process != 0)
		assert_ends();
	return 0;
}

static bool
wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1;
}

static void
ask(int fd, uint32_t id, const char *path)
{
	struct home_ask message = { .id = id };

	memcpy(message.path, path, strlen(path));
	assert_int_equal(channel_send(fd, &message,
	    home_ask_size(strlen(path)), NULL, 0), 0);
}

static uint32_t
reply_of(int fd, uint32_t id, int fds[HOME_REPLY_FDS])
{
	struct home_reply reply;
	unsigned n_fds = HOME_REPLY_FDS;
	ssize_t n;

	assert_true(wait_for(fd));
	n = channel_receive(fd, &reply, sizeof(reply), fds, &n_fds);
	assert_true(n > 0);
	assert_true(home_reply_is_valid(&reply, (size_t)n, n_fds));
	assert_int_equal(reply.id, id);
	return reply.kind;
}

/* Its answer, whose descriptors are closed. */
static uint32_t
kind_of(const char *path)
{
	int fds[HOME_REPLY_FDS];
	uint32_t kind;

	ask(channel, 1, path);
	kind = reply_of(channel, 1, fds);
	for (unsigned i = 0; i < home_reply_fds(kind); i++)
		close(fds[i]);
	return kind;
}

static bool
is_closed(int fd)
{
	unsigned n_fds = 0;
	char byte;

	return wait_for(fd) && channel_receive(fd, &byte, 1, NULL, &n_fds) == 0;
}

static const struct {
	const char *path;
	enum home_kind kind;
	const char *content;            /* of a file */
} cases[] = {
	{ "alice", HOME_SLASH, NULL },
	{ "alice/", HOME_DIRECTORY, NULL },
	{ "alice/file.txt", HOME_FILE, "a file" },
	{ "alice/near", HOME_FILE, "a file" },
	{ "alice/sub", HOME_SLASH, NULL },
	{ "alice/sub/", HOME_DIRECTORY, NULL },
	{ "alice/own", HOME_SLASH, NULL },
	{ "alice/own/", HOME_FILE, "an index" },
	{ "alice/odd/", HOME_DIRECTORY, NULL },
	{ "shell.less", HOME_SLASH, NULL },
	{ "linked", HOME_SLASH, NULL },
	{ "linked/", HOME_FILE, "linked" },

	/* Nothing there, or nothing to be read. */
	{ "alice/nothing", HOME_MISSING, NULL },
	{ "alice/nothing/", HOME_MISSING, NULL },
	{ "alice/file.txt/", HOME_MISSING, NULL },
	{ "alice/fifo", HOME_MISSING, NULL },

	/* Outside of the user's web directory. */
	{ "alice/far", HOME_MISSING, NULL },
	{ "alice/..", HOME_MISSING, NULL },
	{ "alice/../", HOME_MISSING, NULL },
	{ "alice/../private", HOME_MISSING, NULL },
	{ "alice//etc/passwd", HOME_MISSING, NULL },
	{ "leaving/file.txt", HOME_MISSING, NULL },

	/* Nobody who is served. */
	{ "nobody.known", HOME_MISSING, NULL },
	{ "nobody.known/", HOME_MISSING, NULL },
	{ "stranger", HOME_MISSING, NULL },
	{ "stranger/file.txt", HOME_MISSING, NULL },
	{ "nologin/file.txt", HOME_MISSING, NULL },
	{ "false/file.txt", HOME_MISSING, NULL },
	{ "bare", HOME_MISSING, NULL },
	{ "bare/", HOME_MISSING, NULL },
	{ "plain", HOME_MISSING, NULL },
	{ "homeless/", HOME_MISSING, NULL },
};

static void
check_content(int fd, const char *content)
{
	char text[64];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, content);
}

static void
test_cases(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT(cases); i++) {
		int fds[HOME_REPLY_FDS];
		struct stat st;
		uint32_t kind;

		ask(channel, i, cases[i].path);
		kind = reply_of(channel, i, fds);
		if (kind != cases[i].kind)
			fail_msg("%s: %u", cases[i].path, kind);
		if (kind == HOME_FILE)
			check_content(fds[0], cases[i].content);
		for (unsigned k = 0; k < home_reply_fds(kind); k++) {
			assert_int_equal(fstat(fds[k], &st), 0);
			assert_int_equal(S_ISDIR(st.st_mode),
			    kind == HOME_DIRECTORY);
			close(fds[k]);
		}
	}
}

static void
test_settings(void **state)
{
	const struct config before = config;

	stop(state);
	config.listings = false;
	config.index = "file.txt";
	assert_int_equal(start(state), 0);
	assert_int_equal(kind_of("alice/"), HOME_FILE);
	assert_int_equal(kind_of("alice/sub/"), HOME_MISSING);

	stop(state);
	config.user_dir = "public";
	assert_int_equal(start(state), 0);
	assert_int_equal(kind_of("linked"), HOME_SLASH);
	assert_int_equal(kind_of("alice"), HOME_MISSING);

	stop(state);
	config = before;
	config.user_dir_min_uid = getuid() + 1;
	assert_int_equal(start(state), 0);
	assert_int_equal(kind_of("alice"), HOME_MISSING);
	config = before;
}

/* Found or not, nobody is looked up twice, as long as there is room. */
static void
test_cache(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kind_of("alice"), HOME_SLASH);
		assert_int_equal(kind_of("nobody.known"), HOME_MISSING);
		assert_int_equal(kind_of("nologin"), HOME_MISSING);
	}
	assert_int_equal(*look_ups, 3);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		assert_int_equal(kind_of(name), HOME_MISSING);
	}
	assert_int_equal(*look_ups, 1003);
	assert_int_equal(kind_of("u999"), HOME_MISSING);
	assert_int_equal(*look_ups, 1003);
	assert_int_equal(kind_of("alice"), HOME_SLASH);
}

/* What is in a home is looked at every time. */
static void
test_changes(void **state)
{
	(void)state;
	assert_int_equal(kind_of("bare"), HOME_MISSING);
	assert_int_equal(mkdir("bare/sws", 0755), 0);
	assert_int_equal(kind_of("bare"), HOME_SLASH);
	assert_int_equal(rmdir("bare/sws"), 0);
	assert_int_equal(kind_of("bare"), HOME_MISSING);
}

static void
test_malformed(void **state)
{
	int other = add_worker(), null = open("/dev/null", O_RDONLY);
	struct home_ask message = { .path = "alice" };

	(void)state;
	assert_int_equal(channel_send(other, "junk", 4, NULL, 0), 0);
	assert_true(is_closed(other));
	close(other);
	other = add_worker();
	assert_int_equal(channel_send(other, &message,
	    home_ask_size(strlen(message.path)), &null, 1), 0);
	assert_true(is_closed(other));
	close(other);
	close(null);
	/* The others do not notice. */
	assert_int_equal(kind_of("alice"), HOME_SLASH);
}

/* One that asks and does not read loses nothing, and holds up nobody. */
static void
test_slow_worker(void **state)
{
	struct home_ask message = { .path = "alice/" };
	const size_t size = home_ask_size(strlen(message.path));
	int slow = add_worker(), fds[HOME_REPLY_FDS];
	uint32_t sent = 0;

	(void)state;
	/* Both ways are full when no more is taken for a while. */
	for (int tries = 0; tries < 20 && sent < 100000; tries++) {
		while (channel_send(slow, &message, size, NULL, 0) == 0) {
			message.id = ++sent;
			tries = 0;
		}
		usleep(5000);
	}
	assert_int_equal(kind_of("alice"), HOME_SLASH);
	for (uint32_t id = 0; id < sent; id++) {
		uint32_t kind = reply_of(slow, id, fds);

		for (unsigned i = 0; i < home_reply_fds(kind); i++)
			close(fds[i]);
	}
	close(slow);
	assert_int_equal(kind_of("alice"), HOME_SLASH);
}

static unsigned
descriptors_of(pid_t pid)
{
	char name[64];
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++) {
		snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, fd);
		n += faccessat(AT_FDCWD, name, F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0;
	}
	return n;
}

static void
test_no_descriptor_is_left(void **state)
{
	unsigned before;

	(void)state;
	/* Whose reply says that all of those before were closed. */
	assert_int_equal(kind_of("nobody.known"), HOME_MISSING);
	before = descriptors_of(process);
	for (size_t i = 0; i < COUNT(cases); i++)
		kind_of(cases[i].path);
	assert_int_equal(kind_of("nobody.known"), HOME_MISSING);
	assert_int_equal(descriptors_of(process), before);
}

/* Told to stop it serves until the last worker is gone; or ends at once. */
static void
test_stop(void **state)
{
	assert_int_equal(kind_of("alice"), HOME_SLASH);
	assert_int_equal(order_send(orders, ORDER_STOP, 0, -1), 0);
	assert_int_equal(kind_of("alice"), HOME_SLASH);
	close(channel);
	assert_ends();
	close(orders);

	assert_int_equal(start(state), 0);
	assert_int_equal(order_send(orders, ORDER_STOP_NOW, 0, -1), 0);
	assert_true(is_closed(channel));
	assert_ends();
}

int
main(void)
{
#define WITH_PROCESS(test) cmocka_unit_test_setup_teardown(test, start, stop)
	static const struct CMUnitTest tests[] = {
		WITH_PROCESS(test_cases),
		WITH_PROCESS(test_settings),
		WITH_PROCESS(test_cache),
		WITH_PROCESS(test_changes),
		WITH_PROCESS(test_malformed),
		WITH_PROCESS(test_slow_worker),
		WITH_PROCESS(test_no_descriptor_is_left),
		WITH_PROCESS(test_stop),
	};

	return cmocka_run_group_tests(tests, make_homes, remove_homes);
}
