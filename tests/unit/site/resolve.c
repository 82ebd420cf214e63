/* SPDX-License-Identifier: ISC */

/* Paths that lead somewhere, paths that lead out, and what is not opened. */

#include "site/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
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

static void
test_open(void **state)
{
	unsigned before = folder_descriptors();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct found f = { .fd = -4711 };
		int err = resolve_open(root, cases[i].path, &f);

		if (err != cases[i].err)
			fail_msg("\"%s\": %s, not %s", cases[i].path,
			    strerror(-err), strerror(-cases[i].err));
		if (err < 0) {
			assert_int_equal(f.fd, -4711);
			continue;
		}
		assert_int_equal(f.st.st_mode & S_IFMT, cases[i].type);
		assert_int_equal(f.has_links, cases[i].has_links);
		assert_true(fcntl(f.fd, F_GETFD) & FD_CLOEXEC);
		close(f.fd);
	}
	assert_int_equal(folder_descriptors(), before);
}

static void
test_stat(void **state)
{
	unsigned before = folder_descriptors();
	struct stat st;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (resolve_stat(root, cases[i].path, &st) !=
		    cases[i].stat_err)
			fail_msg("\"%s\"", cases[i].path);
	assert_int_equal(resolve_stat(root, "to-fifo", &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(resolve_stat(root, "dir/up", &st), 0);
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
	assert_int_equal(resolve_open(root, "to-dir/up", &f), 0);
	assert_int_equal(read(f.fd, got, sizeof(got)), 4);
	assert_memory_equal(got, "file", 4);
	close(f.fd);
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
	assert_int_equal(resolve_open(root, "null", &f), -ENXIO);
}

static void
test_too_long(void **state)
{
	char path[5000];
	struct found f;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[300] = '\0';
	assert_int_equal(resolve_open(root, path, &f), -ENAMETOOLONG);
	path[300] = 'x';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(resolve_open(root, path, &f), -ENAMETOOLONG);
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
	file = resolve_open(root, "file", &f);
	in_dir = resolve_stat(root, "dir/file", &st);
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
		WITH_TREE(test_device),
		WITH_TREE(test_too_long),
		WITH_TREE(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
