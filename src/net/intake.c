/* SPDX-License-Identifier: ISC */
/* accept(2) by a poller; an engine that accepts by itself is only asked to. */
#include "net/intake.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/list.h"
#include "net/completion_priv.h"

/* Connections taken from one socket before others have their turn. */
#define BATCH 64

static void
on_readable(struct watch *w, unsigned ready)
{
	struct intake *in = list_entry(w, struct intake, watch);

	(void)ready;
	for (int i = 0; i < BATCH && w->wanted != 0; i++) {
		struct addr peer = { .len = sizeof(peer.u) };
		int fd;

		fd = accept4(w->fd, &peer.u.sa, &peer.len,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd != -1) {
			in->on_accept(in, fd, &peer);
		} else if (errno == EMFILE || errno == ENFILE) {
			in->on_full(in);
			break;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			/* EAGAIN; ENOMEM and the like: the poller asks on. */
			break;
		}
	}
}

static int
open_watched(struct intake *in)
{
	in->watch = (struct watch){
		.fn = on_readable,
		.fd = in->fd,
		.wanted = READY_IN,
	};
	return loop_add(in->loop, &in->watch);
}

int
intake_open(struct intake *in, struct loop *l, int fd, bool one_by_one)
{
	void *state;

	in->loop = l;
	in->fd = fd;
	in->completion = one_by_one ? NULL : loop_completion(l, &state);
	if (in->completion == NULL)
		return open_watched(in);
	return in->completion->open_accept(state, in, fd, &in->op);
}

int
intake_take(struct intake *in)
{
	int fd;

	fd = accept4(in->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fd == -1 ? -errno : fd;
}

void
intake_want(struct intake *in, bool wanted)
{
	if (in->completion != NULL)
		in->completion->want_accept(in->op, wanted);
	else
		loop_want(in->loop, &in->watch, wanted ? READY_IN : 0);
}

void
intake_close(struct intake *in)
{
	if (in->completion != NULL)
		in->completion->close_accept(in->op);
	else
		loop_remove(in->loop, &in->watch);
}
