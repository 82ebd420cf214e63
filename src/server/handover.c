/* SPDX-License-Identifier: ISC */
/*
 * Both ends are one program, so structs travel as they are.  Still the
 * successor checks them: the other may have been taken over.
 */
#include "server/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "net/channel.h"

/* More than a connection ever holds of a head that is not complete. */
#define UNREAD_MAX ((size_t)96 << 10)
/* The system allows only so many descriptors under way: unix(7). */
#define RETRY_MS 5
/* Taken before others have their turn. */
#define BATCH 64

struct handover {
	struct addr peer;
	char unread[UNREAD_MAX];        /* only what there is is sent */
};

#define HEAD_BYTES offsetof(struct handover, unread)

static void
go_on(struct giver *g)
{
	g->is_full = false;
	loop_want(g->loop, &g->watch, 0);
	g->go_on(g);
}

static void
on_room(struct watch *w, unsigned ready)
{
	(void)ready;
	go_on(list_entry(w, struct giver, watch));
}

static void
on_retry(struct timer *t)
{
	go_on(list_entry(t, struct giver, retry));
}

int
giver_open(struct giver *g, struct loop *l, int channel)
{
	int err;

	g->retry.fn = on_retry;
	g->watch = (struct watch){ .fn = on_room, .fd = channel };
	err = loop_add(l, &g->watch);
	if (err == 0)
		g->loop = l;
	return err;
}

static int
send_message(int channel, int fd, const struct addr *peer, struct str unread)
{
	struct handover *m;
	int err;

	if (unread.n == 0)
		return channel_send(channel, peer, sizeof(*peer), &fd, 1);
	if (unread.n > UNREAD_MAX)
		return -EMSGSIZE;
	m = malloc(HEAD_BYTES + unread.n);
	if (m == NULL)
		return -ENOMEM;
	m->peer = *peer;
	memcpy(m->unread, unread.p, unread.n);
	err = channel_send(channel, m, HEAD_BYTES + unread.n, &fd, 1);
	free(m);
	return err;
}

int
giver_pass(struct giver *g, int fd, const struct addr *peer, struct str unread)
{
	int err;

	if (g->is_full)
		return -EAGAIN;
	err = send_message(g->watch.fd, fd, peer, unread);
	if (err == -EAGAIN)
		err = loop_want(g->loop, &g->watch, READY_OUT);
	else if (err == -ETOOMANYREFS)
		err = loop_timer_start(g->loop, &g->retry, RETRY_MS);
	else
		return err;
	g->is_full = err == 0;
	return err < 0 ? err : -EAGAIN;
}

void
giver_close(struct giver *g)
{
	if (g->loop == NULL)
		return;
	loop_timer_stop(g->loop, &g->retry);
	loop_remove(g->loop, &g->watch);
	close(g->watch.fd);
	g->loop = NULL;
}

/* Returns whether there may be more. */
static bool
take_one(struct taker *t)
{
	struct handover *m = t->message;
	unsigned n_fds = 1;
	int fd = -1;
	ssize_t n;

	n = channel_receive(t->watch.fd, m, sizeof(*m), &fd, &n_fds);
	/* Without a descriptor to spare this one is lost: its peer sees the
	   end of a connection on which nothing was under way. */
	if (n == -EAGAIN || n == -EMSGSIZE)
		return n != -EAGAIN;
	if (n < (ssize_t)HEAD_BYTES || n_fds != 1 ||
	    m->peer.len > sizeof(m->peer.u)) {
		if (n > 0 && n_fds == 1)
			close(fd);
		taker_close(t);
		t->ended(t);
		return false;
	}
	t->take(t, fd, &m->peer,
	    (struct str){ m->unread, (size_t)n - HEAD_BYTES });
	return taker_is_open(t);
}

static void
on_connections(struct watch *w, unsigned ready)
{
	struct taker *t = list_entry(w, struct taker, watch);

	(void)ready;
	for (int i = 0; i < BATCH && take_one(t); i++)
		;
}

int
taker_open(struct taker *t, struct loop *l, int channel)
{
	int err;

	t->message = malloc(sizeof(*t->message));
	if (t->message == NULL)
		return -ENOMEM;
	t->watch = (struct watch){ .fn = on_connections, .fd = channel };
	err = loop_add(l, &t->watch);
	if (err < 0)
		free(t->message);
	else
		t->loop = l;
	return err;
}

void
taker_wake(struct taker *t)
{
	if (t->loop != NULL)
		loop_want(t->loop, &t->watch, READY_IN);
}

void
taker_close(struct taker *t)
{
	if (t->loop == NULL)
		return;
	loop_remove(t->loop, &t->watch);
	close(t->watch.fd);
	free(t->message);
	t->loop = NULL;
}
