/* SPDX-License-Identifier: ISC */
/*
 * Asks for what is in a home, and answers with what comes back.
 *
 * Who may not be served, and who does not exist, must look the same.  All
 * failures are one answer byte for byte, and it is sent on a tick of an
 * absolute clock: at the second one after the request, so 25 to 50 ms later.
 * That instant is known before anybody is looked up, so the time tells nothing
 * of how it went.  A look-up that takes longer than that is answered on the
 * first tick after it, which is then a measure of the user database, to 25 ms;
 * but what it said, yes or no, is then known for a minute.
 *
 * What can be learnt is who has put up a directory: it is there to be seen.
 */
#include "site/home.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "net/channel.h"
#include "site/dir.h"
#include "site/file.h"
#include "site/freshness.h"
#include "site/home_msg.h"
#include "site/redirect.h"
#include "site/ticks.h"

#define TICKS_TO_FAIL 2
#define PATIENCE_MS 10000       /* databases may be far away */
#define ASKED_MAX 256u          /* at once; more are told 503 */

struct home_service {
	struct loop *loop;
	struct watch channel;   /* fd is -1 while there is none */
	struct ticks ticks;
	struct list asked;      /* errands, in the order of their replies */
	unsigned n_asked;
	uint32_t last_id;
};

/* One exchange's; in its arena. */
struct errand {
	struct list node;       /* in asked, or alone */
	struct home_service *home;
	const struct site *site;
	struct exchange *x;
	struct str path;        /* "~user/a/b" */
	struct str below;       /* "a/b"; empty also where no slash is */
	struct timer patience;
	uint32_t id;
	bool is_asked;
	struct tick_wait failure;       /* when, should it fail */
	int root;               /* of a listing; or -1 */
};

/* Leaves whatever it waits for. */
static void
leave(struct errand *e)
{
	list_remove(&e->node);
	list_remove(&e->failure.node);
	e->home->n_asked -= e->is_asked;
	e->is_asked = false;
	loop_timer_stop(e->home->loop, &e->patience);
}

/* What is in the response now is the answer; the errand may be gone. */
static void
deliver(struct errand *e)
{
	e->x->is_pending = false;
	exchange_wake(e->x);
}

static void
refuse(struct errand *e, enum reason r)
{
	leave(e);
	exchange_refuse(e->x, r);
	deliver(e);
}

static void
on_patience_over(struct timer *t)
{
	refuse(list_entry(t, struct errand, patience), REASON_BUSY);
}

/* Failures */

static void
fail_on_tick(struct errand *e)
{
	leave(e);
	ticks_wait(&e->home->ticks, &e->failure);
}

static void
on_tick(struct tick_wait *w)
{
	refuse(list_entry(w, struct errand, failure), REASON_MISSING);
}

/* Replies */

static void
close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

/* What the descriptor is named: a directory has led to its index. */
static struct str
name_of(const struct errand *e)
{
	struct str segment = S(""), rest = e->below;

	while (str_cut(&rest, '/', &segment))
		;
	return segment.n == 0 ? e->site->index : segment;
}

static void
answer_file(struct errand *e, int fd)
{
	struct object_look look = {
		.name = name_of(e),
		.types = e->site->types,
		.sniffer = e->site->sniffer,
		.cache_control = freshness_of(e->site->freshness, e->path),
		.etag = e->site->etag,
		.digester = e->site->digester,
		.content_max = e->site->content_max,
	};
	struct object *o;
	struct stat st;
	int err;

	if (fstat(fd, &st) == -1) {
		exchange_refuse(e->x, reason_of_errno(errno));
		close(fd);
		return;
	}
	err = object_open(fd, &st, &look, &o);
	if (err < 0) {
		exchange_refuse(e->x, reason_of_errno(-err));
		return;
	}
	file_answer(e->x, o);
	object_unref(o);
}

/* As below a document root, which is the user's web directory here. */
static void
answer_listing(struct errand *e, int fd, int root)
{
	struct dir d = {
		.fd = fd,
		.root = root,
		.above = { e->path.p, e->path.n - e->below.n },
		.path = e->below,
	};

	e->root = root;
	dir_answer(e->site, e->x, &d);
}

static void
take_reply(struct errand *e, uint32_t kind, const int *fds)
{
	if (kind == HOME_MISSING) {
		fail_on_tick(e);
		return;
	}
	leave(e);
	e->x->is_pending = false;
	if (kind == HOME_SLASH)
		redirect_slash(e->x, e->path);
	else if (kind == HOME_FILE)
		answer_file(e, fds[0]);
	else
		answer_listing(e, fds[0], fds[1]);
	if (!e->x->is_pending)
		exchange_wake(e->x);
}

/* The one that was asked for first and is still there. */
static struct errand *
first_asked(struct home_service *h)
{
	return list_is_empty(&h->asked) ? NULL :
	    list_entry(h->asked.next, struct errand, node);
}

/* Whose reply this is; NULL when the exchange has ended meanwhile. */
static struct errand *
find_asked(struct home_service *h, uint32_t id)
{
	struct errand *e;

	/* Replies come in order: who is before this one was left out. */
	while ((e = first_asked(h)) != NULL && (int32_t)(e->id - id) < 0)
		refuse(e, REASON_DESCRIPTORS);
	return e != NULL && e->id == id ? e : NULL;
}

/* Whoever waits for the process waits in vain. */
static void
disconnect(struct home_service *h)
{
	struct errand *e;

	if (h->channel.fd == -1)
		return;
	loop_remove(h->loop, &h->channel);
	close(h->channel.fd);
	h->channel.fd = -1;
	while ((e = first_asked(h)) != NULL)
		refuse(e, REASON_BUSY);
}

/* Its descriptors did not fit into this process: it is most likely this. */
static void
lose_reply(struct home_service *h)
{
	struct errand *e = first_asked(h);

	if (e != NULL)
		refuse(e, REASON_DESCRIPTORS);
}

static void
on_reply(struct watch *w, unsigned ready)
{
	struct home_service *h = list_entry(w, struct home_service, channel);
	int fds[HOME_REPLY_FDS];
	unsigned n_fds = HOME_REPLY_FDS;
	struct home_reply reply;
	struct errand *e = NULL;
	ssize_t n;

	(void)ready;
	n = channel_receive(w->fd, &reply, sizeof(reply), fds, &n_fds);
	if (n == -EAGAIN)
		return;
	if (n == -EMSGSIZE) {
		lose_reply(h);
		return;
	}
	if (n > 0 && home_reply_is_valid(&reply, (size_t)n, n_fds)) {
		e = find_asked(h, reply.id);
	} else {
		if (n > 0)
			log_error("the process for home directories sent "
			    "what is no reply; it is not asked any more");
		disconnect(h);
	}
	if (e != NULL)
		take_reply(e, reply.kind, fds);
	else
		close_all(fds, n < 0 ? 0 : n_fds);
}

/* The handler */

static void
home_content(struct exchange *x, struct str bytes)
{
	(void)x;
	(void)bytes;
}

static void
home_content_end(struct exchange *x)
{
	(void)x;
}

static void
home_end(struct exchange *x)
{
	struct errand *e = x->handler_state;

	leave(e);
	if (e->root != -1)
		close(e->root);
}

static const struct handler home_handler = {
	.content = home_content,
	.content_end = home_content_end,
	.close = home_end,
};

/* `path` is without the "~". */
static int
ask(struct errand *e, struct str path)
{
	struct home_service *h = e->home;
	struct home_ask message;
	int err;

	if (h->channel.fd == -1 || h->n_asked == ASKED_MAX)
		return -EAGAIN;
	err = loop_timer_start(h->loop, &e->patience, PATIENCE_MS);
	if (err < 0)
		return err;
	message.id = h->last_id + 1;
	memcpy(message.path, path.p, path.n);
	message.path[path.n] = '\0';
	err = channel_send(h->channel.fd, &message, home_ask_size(path.n),
	    NULL, 0);
	if (err < 0) {
		loop_timer_stop(h->loop, &e->patience);
		return err;
	}
	e->id = h->last_id = message.id;
	e->is_asked = true;
	h->n_asked++;
	list_append(&h->asked, &e->node);
	return 0;
}

bool
home_is_path(struct str path)
{
	return str_starts(path, S("~"));
}

void
home_answer(struct home_service *h, const struct site *site,
    struct exchange *x, struct str path)
{
	struct errand *e = arena_alloc(&x->arena, sizeof(*e));
	struct str user, asked = str_skip(path, 1), below = asked;

	if (e == NULL || exchange_retain(x) < 0) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	str_cut(&below, '/', &user);
	*e = (struct errand){
		.home = h,
		.site = site,
		.x = x,
		.path = path,
		.below = below,
		.patience.fn = on_patience_over,
		.failure = {
			.tick = ticks_now() + TICKS_TO_FAIL,
			.fn = on_tick,
		},
		.root = -1,
	};
	list_init(&e->node);
	list_init(&e->failure.node);
	if (!home_is_user(user) || asked.n >= HOME_PATH_MAX) {
		fail_on_tick(e);
	} else if (ask(e, asked) < 0) {
		exchange_refuse(x, REASON_BUSY);
		return;
	}
	x->is_pending = true;
	x->handler = &home_handler;
	x->handler_state = e;
}

/* The service */

static int
connect_to(struct home_service *h, int channel)
{
	int err;

	h->channel = (struct watch){
		.fn = on_reply,
		.fd = channel,
		.wanted = READY_IN,
	};
	if (channel == -1)
		return 0;
	err = loop_add(h->loop, &h->channel);
	if (err < 0)
		h->channel.fd = -1;
	return err;
}

int
home_open(struct loop *l, int channel, struct home_service **out_service)
{
	struct home_service *h = malloc(sizeof(*h));
	int err;

	if (h == NULL)
		return -ENOMEM;
	*h = (struct home_service){ .loop = l };
	list_init(&h->asked);
	err = ticks_open(&h->ticks, l);
	if (err < 0)
		goto out_free;
	err = connect_to(h, channel);
	if (err < 0)
		goto out_close;
	*out_service = h;
	return 0;
out_close:
	ticks_close(&h->ticks);
out_free:
	free(h);
	return err;
}

void
home_close(struct home_service *h)
{
	if (h == NULL)
		return;
	disconnect(h);
	ticks_close(&h->ticks);
	free(h);
}

void
home_reconnect(struct home_service *h, int channel)
{
	disconnect(h);
	if (connect_to(h, channel) < 0) {
		log_error("no memory for the channel to home directories");
		close(channel);
	}
}
