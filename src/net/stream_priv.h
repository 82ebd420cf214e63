/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_STREAM_PRIV_H
#define SWS_NET_STREAM_PRIV_H

/* What all streams over sockets do alike, whoever waits for them. */

#include "net/stream.h"

/* Is that errno no failure, but a reason to come again? */
bool stream_is_later(int err);

/* struct stream_ops.write, at once, whether or not the socket would block. */
ssize_t stream_send_now(int fd, const struct iovec *iov, int n, bool more);

/*
 * struct stream_ops.send_file, for a socket that is non-blocking.  *is_tuned
 * belongs to the stream, and begins as false.
 */
ssize_t stream_send_file_now(int sock, bool *is_tuned, int fd,
    uint64_t offset, size_t n);

/* struct stream_ops.queued, as far as the kernel knows. */
size_t stream_queued_now(int fd);

/* The close(2) to come resets the connection. */
void stream_will_reset(int fd);

#endif
