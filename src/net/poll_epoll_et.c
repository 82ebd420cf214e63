/* SPDX-License-Identifier: ISC */
/*
 * epoll(7), edge-triggered: the kernel tells what changed, once.  Who was told
 * and perhaps left something undone is armed anew before the next wait:
 * EPOLL_CTL_MOD makes the kernel look again.  So it is level-triggered after
 * all, for one more system call an event than epoll itself: that is what
 * edges cost those who do not drain every descriptor to its last byte.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "net/fdtable_priv.h"
#include "net/poller_priv.h"

#define BATCH 256

struct et_state {
	int epfd;
	unsigned char *wanted;  /* by descriptor; READY_ bits */
	size_t n_wanted;
	int n;                  /* events of the last wait */
	struct epoll_event events[BATCH];
};

static int
et_open(unsigned argument, void **out_state)
{
	struct et_state *s = calloc(1, sizeof(*s));
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
arm(const struct et_state *s, int op, int fd)
{
	struct epoll_event e = { .events = EPOLLET, .data.fd = fd };

	if (s->wanted[fd] & READY_IN)
		e.events |= EPOLLIN;
	if (s->wanted[fd] & READY_OUT)
		e.events |= EPOLLOUT;
	return epoll_ctl(s->epfd, op, fd, &e) == -1 ? -errno : 0;
}

static int
et_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct et_state *s = state;
	unsigned char *table;
	int op = EPOLL_CTL_MOD, err;

	table = fdtable_reach(s->wanted, &s->n_wanted, sizeof(*table), fd);
	if (table == NULL)
		return -ENOMEM;
	s->wanted = table;
	s->wanted[fd] = (unsigned char)wanted;
	if (old == 0)
		op = EPOLL_CTL_ADD;
	else if (wanted == 0)
		op = EPOLL_CTL_DEL;
	err = arm(s, op, fd);
	if (err < 0)
		s->wanted[fd] = (unsigned char)old;
	return err;
}

static void
arm_again(struct et_state *s)
{
	for (int i = 0; i < s->n; i++) {
		int fd = s->events[i].data.fd;

		if (s->wanted[fd] != 0)
			arm(s, EPOLL_CTL_MOD, fd);
	}
}

static int
et_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct et_state *s = state;
	int n;

	arm_again(s);
	s->n = 0;
	n = epoll_wait(s->epfd, s->events, max < BATCH ? max : BATCH,
	    timeout_ms);
	if (n == -1)
		return errno == EINTR ? 0 : -errno;
	for (s->n = 0; s->n < n; s->n++) {
		const struct epoll_event *e = &s->events[s->n];
		unsigned ready = 0;

		if (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			ready |= READY_IN;
		if (e->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
			ready |= READY_OUT;
		events[s->n] = (struct poller_event){ e->data.fd, ready };
	}
	return n;
}

static void
et_close(void *state)
{
	struct et_state *s = state;

	close(s->epfd);
	free(s->wanted);
	free(s);
}

const struct poller_ops poller_epoll_et = {
	.open = et_open,
	.set = et_set,
	.wait = et_wait,
	.close = et_close,
	.keeps_order = true,
};
