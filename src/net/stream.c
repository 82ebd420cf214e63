/* SPDX-License-Identifier: ISC */
/* The stream over a socket that some poller watches. */
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

static bool
is_later(int err)
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
	else if (!is_later(errno))
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

static ssize_t
ss_write(struct stream *s, const struct iovec *iov, int n, bool more)
{
	struct msghdr m = {
		/* sendmsg(2) only reads them. */
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = (size_t)n,
	};
	int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	int fd = of(s)->watch.fd;
	ssize_t sent;

	/* The usual case, one piece, is cheaper by send(2). */
	sent = n == 1 ? send(fd, iov->iov_base, iov->iov_len, flags) :
	    sendmsg(fd, &m, flags);
	if (sent >= 0)
		return sent;
	return is_later(errno) ? 0 : -errno;
}

static void
tune(struct socket_stream *ss)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int size = NEAR_BUFFER;

	ss->is_tuned = true;
	if (getsockopt(ss->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_rtt < NEAR_US)
		setsockopt(ss->watch.fd, SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof(size));
}

static ssize_t
ss_send_file(struct stream *s, int fd, uint64_t offset, size_t n)
{
	off_t at = (off_t)offset;
	ssize_t sent;

	if (n >= LARGE_FILE && !of(s)->is_tuned)
		tune(of(s));
	sent = sendfile(of(s)->watch.fd, fd, &at,
	    n < FILE_SLICE ? n : FILE_SLICE);
	if (sent > 0)
		return sent;
	if (sent == 0)
		return -ENODATA;
	return is_later(errno) ? 0 : -errno;
}

static int
ss_want(struct stream *s, unsigned wanted)
{
	return loop_want(of(s)->loop, &of(s)->watch, wanted);
}

static size_t
ss_queued(struct stream *s)
{
	int n = 0;

	return ioctl(of(s)->watch.fd, SIOCOUTQ, &n) == 0 && n > 0 ?
	    (size_t)n : 0;
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
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct socket_stream *ss = of(s);

	if (abort)
		setsockopt(ss->watch.fd, SOL_SOCKET, SO_LINGER, &reset,
		    sizeof(reset));
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

int
stream_open_socket(struct loop *l, int fd, const struct stream_events *events,
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
