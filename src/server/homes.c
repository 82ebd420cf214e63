/* SPDX-License-Identifier: ISC */
/*
 * From "user/path" to an open descriptor.
 *
 * A user has a web directory when the account is for people (its number, its
 * shell) and the directory is theirs.  Who may write to it is for them to
 * say.  Everything below is opened as below the document root: never outside,
 * links or not; and by an unprivileged process, so what is not for everybody
 * to read stays unread.  All that goes wrong is HOME_MISSING: the worker is
 * told no more than it may tell.
 */
#include "server/homes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "net/channel.h"
#include "net/loop.h"
#include "server/service.h"
#include "site/home_msg.h"
#include "site/resolve.h"

#define ACCOUNTS_MAX 64
#define ACCOUNT_MS 60000        /* so long an account is known */

struct account {
	char name[HOME_USER_MAX + 1];   /* "": not in use */
	int64_t expires_ms;
	uid_t uid;
	char *home;                     /* NULL: nobody with a directory */
};

struct homes {
	struct service service;
	const struct homes_setup *setup;
	struct account accounts[ACCOUNTS_MAX];
	bool has_failed;                /* the last look-up, and it was said */
};

struct answer {
	struct home_reply reply;
	/* What was found and the web directory; -1: none.  More may be open
	   than the kind of reply takes along. */
	int fds[HOME_REPLY_FDS];
};

struct peer {
	struct service_peer base;       /* wants out while the channel is full,
	                                   and then nothing in */
	struct answer answer;
};

/* Accounts */

/* By their last part, since systems keep them in different places. */
static bool
is_shell_of_nobody(const char *shell)
{
	const char *slash = strrchr(shell, '/');
	const char *name = slash == NULL ? shell : slash + 1;

	return strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0;
}

/* Databases differ in how they say that there is none: getpwnam(3). */
static bool
is_not_found(int err)
{
	return err == 0 || err == ENOENT || err == ESRCH || err == EBADF ||
	    err == EPERM;
}

/* Said once, until it works again: everybody can make it happen again. */
static void
tell_failure(struct homes *h, int err)
{
	if (!is_not_found(err) && !h->has_failed)
		log_error("users cannot be looked up: %s", strerror(err));
	h->has_failed = !is_not_found(err);
}

static void
adopt(struct account *a, const struct passwd *entry)
{
	a->uid = entry->pw_uid;
	a->home = strdup(entry->pw_dir);
}

/* Fills in an entry, whose name is set. */
static void
look_up(struct homes *h, struct account *a)
{
	char buffer[16384];
	struct passwd entry, *found = NULL;
	int err;

	err = h->setup->find_user(a->name, &entry, buffer, sizeof(buffer),
	    &found);
	tell_failure(h, err);
	if (err != 0 || found == NULL)
		log_debug("~%s: no such user", a->name);
	else if (found->pw_uid < h->setup->config->user_dir_min_uid)
		log_debug("~%s: the user id is too low", a->name);
	else if (is_shell_of_nobody(found->pw_shell))
		log_debug("~%s: not an account to log in to", a->name);
	else
		adopt(a, found);
}

/* The entry for a name; a new one takes the place of the oldest. */
static struct account *
account_of(struct homes *h, const char *name)
{
	int64_t now = loop_now_ms(h->service.loop);
	struct account *oldest = &h->accounts[0];

	for (unsigned i = 0; i < ACCOUNTS_MAX; i++) {
		struct account *a = &h->accounts[i];

		if (a->expires_ms > now && strcmp(a->name, name) == 0)
			return a;
		if (a->expires_ms < oldest->expires_ms)
			oldest = a;
	}
	free(oldest->home);
	*oldest = (struct account){ .expires_ms = now + ACCOUNT_MS };
	/* home_is_user has measured it. */
	memcpy(oldest->name, name, strlen(name));
	look_up(h, oldest);
	return oldest;
}

/* Directories */

static int
check_owner(int dir, uid_t uid)
{
	struct stat st;

	if (fstat(dir, &st) == -1)
		return -errno;
	return st.st_uid == uid ? 0 : -EPERM;
}

/* The user's web directory (O_PATH), or a negative errno. */
static int
open_web_dir(struct homes *h, const char *user)
{
	const struct account *a = account_of(h, user);
	int home, dir, err;

	if (a->home == NULL || a->home[0] != '/')
		return -ENOENT;
	home = open(a->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home == -1)
		return -errno;
	/* It is a root, which may be reached as ours may. */
	dir = resolve_dir_followed(home, h->setup->config->user_dir,
	    SYMLINKS_BENEATH);
	close(home);
	if (dir < 0)
		return dir;
	err = check_owner(dir, a->uid);
	if (err < 0) {
		close(dir);
		return err;
	}
	return dir;
}

/* The index of the directory `path`, which ends in a slash or is "". */
static int
open_index(const struct homes *h, int root, const char *path,
    struct found *out_found)
{
	char name[HOME_PATH_MAX + NAME_MAX];
	int n, err;

	n = snprintf(name, sizeof(name), "%s%s", path,
	    h->setup->config->index);
	if (n < 0 || (size_t)n >= sizeof(name))
		return -ENAMETOOLONG;
	err = resolve_open(root, name, h->setup->config->symlinks, out_found);
	if (err == 0 && S_ISDIR(out_found->st.st_mode)) {
		close(out_found->fd);
		err = -ENOENT;
	}
	return err;
}

/* The index, which may be there where the directory may not be read. */
static int
find_in_directory(const struct homes *h, const char *path, struct answer *a)
{
	struct found f;
	int err;

	err = open_index(h, a->fds[1], path, &f);
	if (err == 0) {
		a->fds[0] = f.fd;
		return HOME_FILE;
	}
	if (err != -ENOENT || !h->setup->config->listings)
		return err;
	err = resolve_open(a->fds[1], path, h->setup->config->symlinks, &f);
	if (err < 0)
		return err;
	a->fds[0] = f.fd;
	return HOME_DIRECTORY;
}

static int
find_file(const struct homes *h, const char *path, struct answer *a)
{
	struct found f;
	int err;

	err = resolve_stat(a->fds[1], path, h->setup->config->symlinks,
	    &f.st);
	if (err == 0 && !S_ISDIR(f.st.st_mode)) {
		err = resolve_open(a->fds[1], path,
		    h->setup->config->symlinks, &f);
		if (err == 0)
			a->fds[0] = f.fd;
	}
	if (err < 0)
		return err;
	return S_ISDIR(f.st.st_mode) ? HOME_SLASH : HOME_FILE;
}

/* The kind of reply, or a negative errno.  `path` may be NULL: no slash. */
static int
find(struct homes *h, const char *user, const char *path, struct answer *a)
{
	size_t n = path == NULL ? 0 : strlen(path);

	a->fds[1] = open_web_dir(h, user);
	if (a->fds[1] < 0)
		return a->fds[1];
	if (path == NULL)
		return find_file(h, "", a);
	if (n == 0 || path[n - 1] == '/')
		return find_in_directory(h, path, a);
	return find_file(h, path, a);
}

/* Peers */

static void
answer_clear(struct answer *a)
{
	for (unsigned i = 0; i < HOME_REPLY_FDS; i++) {
		if (a->fds[i] >= 0)
			close(a->fds[i]);
		a->fds[i] = -1;
	}
}

static int
send_answer(struct peer *p)
{
	struct answer *a = &p->answer;
	int err;

	err = channel_send(p->base.watch.fd, &a->reply, sizeof(a->reply),
	    a->fds, home_reply_fds(a->reply.kind));
	/* Of descriptors under way there may be only so many: unix(7). */
	if (err == -ETOOMANYREFS) {
		a->reply.kind = HOME_MISSING;
		err = channel_send(p->base.watch.fd, &a->reply,
		    sizeof(a->reply), NULL, 0);
	}
	return err;
}

/* Sends what was found; a worker that does not read is not read either. */
static int
reply(struct peer *p)
{
	int err = send_answer(p);

	if (err != -EAGAIN)
		answer_clear(&p->answer);
	if (err == 0 || err == -EAGAIN)
		err = loop_want(p->base.service->loop, &p->base.watch,
		    err == 0 ? READY_IN : READY_OUT);
	return err;
}

static int
answer(struct peer *p, uint32_t id, const char *user, const char *path)
{
	struct homes *h = list_entry(p->base.service, struct homes, service);
	int kind = find(h, user, path, &p->answer);

	if (kind < 0) {
		log_debug("~%s: %s", user, strerror(-kind));
		kind = HOME_MISSING;
	}
	p->answer.reply = (struct home_reply){
		.id = id,
		.kind = (uint32_t)kind,
	};
	return reply(p);
}

static int
read_question(struct peer *p)
{
	struct home_ask ask;
	const char *user, *path;
	unsigned n_fds = 0;
	ssize_t n;

	n = channel_receive(p->base.watch.fd, &ask, sizeof(ask), NULL, &n_fds);
	if (n == -EAGAIN)
		return 0;
	if (n == 0)
		return -EPIPE;
	if (n < 0 || home_ask_parse(&ask, (size_t)n, &user, &path) < 0)
		return -EBADMSG;
	return answer(p, ask.id, user, path);
}

static struct peer *
peer_of(struct service_peer *base)
{
	return list_entry(base, struct peer, base);
}

static void
on_peer_begin(struct service_peer *base)
{
	for (unsigned i = 0; i < HOME_REPLY_FDS; i++)
		peer_of(base)->answer.fds[i] = -1;
}

static int
on_peer_ready(struct service_peer *base, unsigned ready)
{
	struct peer *p = peer_of(base);

	return ready & READY_OUT ? reply(p) : read_question(p);
}

static void
on_peer_end(struct service_peer *base)
{
	answer_clear(&peer_of(base)->answer);
}

static const struct service_ops service_ops = {
	.peer_bytes = sizeof(struct peer),
	.begin = on_peer_begin,
	.serve = on_peer_ready,
	.end = on_peer_end,
};

int
homes_run(const struct homes_setup *setup)
{
	struct homes_setup own = *setup;
	struct homes h = { .setup = &own };
	int err;

	if (own.find_user == NULL)
		own.find_user = getpwnam_r;
	err = service_open(&h.service, &service_ops, setup->orders);
	if (err == 0)
		err = service_run(&h.service);
	if (err < 0)
		log_error("home directories cannot be served: %s",
		    strerror(-err));
	service_close(&h.service);
	for (unsigned i = 0; i < ACCOUNTS_MAX; i++)
		free(h.accounts[i].home);
	return err < 0;
}
