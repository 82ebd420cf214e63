/* SPDX-License-Identifier: ISC */
/*
 * select(2) and pselect(2): three sets of bits, copied in and out every time.
 * A descriptor from FD_SETSIZE on does not fit in; it is refused, since FD_SET
 * would write behind the set.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>

#include "net/poller_priv.h"

struct select_state {
	fd_set in, out;         /* what is wanted */
	int n;                  /* highest descriptor + 1 */
	int next;               /* to be looked at first: all get their turn */
	int (*wait)(int n, fd_set *in, fd_set *out, int timeout_ms);
};

static int
wait_select(int n, fd_set *in, fd_set *out, int timeout_ms)
{
	struct timeval t = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000L,
	};

	return select(n, in, out, NULL, timeout_ms < 0 ? NULL : &t);
}

static int
wait_pselect(int n, fd_set *in, fd_set *out, int timeout_ms)
{
	struct timespec t = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L,
	};

	return pselect(n, in, out, NULL, timeout_ms < 0 ? NULL : &t, NULL);
}

static int
open_with(void **out_state, int (*wait)(int, fd_set *, fd_set *, int))
{
	struct select_state *s = malloc(sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	FD_ZERO(&s->in);
	FD_ZERO(&s->out);
	s->n = s->next = 0;
	s->wait = wait;
	*out_state = s;
	return 0;
}

static int
se_open(unsigned argument, void **out_state)
{
	(void)argument;
	return open_with(out_state, wait_select);
}

static int
ps_open(unsigned argument, void **out_state)
{
	(void)argument;
	return open_with(out_state, wait_pselect);
}

static void
put(fd_set *set, int fd, bool member)
{
	if (member)
		FD_SET(fd, set);
	else
		FD_CLR(fd, set);
}

static int
se_set(void *state, int fd, unsigned old, unsigned wanted)
{
	struct select_state *s = state;

	(void)old;
	if (fd >= FD_SETSIZE)
		return -EMFILE;
	put(&s->in, fd, wanted & READY_IN);
	put(&s->out, fd, wanted & READY_OUT);
	if (wanted != 0 && fd >= s->n)
		s->n = fd + 1;
	while (s->n > 0 && !FD_ISSET(s->n - 1, &s->in) &&
	    !FD_ISSET(s->n - 1, &s->out))
		s->n--;
	return 0;
}

static int
se_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct select_state *s = state;
	fd_set in = s->in, out = s->out;
	int bits, n = 0;

	bits = s->wait(s->n, &in, &out, timeout_ms);
	if (bits == -1)
		return errno == EINTR ? 0 : -errno;
	for (int seen = 0; bits > 0 && n < max && seen < s->n; seen++) {
		int fd = s->next < s->n ? s->next : 0;
		unsigned ready = 0;

		s->next = fd + 1;
		if (FD_ISSET(fd, &in))
			ready |= READY_IN, bits--;
		if (FD_ISSET(fd, &out))
			ready |= READY_OUT, bits--;
		if (ready != 0)
			events[n++] = (struct poller_event){ fd, ready };
	}
	return n;
}

static void
se_close(void *state)
{
	free(state);
}

const struct poller_ops poller_select = {
	.open = se_open,
	.set = se_set,
	.wait = se_wait,
	.close = se_close,
};

const struct poller_ops poller_pselect = {
	.open = ps_open,
	.set = se_set,
	.wait = se_wait,
	.close = se_close,
};
