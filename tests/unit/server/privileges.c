/* SPDX-License-Identifier: ISC */
/* From root to somebody else and not back; most of it takes root. */

#include "server/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cases.h"

/* Runs f in a child, since nothing of it can be undone. */
static void
in_child(void (*f)(void))
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		f();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("the child failed at line %d", WEXITSTATUS(status));
}

/* The line is the exit status; cmocka's own checks end the parent alone. */
#define CHECK(sentence) ((sentence) ? (void)0 : _exit(__LINE__))

static void
skip_unless_root(void)
{
	if (geteuid() != 0) {
		print_message("only root can become another user\n");
		skip();
	}
}

static void
become_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");
	struct identity id;
	uid_t r, e, s;

	CHECK(identity_find("nobody", &id) == 0);
	CHECK(id.changes && id.uid == pw->pw_uid && id.gid == pw->pw_gid);
	CHECK(identity_assume(&id) == 0);
	CHECK(getresuid(&r, &e, &s) == 0);
	CHECK(r == id.uid && e == id.uid && s == id.uid);
	CHECK(getgid() == id.gid && getegid() == id.gid);
	CHECK(getgroups(0, NULL) == id.n_groups);
	CHECK(setresuid((uid_t)-1, 0, (uid_t)-1) == -1);
	CHECK(setresgid((gid_t)-1, 0, (gid_t)-1) == -1);
	CHECK(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0);
	/* Somebody who is not root stays who they are. */
	CHECK(identity_find(NULL, &id) == 0 && !id.changes);
	CHECK(identity_find("nobody", &id) == 0 && !id.changes);
	CHECK(identity_find("root", &id) == -EPERM);
	CHECK(identity_assume(&(struct identity){ 0 }) == 0);
	CHECK(privileges_drop_capabilities() == 0);
}

static void
test_another_user(void **state)
{
	(void)state;
	skip_unless_root();
	in_child(become_nobody);
}

static void
stay_root(void)
{
	struct identity id;

	CHECK(identity_find("root", &id) == 0 && !id.changes);
	CHECK(identity_assume(&id) == 0 && geteuid() == 0);
	/* Root in name alone. */
	CHECK(privileges_drop_capabilities() == 0);
	CHECK(setresuid(1, 1, 1) == -1 && access("/etc", W_OK) == 0);
}

static void
test_root_when_asked(void **state)
{
	(void)state;
	skip_unless_root();
	in_child(stay_root);
}

static bool
can_be_gained(void)
{
	return prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) == 1;
}

static void
bound(void)
{
	bool could = can_be_gained();
	struct identity id;

	CHECK(identity_find("root", &id) == 0);
	privileges_bound(&id);
	CHECK(can_be_gained() == could);
	CHECK(identity_find("nobody", &id) == 0);
	privileges_bound(&id);
	/* In a container it may be out of reach. */
	CHECK(!can_be_gained() ||
	    prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0) == -1);
	/* Itself it may do what it could, such as becoming another. */
	CHECK(identity_assume(&id) == 0 && getuid() == id.uid);
}

static void
test_bound(void **state)
{
	(void)state;
	skip_unless_root();
	in_child(bound);
}

static void
test_default_user(void **state)
{
	struct identity id = { 0 };

	(void)state;
	assert_int_equal(identity_find(NULL, &id), 0);
	assert_int_equal(id.changes, geteuid() == 0);
	if (id.changes)
		assert_int_not_equal(id.uid, 0);
}

static void
test_no_such_user(void **state)
{
	struct identity id;

	(void)state;
	assert_int_equal(identity_find("no-such-user", &id), -ENOENT);
	assert_int_equal(identity_find("", &id), -ENOENT);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_user),
		cmocka_unit_test(test_root_when_asked),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_default_user),
		cmocka_unit_test(test_no_such_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

_Static_assert(__LINE__ < 256, "a line has to fit into an exit status");
