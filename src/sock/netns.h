/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_NETNS_H
#define SWS_SOCK_NETNS_H

/*
 * Network namespaces without root: a process becomes root of a user
 * namespace of its own, and there it may make as many networks as it likes
 * (user_namespaces(7), network_namespaces(7)).  A socket stays for ever in
 * the network where it was made, so one process can be several hosts.
 */

#include <stdbool.h>
#include <stddef.h>

#define NETNS_WHY 160           /* why it is forbidden, with its NUL */

enum netns_flags {
	NETNS_MOUNTS = 1,       /* mounts of its own too: files can be hidden */
	NETNS_REAL_ROOT = 2,    /* no user namespace: other users stay real */
};

/*
 * Puts this process, which must have one thread, into an empty network of its
 * own.  Returns 0, or a negative errno with a reason that names the knob.
 */
int netns_enter(unsigned flags, char out_why[NETNS_WHY]);

/* A descriptor of the network this process is in, or a negative errno. */
int netns_here(void);

/* One more empty network; the process stays where it is.  As netns_here. */
int netns_new(void);

/* Goes into a network.  0 or a negative errno. */
int netns_go(int fd);

/*
 * A knob below /proc/sys, such as "net/ipv4/ip_forward", in the present
 * network.  0 or a negative errno: -ENOENT where the kernel has it not,
 * -EINVAL when it is no number.
 */
int netns_write_knob(const char *knob, const char *value);
int netns_read_knob(const char *knob, long *out_value);

#endif
