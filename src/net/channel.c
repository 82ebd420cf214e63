/* SPDX-License-Identifier: ISC */
/*
 * Messages with descriptors over socketpair(2).  SOCK_SEQPACKET keeps the
 * borders between messages and still tells when the other end is gone.
 */

#include "net/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* cmsg(3) wants the alignment of its header. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(CHANNEL_FDS * sizeof(int))];
};

/* struct iovec serves both ways and so has no const; sendmsg(2) only reads. */
static void *
plain(const void *message)
{
	union {
		const void *read_only;
		void *any;
	} pointer = { .read_only = message };

	return pointer.any;
}

static void
attach_fds(struct msghdr *msg, union control *control, const int *fds,
    unsigned n_fds)
{
	size_t bytes = n_fds * sizeof(int);
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control->space;
	msg->msg_controllen = CMSG_SPACE(bytes);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(c), fds, bytes);
}

/* Takes over the descriptors that came along; returns how many. */
static unsigned
collect_fds(struct msghdr *msg, int fds[CHANNEL_FDS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t bytes;

	/* Nobody asks for other kinds, so there is one header or none. */
	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS)
		return 0;
	bytes = c->cmsg_len - CMSG_LEN(0);
	assert(bytes <= CHANNEL_FDS * sizeof(int));
	memcpy(fds, CMSG_DATA(c), bytes);
	return (unsigned)(bytes / sizeof(int));
}

static void
close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

/*
 * A peer that dies with messages unread is reported once, as ECONNRESET,
 * before what it had sent itself: that is still worth reading.
 */
static bool
is_passing(int err)
{
	return err == EINTR || err == ECONNRESET;
}

int
channel_pair(int out_ends[2])
{
	int type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;

	return socketpair(AF_UNIX, type, 0, out_ends) == -1 ? -errno : 0;
}

int
channel_send(int end, const void *message, size_t n, const int *fds,
    unsigned n_fds)
{
	struct iovec piece = { .iov_base = plain(message), .iov_len = n };
	struct msghdr msg = { .msg_iov = &piece, .msg_iovlen = 1 };
	union control control;
	ssize_t sent;

	assert(n > 0 && n_fds <= CHANNEL_FDS);
	if (n_fds > 0)
		attach_fds(&msg, &control, fds, n_fds);
	do
		sent = sendmsg(end, &msg, MSG_NOSIGNAL);
	while (sent == -1 && is_passing(errno));
	return sent == -1 ? -errno : 0;
}

ssize_t
channel_receive(int end, void *message, size_t size, int *fds, unsigned *n_fds)
{
	struct iovec piece = { .iov_base = message, .iov_len = size };
	struct msghdr msg;
	union control control;
	int received[CHANNEL_FDS];
	unsigned n_received;
	ssize_t n;

	do {
		msg = (struct msghdr){
			.msg_iov = &piece,
			.msg_iovlen = 1,
			.msg_control = control.space,
			.msg_controllen = sizeof(control.space),
		};
		n = recvmsg(end, &msg, MSG_CMSG_CLOEXEC);
	} while (n == -1 && is_passing(errno));
	if (n == -1)
		return -errno;
	n_received = collect_fds(&msg, received);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || n_received > *n_fds) {
		close_all(received, n_received);
		return -EMSGSIZE;
	}
	for (unsigned i = 0; i < n_received; i++)
		fds[i] = received[i];
	*n_fds = n_received;
	return n;
}
