/* SPDX-License-Identifier: ISC */
/* From sockets to processes: every link below /proc is read once. */
#include "sock/owners.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWNERS_MAX (8 * 1024 * 1024)

static int
add_owner(struct owners *o, const struct owner *one)
{
	size_t cap = o->cap > 0 ? 2 * o->cap : 256;
	struct owner *grown;

	if (o->n == o->cap) {
		if (cap > OWNERS_MAX)
			return -ENOMEM;
		grown = realloc(o->list, cap * sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		o->list = grown;
		o->cap = cap;
	}
	o->list[o->n++] = *one;
	return 0;
}

/* The inode of "socket:[123]"; 0 for what is no socket. */
static uint32_t
socket_inode(int dir_fd, const char *name)
{
	static const char prefix[] = "socket:[";
	char target[64];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (n < (ssize_t)sizeof(prefix) ||
	    memcmp(target, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	target[n] = '\0';
	return (uint32_t)strtoul(target + sizeof(prefix) - 1, NULL, 10);
}

/* A process may call itself anything; a terminal must not obey it. */
static void
read_comm(int pid, char comm[16])
{
	char path[32];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, comm, 15);
		close(fd);
	}
	comm[n > 0 ? n : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	for (; *comm != '\0'; comm++)
		if (iscntrl((unsigned char)*comm))
			*comm = '?';
}

static int
read_process(struct owners *o, int pid)
{
	struct owner one = { .pid = pid };
	const struct dirent *entry;
	char path[32];
	int err = 0;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	if (fds == NULL)
		return 0;
	while (err == 0 && (entry = readdir(fds)) != NULL) {
		one.inode = socket_inode(dirfd(fds), entry->d_name);
		if (one.inode == 0)
			continue;
		if (one.comm[0] == '\0')
			read_comm(pid, one.comm);
		one.fd = (int)strtol(entry->d_name, NULL, 10);
		err = add_owner(o, &one);
	}
	closedir(fds);
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

int
owners_read(struct owners *o)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int err = 0;

	*o = (struct owners){ .n = 0 };
	if (proc == NULL)
		return -errno;
	while (err == 0 && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			err = read_process(o,
			    (int)strtol(entry->d_name, NULL, 10));
	closedir(proc);
	if (o->n > 0)
		qsort(o->list, o->n, sizeof(*o->list), compare);
	return err;
}

void
owners_free(struct owners *o)
{
	free(o->list);
	*o = (struct owners){ .n = 0 };
}

const struct owner *
owners_find(const struct owners *o, uint32_t inode, size_t *out_n)
{
	size_t low = 0, high = o->n, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (o->list[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < o->n && o->list[low + n].inode == inode)
		n++;
	*out_n = n;
	return n > 0 && inode != 0 ? &o->list[low] : NULL;
}
