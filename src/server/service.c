/* SPDX-License-Identifier: ISC */
#include "server/service.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "server/order.h"

void
service_drop(struct service_peer *p)
{
	struct service *s = p->service;

	if (s->ops->end != NULL)
		s->ops->end(p);
	loop_remove(s->loop, &p->watch);
	close(p->watch.fd);
	list_remove(&p->node);
	free(p);
	if (s->is_stopping && list_is_empty(&s->peers))
		loop_stop(s->loop);
}

static void
on_peer(struct watch *w, unsigned ready)
{
	struct service_peer *p = list_entry(w, struct service_peer, watch);
	struct service *s = p->service;
	int err = s->ops->serve(p, ready);

	if (err == -EBADMSG)
		order_send(s->orders.fd, ORDER_END_WORKER, p->worker, -1);
	if (err < 0)
		service_drop(p);
}

/* The channel is ours to close, also on failure. */
static int
add_peer(struct service *s, int channel, unsigned worker)
{
	struct service_peer *p = calloc(1, s->ops->peer_bytes);
	int err = -ENOMEM;

	if (p == NULL)
		goto out;
	p->service = s;
	p->worker = worker;
	p->watch = (struct watch){
		.fn = on_peer,
		.fd = channel,
		.wanted = READY_IN,
	};
	err = loop_add(s->loop, &p->watch);
	if (err < 0)
		goto out;
	list_append(&s->peers, &p->node);
	if (s->ops->begin != NULL)
		s->ops->begin(p);
	return 0;
out:
	free(p);
	close(channel);
	return err;
}

static void
on_order(struct watch *w, unsigned ready)
{
	struct service *s = list_entry(w, struct service, orders);
	struct order_msg m;
	int fd = -1, r;

	(void)ready;
	r = order_receive(w->fd, &m, &fd);
	if (r == -EAGAIN)
		return;
	if (r == 1 && m.order == ORDER_PEER && fd != -1) {
		if (add_peer(s, fd, m.worker) < 0)
			log_error("a worker is not served: no memory");
		return;
	}
	if (fd != -1)
		close(fd);
	/* The workers will notice, too, and leave. */
	if (r != 1)
		loop_remove(s->loop, w);
	s->is_stopping = true;
	if (list_is_empty(&s->peers) || (r == 1 && m.order == ORDER_STOP_NOW))
		loop_stop(s->loop);
}

int
service_open(struct service *s, const struct service_ops *ops, int orders)
{
	int err;

	*s = (struct service){ .ops = ops };
	list_init(&s->peers);
	err = loop_open("poll", &s->loop);
	if (err < 0)
		return err;
	s->orders = (struct watch){
		.fn = on_order,
		.fd = orders,
		.wanted = READY_IN,
	};
	return loop_add(s->loop, &s->orders);
}

int
service_run(struct service *s)
{
	return loop_run(s->loop);
}

void
service_close(struct service *s)
{
	struct list *l, *next;

	for (l = s->peers.next; l != &s->peers; l = next) {
		next = l->next;
		service_drop(list_entry(l, struct service_peer, node));
	}
	if (s->loop != NULL)
		loop_close(s->loop);
}
