/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SERVICE_H
#define SWS_SERVER_SERVICE_H

/*
 * What the processes have in common that work for workers: a channel to each
 * worker, which the supervisor introduces, and the end of their own.  A worker
 * may have been taken over: one that says what no sound worker says is
 * reported to the supervisor, which ends it, and is not listened to any more.
 */

#include "base/list.h"
#include "net/loop.h"

struct service;

/* The channel to a worker: the beginning of what a service knows of it. */
struct service_peer {
	struct list node;
	struct service *service;
	struct watch watch;             /* wants READY_IN at first */
	unsigned worker;                /* for the supervisor */
};

struct service_ops {
	size_t peer_bytes;      /* of the struct that begins with a peer */
	/* A new peer, zeroed but for its beginning.  May be NULL. */
	void (*begin)(struct service_peer *p);
	/*
	 * Its channel is ready.  0, or a negative errno after which the peer
	 * is dropped; -EBADMSG says that it is to be reported as well.
	 */
	int (*serve)(struct service_peer *p, unsigned ready);
	/* It is dropped: let go of all that is its.  May be NULL. */
	void (*end)(struct service_peer *p);
};

/* Lives inside the struct of the service. */
struct service {
	const struct service_ops *ops;
	struct loop *loop;
	struct watch orders;
	struct list peers;
	bool is_stopping;
};

/*
 * Opens the loop and listens to `orders`, the channel to the supervisor, which
 * stays the caller's.  0 or a negative errno; service_close is to be called in
 * either case.
 */
int service_open(struct service *s, const struct service_ops *ops,
    int orders);

/*
 * Serves.  ORDER_STOP, or the end of the supervisor, ends it when the last
 * peer is gone; ORDER_STOP_NOW at once.  0, or a negative errno when waiting
 * failed.
 */
int service_run(struct service *s);

/* Drops a peer; never from within its own `serve`, which returns an error. */
void service_drop(struct service_peer *p);

/* Drops the peers and closes the loop. */
void service_close(struct service *s);

#endif
