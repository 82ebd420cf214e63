/* SPDX-License-Identifier: ISC */
/*
 * Finds the processes that listen on a port, as proc(5) tells it: the tables
 * /proc/net/tcp and tcp6 name the inodes of the sockets, and the links in
 * /proc/PID/fd lead from processes to inodes.  It serves a message about a
 * port that is taken, so whatever cannot be read is passed over.
 */

#include "net/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/proc_net.h"

#define SOCKETS_MAX 64          /* sockets on one port that are looked for */
#define LINE_MAX_BYTES 512      /* a line of the tables has 150 */
#define TCP_STATE_LISTEN 0x0A   /* as the kernel numbers them */

struct inodes {
	unsigned long ids[SOCKETS_MAX];
	size_t n;
};

struct names {
	char *text;
	size_t n;               /* bytes in use, without the NUL */
	size_t size;
};

/* The heading of the table has no colon in its second column. */
static bool
listens_on(const char *line, unsigned port)
{
	const char *local = proc_net_column(line, COLUMN_LOCAL);
	const char *colon = local + strcspn(local, ": ");
	const char *state = proc_net_column(line, COLUMN_STATE);

	return *colon == ':' && strtoul(colon + 1, NULL, 16) == port &&
	    strtoul(state, NULL, 16) == TCP_STATE_LISTEN;
}

static void
find_inodes(const char *table, unsigned port, struct inodes *found)
{
	char line[LINE_MAX_BYTES];
	const char *inode;
	FILE *f = fopen(table, "re");

	if (f == NULL)
		return;
	while (found->n < SOCKETS_MAX && fgets(line, sizeof(line), f) != NULL) {
		inode = proc_net_column(line, COLUMN_INODE);
		if (listens_on(line, port))
			found->ids[found->n++] = strtoul(inode, NULL, 10);
	}
	fclose(f);
}

static bool
is_wanted(const struct inodes *wanted, unsigned long id)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->ids[i] == id)
			return true;
	return false;
}

/* Does this entry of an fd directory lead to one of the sockets? */
static bool
is_link_to(int dir_fd, const char *name, const struct inodes *wanted)
{
	static const char prefix[] = "socket:[";
	char target[64];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

	if (n <= 0)
		return false;
	target[n] = '\0';
	return strncmp(target, prefix, sizeof(prefix) - 1) == 0 &&
	    is_wanted(wanted, strtoul(target + sizeof(prefix) - 1, NULL, 10));
}

static bool
process_has(const char *pid, const struct inodes *wanted)
{
	const struct dirent *entry;
	char path[64];
	bool has = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	fds = opendir(path);
	if (fds == NULL)
		return false;
	while (!has && (entry = readdir(fds)) != NULL)
		has = is_link_to(dirfd(fds), entry->d_name, wanted);
	closedir(fds);
	return has;
}

/* A process may call itself anything; a terminal must not obey it. */
static void
process_name(const char *pid, char *name, size_t size)
{
	char path[64];
	FILE *f;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fgets(name, (int)size, f) != NULL)
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
	for (; *name != '\0'; name++)
		if (iscntrl((unsigned char)*name))
			*name = '?';
}

/* A name that does not fit is left out whole, and so is all behind it. */
static bool
add_name(struct names *to, const char *name, const char *pid)
{
	const char *between = to->n > 0 ? ", " : "";
	size_t room = to->size - to->n;
	int n;

	n = snprintf(to->text + to->n, room, "%s%s[%s]", between, name, pid);
	if (n < 0 || (size_t)n >= room) {
		to->text[to->n] = '\0';
		return false;
	}
	to->n += (size_t)n;
	return true;
}

static void
find_processes(const struct inodes *wanted, struct names *found)
{
	const struct dirent *entry;
	char name[64];
	bool has_room = true;
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		return;
	while (has_room && (entry = readdir(proc)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !process_has(entry->d_name, wanted))
			continue;
		process_name(entry->d_name, name, sizeof(name));
		has_room = add_name(found, name, entry->d_name);
	}
	closedir(proc);
}

const char *
holder_of_port(unsigned port, char *text, size_t size)
{
	struct inodes inodes = { .n = 0 };
	struct names names = { .text = text, .size = size };

	if (size == 0)
		return text;
	text[0] = '\0';
	find_inodes("/proc/net/tcp", port, &inodes);
	find_inodes("/proc/net/tcp6", port, &inodes);
	if (inodes.n > 0)
		find_processes(&inodes, &names);
	return text;
}
