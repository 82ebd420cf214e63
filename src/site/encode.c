/* SPDX-License-Identifier: ISC */
/*
 * Nobody waits for an answer here.  A question that cannot be asked now, since
 * too many are, or there is nobody to ask, comes up again with the next
 * request.
 */
#include "site/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "net/channel.h"
#include "site/cache.h"
#include "site/encode_msg.h"
#include "site/resolve.h"

#define ASKED_MAX 32u           /* at once */

#define ALL_CODINGS ((unsigned char)((1u << CODING_COUNT) - 1))

struct encode_service {
	struct loop *loop;
	struct cache *cache;
	int root;
	uint64_t most;
	struct watch channel;   /* fd is -1 while there is none */
	struct list asked;      /* struct question */
	unsigned n_asked;
	uint32_t last_id;
};

struct question {
	struct list node;
	uint32_t id;
	enum coding coding;
	struct object *object;  /* a reference */
};

static void
question_end(struct encode_service *s, struct question *q)
{
	q->object->asked &= (unsigned char)~(1u << q->coding);
	object_unref(q->object);
	list_remove(&q->node);
	s->n_asked--;
	free(q);
}

static void
disconnect(struct encode_service *s)
{
	if (s->channel.fd == -1)
		return;
	loop_remove(s->loop, &s->channel);
	close(s->channel.fd);
	s->channel.fd = -1;
	while (!list_is_empty(&s->asked))
		question_end(s, list_entry(s->asked.next, struct question,
		    node));
}

static struct question *
by_id(struct encode_service *s, uint32_t id)
{
	for (struct list *l = s->asked.next; l != &s->asked; l = l->next) {
		struct question *q = list_entry(l, struct question, node);

		if (q->id == id)
			return q;
	}
	return NULL;
}

/* Takes over the descriptor. */
static void
take_made(struct encode_service *s, struct question *q, uint32_t digest,
    int fd)
{
	struct object *o = q->object, *made;

	if (object_open_made(fd, o, q->coding, digest, &made) < 0)
		return;
	/* It may be forgotten by now, or have got a sidecar's. */
	if (o->entry == NULL || o->coded[q->coding] != NULL) {
		object_unref(made);
		return;
	}
	o->coded[q->coding] = made;
	cache_grew(s->cache, o);
}

static void
take_reply(struct encode_service *s, const struct encode_reply *reply, int fd)
{
	struct question *q = by_id(s, reply->id);

	if (q == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (reply->kind == ENCODE_MADE)
		take_made(s, q, reply->digest, fd);
	else if (reply->kind == ENCODE_NOT_SMALLER)
		/* What one cannot make smaller the others cannot either. */
		q->object->barren = ALL_CODINGS;
	else
		q->object->rests_until_ms = loop_now_ms(s->loop) +
		    ENCODE_REST_MS;
	question_end(s, q);
}

static void
on_reply(struct watch *w, unsigned ready)
{
	struct encode_service *s = list_entry(w, struct encode_service,
	    channel);
	struct encode_reply reply;
	unsigned n_fds = 1;
	int fd = -1;
	ssize_t n;

	(void)ready;
	n = channel_receive(w->fd, &reply, sizeof(reply), &fd, &n_fds);
	/* When its descriptor did not fit, the question stays: that keeps us
	   from asking on and on while this process has none left. */
	if (n == -EAGAIN || n == -EMSGSIZE)
		return;
	if (n > 0 && encode_reply_is_valid(&reply, (size_t)n, n_fds)) {
		take_reply(s, &reply, n_fds == 1 ? fd : -1);
		return;
	}
	if (n > 0)
		log_error("the encoder sent what is no reply; it is not "
		    "asked any more");
	if (n > 0 && n_fds == 1)
		close(fd);
	disconnect(s);
}

/* What is no file is only in memory. */
static int
open_copy(const struct object *o)
{
	struct str rest = { o->content, (size_t)o->size };
	int fd;
	ssize_t n;

	fd = memfd_create("sws-plain", MFD_CLOEXEC);
	if (fd == -1)
		return -errno;
	while (rest.n > 0) {
		n = write(fd, rest.p, rest.n);
		if (n == -1) {
			close(fd);
			return -ENOMEM;
		}
		rest = str_skip(rest, (size_t)n);
	}
	return fd;
}

/* The content of o: a descriptor to close, and its state. */
static int
open_plain(const struct encode_service *s, const struct object *o,
    struct encode_state *out_state)
{
	struct found f;
	int err;

	if (S_ISREG(o->st.st_mode)) {
		/* If it is another one by now, that is seen there; so it does
		   not matter by which links. */
		err = resolve_open(s->root, cache_path(o), SYMLINKS_BENEATH,
		    &f);
		if (err < 0)
			return err;
		*out_state = encode_state_of(&o->st);
		return f.fd;
	}
	f.fd = o->content == NULL ? -EBADF : open_copy(o);
	if (f.fd >= 0 && fstat(f.fd, &f.st) == -1) {
		close(f.fd);
		return -EBADF;
	}
	if (f.fd >= 0)
		*out_state = encode_state_of(&f.st);
	return f.fd;
}

static int
send_question(struct encode_service *s, const struct question *q)
{
	struct encode_ask ask;
	int fd, err;

	memset(&ask, 0, sizeof(ask));
	ask.id = q->id;
	ask.coding = q->coding;
	fd = open_plain(s, q->object, &ask.state);
	if (fd < 0)
		return fd;
	err = channel_send(s->channel.fd, &ask, sizeof(ask), &fd, 1);
	close(fd);
	return err;
}

void
encode_ask(struct encode_service *s, struct object *o, enum coding c)
{
	struct question *q;

	if (s == NULL || s->channel.fd == -1 || s->n_asked == ASKED_MAX ||
	    o->entry == NULL || o->size < ENCODE_MIN || o->size > s->most ||
	    (o->asked | o->barren) & 1u << c ||
	    loop_now_ms(s->loop) < o->rests_until_ms)
		return;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return;
	*q = (struct question){
		.id = ++s->last_id,
		.coding = c,
		.object = o,
	};
	if (send_question(s, q) < 0) {
		free(q);
		return;
	}
	object_ref(o);
	o->asked |= (unsigned char)(1u << c);
	list_append(&s->asked, &q->node);
	s->n_asked++;
}

static int
connect_to(struct encode_service *s, int channel)
{
	int err;

	s->channel = (struct watch){
		.fn = on_reply,
		.fd = channel,
		.wanted = READY_IN,
	};
	if (channel == -1)
		return 0;
	err = loop_add(s->loop, &s->channel);
	if (err < 0)
		s->channel.fd = -1;
	return err;
}

int
encode_open(struct loop *l, struct cache *c, int root, uint64_t most,
    int channel, struct encode_service **out_service)
{
	struct encode_service *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return -ENOMEM;
	s->loop = l;
	s->cache = c;
	s->root = root;
	s->most = most;
	list_init(&s->asked);
	err = connect_to(s, channel);
	if (err < 0) {
		free(s);
		return err;
	}
	*out_service = s;
	return 0;
}

void
encode_close(struct encode_service *s)
{
	if (s == NULL)
		return;
	disconnect(s);
	free(s);
}

void
encode_reconnect(struct encode_service *s, int channel)
{
	if (s == NULL) {
		close(channel);
		return;
	}
	disconnect(s);
	if (connect_to(s, channel) < 0) {
		log_error("no memory for the channel to the encoder");
		close(channel);
	}
}
