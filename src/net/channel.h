/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_CHANNEL_H
#define SWS_NET_CHANNEL_H

/*
 * Messages between our own processes: a SOCK_SEQPACKET socketpair(2), whole
 * messages or nothing, descriptors along with them (SCM_RIGHTS, unix(7)).
 */

#include <stddef.h>
#include <sys/types.h>

#define CHANNEL_FDS 4           /* descriptors a message at the most */

/* Both ends close-on-exec and non-blocking.  0 or a negative errno. */
int channel_pair(int out_ends[2]);

/*
 * Sends one message of n bytes with n_fds descriptors, which stay the
 * sender's own.  0 or a negative errno: -EAGAIN when the channel is full,
 * -EPIPE when the other end is gone (no SIGPIPE).
 */
int channel_send(int end, const void *message, size_t n, const int *fds,
    unsigned n_fds);

/*
 * Receives one message.  *n_fds is the room in `fds` before and the count
 * after; received descriptors are close-on-exec and the receiver's to close.
 * Returns the length (1 or more), 0 when the other end is closed, or a
 * negative errno: -EAGAIN when none waits, -EMSGSIZE when the message or its
 * descriptors did not fit (they are closed, nothing is given).
 */
ssize_t channel_receive(int end, void *message, size_t size, int *fds,
    unsigned *n_fds);

#endif
