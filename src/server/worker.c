/* SPDX-License-Identifier: ISC */
#include "server/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "h1/h1.h"
#include "net/engine.h"
#include "server/accept.h"
#include "server/order.h"
#include "server/worker_priv.h"
#include "site/cache.h"
#include "site/cgi.h"
#include "site/digest.h"
#include "site/encode.h"
#include "site/home.h"

/* Descriptors for all that is not a connection. */
#define OTHER_DESCRIPTORS 64u

/* All listings that are being sent; a child has but one. */
#define LISTING_BYTES ((size_t)256 << 20)
#define CHILD_LISTING_BYTES ((size_t)32 << 20)

static const struct engine *
engine_of(const struct worker *w)
{
	return engine_find(w->setup->config->engine, NULL);
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

bool
worker_is_done(const struct worker *w)
{
	if (acceptor_connections(w->acceptor) > 0)
		return false;
	/* Who retires passes on what is still passed to it. */
	return w->is_stopping ||
	    (w->host.is_retiring && !taker_is_open(&w->taker));
}

void
worker_connection_closed(struct worker *w)
{
	acceptor_connection_closed(w->acceptor);
	if (worker_is_done(w))
		loop_stop(w->loop);
}

static void
closed(struct http_host *h)
{
	worker_connection_closed(worker_of(h));
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

void
worker_drain(struct worker *w)
{
	each_connection(w, drain);
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
		.pass = worker_pass,
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
	/* Children would share what inotify(7) says, and miss what others
	   read; and none of them lives long enough to gain by a cache. */
	if (w->forks)
		limits->bytes = 0;
	/* What is larger than a quarter would not be kept. */
	w->site.content_max = config->cache_object_bytes;
	if (limits->bytes > 0 && w->site.content_max > limits->bytes / 4)
		w->site.content_max = limits->bytes / 4;
	if (limits->bytes == 0) {
		if (w->site.content_max > OBJECT_CONTENT_MAX)
			w->site.content_max = OBJECT_CONTENT_MAX;
		return;
	}
	err = cache_open(w->loop, w->site.root, w->site.symlinks, limits,
	    &w->site.cache);
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
	w->listings.bytes = w->forks ? CHILD_LISTING_BYTES : LISTING_BYTES;
	w->listings.left_bytes = w->listings.bytes;
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
		.role = worker_sandbox(w->setup->config),
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
		.open = w->forks ? worker_open_in_child : h1_proto.open,
		.waits = w->setup->waits,
	};
	int fds[LISTENERS_MAX];

	if (w->forks)
		limits.at_once = CHILDREN_MAX;
	if (w->setup->config->mode == MODE_DEBUG ||
	    engine_of(w)->policy == ENGINE_ONE)
		limits.at_once = 1;
	for (unsigned i = 0; i < ls->n; i++)
		fds[i] = ls->list[i].fds[w->setup->number];
	return acceptor_open(&w->host, fds, ls->n, &limits, &w->acceptor);
}

/* A kernel, or its administrator, may not allow the engine to this user. */
static int
open_loop(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	const struct engine *e = engine_of(w);
	const char *why;
	int err;

	err = loop_open(setup->config->engine, &w->loop);
	if (err == 0 || e->instead == NULL)
		return err;
	why = engine_lacks(e);
	if (setup->number == 0)
		log_error("--engine=%s: %s; %s serves instead", e->name,
		    why != NULL ? why : strerror(-err), e->instead);
	return loop_open(e->instead, &w->loop);
}

/* For messages. */
static const char *
log_name(const struct config *config)
{
	if (config->log_file != NULL && strcmp(config->log_file, "-") == 0)
		return "standard output";
	return config->log_file;
}

static int
start(struct worker *w)
{
	const struct worker_setup *setup = w->setup;
	struct cache_limits cache;
	int err;

	err = open_loop(w);
	if (err < 0)
		return err;
	access_open(&w->access, w->loop, setup->log_fd,
	    log_name(setup->config), setup->config->mode == MODE_DEBUG);
	w->access.tells_reasons = setup->config->log_reasons;
	host_init(w);
	if (engine_of(w)->policy == ENGINE_CHILDREN &&
	    (err = worker_begin_forking(w)) < 0)
		return err;
	err = start_accepting(w, share_descriptors(&cache));
	if (err == 0)
		err = worker_listen(w);
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
	if (w->forks)
		children_close(&w->children);
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

enum sandbox_role
worker_sandbox(const struct config *config)
{
	const struct engine *e = engine_find(config->engine, NULL);

	if (e->policy == ENGINE_CHILDREN)
		return SANDBOX_FORKER;
	return e->sends_signals ? SANDBOX_SIGNALLED : SANDBOX_WORKER;
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
