/* SPDX-License-Identifier: ISC */
/*
 * Bytes that never enter this process: splice(2) moves them inside the kernel,
 * through a pipe of ours unless one end is a pipe itself.  Where it says
 * EINVAL the direction is copied through a buffer from then on.
 */
#include "sock/relay_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A descriptor that cannot be spliced: what is in the pipe goes first. */
static int
give_up_splicing(struct flow *f)
{
	ssize_t n = 0;

	if (flow_use_buffer(f, HOW_COPY) < 0)
		return -ENOMEM;
	f->at = 0;
	if (f->n > 0)
		n = read(f->pipe[0], f->buffer, RELAY_CHUNK);
	if (n < 0)
		return -errno;
	f->n = (size_t)n;
	return 0;
}

static ssize_t
splice_some(int from, int to)
{
	ssize_t n = splice(from, NULL, to, NULL, RELAY_CHUNK,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	return n == -1 ? -errno : n;
}

/* Into our pipe, or straight through where an end is a pipe. */
static ssize_t
splice_in(struct flow *f)
{
	if (f->how == HOW_SPLICE)
		return splice_some(f->from->in_fd, f->pipe[1]);
	return splice_some(f->from->in_fd, f->to->out_fd);
}

int
splice_open(struct flow *f)
{
	int fd = f->how == HOW_SPLICE_IN ? f->from->in_fd : f->to->out_fd;

	if (f->how == HOW_SPLICE) {
		if (pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) == -1)
			return -errno;
		fd = f->pipe[1];
	}
	/* Less room is fine, too. */
	fcntl(fd, F_SETPIPE_SZ, RELAY_CHUNK);
	return 0;
}

void
splice_fill(struct flow *f)
{
	ssize_t n = splice_in(f);

	if (n == -EINVAL) {
		n = give_up_splicing(f);
		if (n < 0)
			flow_fail(f, (int)n, false);
		return;
	}
	if (f->how != HOW_SPLICE && n > 0) {
		*f->passed += (uint64_t)n;
		f->messages++;
		return;
	}
	if (f->how != HOW_SPLICE && n == -EPIPE)
		flow_fail(f, -EPIPE, true);
	else
		flow_got(f, n);
}

ssize_t
splice_drain(struct flow *f)
{
	ssize_t n = splice_some(f->pipe[0], f->to->out_fd);

	if (n != -EINVAL)
		return n;
	n = give_up_splicing(f);
	return n < 0 ? n : -EAGAIN;
}
