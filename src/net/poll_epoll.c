/* SPDX-License-Identifier: ISC */
/* epoll(7): the kernel keeps the set; the cost follows what is ready. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/poller_priv.h"

#define BATCH 256

struct epoll_state {
	int epfd;
	struct epoll_event events[BATCH];
};

static int
ep_open(unsigned argument, void **out_state)
{
	struct epoll_state *s = malloc(sizeof(*s));
	int err;

	(void)argument;
	if (s == NULL)
		return -ENOMEM;
	s->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epfd == -1) {
		err = -errno;
		free(s);
		return err;
	}
	*out_state = s;
	return 0;
}

static int
ep_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct epoll_state *s = state;
	struct epoll_event e = { .data.fd = fd };
	int op = EPOLL_CTL_MOD;

	if (wanted & READY_IN)
		e.events |= EPOLLIN;
	if (wanted & READY_OUT)
		e.events |= EPOLLOUT;
	if (old == 0)
		op = EPOLL_CTL_ADD;
	else if (wanted == 0)
		op = EPOLL_CTL_DEL;
	return epoll_ctl(s->epfd, op, fd, &e) == -1 ? -errno : 0;
}

static int
ep_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct epoll_state *s = state;
	int n;

	n = epoll_wait(s->epfd, s->events, max < BATCH ? max : BATCH,
	    timeout_ms);
	if (n == -1)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		uint32_t e = s->events[i].events;

		events[i].fd = s->events[i].data.fd;
		events[i].ready = 0;
		if (e & (EPOLLIN | EPOLLHUP | EPOLLERR))
			events[i].ready |= READY_IN;
		if (e & (EPOLLOUT | EPOLLHUP | EPOLLERR))
			events[i].ready |= READY_OUT;
	}
	return n;
}

static void
ep_close(void *state)
{
	struct epoll_state *s = state;

	close(s->epfd);
	free(s);
}

const struct poller_ops poller_epoll = {
	.is_in_kernel = true,
	.open = ep_open,
	.set = ep_set,
	.wait = ep_wait,
	.close = ep_close,
	.keeps_order = true,
};
