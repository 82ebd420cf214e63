/* SPDX-License-Identifier: ISC */
#include "server/order.h"

#include <errno.h>
#include <unistd.h>

#include "net/channel.h"

int
order_send(int channel, enum order order, unsigned worker, int fd)
{
	struct order_msg m = { .order = order, .worker = worker };

	return channel_send(channel, &m, sizeof(m), &fd, fd != -1);
}

int
order_receive(int channel, struct order_msg *out_msg, int *out_fd)
{
	struct order_msg m;
	unsigned n_fds = 1;
	int fd = -1;
	ssize_t n;

	n = channel_receive(channel, &m, sizeof(m), &fd, &n_fds);
	if (n <= 0)
		return (int)n;
	if (n_fds == 0)
		fd = -1;
	if (n != sizeof(m)) {
		if (fd != -1)
			close(fd);
		return -EBADMSG;
	}
	*out_msg = m;
	*out_fd = fd;
	return 1;
}
