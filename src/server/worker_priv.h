/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_WORKER_PRIV_H
#define SWS_SERVER_WORKER_PRIV_H

/*
 * A worker, in files: worker.c is its life, worker_orders.c what it is told,
 * worker_children.c the engines for which each connection is a process.
 */

#include "http/proto.h"
#include "net/children.h"
#include "net/loop.h"
#include "server/access.h"
#include "server/handover.h"
#include "server/worker.h"

struct worker {
	const struct worker_setup *setup;
	struct loop *loop;
	struct http_host host;
	struct site site;
	struct coding_memo codings;
	struct listings listings;
	struct acceptor *acceptor;
	struct access_log access;
	struct watch orders;
	struct timer grace;
	struct giver giver;
	struct taker taker;
	bool is_stopping;
	bool forks;
	struct children children;       /* if it does */
};

static inline struct worker *
worker_of(struct http_host *h)
{
	return h->owner;
}

/* worker.c */

/* Has each connection end as soon as nothing runs on it. */
void worker_drain(struct worker *w);

/* Neither has it a connection, nor will it get one. */
bool worker_is_done(const struct worker *w);

/* One is gone, and perhaps it was the last. */
void worker_connection_closed(struct worker *w);

/* worker_orders.c */

/* Obeys the supervisor from the next turn on.  0 or a negative errno. */
int worker_listen(struct worker *w);

/* Connections that were not accepted yet are left to others. */
void worker_stop_accepting(struct worker *w);

/* struct http_host.pass */
int worker_pass(struct http_host *h, int fd, const struct addr *peer,
    struct str unread);

/* worker_children.c */

/* To be called before it accepts.  0 or a negative errno. */
int worker_begin_forking(struct worker *w);

/* struct accept_limits.open: a child serves the connection. */
int worker_open_in_child(struct http_host *h, int fd, const struct addr *peer);

#endif
