/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_OWNERS_H
#define SWS_SOCK_OWNERS_H

/*
 * Which processes have which sockets open, as /proc/PID/fd tells (proc(5)).
 * What this user may not see is not in it.
 */

#include <stddef.h>
#include <stdint.h>

struct owner {
	uint32_t inode;
	int pid;
	int fd;
	char comm[16];          /* control characters made '?' */
};

struct owners {
	struct owner *list;     /* in the order of inodes, then processes */
	size_t n, cap;
};

/* Looks through all processes.  0 or a negative errno. */
int owners_read(struct owners *o);
void owners_free(struct owners *o);

/* The first of those with the socket and how many there are; NULL for none. */
const struct owner *owners_find(const struct owners *o, uint32_t inode,
    size_t *out_n);

#endif
