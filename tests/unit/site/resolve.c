/* SPDX-License-Identifier: ISC */

/* Paths that lead somewhere, paths that lead out, and what is not opened. */

#include "site/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../folder.h"
#include "../cases.h"

static struct folder folder;    /* the root is "root" in it */
static int root;

static void
make_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%.60s/%.30s", folder.path,
	    path);
	assert_int_equal(bind(fd, (const void *)&un, sizeof(un)), 0);
	close(fd);
}

static int
make_tree(void **state)
{
	(void)state;
	folder_open(&folder);
	folder_dir(&folder, "root");
	folder_dir(&folder, "root/dir");
	folder_dir(&folder, "root/dir/sub");
	folder_dir(&folder, "outside");
	folder_file(&folder, "secret", S("secret"));
	folder_file(&folder, "root/file", S("file"));
	folder_file(&folder, "root/dir/file", S("in dir"));

	folder_link(&folder, "root/to-file", "file");
	folder_link(&folder, "root/to-dir", "dir");
	folder_link(&folder, "root/dir/up", "../file");
	folder_link(&folder, "root/round", "dir/../../root/file");
	folder_link(&folder, "root/to-secret", "../secret");
	folder_link(&folder, "root/to-outside", "../outside");
	folder_link(&folder, "root/to-top", "/");
	folder_link(&folder, "root/to-passwd", "/etc/passwd");
	folder_link(&folder, "root/to-self", "/proc/self/fd/0");
	folder_link(&folder, "root/to-nothing", "nothing");
	folder_link(&folder, "root/loop", "pool");
	folder_link(&folder, "root/pool", "loop");

	assert_int_equal(mkfifoat(folder.fd, "root/fifo", 0644), 0);
	folder_link(&folder, "root/to-fifo", "fifo");
	make_socket("root/socket");
	root = openat(folder.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	return 0;
}

static int
remove_tree(void **state)
{
	(void)state;
	close(root);
	folder_close(&folder);
	return 0;
}

static const struct {
	const char *path;
	int err;                /* of resolve_open */
	mode_t type;
	bool has_links;
	int stat_err;           /* of resolve_stat */
	int dir_err;            /* of resolve_dir */
} cases[] = {
	{ "", 0, S_IFDIR, false, 0, 0 },
	{ "file", 0, S_IFREG, false, 0, -ENOTDIR },
	{ "dir", 0, S_IFDIR, false, 0, 0 },
	{ "dir/", 0, S_IFDIR, false, 0, 0 },
	{ "dir/file", 0, S_IFREG, false, 0, -ENOTDIR },
	{ "dir/sub/", 0, S_IFDIR, false, 0, 0 },
	{ "dir/../file", 0, S_IFREG, false, 0, -ENOTDIR },
	/* Links that stay inside */
	{ "to-file", 0, S_IFREG, true, 0, -ELOOP },
	{ "to-dir", 0, S_IFDIR, true, 0, -ELOOP },
	{ "to-dir/file", 0, S_IFREG, true, 0, -ELOOP },
	{ "to-dir/sub/", 0, S_IFDIR, true, 0, -ELOOP },
	{ "dir/up", 0, S_IFREG, true, 0, -ELOOP },
	/* Nothing there */
	{ "nothing", -ENOENT, 0, false, -ENOENT, -ENOENT },
	{ "dir/nothing", -ENOENT, 0, false, -ENOENT, -ENOENT },
	{ "nothing/file", -ENOENT, 0, false, -ENOENT, -ENOENT },
	{ "to-nothing", -ENOENT, 0, false, -ENOENT, -ELOOP },
	{ "file/", -ENOTDIR, 0, false, -ENOTDIR, -ENOTDIR },
	{ "file/more", -ENOTDIR, 0, false, -ENOTDIR, -ENOTDIR },
	{ "to-file/", -ENOTDIR, 0, false, -ENOTDIR, -ELOOP },
	{ "loop", -ELOOP, 0, false, -ELOOP, -ELOOP },
	/* Out of the root, even if it comes back */
	{ "..", -EXDEV, 0, false, -EXDEV, -EXDEV },
	{ "../secret", -EXDEV, 0, false, -EXDEV, -EXDEV },
	{ "dir/../../root/file", -EXDEV, 0, false, -EXDEV, -EXDEV },
	{ "/", -EXDEV, 0, false, -EXDEV, -EXDEV },
	{ "/etc/passwd", -EXDEV, 0, false, -EXDEV, -EXDEV },
	{ "round", -EXDEV, 0, false, -EXDEV, -ELOOP },
	{ "to-secret", -EXDEV, 0, false, -EXDEV, -ELOOP },
	{ "to-outside/", -EXDEV, 0, false, -EXDEV, -ELOOP },
	{ "to-outside/../secret", -EXDEV, 0, false, -EXDEV, -ELOOP },
	{ "to-top/etc/passwd", -EXDEV, 0, false, -EXDEV, -ELOOP },
	{ "to-passwd", -EXDEV, 0, false, -EXDEV, -ELOOP },
	{ "to-self", -EXDEV, 0, false, -EXDEV, -ELOOP },
	/* Neither file nor directory: known, never opened */
	{ "fifo", -ENXIO, 0, false, 0, -ENOTDIR },
	{ "to-fifo", -ENXIO, 0, false, 0, -ELOOP },
	{ "socket", -ENXIO, 0, false, 0, -ENOTDIR },
};

/* All links and files have one owner. */
static const enum symlinks policies[] = {
	SYMLINKS_BENEATH, SYMLINKS_OWNER, SYMLINKS_NONE,
};

/* With which error `err` a path is refused. */
static int
error_of(size_t i, enum symlinks symlinks, int err)
{
	bool has_links = cases[i].dir_err == -ELOOP;

	return has_links && symlinks == SYMLINKS_NONE ? -EMLINK : err;
}

static void
check_open(size_t i, enum symlinks symlinks)
{
	struct found f = { .fd = -4711 };
	int err = resolve_open(root, cases[i].path, symlinks, &f);
	int wanted = error_of(i, symlinks, cases[i].err);

	if (err != wanted)
		fail_msg("\"%s\": %s, not %s", cases[i].path, strerror(-err),
		    strerror(-wanted));
	assert_int_equal(f.has_links, cases[i].dir_err == -ELOOP);
	if (err < 0) {
		assert_int_equal(f.fd, -4711);
		return;
	}
	assert_int_equal(f.st.st_mode & S_IFMT, cases[i].type);
	assert_int_equal(f.has_links, cases[i].has_links);
	assert_true(fcntl(f.fd, F_GETFD) & FD_CLOEXEC);
	close(f.fd);
}

static void
test_open(void **state)
{
	unsigned before = folder_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < COUNT(policies); k++)
			check_open(i, policies[k]);
	assert_int_equal(folder_descriptors(), before);
}

static void
check_stat(size_t i, enum symlinks symlinks)
{
	struct stat st;
	int err = resolve_stat(root, cases[i].path, symlinks, &st);
	int dir;

	if (err != error_of(i, symlinks, cases[i].stat_err))
		fail_msg("\"%s\": %s", cases[i].path, strerror(-err));
	if (err == 0 && !S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	dir = resolve_dir_followed(root, cases[i].path, symlinks);
	assert_int_equal(dir < 0 ? dir : 0, err);
	if (dir >= 0)
		close(dir);
}

static void
test_stat(void **state)
{
	unsigned before = folder_descriptors();
	struct stat st;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < COUNT(policies); k++)
			check_stat(i, policies[k]);
	assert_int_equal(resolve_stat(root, "to-fifo", SYMLINKS_BENEATH,
	    &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(resolve_stat(root, "dir/up", SYMLINKS_BENEATH,
	    &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(folder_descriptors(), before);
}

static void
test_dir(void **state)
{
	unsigned before = folder_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd = resolve_dir(root, cases[i].path);
		int err = fd < 0 ? fd : 0;

		if (err != cases[i].dir_err)
			fail_msg("\"%s\": %s", cases[i].path, strerror(-err));
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(folder_descriptors(), before);
}

static void
test_content(void **state)
{
	struct found f;
	char got[8];

	(void)state;
	assert_int_equal(resolve_open(root, "to-dir/up", SYMLINKS_BENEATH,
	    &f), 0);
	assert_int_equal(read(f.fd, got, sizeof(got)), 4);
	assert_memory_equal(got, "file", 4);
	close(f.fd);
}

/* Owners */

#define ANN 4001
#define BOB 4002

/* Owner 0 is that of the root. */
static const struct {
	const char *path;
	uid_t owner;
	const char *target;     /* NULL: a file or, with a slash, a directory */
} owned[] = {
	{ "ann", ANN, NULL },
	{ "bob", BOB, NULL },
	{ "anns/", ANN, NULL },
	{ "anns/bob", BOB, NULL },
	{ "ann-ann", ANN, "ann" },
	{ "ann-bob", ANN, "bob" },
	{ "bob-ann", BOB, "ann" },
	{ "root-ann", 0, "ann" },
	{ "root-root", 0, "file" },
	{ "ann-root", ANN, "file" },
	{ "ann-ann-ann", ANN, "ann-ann" },
	{ "ann-bob-ann", ANN, "bob-ann" },
	{ "bob-ann-ann", BOB, "ann-ann" },
	{ "bob-ann-bob", BOB, "ann-bob" },
	{ "ann-dir", ANN, "anns" },
	{ "ann-slash", ANN, "anns//" },
	{ "bob-dir", BOB, "anns" },
	{ "ann-through-ann", ANN, "ann-dir/../ann" },
	{ "ann-through-bob", ANN, "bob-dir/../ann" },
	{ "ann-dots", ANN, ".//anns/.././ann" },
	{ "anns/up", ANN, "../ann" },
	{ "anns/far-up", ANN, "../../root/ann" },
	{ "ann-top", ANN, "." },
	{ "root-top", 0, "." },
	{ "ann-nothing", ANN, "nothing" },
	{ "ann-loop", ANN, "ann-pool" },
	{ "ann-pool", ANN, "ann-loop" },
};

static const struct {
	const char *path;
	int err;
} owner_cases[] = {
	{ "ann-ann", 0 },
	{ "ann-bob", -EMLINK },
	{ "bob-ann", -EMLINK },
	{ "root-ann", -EMLINK },
	{ "root-root", 0 },
	{ "ann-root", -EMLINK },
	{ "ann-ann-ann", 0 },
	{ "ann-bob-ann", -EMLINK },
	{ "bob-ann-ann", -EMLINK },
	{ "bob-ann-bob", -EMLINK },
	/* It is the link's end that counts, not what lies below. */
	{ "ann-dir", 0 },
	{ "ann-dir/bob", 0 },
	{ "ann-dir//bob", 0 },
	{ "ann-dir/up", 0 },
	{ "ann-dir/../ann-ann", 0 },
	{ "ann-dir/far-up", -EXDEV },
	{ "ann-dir/nothing", -ENOENT },
	{ "ann-slash", 0 },
	{ "ann-slash/bob", 0 },
	{ "bob-dir/", -EMLINK },
	{ "bob-dir/bob", -EMLINK },
	{ "bob-dir/nothing", -EMLINK },
	{ "ann-through-ann", 0 },
	{ "ann-through-bob", -EMLINK },
	{ "ann-dots", 0 },
	{ "ann-top", -EMLINK },
	{ "ann-top/bob", -EMLINK },
	{ "root-top", 0 },
	{ "root-top/bob", 0 },
	{ "root-top/root-top/root-top/ann-ann", 0 },
	{ "root-top/root-top/root-top/ann-bob", -EMLINK },
	{ "ann-ann/", -ENOTDIR },
	{ "ann-ann/..", -ENOTDIR },
	{ "ann-ann/bob", -ENOTDIR },
	{ "ann-nothing", -ENOENT },
	{ "ann-loop", -ELOOP },
	{ "root-top/..", -EXDEV },
	{ "../root-top", -EXDEV },
};

static void
give(const char *path, uid_t owner)
{
	assert_int_equal(fchownat(folder.fd, path, owner, (gid_t)-1,
	    AT_SYMLINK_NOFOLLOW), 0);
}

static void
make_owned(void)
{
	char path[64];

	for (size_t i = 0; i < COUNT(owned); i++) {
		snprintf(path, sizeof(path), "root/%s", owned[i].path);
		if (owned[i].target != NULL)
			folder_link(&folder, path, owned[i].target);
		else if (str_ends(str_of(path), S("/")))
			folder_dir(&folder, path);
		else
			folder_file(&folder, path, str_of(owned[i].path));
		give(path, owned[i].owner);
	}
}

static void
test_owners(void **state)
{
	unsigned before = folder_descriptors();
	struct found f;
	struct stat st;
	int err;

	(void)state;
	if (geteuid() != 0)
		skip();         /* files can be given away by root only */
	make_owned();
	for (size_t i = 0; i < COUNT(owner_cases); i++) {
		const char *path = owner_cases[i].path;

		err = resolve_open(root, path, SYMLINKS_OWNER, &f);
		if (err != owner_cases[i].err)
			fail_msg("\"%s\": %s", path, strerror(-err));
		assert_int_equal(resolve_stat(root, path, SYMLINKS_OWNER,
		    &st), err);
		if (err < 0)
			continue;
		assert_int_equal(st.st_ino, f.st.st_ino);
		assert_true(f.has_links);
		close(f.fd);
	}
	assert_int_equal(folder_descriptors(), before);
}

/* So many links on the way, and so many names. */
static void
test_long_ways(void **state)
{
	char path[4000], name[32], next[32];
	struct found f;
	size_t n;

	(void)state;
	folder_link(&folder, "root/l0", "file");
	for (unsigned i = 1; i <= 40; i++) {
		snprintf(name, sizeof(name), "root/l%u", i);
		snprintf(next, sizeof(next), "l%u", i - 1);
		folder_link(&folder, name, next);
	}
	assert_int_equal(resolve_open(root, "l39", SYMLINKS_OWNER, &f), 0);
	close(f.fd);
	assert_int_equal(resolve_open(root, "l40", SYMLINKS_OWNER, &f),
	    -ELOOP);
	for (n = 0; n + 12 < sizeof(path); n += 2)
		memcpy(path + n, "./", 2);
	memcpy(path + n, "to-file", 8);
	assert_int_equal(resolve_open(root, path, SYMLINKS_BENEATH, &f), 0);
	close(f.fd);
	assert_int_equal(resolve_open(root, path, SYMLINKS_OWNER, &f),
	    -ELOOP);
}

/* Until it is killed: links of both to both, one after the other. */
static void
swap_links(void)
{
	static const char *const links[] = {
		"root/ann-ann", "root/ann-bob", "root/bob-ann",
	};

	for (unsigned i = 0;; i = (i + 1) % COUNT(links))
		if (linkat(folder.fd, links[i], folder.fd, "root/new", 0) ==
		    -1 || renameat(folder.fd, "root/new", folder.fd,
		    "root/swapped") == -1)
			_exit(1);
}

/*
 * Ann's link to Bob's file is never followed, also while it takes turns with
 * one of hers to a file of hers, and with one of his.
 */
static void
test_swapped(void **state)
{
	unsigned wrong = 0;
	struct found f;
	int err, status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	make_owned();
	folder_link(&folder, "root/swapped", "ann");
	give("root/swapped", ANN);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		swap_links();
	for (unsigned i = 0; i < 5000; i++) {
		err = resolve_open(root, "swapped", SYMLINKS_OWNER, &f);
		wrong += err == 0 ? f.st.st_uid != ANN : err != -EMLINK;
		if (err == 0)
			close(f.fd);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(wrong, 0);
}

/* A device may act when it is opened: it is not. */
static void
test_device(void **state)
{
	struct found f;

	(void)state;
	if (mknodat(folder.fd, "root/null", S_IFCHR | 0666, makedev(1, 3)) ==
	    -1)
		skip();
	assert_int_equal(resolve_open(root, "null", SYMLINKS_BENEATH,
	    &f), -ENXIO);
}

static void
test_too_long(void **state)
{
	char path[5000];
	struct found f;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[300] = '\0';
	assert_int_equal(resolve_open(root, path, SYMLINKS_BENEATH,
	    &f), -ENAMETOOLONG);
	path[300] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(resolve_open(root, path, SYMLINKS_BENEATH,
	    &f), -ENAMETOOLONG);
}

/* Root may read everything, so it has to be somebody else for a while. */
static void
test_unreadable(void **state)
{
	struct found f;
	struct stat st;
	bool is_root = geteuid() == 0;
	int file, in_dir;

	(void)state;
	assert_int_equal(fchmodat(folder.fd, "root/file", 0, 0), 0);
	assert_int_equal(fchmodat(folder.fd, "root/dir", 0, 0), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	file = resolve_open(root, "file", SYMLINKS_BENEATH, &f);
	in_dir = resolve_stat(root, "dir/file", SYMLINKS_BENEATH, &st);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(file, -EACCES);
	assert_int_equal(in_dir, -EACCES);
	assert_int_equal(fchmodat(folder.fd, "root/dir", 0755, 0), 0);
}

int
main(void)
{
#define WITH_TREE(test) \
	cmocka_unit_test_setup_teardown(test, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		WITH_TREE(test_open),
		WITH_TREE(test_stat),
		WITH_TREE(test_dir),
		WITH_TREE(test_content),
		WITH_TREE(test_owners),
		WITH_TREE(test_long_ways),
		WITH_TREE(test_swapped),
		WITH_TREE(test_device),
		WITH_TREE(test_too_long),
		WITH_TREE(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
