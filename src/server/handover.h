/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_HANDOVER_H
#define SWS_SERVER_HANDOVER_H

/*
 * A worker that retires hands its connections to its successor, each between
 * two requests: the descriptor, the address of the peer, and what was received
 * of the next request.  Over a channel (net/channel.h) that ends when the last
 * one is through.
 */

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

/* The worker that retires.  Lives inside its struct. */
struct giver {
	struct loop *loop;
	struct watch watch;
	struct timer retry;
	bool is_full;
	/* There is room again. */
	void (*go_on)(struct giver *g);
};

/*
 * `channel` is then the giver's; g->go_on is set.  0, or a negative errno, and
 * then the channel is the caller's still.
 */
int giver_open(struct giver *g, struct loop *l, int channel);

/*
 * Sends a connection, whose descriptor stays the caller's to close.  0, -EAGAIN
 * when go_on will be called, or another negative errno: it cannot be sent.
 */
int giver_pass(struct giver *g, int fd, const struct addr *peer,
    struct str unread);

/* What was sent still arrives.  A giver that was never open is fine. */
void giver_close(struct giver *g);

/* Its successor.  Lives inside its struct. */
struct taker {
	struct loop *loop;
	struct watch watch;
	struct handover *message;
	/* A connection; fd is the callee's, the rest is lent. */
	void (*take)(struct taker *t, int fd, const struct addr *peer,
	    struct str unread);
	/* The other end is gone, and the taker closed. */
	void (*ended)(struct taker *t);
};

/*
 * `channel` is then the taker's; t->take and t->ended are set.  It waits for
 * taker_wake.  0, or a negative errno, and then the channel is the caller's.
 */
int taker_open(struct taker *t, struct loop *l, int channel);

/* Begins to take. */
void taker_wake(struct taker *t);

static inline bool
taker_is_open(const struct taker *t)
{
	return t->loop != NULL;
}

/* One that was never open, or is closed, is fine; and so it is above. */
void taker_close(struct taker *t);

#endif
