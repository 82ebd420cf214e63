/* SPDX-License-Identifier: ISC */
#include "site/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "site/resolve_priv.h"

int
resolve_beneath(int root, const char *path, int flags,
    unsigned long long resolve)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve,
	};
	long fd;

	if (*path == '\0')
		path = ".";
	do {
		/* The C library has no wrapper. */
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		/* EAGAIN: something was renamed during the look-up. */
	} while (fd == -1 && (errno == EINTR || errno == EAGAIN));
	return fd == -1 ? -errno : (int)fd;
}

/* Where there is a link on the way. */
static int
open_linked(int root, const char *path, int flags, enum symlinks symlinks)
{
	switch (symlinks) {
	case SYMLINKS_BENEATH:
		return resolve_beneath(root, path, flags, 0);
	case SYMLINKS_OWNER:
		return resolve_owned(root, path, flags);
	case SYMLINKS_NONE:
		break;
	}
	return -EMLINK;
}

/* First without links, since most paths have none. */
static int
open_any(int root, const char *path, int flags, enum symlinks symlinks,
    bool *out_has_links)
{
	int fd;

	fd = resolve_beneath(root, path, flags, RESOLVE_NO_SYMLINKS);
	*out_has_links = fd == -ELOOP;
	if (fd == -ELOOP)
		fd = open_linked(root, path, flags, symlinks);
	return fd;
}

static int
find_stat(int root, const char *path, enum symlinks symlinks,
    struct stat *out_st, bool *out_has_links)
{
	int fd, err = 0;

	fd = open_any(root, path, O_PATH, symlinks, out_has_links);
	if (fd < 0)
		return fd;
	if (fstat(fd, out_st) == -1)
		err = -errno;
	close(fd);
	return err;
}

int
resolve_stat(int root, const char *path, enum symlinks symlinks,
    struct stat *out_st)
{
	bool has_links;

	return find_stat(root, path, symlinks, out_st, &has_links);
}

int
resolve_dir_followed(int root, const char *path, enum symlinks symlinks)
{
	bool has_links;

	return open_any(root, path, O_PATH | O_DIRECTORY, symlinks,
	    &has_links);
}

int
resolve_dir(int root, const char *path)
{
	return resolve_beneath(root, path, O_PATH | O_DIRECTORY,
	    RESOLVE_NO_SYMLINKS);
}

int
resolve_open(int root, const char *path, enum symlinks symlinks,
    struct found *out_found)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	struct found f;
	struct stat before;
	int err;

	err = find_stat(root, path, symlinks, &before, &f.has_links);
	out_found->has_links = f.has_links;
	if (err < 0)
		return err;
	if (!S_ISREG(before.st_mode) && !S_ISDIR(before.st_mode))
		return -ENXIO;
	/* O_NONBLOCK, since it may have become a fifo in between. */
	f.fd = f.has_links ? open_linked(root, path, flags, symlinks) :
	    resolve_beneath(root, path, flags, RESOLVE_NO_SYMLINKS);
	if (f.fd < 0)
		return f.fd;
	err = fstat(f.fd, &f.st) == -1 ? -errno : 0;
	if (err == 0 && !S_ISREG(f.st.st_mode) && !S_ISDIR(f.st.st_mode))
		err = -ENXIO;
	if (err < 0) {
		close(f.fd);
		return err;
	}
	*out_found = f;
	return 0;
}
