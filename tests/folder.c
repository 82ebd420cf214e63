/* SPDX-License-Identifier: ISC */
#include "folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cases.h"

static void
write_all(int fd, struct str s)
{
	ssize_t n;

	while (s.n > 0) {
		n = write(fd, s.p, s.n);
		assert_true(n > 0);
		s = str_skip(s, (size_t)n);
	}
}

void
folder_open(struct folder *f)
{
	*f = (struct folder){ .path = "/tmp/sws-test-XXXXXX" };
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
folder_close(struct folder *f)
{
	close(f->fd);
	assert_int_equal(nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS),
	    0);
}

void
folder_dir(const struct folder *f, const char *path)
{
	assert_int_equal(mkdirat(f->fd, path, 0755), 0);
}

void
folder_file(const struct folder *f, const char *path, struct str content)
{
	int fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0644);

	assert_true(fd >= 0);
	write_all(fd, content);
	close(fd);
	folder_age(f, path);
}

char
folder_byte(size_t i)
{
	return (char)('a' + i % 23);
}

void
folder_large(const struct folder *f, const char *path, size_t n)
{
	char *bytes = malloc(n);

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++)
		bytes[i] = folder_byte(i);
	folder_file(f, path, (struct str){ bytes, n });
	free(bytes);
}

void
folder_link(const struct folder *f, const char *path, const char *target)
{
	assert_int_equal(symlinkat(target, f->fd, path), 0);
}

void
folder_age(const struct folder *f, const char *path)
{
	const struct timespec then = { .tv_sec = FOLDER_TIME };
	const struct timespec times[2] = { then, then };

	assert_int_equal(utimensat(f->fd, path, times, AT_SYMLINK_NOFOLLOW),
	    0);
}

unsigned
folder_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}
