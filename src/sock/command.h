/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_COMMAND_H
#define SWS_SOCK_COMMAND_H

/*
 * command(3) of the lecture's second homework: runs a command for the shell
 * as system(3) does, and gives what it wrote on standard output and standard
 * error in two buffers.
 */

#include <stddef.h>
#include <stdint.h>

/* What the command's output comes through. */
enum command_via {
	COMMAND_PIPES,          /* pipe(2) */
	COMMAND_SOCKETPAIR,     /* socketpair(2) */
};

/* A buffer of the caller's.  A NUL follows the bytes only if there is room. */
struct command_text {
	char *p;
	size_t size;
	size_t n;               /* bytes in p */
	uint64_t lost;          /* bytes that did not fit */
};

/*
 * Runs `string` by /bin/sh -c and returns its status as waitpid(2) has it;
 * 127 << 8 when the shell could not be executed.  A NULL string asks whether
 * there is a shell: 1 or 0.  Both outputs are read as they come, so however
 * much is written to either, in whatever order, nobody waits for ever.
 *
 * Meanwhile SIGINT and SIGQUIT are ignored and SIGCHLD is blocked, as POSIX
 * wants it of system(3); the command itself has them as the caller had.
 *
 * timeout_ms, unless 0: the command is killed after it, which is -ETIMEDOUT.
 * It then leads a process group, and all of the group is killed; where the
 * terminal was ours, it has it meanwhile.
 * With --calls the socket calls of the command are shown, too (spy.h).
 * Other negative errnos: of pipe, socketpair, fork, poll.  What was written
 * until then is in the buffers.
 */
int command_run(const char *string, enum command_via via, int64_t timeout_ms,
    struct command_text *out, struct command_text *err);

#endif
