/* SPDX-License-Identifier: ISC */
#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "http/proto.h"
#include "net/loop.h"
#include "server/accept.h"
#include "server/access.h"
#include "server/handover.h"
#include "server/order.h"
#include "site/cache.h"
#include "site/cgi.h"
#include "site/digest.h"
#include "site/encode.h"
#include "site/home.h"

/* Descriptors for all that is not a connection. */
#define OTHER_DESCRIPTORS 64u

/* All listings that are being sent. */
#define LISTING_BYTES ((size_t)256 << 20)

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
};

static struct worker *
worker_of(struct http_host *h)
{
	return h->owner;
}

static void
serve(struct http_host *h, struct exchange *x)
{
	struct worker *w = worker_of(h);

	site_serve(&w->site, x);
}

static void
ended(struct http_host *h, const struct exchange *x)
{
	struct worker *w = worker_of(h);

	access_add(&w->access, x);
}

static bool
is_done(const struct worker *w)
{
	if (acceptor_connections(w->acceptor) > 0)
		return false;
	/* Who retires passes on what is still passed to it. */
	return w->is_stopping ||
	    (w->host.is_retiring && !taker_is_open(&w->taker));
}

static void
closed(struct http_host *h)
{
	struct worker *w = worker_of(h);

	acceptor_connection_closed(w->acceptor);
	if (is_done(w))
		loop_stop(w->loop);
}

/* Calls f for each connection, which may be gone after it. */
static void
each_connection(struct worker *w, void (*f)(struct http_conn *))
{
	struct list *l, *next;

	for (l = w->host.conns.next; l != &w->host.conns; l = next) {
		next = l->next;
		f(list_entry(l, struct http_conn, node));
	}
}

static void
drain(struct http_conn *c)
{
	c->ops->drain(c);
}

static void
kill_conn(struct http_conn *c)
{
	c->ops->kill(c);
}

static void
stop_now(struct worker *w)
{
	loop_stop(w->loop);
}

static void
on_grace_over(struct timer *t)
{
	struct worker *w = list_entry(t, struct worker, grace);

	log_info("%u connections did not end within the grace; closed",
	    acceptor_connections(w->acceptor));
	stop_now(w);
}

/* Connections that were not accepted yet are left to others. */
static void
stop_accepting(struct worker *w)
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
		stop_now(w);
		return;
	}
	w->is_stopping = w->host.is_draining = true;
	if (!w->host.is_retiring)
		stop_accepting(w);
	each_connection(w, drain);
	if (acceptor_connections(w->acceptor) == 0 ||
	    loop_timer_start(w->loop, &w->grace,
	    w->setup->config->grace_ms) < 0)
		stop_now(w);
}

/* A change of trees */

static int
pass(struct http_host *h, int fd, const struct addr *peer, struct str unread)
{
	return giver_pass(&worker_of(h)->giver, fd, peer, unread);
}

static void
on_room(struct giver *g)
{
	each_connection(list_entry(g, struct worker, giver), drain);
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
	stop_accepting(w);
	w->giver.go_on = on_room;
	/* Without it, connections are closed where they would be passed. */
	if (giver_open(&w->giver, w->loop, channel) < 0) {
		close(channel);
		w->host.is_draining = true;
	}
	order_send(w->setup->orders, ORDER_RETIRED, 0, -1);
	each_connection(w, drain);
	if (is_done(w))
		stop_now(w);
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

	if (is_done(w))
		stop_now(w);
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
	acceptor_wake(w->acceptor);
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
		stop_now(w);
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

static int
listen_to_orders(struct worker *w)
{
	/* Urgent, so that the services are known before the first request. */
	w->orders = (struct watch){
		.fn = on_order,
		.fd = w->setup->orders,
		.wanted = READY_IN,
		.is_urgent = true,
	};
	return loop_add(w->loop, &w->orders);
}

static void
host_init(struct worker *w)
{
	const struct config *config = w->setup->config;

	w->host = (struct http_host){
		.loop = w->loop,
		.limits = {
			.line_bytes = 8192,
			.fields_bytes = 32768,
			.header_ms = config->header_ms,
			.idle_ms = config->idle_ms,
			.linger_ms = 5000,
			.min_rate = config->min_rate,
			.rate_ms = 5000,
			.dropped_bytes = 1 << 20,
		},
		.serve = serve,
		.ended = ended,
		.closed = closed,
		.pass = pass,
		.owner = w,
	};
	list_init(&w->host.conns);
	buf_init(&w->host.out, (size_t)256 << 10);
	stamp_init(&w->host.stamp, config->server_header);
}

/* How the descriptors of the process are shared out. */
static unsigned
share_descriptors(struct cache_limits *cache)
{
	struct rlimit limit;
	unsigned all = 1024;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		all = limit.rlim_cur > 1 << 20 ? 1 << 20 :
		    (unsigned)limit.rlim_cur;
	cache->descriptors = all / 8 < 512 ? all / 8 : 512;
	all -= cache->descriptors;
	return all > 2 * OTHER_DESCRIPTORS ? all - OTHER_DESCRIPTORS : all / 2;
}

/* Without a cache the server serves as well. */
static void
open_cache(struct worker *w, struct cache_limits *limits)
{
	const struct config *config = w->setup->config;
	int err;

	limits->bytes = config->cache_bytes;
	limits->missing = 1024;
	limits->directories = 4096;
	/* What is larger than a quarter would not be kept. */
	w->site.content_max = config->cache_object_bytes;
	if (limits->bytes > 0 && w->site.content_max > limits->bytes / 4)
		w->site.content_max = limits->bytes / 4;
	if (limits->bytes == 0) {
		if (w->site.content_max > OBJECT_CONTENT_MAX)
			w->site.content_max = OBJECT_CONTENT_MAX;
		return;
	}
	err = cache_open(w->loop, w->site.root, limits, &w->site.cache);
	if (err < 0)
		log_error("files are not kept in memory: inotify: %s",
		    strerror(-err));
}

static int
site_init(struct worker *w, struct cache_limits *limits)
{
	const struct worker_setup *setup = w->setup;
	int err;

	w->site = *w->setup->site;
	w->site.codings = &w->codings;
	w->site.etag = setup->config->etag;
	w->listings.left_bytes = LISTING_BYTES;
	list_init(&w->listings.makings);
	w->site.listings = &w->listings;
	w->site.loop = w->loop;
	open_cache(w, limits);
	err = digester_open(w->loop, &w->site.digester);
	if (err < 0)
		return err;
	if (setup->cgi != NULL) {
		w->site.cgi_path = str_of(setup->cgi->root_path);
		err = cgi_open(w->loop, setup->cgi, -1, &w->site.cgi);
	}
	if (err == 0 && *setup->config->user_dir != '\0')
		err = home_open(w->loop, -1, &w->site.homes);
	if (err == 0 && w->site.cache != NULL && w->site.compress_max > 0)
		err = encode_open(w->loop, w->site.cache, w->site.root,
		    w->site.compress_max, -1, &w->site.encode);
	return err;
}

/* From here on the process uses what it has, and reads below the root. */
static int
enter_sandbox(struct worker *w)
{
	struct sandbox sandbox = {
		.role = SANDBOX_WORKER,
		.mode = w->setup->config->sandbox,
		.read_roots = &w->site.root,
		.n_roots = 1,
		.filter = w->setup->filter,
	};
	unsigned layers;

	return sandbox_enter(&sandbox, &layers);
}

static int
start_accepting(struct worker *w, unsigned connections)
{
	const struct listeners *ls = w->setup->listeners;
	struct accept_limits limits = {
		.connections = connections,
		.one_at_a_time = w->setup->config->mode == MODE_DEBUG,
		.waits = w->setup->waits,
	};
	int fds[LISTENERS_MAX];

	for (unsigned i = 0; i < ls->n; i++)
		fds[i] = ls->list[i].fds[w->setup->number];
	return acceptor_open(&w->host, fds, ls->n, &limits, &w->acceptor);
}

static int
start(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	struct cache_limits cache;
	int err;

	err = loop_open(setup->config->engine, &w->loop);
	if (err < 0)
		return err;
	w->grace.fn = on_grace_over;
	access_open(&w->access, w->loop, setup->log_fd,
	    setup->config->mode == MODE_DEBUG ? "standard output" :
	    setup->config->log_file, setup->config->mode == MODE_DEBUG);
	host_init(w);
	err = start_accepting(w, share_descriptors(&cache));
	if (err == 0)
		err = listen_to_orders(w);
	if (err == 0)
		err = site_init(w, &cache);
	if (err == 0)
		err = enter_sandbox(w);
	if (err == 0 && setup->waits)
		err = order_send(setup->orders, ORDER_READY, 0, -1);
	return err;
}

static void
finish(struct worker *w)
{
	each_connection(w, kill_conn);
	giver_close(&w->giver);
	taker_close(&w->taker);
	acceptor_close(w->acceptor);
	free(w->acceptor);
	encode_close(w->site.encode);
	cache_close(w->site.cache);
	digester_close(w->site.digester);
	cgi_close(w->site.cgi);
	home_close(w->site.homes);
	access_close(&w->access);
	exchange_pool_fini(&w->host.exchanges);
	buf_fini(&w->host.out);
	loop_close(w->loop);
}

int
worker_run(const struct worker_setup *setup)
{
	struct worker w = { .setup = setup };
	int err;

	err = start(&w);
	if (err < 0) {
		log_error("worker %u cannot start: %s", setup->number + 1,
		    strerror(-err));
		return 1;
	}
	err = loop_run(w.loop);
	if (err < 0)
		log_error("worker %u: waiting for events: %s",
		    setup->number + 1, strerror(-err));
	finish(&w);
	return err < 0;
}
