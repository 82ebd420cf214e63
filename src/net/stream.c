/* SPDX-License-Identifier: ISC */
/*
 * The stream over a socket that some poller watches; where the loop waits for
 * completions, uring_stream.c has another.
 */
#include "net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "net/completion_priv.h"
#include "net/stream_priv.h"

/*
 * What one call may move from a file: enough to fill a send buffer, little
 * enough that a fast reader does not keep the loop to itself.
 */
#define FILE_SLICE ((size_t)2 << 20)

/*
 * A peer this near takes what it is sent at once.  A send buffer that grows to
 * megabytes, as it should towards far ones, then only drives the bytes out of
 * the processor's cache before they are read: half the throughput is lost.
 */
#define NEAR_US 500
#define NEAR_BUFFER (128 << 10) /* the kernel doubles it: socket(7) */
#define LARGE_FILE ((size_t)1 << 20)

struct socket_stream {
	struct stream stream;
	struct watch watch;
	struct loop *loop;
	bool is_tuned;
};

static struct socket_stream *
of(struct stream *s)
{
	return list_entry(s, struct socket_stream, stream);
}

bool
stream_is_later(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

static void
receive(struct socket_stream *ss)
{
	char *scratch = loop_scratch(ss->loop);
	struct stream *s = &ss->stream;
	ssize_t n;

	n = recv(ss->watch.fd, scratch, LOOP_SCRATCH, 0);
	if (n >= 0)
		s->events->on_bytes(s, (struct str){ scratch, (size_t)n });
	else if (!stream_is_later(errno))
		s->events->on_broken(s, -errno);
}

/*
 * One callback an event: it may have closed the stream.  Being
 * level-triggered, the poller reports the other condition again.
 */
static void
on_ready(struct watch *w, unsigned ready)
{
	struct socket_stream *ss = list_entry(w, struct socket_stream, watch);

	if (ready & READY_OUT)
		ss->stream.events->on_writable(&ss->stream);
	else
		receive(ss);
}

ssize_t
stream_send_now(int fd, const struct iovec *iov, int n, bool more)
{
	struct msghdr m = {
		/* sendmsg(2) only reads them. */
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)n,
	};
	int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
	ssize_t sent;

	/* The usual case, one piece, is cheaper by send(2). */
	sent = n == 1 ? send(fd, iov->iov_base, iov->iov_len, flags) :
	    sendmsg(fd, &m, flags);
	if (sent >= 0)
		return sent;
	return stream_is_later(errno) ? 0 : -errno;
}

static void
tune(int sock)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int size = NEAR_BUFFER;

	if (getsockopt(sock, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_rtt < NEAR_US)
		setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

ssize_t
stream_send_file_now(int sock, bool *is_tuned, int fd, uint64_t offset,
    size_t n)
{
	off_t at = (off_t)offset;
	ssize_t sent;

	if (n >= LARGE_FILE && !*is_tuned) {
		*is_tuned = true;
		tune(sock);
	}
	sent = sendfile(sock, fd, &at, n < FILE_SLICE ? n : FILE_SLICE);
	if (sent > 0)
		return sent;
	if (sent == 0)
		return -ENODATA;
	return stream_is_later(errno) ? 0 : -errno;
}

size_t
stream_queued_now(int fd)
{
	int n = 0;

	return ioctl(fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

void
stream_will_reset(int fd)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

static ssize_t
ss_write(struct stream *s, const struct iovec *iov, int n, bool more)
{
	return stream_send_now(of(s)->watch.fd, iov, n, more);
}

static ssize_t
ss_send_file(struct stream *s, int fd, uint64_t offset, size_t n)
{
	struct socket_stream *ss = of(s);

	return stream_send_file_now(ss->watch.fd, &ss->is_tuned, fd, offset,
	    n);
}

static int
ss_want(struct stream *s, unsigned wanted)
{
	return loop_want(of(s)->loop, &of(s)->watch, wanted);
}

static size_t
ss_queued(struct stream *s)
{
	return stream_queued_now(of(s)->watch.fd);
}

static int
ss_socket(struct stream *s)
{
	return of(s)->watch.fd;
}

static void
ss_shut(struct stream *s)
{
	shutdown(of(s)->watch.fd, SHUT_WR);
}

static void
ss_close(struct stream *s, bool abort)
{
	struct socket_stream *ss = of(s);

	if (abort)
		stream_will_reset(ss->watch.fd);
	loop_forget(ss->loop, &ss->watch);
	close(ss->watch.fd);
	free(ss);
}

static const struct stream_ops socket_ops = {
	.write = ss_write,
	.send_file = ss_send_file,
	.want = ss_want,
	.queued = ss_queued,
	.socket = ss_socket,
	.shut = ss_shut,
	.close = ss_close,
};

static int
open_watched(struct loop *l, int fd, const struct stream_events *events,
    void *owner, struct stream **out_s)
{
	struct socket_stream *ss = malloc(sizeof(*ss));
	int err;

	if (ss == NULL)
		return -ENOMEM;
	*ss = (struct socket_stream){
		.stream = { &socket_ops, events, owner },
		.watch = { .fn = on_ready, .fd = fd, .wanted = READY_IN },
		.loop = l,
	};
	err = loop_add_ready(l, &ss->watch);
	if (err < 0) {
		free(ss);
		return err;
	}
	*out_s = &ss->stream;
	return 0;
}

int
stream_open_socket(struct loop *l, int fd, const struct stream_events *events,
    void *owner, struct stream **out_s)
{
	const struct completion_ops *c;
	void *state;

	c = loop_completion(l, &state);
	if (c != NULL)
		return c->open_stream(state, l, fd, events, owner, out_s);
	return open_watched(l, fd, events, owner, out_s);
}
