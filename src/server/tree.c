/* SPDX-License-Identifier: ISC */
#include "server/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "site/resolve.h"

/* Asked by a child, in the place of those who will serve it. */
static bool
may_use(int dir, int how, const struct identity *identity)
{
	sigset_t all, before;
	int status;
	pid_t pid;

	/* Our handlers, run by the child, would tell us of a signal twice. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	/* Nothing is copied: see sandbox_probe. */
	pid = vfork();
	if (pid == 0)
		_exit(identity_assume(identity) < 0 ||
		    faccessat(dir, ".", how, AT_EACCESS) < 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid != -1 && waitpid(pid, &status, 0) == pid && status == 0;
}

/*
 * How much of the path names the first directory on the way that we may not
 * enter; all of it when it is the last one that is closed to us.
 */
static int
closed_part(const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n >= sizeof(part))
		return 0;
	memcpy(part, path, n + 1);
	for (size_t i = 1; i < n; i++) {
		if (path[i] != '/')
			continue;
		part[i] = '\0';
		if (faccessat(AT_FDCWD, part, X_OK, AT_EACCESS) == -1 &&
		    errno == EACCES)
			return (int)i;
		part[i] = '/';
	}
	return (int)n;
}

/* `option` stands in front of the path, `wanted` behind the error. */
static void
tell_failure(int err, const char *option, const char *path,
    const char *wanted, char why[TREE_WHY])
{
	if (err == -EACCES)
		snprintf(why, TREE_WHY, "%s%s: %s: %.*s is closed to who "
		    "starts this", option, path, strerror(EACCES),
		    closed_part(path), path);
	else
		snprintf(why, TREE_WHY, "%s%s: %s; give %s", option, path,
		    err == -ENOTDIR ? "not a directory" : strerror(-err),
		    wanted);
}

static void
tell_closed(const struct identity *identity, const char *option,
    const char *path, const char *verb, const char *mode, char why[TREE_WHY])
{
	if (!identity->changes) {
		tell_failure(-EACCES, option, path, "", why);
		return;
	}
	snprintf(why, TREE_WHY, "%s%s: the user %s may not %s it; allow that "
	    "(chmod o+%s), or choose another with -u", option, path,
	    identity->name, verb, mode);
}

static int
open_root(struct tree *t, const struct config *config,
    const struct identity *identity, char why[TREE_WHY])
{
	const char *root = config->root;
	struct stat st;
	int err;

	t->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->root == -1 || fstat(t->root, &st) == -1) {
		err = -errno;
		tell_failure(err, "", root, "a directory to serve", why);
		return err;
	}
	t->dev = st.st_dev;
	t->ino = st.st_ino;
	if (!may_use(t->root, R_OK | X_OK, identity)) {
		tell_closed(identity, "", root, "read", "rx", why);
		return -EACCES;
	}
	err = resolve_stat(t->root, "", SYMLINKS_BENEATH, &st);
	if (err < 0)
		snprintf(why, TREE_WHY, "%s: openat2(2): %s; Linux 5.6 or "
		    "newer is needed", root, strerror(-err));
	return err;
}

static int
open_programs(struct tree *t, const struct config *config,
    const struct identity *identity, unsigned port, char why[TREE_WHY])
{
	int err = programs_open(&t->programs, config, port);

	if (err < 0) {
		tell_failure(err, "-c ", config->cgi_root,
		    "the directory of the CGI programs", why);
	} else if (config->cgi_root != NULL &&
	    !may_use(t->programs.cgi.root, X_OK, identity)) {
		tell_closed(identity, "-c ", config->cgi_root, "enter", "x",
		    why);
		err = -EACCES;
	}
	return err;
}

int
tree_open(const struct config *config, const struct identity *identity,
    unsigned port, struct tree **out_tree, char why[TREE_WHY])
{
	struct tree *t = malloc(sizeof(*t));
	int err;

	if (t == NULL) {
		snprintf(why, TREE_WHY, "no memory");
		return -ENOMEM;
	}
	*t = (struct tree){ .root = -1, .programs.cgi.root = -1 };
	err = open_root(t, config, identity, why);
	if (err == 0)
		err = open_programs(t, config, identity, port, why);
	if (err < 0) {
		tree_free(t);
		return err;
	}
	*out_tree = t;
	return 0;
}

void
tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	programs_close(&t->programs);
	if (t->root != -1)
		close(t->root);
	free(t);
}

static bool
leads_to(const char *name, const char *path)
{
	char *now = realpath(name, NULL);
	bool is_same = now != NULL && strcmp(now, path) == 0;

	free(now);
	return is_same;
}

/* Programs are told paths: there the directory must have kept its name. */
bool
tree_is_current(const struct tree *t, const struct config *config)
{
	struct stat cgi, now;

	if (stat(config->root, &now) == -1 || now.st_dev != t->dev ||
	    now.st_ino != t->ino)
		return false;
	if (config->cgi_root == NULL)
		return true;
	return stat(config->cgi_root, &now) == 0 &&
	    fstat(t->programs.cgi.root, &cgi) == 0 &&
	    now.st_dev == cgi.st_dev && now.st_ino == cgi.st_ino &&
	    leads_to(config->root, t->programs.document_root) &&
	    leads_to(config->cgi_root, t->programs.root_path);
}
