/* SPDX-License-Identifier: ISC */
/* Shared by all pollers that end in poll(2). */
#include "net/pollset_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "net/fdtable_priv.h"

int
pollset_reserve(struct pollset *s, nfds_t n)
{
	nfds_t cap = s->cap ? s->cap : 64;
	struct pollfd *fds;

	if (n <= s->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	fds = realloc(s->fds, cap * sizeof(*fds));
	if (fds == NULL)
		return -ENOMEM;
	s->fds = fds;
	s->cap = cap;
	return 0;
}

static int
add(struct pollset *s, int fd)
{
	unsigned *place;

	place = fdtable_reach(s->place, &s->n_place, sizeof(*place), fd);
	if (place == NULL)
		return -ENOMEM;
	s->place = place;
	if (pollset_reserve(s, s->n + 1) < 0)
		return -ENOMEM;
	s->fds[s->n++] = (struct pollfd){ .fd = fd };
	s->place[fd] = (unsigned)s->n;
	return 0;
}

/* The last entry moves into the hole. */
static void
drop(struct pollset *s, int fd)
{
	unsigned i = s->place[fd] - 1;

	s->fds[i] = s->fds[--s->n];
	s->place[s->fds[i].fd] = i + 1;
	s->place[fd] = 0;
}

int
pollset_put(struct pollset *s, int fd, unsigned wanted)
{
	bool is_in = (size_t)fd < s->n_place && s->place[fd] != 0;
	struct pollfd *p;
	int err;

	if (wanted == 0) {
		if (is_in)
			drop(s, fd);
		return 0;
	}
	if (!is_in && (err = add(s, fd)) < 0)
		return err;
	p = &s->fds[s->place[fd] - 1];
	p->events = 0;
	if (wanted & READY_IN)
		p->events |= POLLIN;
	if (wanted & READY_OUT)
		p->events |= POLLOUT;
	return 0;
}

unsigned
pollset_ready(short revents)
{
	unsigned ready = 0;

	if (revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
		ready |= READY_IN;
	if (revents & (POLLOUT | POLLHUP | POLLERR | POLLNVAL))
		ready |= READY_OUT;
	return ready;
}

int
pollset_events(struct pollset *s, int ready, struct poller_event *events,
    int max)
{
	int n = 0;

	for (nfds_t seen = 0; n < ready && n < max && seen < s->n; seen++) {
		nfds_t i = s->next < s->n ? s->next : 0;
		const struct pollfd *p = &s->fds[i];

		s->next = i + 1;
		if (p->revents != 0)
			events[n++] = (struct poller_event){
				.fd = p->fd,
				.ready = pollset_ready(p->revents),
			};
	}
	return n;
}

void
pollset_fini(struct pollset *s)
{
	free(s->fds);
	free(s->place);
}
