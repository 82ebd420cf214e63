/* SPDX-License-Identifier: ISC */
/* poll(2): one array for all, handed over and looked through every time. */
#include <errno.h>
#include <stdlib.h>

#include "net/pollset_priv.h"

static int
po_open(unsigned argument, void **out_state)
{
	(void)argument;
	*out_state = calloc(1, sizeof(struct pollset));
	return *out_state == NULL ? -ENOMEM : 0;
}

static int
po_set(void *state, int fd, unsigned old, unsigned wanted)
{
	(void)old;
	return pollset_put(state, fd, wanted);
}

static int
po_wait(void *state, int timeout_ms, struct poller_event *events, int max)
{
	struct pollset *s = state;
	int ready;

	ready = poll(s->fds, s->n, timeout_ms);
	if (ready == -1)
		return errno == EINTR ? 0 : -errno;
	return pollset_events(s, ready, events, max);
}

static void
po_close(void *state)
{
	pollset_fini(state);
	free(state);
}

const struct poller_ops poller_poll = {
	.open = po_open,
	.set = po_set,
	.wait = po_wait,
	.close = po_close,
};
