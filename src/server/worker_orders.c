/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor tells a worker: to stop, to serve, to hand what it has
 * over to another one, whom else to talk to.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "server/accept.h"
#include "server/order.h"
#include "server/worker_priv.h"
#include "site/cgi.h"
#include "site/encode.h"
#include "site/home.h"

static void
on_grace_over(struct timer *t)
{
	struct worker *w = list_entry(t, struct worker, grace);

	log_info("the grace is over; connections closed: %u",
	    acceptor_connections(w->acceptor));
	loop_stop(w->loop);
}

void
worker_stop_accepting(struct worker *w)
{
	const struct listeners *ls = w->setup->listeners;

	acceptor_close(w->acceptor);
	for (unsigned i = 0; i < ls->n; i++)
		close(ls->list[i].fds[w->setup->number]);
}

/* The first time gently, the second time at once. */
static void
stop(struct worker *w)
{
	if (w->is_stopping) {
		loop_stop(w->loop);
		return;
	}
	w->is_stopping = w->host.is_draining = true;
	if (!w->host.is_retiring)
		worker_stop_accepting(w);
	if (w->forks)
		children_finish(&w->children);
	worker_drain(w);
	if (acceptor_connections(w->acceptor) == 0 ||
	    loop_timer_start(w->loop, &w->grace,
	    w->setup->config->grace_ms) < 0)
		loop_stop(w->loop);
}

/* A change of trees */

int
worker_pass(struct http_host *h, int fd, const struct addr *peer,
    struct str unread)
{
	return giver_pass(&worker_of(h)->giver, fd, peer, unread);
}

static void
on_room(struct giver *g)
{
	worker_drain(list_entry(g, struct worker, giver));
}

/*
 * From here on no exchange begins, and the supervisor is told so at once: only
 * then the successor begins, so that nobody sees the new tree and then the old.
 * What runs goes on to its end.
 */
static void
retire(struct worker *w, int channel)
{
	if (w->host.is_retiring || w->is_stopping) {
		close(channel);
		return;
	}
	w->host.is_retiring = true;
	worker_stop_accepting(w);
	w->giver.go_on = on_room;
	/* Without it, connections are closed where they would be passed. */
	if (giver_open(&w->giver, w->loop, channel) < 0) {
		close(channel);
		w->host.is_draining = true;
	}
	/* What the children serve cannot be passed on: it is finished. */
	if (w->forks)
		children_finish(&w->children);
	order_send(w->setup->orders, ORDER_RETIRED, 0, -1);
	worker_drain(w);
	if (worker_is_done(w))
		loop_stop(w->loop);
}

static void
take(struct taker *t, int fd, const struct addr *peer, struct str unread)
{
	struct worker *w = list_entry(t, struct worker, taker);

	if (w->is_stopping)
		close(fd);
	else
		acceptor_adopt(w->acceptor, fd, peer, unread);
}

static void
on_all_taken(struct taker *t)
{
	struct worker *w = list_entry(t, struct worker, taker);

	if (worker_is_done(w))
		loop_stop(w->loop);
}

static void
inherit(struct worker *w, int channel)
{
	w->taker.take = take;
	w->taker.ended = on_all_taken;
	if (taker_open(&w->taker, w->loop, channel) < 0)
		close(channel);
}

static void
begin(struct worker *w)
{
	if (w->is_stopping)
		return;
	acceptor_pause(w->acceptor, false);
	taker_wake(&w->taker);
}

static void
obey(struct worker *w, enum order order, int fd)
{
	switch (order) {
	case ORDER_STOP:
		stop(w);
		break;
	case ORDER_STOP_NOW:
		loop_stop(w->loop);
		break;
	case ORDER_LOG:
		access_reopen(&w->access, fd);
		break;
	case ORDER_SPAWNER:
		cgi_reconnect(w->site.cgi, fd);
		break;
	case ORDER_HOMES:
		home_reconnect(w->site.homes, fd);
		break;
	case ORDER_ENCODER:
		encode_reconnect(w->site.encode, fd);
		break;
	case ORDER_INHERIT:
		inherit(w, fd);
		break;
	case ORDER_RETIRE:
		retire(w, fd);
		break;
	case ORDER_SERVE:
		begin(w);
		break;
	case ORDER_PEER:
	case ORDER_READY:
	case ORDER_RETIRED:
	case ORDER_END_WORKER:
		break;
	}
}

static void
on_order(struct watch *watch, unsigned ready)
{
	struct worker *w = list_entry(watch, struct worker, orders);
	struct order_msg m;
	int fd, r;

	(void)ready;
	while ((r = order_receive(watch->fd, &m, &fd)) == 1)
		obey(w, m.order, fd);
	if (r != -EAGAIN) {
		/* The supervisor is gone: nobody would stop us later. */
		loop_remove(w->loop, watch);
		stop(w);
	}
}

int
worker_listen(struct worker *w)
{
	w->grace.fn = on_grace_over;
	/* Urgent, so that the services are known before the first request. */
	w->orders = (struct watch){
		.fn = on_order,
		.fd = w->setup->orders,
		.wanted = READY_IN,
		.is_urgent = true,
	};
	return loop_add(w->loop, &w->orders);
}
