/* SPDX-License-Identifier: ISC */
/*
 * From root to an ordinary user, in the order that credentials(7) and
 * capabilities(7) demand: what needs root goes first, and nothing is believed
 * that was not looked at afterwards.
 */
#include "server/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* Who serves by default, the first that there is. */
static const char *const default_users[] = { "www-data", "nobody" };

#define N_DEFAULT_USERS (sizeof(default_users) / sizeof(default_users[0]))

/* NULL and errno 0: there is no such user. */
static const struct passwd *
look_up(const char *name)
{
	errno = 0;
	return getpwnam(name);
}

static const struct passwd *
default_user(void)
{
	const struct passwd *pw;

	for (size_t i = 0; i < N_DEFAULT_USERS; i++) {
		pw = look_up(default_users[i]);
		/* Nobody asked to stay root. */
		if (pw != NULL && pw->pw_uid != 0)
			return pw;
	}
	log_error("neither www-data nor nobody is a user here: "
	    "say with -u whom to run as");
	return NULL;
}

static const struct passwd *
named_user(const char *name)
{
	const struct passwd *pw = look_up(name);
	int err = errno;

	if (pw == NULL)
		log_error("-u %s: %s", name,
		    err == 0 ? "no such user" : strerror(err));
	return pw;
}

static int
take_user(const struct passwd *pw, struct identity *out_identity)
{
	struct identity id = {
		.changes = pw->pw_uid != 0,
		.uid = pw->pw_uid,
		.gid = pw->pw_gid,
		.n_groups = IDENTITY_GROUPS,
	};

	if (id.changes && getgrouplist(pw->pw_name, pw->pw_gid, id.groups,
	    &id.n_groups) == -1) {
		log_error("user %s: in too many groups (%d at most)",
		    pw->pw_name, IDENTITY_GROUPS);
		return -E2BIG;
	}
	snprintf(id.name, sizeof(id.name), "%s", pw->pw_name);
	*out_identity = id;
	return 0;
}

/* Nobody but root can become another. */
static int
stay(const char *user, struct identity *out_identity)
{
	const struct passwd *pw;

	if (user != NULL) {
		pw = named_user(user);
		if (pw == NULL)
			return -ENOENT;
		if (pw->pw_uid != geteuid()) {
			log_error("-u %s: only root can become another user",
			    user);
			return -EPERM;
		}
	}
	*out_identity = (struct identity){ .changes = false };
	return 0;
}

int
identity_find(const char *user, struct identity *out_identity)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return stay(user, out_identity);
	pw = user != NULL ? named_user(user) : default_user();
	return pw != NULL ? take_user(pw, out_identity) : -ENOENT;
}

/*
 * What a program could get back by its set-user-ID bit or capabilities(7).
 * What is gone already is only looked at, which costs far less.
 */
static int
drop_bounding_set(void)
{
	int has;

	for (unsigned long c = 0;
	    (has = prctl(PR_CAPBSET_READ, c, 0, 0, 0)) != -1; c++)
		if (has == 1 && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == -1)
			return -errno;
	return 0;
}

void
privileges_bound(const struct identity *identity)
{
	if (identity->changes)
		(void)drop_bounding_set();
}

static int
capabilities(long call, struct __user_cap_data_struct sets[2])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	memset(sets, 0, 2 * sizeof(*sets));
	/* The C library has no wrapper. */
	return syscall(call, &header, sets) == -1 ? -errno : 0;
}

static int
verify_no_capabilities(void)
{
	static const struct __user_cap_data_struct none[2];
	struct __user_cap_data_struct sets[2];
	int err;

	err = capabilities(SYS_capget, sets);
	if (err < 0)
		return err;
	return memcmp(sets, none, sizeof(none)) == 0 ? 0 : -EPERM;
}

int
privileges_drop_capabilities(void)
{
	struct __user_cap_data_struct sets[2];
	int err;

	/*
	 * Takes a capability, which ordinary users have not.  With none to
	 * lose, no_new_privs guards the set as well.
	 */
	err = drop_bounding_set();
	if (err < 0 && err != -EPERM)
		return err;
	err = capabilities(SYS_capset, sets);
	return err < 0 ? err : verify_no_capabilities();
}

static int
change_ids(const struct identity *id)
{
	/* Groups first: who is not root any more cannot change them. */
	if (setgroups((size_t)id->n_groups, id->groups) == -1 ||
	    setresgid(id->gid, id->gid, id->gid) == -1 ||
	    setresuid(id->uid, id->uid, id->uid) == -1)
		return -errno;
	return 0;
}

static int
verify_ids(const struct identity *id)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) == -1 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) == -1)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (uids[i] != id->uid || gids[i] != id->gid)
			return -EPERM;
	if (getgroups(0, NULL) != id->n_groups)
		return -EPERM;
	/* The proof: any of these that works is a way back. */
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 ||
	    setresuid(0, (uid_t)-1, (uid_t)-1) == 0 ||
	    setgroups(0, NULL) == 0)
		return -EPERM;
	return 0;
}

int
identity_assume(const struct identity *identity)
{
	int err;

	if (!identity->changes)
		return 0;
	err = drop_bounding_set();
	/* In a container it may be out of reach, and then it is harmless. */
	if (err < 0 && err != -EPERM)
		return err;
	err = change_ids(identity);
	if (err == 0)
		err = verify_ids(identity);
	return err < 0 ? err : privileges_drop_capabilities();
}
