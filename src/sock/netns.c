/* SPDX-License-Identifier: ISC */
/*
 * Private networks by unshare(2) and setns(2).  Where user namespaces are
 * forbidden, root can still have a network: that is tried second.
 */

#include "sock/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* What may forbid user namespaces, and its value when it does. */
static const struct {
	const char *knob;
	long forbids;
	const char *text;
} reasons[] = {
	{ "kernel/unprivileged_userns_clone", 0,
	    "kernel.unprivileged_userns_clone=0" },
	{ "kernel/apparmor_restrict_unprivileged_userns", 1,
	    "kernel.apparmor_restrict_unprivileged_userns=1" },
	{ "user/max_user_namespaces", 0, "user.max_user_namespaces=0" },
	{ "user/max_net_namespaces", 0, "user.max_net_namespaces=0" },
};

static int
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	ssize_t written;
	int err = 0;

	if (fd == -1)
		return -errno;
	written = write(fd, text, n);
	if (written == -1)
		err = -errno;
	else if ((size_t)written != n)
		err = -EIO;
	close(fd);
	return err;
}

static int
read_file(const char *path, char *out_text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd == -1)
		return -errno;
	n = read(fd, out_text, size - 1);
	err = n == -1 ? -errno : 0;
	close(fd);
	if (err == 0)
		out_text[n] = '\0';
	return err;
}

/* Knobs are named by this file or by a lab, so a long one is our mistake. */
static const char *
knob_path(const char *knob, char path[NETNS_WHY])
{
	snprintf(path, NETNS_WHY, "/proc/sys/%s", knob);
	return path;
}

int
netns_write_knob(const char *knob, const char *value)
{
	char path[NETNS_WHY];

	return write_file(knob_path(knob, path), value);
}

int
netns_read_knob(const char *knob, long *out_value)
{
	char path[NETNS_WHY], text[64], *end;
	long value;
	int err = read_file(knob_path(knob, path), text, sizeof(text));

	if (err < 0)
		return err;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text)
		return -EINVAL;
	*out_value = value;
	return 0;
}

/* The kernel only says EPERM; the knob that means it is named here. */
static void
explain(int err, char why[NETNS_WHY])
{
	const char *knob = "not permitted here (a container's filter?)";
	long value;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (netns_read_knob(reasons[i].knob, &value) == 0 &&
		    value == reasons[i].forbids)
			knob = reasons[i].text;
	if (err == -EINVAL || err == -ENOSYS)
		knob = "this kernel has none";
	snprintf(why, NETNS_WHY, "no private network (%s): %s",
	    strerrorname_np(-err), knob);
}

/*
 * The only map that a process without privilege may write: itself, as root.
 * It must renounce setgroups(2) before it may map its group.
 */
static int
become_root(uid_t uid, gid_t gid)
{
	char map[64];
	int err;

	err = write_file("/proc/self/setgroups", "deny");
	if (err < 0 && err != -ENOENT)
		return err;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	err = write_file("/proc/self/uid_map", map);
	if (err < 0)
		return err;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_file("/proc/self/gid_map", map);
}

static int
enter_as_user(int clone_flags)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | clone_flags) == -1)
		return -errno;
	return become_root(uid, gid);
}

static int
enter_as_root(int clone_flags)
{
	return unshare(clone_flags) == -1 ? -errno : 0;
}

/*
 * In a process of its own, since there is no way back.  Some systems give the
 * namespace but not the power in it (AppArmor's profiles): so that is used.
 */
static int
try_as_user(int clone_flags)
{
	pid_t pid = fork();
	int status, err;

	if (pid == -1)
		return -errno;
	if (pid == 0) {
		err = enter_as_user(clone_flags);
		if (err == 0)
			err = enter_as_root(CLONE_NEWNET);
		_exit(-err);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

int
netns_enter(unsigned flags, char out_why[NETNS_WHY])
{
	int clone_flags = CLONE_NEWNET;
	int err = -EPERM;

	if (flags & NETNS_MOUNTS)
		clone_flags |= CLONE_NEWNS;
	if (!(flags & NETNS_REAL_ROOT))
		err = try_as_user(clone_flags);
	if (err == 0)
		err = enter_as_user(clone_flags);
	if (err < 0 && geteuid() == 0 && enter_as_root(clone_flags) == 0)
		err = 0;
	if (err < 0) {
		explain(err, out_why);
		return err;
	}
	/* What is mounted from here on is nobody else's. */
	if (flags & NETNS_MOUNTS &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1) {
		err = -errno;
		snprintf(out_why, NETNS_WHY, "no mounts of its own (%s)",
		    strerrorname_np(-err));
	}
	return err;
}

int
netns_here(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

int
netns_go(int fd)
{
	return setns(fd, CLONE_NEWNET) == -1 ? -errno : 0;
}

int
netns_new(void)
{
	int home = netns_here();
	int made, err;

	if (home < 0)
		return home;
	if (unshare(CLONE_NEWNET) == -1) {
		made = -errno;
	} else {
		made = netns_here();
		err = netns_go(home);
		if (err < 0 && made >= 0) {
			close(made);
			made = err;
		}
	}
	close(home);
	return made;
}
