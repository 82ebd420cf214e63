/* SPDX-License-Identifier: ISC */
/* poll(2): one array for all, handed over and looked through every time. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "net/poller_priv.h"

struct poll_state {
	struct pollfd *fds;
	nfds_t n, cap;
	nfds_t next;            /* to be looked at first: all get their turn */
	unsigned *place;        /* by descriptor: index in fds + 1; 0: none */
	size_t n_place;
};

static int
po_open(void **out_state)
{
	*out_state = calloc(1, sizeof(struct poll_state));
	return *out_state == NULL ? -ENOMEM : 0;
}

static int
grow_place(struct poll_state *s, size_t fd)
{
	size_t n = s->n_place ? s->n_place : 64;
	unsigned *place;

	while (n <= fd)
		n *= 2;
	place = realloc(s->place, n * sizeof(*place));
	if (place == NULL)
		return -ENOMEM;
	for (size_t i = s->n_place; i < n; i++)
		place[i] = 0;
	s->place = place;
	s->n_place = n;
	return 0;
}

static int
add(struct poll_state *s, int fd)
{
	struct pollfd *fds;
	nfds_t cap;
	int err;

	if ((size_t)fd >= s->n_place && (err = grow_place(s, (size_t)fd)) < 0)
		return err;
	if (s->n == s->cap) {
		cap = s->cap ? 2 * s->cap : 64;
		fds = realloc(s->fds, cap * sizeof(*fds));
		if (fds == NULL)
			return -ENOMEM;
		s->fds = fds;
		s->cap = cap;
	}
	s->fds[s->n++].fd = fd;
	s->place[fd] = (unsigned)s->n;
	return 0;
}

/* The last entry moves into the hole. */
static void
drop(struct poll_state *s, int fd)
{
	unsigned i = s->place[fd] - 1;

	s->fds[i] = s->fds[--s->n];
	s->place[s->fds[i].fd] = i + 1;
	s->place[fd] = 0;
}

static int
po_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct poll_state *s = state;
	struct pollfd *p;
	int err;

	if (wanted == 0) {
		drop(s, fd);
		return 0;
	}
	if (old == 0 && (err = add(s, fd)) < 0)
		return err;
	p = &s->fds[s->place[fd] - 1];
	p->events = 0;
	if (wanted & READY_IN)
		p->events |= POLLIN;
	if (wanted & READY_OUT)
		p->events |= POLLOUT;
	return 0;
}

static int
po_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct poll_state *s = state;
	int ready, n = 0;

	ready = poll(s->fds, s->n, timeout_ms);
	if (ready == -1)
		return errno == EINTR ? 0 : -errno;
	for (nfds_t seen = 0; n < ready && n < max && seen < s->n; seen++) {
		nfds_t i = s->next < s->n ? s->next : 0;
		short e = s->fds[i].revents;

		s->next = i + 1;
		if (e == 0)
			continue;
		events[n].fd = s->fds[i].fd;
		events[n].ready = 0;
		if (e & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
			events[n].ready |= READY_IN;
		if (e & (POLLOUT | POLLHUP | POLLERR | POLLNVAL))
			events[n].ready |= READY_OUT;
		n++;
	}
	return n;
}

static void
po_close(void *state)
{
	struct poll_state *s = state;

	free(s->fds);
	free(s->place);
	free(s);
}

const struct poller_ops poller_poll = {
	.name = "poll",
	.about = "poll(2): cost follows the number of descriptors",
	.open = po_open,
	.set = po_set,
	.wait = po_wait,
	.close = po_close,
};
