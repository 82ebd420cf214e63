/* SPDX-License-Identifier: ISC */
/* accept(2) by a poller; an engine that accepts by itself is only asked to. */
#include "net/intake.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/list.h"
#include "net/completion_priv.h"

/* Connections taken from one socket before others have their turn. */
#define BATCH_MAX 64

bool
intake_accept(struct intake *in)
{
	struct addr peer = { .len = sizeof(peer.u) };
	int fd;

	fd = accept4(in->fd, &peer.u.sa, &peer.len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1) {
		in->on_accept(in, fd, &peer);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE) {
		in->on_full(in);
		return false;
	}
	/* EAGAIN; ENOMEM and the like: the poller asks on. */
	return errno == ECONNABORTED || errno == EINTR;
}

/*
 * To ask in vain is dear: accept(2) makes a socket before it looks whether it
 * needs one.  So no more are asked for than came together before, and one
 * more the next time; the poller tells of those that are left.
 */
static void
on_readable(struct watch *w, unsigned ready)
{
	struct intake *in = list_entry(w, struct intake, watch);

	(void)ready;
	for (unsigned i = 0; i < in->batch && w->wanted != 0; i++) {
		if (!intake_accept(in)) {
			in->batch = i > 1 ? i / 2 : 1;
			return;
		}
	}
	if (in->batch < BATCH_MAX)
		in->batch++;
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
	in->batch = 1;
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
