/* SPDX-License-Identifier: ISC */
/* The engines that serve each connection in a process of its own. */
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "h1/h1.h"
#include "net/channel.h"
#include "server/accept.h"
#include "server/order.h"
#include "server/worker_priv.h"
#include "site/cgi.h"
#include "site/home.h"

/* The only connection of a child is gone. */
static void
child_closed(struct http_host *h)
{
	loop_stop(worker_of(h)->loop);
}

static struct worker *
forking_worker(struct children *c)
{
	return list_entry(c, struct worker, children);
}

/*
 * A channel of its own to a service: from the parent's, which it shares with
 * its siblings, it could get the answers that are theirs.  Without one, the
 * service is not there, and requests for it are told so.
 */
static int
ask_for_channel(struct worker *w, enum order service)
{
	int ends[2];

	if (channel_pair(ends) < 0)
		return -1;
	if (order_send(w->setup->orders, service, 0, ends[0]) < 0) {
		close(ends[1]);
		ends[1] = -1;
	}
	close(ends[0]);
	return ends[1];
}

static int
reach_services(struct worker *w)
{
	if (w->site.cgi != NULL)
		cgi_reconnect(w->site.cgi, ask_for_channel(w, ORDER_SPAWNER));
	if (*w->setup->config->user_dir == '\0')
		return 0;
	/* The clock of the parent's would be shared as well. */
	home_close(w->site.homes);
	w->site.homes = NULL;
	return home_open(w->loop, ask_for_channel(w, ORDER_HOMES),
	    &w->site.homes);
}

/* Leaves what is the parent's: listeners, orders. */
static void
serve_as_child(struct children *c, int fd, const struct addr *peer)
{
	struct worker *w = forking_worker(c);
	int err;

	worker_stop_accepting(w);
	w->host.closed = child_closed;
	err = reach_services(w);
	loop_remove(w->loop, &w->orders);
	close(w->orders.fd);
	if (err == 0)
		err = h1_proto.open(&w->host, fd, peer);
	if (err < 0) {
		log_error("a connection cannot be served: %s",
		    strerror(-err));
		close(fd);
		loop_stop(w->loop);
	}
}

static void
finish_as_child(struct children *c)
{
	struct worker *w = forking_worker(c);

	w->host.is_draining = true;
	worker_drain(w);
}

static void
end_as_child(struct children *c)
{
	loop_stop(forking_worker(c)->loop);
}

static void
on_child_ended(struct children *c)
{
	worker_connection_closed(forking_worker(c));
}

static void
on_stuck(struct children *c, int err)
{
	if (err < 0)
		log_error("no process for a connection: %s; others wait, too",
		    strerror(-err));
	acceptor_pause(forking_worker(c)->acceptor, err < 0);
}

int
worker_open_in_child(struct http_host *h, int fd, const struct addr *peer)
{
	struct worker *w = worker_of(h);

	children_serve(&w->children, fd, peer);
	return 0;
}

int
worker_begin_forking(struct worker *w)
{
	int err;

	w->children = (struct children){
		.serve = serve_as_child,
		.finish = finish_as_child,
		.end = end_as_child,
		.on_ended = on_child_ended,
		.on_stuck = on_stuck,
	};
	w->forks = true;
	err = access_share(&w->access);
	return err == 0 ? children_open(&w->children, w->loop) : err;
}
