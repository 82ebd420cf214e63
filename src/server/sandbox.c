/* SPDX-License-Identifier: ISC */
/*
 * The layers: no_new_privs (prctl(2)), capabilities(7), landlock(7) and
 * seccomp(2), whose table of calls is sandbox_calls.c.
 */
#include "server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/privileges.h"
#include "server/sandbox_priv.h"

/* Newer than the system's headers may be: ABI 6 of landlock(7). */
#define SCOPE_SIGNAL (1ull << 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;    /* ABI 4 */
	uint64_t scoped;                /* ABI 6 */
};

/* How many rights of each kind an ABI knows. */
static const struct abi {
	unsigned fs, net, scopes;
} abis[] = {
	{ 0, 0, 0 },
	{ 13, 0, 0 },
	{ 14, 0, 0 },           /* moving between directories */
	{ 15, 0, 0 },           /* truncating */
	{ 15, 2, 0 },           /* bind and connect of TCP */
	{ 16, 2, 0 },           /* ioctl of devices */
	{ 16, 2, 2 },           /* abstract sockets, signals */
};

#define NEWEST_ABI ((long)(sizeof(abis) / sizeof(abis[0])) - 1)

#define ALL(n) ((UINT64_C(1) << (n)) - 1)

static int
no_new_privs(const struct sandbox *s)
{
	(void)s;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ? -errno : 0;
}

static int
no_capabilities(const struct sandbox *s)
{
	(void)s;
	return privileges_drop_capabilities();
}

static int
allow_reading(int ruleset, int dir)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = dir,
	};

	return syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == -1 ? -errno : 0;
}

static int
allow_reading_path(int ruleset, const char *path)
{
	int dir, err;

	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1)
		return -errno;
	err = allow_reading(ruleset, dir);
	close(dir);
	return err;
}

static int
allow_files(int ruleset, const struct sandbox *s)
{
	int err = 0;

	if (s->role == SANDBOX_SPAWNER)
		return 0;
	if (s->role == SANDBOX_HOMES)
		return allow_reading_path(ruleset, "/");
	for (unsigned i = 0; i < s->n_roots && err == 0; i++)
		err = allow_reading(ruleset, s->read_roots[i]);
	if (SANITIZED && err == 0)
		err = allow_reading_path(ruleset, "/proc");
	return err;
}

static int
create_ruleset(enum sandbox_role role)
{
	struct ruleset_attr attr = { 0 };
	const struct abi *abi;
	long version, fd;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (version == -1)
		return -errno;
	abi = &abis[version < NEWEST_ABI ? version : NEWEST_ABI];
	attr.scoped = ALL(abi->scopes);
	if (role == SANDBOX_SPAWNER) {
		/*
		 * Programs need files and the network, but no signal of
		 * theirs shall reach a worker, which is the same user.
		 */
		attr.scoped &= SCOPE_SIGNAL;
		if (attr.scoped == 0)
			return -EOPNOTSUPP;
	} else {
		attr.handled_access_fs = ALL(abi->fs);
		attr.handled_access_net = ALL(abi->net);
	}
	fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	return fd == -1 ? -errno : (int)fd;
}

static int
landlock(const struct sandbox *s)
{
	int ruleset, err;

	ruleset = create_ruleset(s->role);
	if (ruleset < 0)
		return ruleset;
	err = allow_files(ruleset, s);
	if (err == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		err = -errno;
	close(ruleset);
	return err;
}

static int
seccomp(const struct sandbox *s)
{
	return sandbox_filter(s);
}

static const struct layer {
	unsigned bit;
	const char *name;
	int (*enter)(const struct sandbox *s);
} layers[] = {
	/* First, since the last two ask for it. */
	{ SANDBOX_NO_NEW_PRIVS, "no_new_privs", no_new_privs },
	{ SANDBOX_NO_CAPABILITIES, "capabilities", no_capabilities },
	{ SANDBOX_LANDLOCK, "landlock", landlock },
	/* Last, since it allows none of the calls of the others. */
	{ SANDBOX_SECCOMP, "seccomp", seccomp },
};

#define N_LAYERS (sizeof(layers) / sizeof(layers[0]))

#define ALL_LAYERS (SANDBOX_NO_NEW_PRIVS | SANDBOX_NO_CAPABILITIES | \
    SANDBOX_LANDLOCK | SANDBOX_SECCOMP)

static const struct {
	unsigned needed;
	unsigned welcome;       /* where there is one */
} roles[] = {
	[SANDBOX_WORKER] = { ALL_LAYERS, 0 },
	[SANDBOX_FORKER] = { ALL_LAYERS, 0 },
	[SANDBOX_SIGNALLED] = { ALL_LAYERS, 0 },
	[SANDBOX_SPAWNER] = {
		SANDBOX_NO_NEW_PRIVS | SANDBOX_NO_CAPABILITIES,
		SANDBOX_LANDLOCK,
	},
	[SANDBOX_HOMES] = { ALL_LAYERS, 0 },
	[SANDBOX_ENCODER] = { ALL_LAYERS, 0 },
};

static int
verdict(const struct sandbox *s, unsigned held)
{
	bool is_whole = (roles[s->role].needed & ~held) == 0;

	return s->mode == SANDBOX_REQUIRE && !is_whole ? -EOPNOTSUPP : 0;
}

int
sandbox_enter(const struct sandbox *s, unsigned *out_layers)
{
	unsigned wanted = roles[s->role].needed | roles[s->role].welcome;

	*out_layers = 0;
	if (s->mode == SANDBOX_OFF)
		return 0;
	for (size_t i = 0; i < N_LAYERS; i++)
		if (wanted & layers[i].bit && layers[i].enter(s) == 0)
			*out_layers |= layers[i].bit;
	return verdict(s, *out_layers);
}

/* The child's side of fork(2): the layers are its exit status. */
static _Noreturn void
try(const struct sandbox *s)
{
	unsigned held;

	sandbox_enter(s, &held);
	_exit((int)held);
}

int
sandbox_probe(const struct sandbox *s, unsigned *out_layers)
{
	pid_t pid;
	int status;

	*out_layers = 0;
	if (s->mode == SANDBOX_OFF)
		return 0;
	/* Nothing is copied, and all that the child changes is its own. */
	pid = vfork();
	if (pid == -1)
		return -errno;
	if (pid == 0)
		try(s);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status))
		*out_layers = (unsigned)WEXITSTATUS(status);
	return verdict(s, *out_layers);
}

unsigned
sandbox_layers(enum sandbox_role role)
{
	return roles[role].needed;
}

const char *
sandbox_layers_text(unsigned held, char *text, size_t size)
{
	const char *comma = "";
	size_t n = 0;

	snprintf(text, size, "nothing");
	for (size_t i = 0; i < N_LAYERS && n < size; i++) {
		if (!(held & layers[i].bit))
			continue;
		n += (size_t)snprintf(text + n, size - n, "%s%s", comma,
		    layers[i].name);
		comma = ", ";
	}
	return text;
}
