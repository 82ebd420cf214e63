/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_STREAM_H
#define SWS_NET_STREAM_H

/*
 * A connected, reliable, two-way byte stream.  Protocols know this and not
 * what is below: a socket under a poller, TLS over another stream.
 *
 * Bytes come up by callback, lent until it returns.  Bytes go down as far as
 * they are taken; who could not get rid of all asks for on_writable and goes
 * on there.  What was taken leaves before the loop waits again, at the latest;
 * if it turns out then that it cannot, the next call or on_broken tells.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/str.h"
#include "net/loop.h"

struct stream;

/* What the owner of a stream is told.  Each may close the stream. */
struct stream_events {
	/* in.n is 0 when the peer will send no more. */
	void (*on_bytes)(struct stream *s, struct str in);
	void (*on_writable)(struct stream *s);
	/* The connection broke; the owner still closes the stream.  Told
	   whatever is wanted, when it was found out by sending. */
	void (*on_broken)(struct stream *s, int err);
};

struct stream_ops {
	ssize_t (*write)(struct stream *s, const struct iovec *iov, int n,
	    bool more);
	ssize_t (*send_file)(struct stream *s, int fd, uint64_t offset,
	    size_t n);
	int (*want)(struct stream *s, unsigned wanted);
	size_t (*queued)(struct stream *s);
	int (*socket)(struct stream *s);
	void (*shut)(struct stream *s);
	void (*close)(struct stream *s, bool abort);
};

struct stream {
	const struct stream_ops *ops;
	const struct stream_events *events;
	void *owner;
};

/*
 * A stream over a connected, non-blocking socket, which is then the stream's.
 * It waits for bytes at once.  0 or a negative errno, after which the socket
 * is still the caller's.
 */
int stream_open_socket(struct loop *l, int fd,
    const struct stream_events *events, void *owner, struct stream **out_s);

/*
 * Takes as much of the pieces as goes without waiting: the number of bytes,
 * 0 when none, or a negative errno when the connection is broken.  `more`
 * says that further bytes follow at once, so a short packet may wait for them.
 */
static inline ssize_t
stream_write(struct stream *s, const struct iovec *iov, int n, bool more)
{
	return s->ops->write(s, iov, n, more);
}

/*
 * The same for n bytes of a file from offset on.  -ENODATA when the file ends
 * before: there is nothing true to send in their place.
 */
static inline ssize_t
stream_send_file(struct stream *s, int fd, uint64_t offset, size_t n)
{
	return s->ops->send_file(s, fd, offset, n);
}

/* READY_IN: on_bytes, READY_OUT: on_writable; others are not called. */
static inline int
stream_want(struct stream *s, unsigned wanted)
{
	return s->ops->want(s, wanted);
}

/* How many bytes were taken, but not yet by the peer? */
static inline size_t
stream_queued(struct stream *s)
{
	return s->ops->queued(s);
}

/*
 * The socket that all bytes go through as they are: another process can go on
 * with it.  It stays the stream's, which must want nothing when a copy is made.
 * -EAGAIN: not yet.  The stream must want nothing; on_bytes still brings what
 * had been received, and then on_writable says that it is worth another try.
 * Another negative errno: the connection is broken.
 */
static inline int
stream_socket(struct stream *s)
{
	return s->ops->socket(s);
}

/* We will send no more (shutdown(2), SHUT_WR). */
static inline void
stream_shut(struct stream *s)
{
	s->ops->shut(s);
}

/* Closes and frees; `abort` throws away what was not sent yet (RST). */
static inline void
stream_close(struct stream *s, bool abort)
{
	s->ops->close(s, abort);
}

#endif
