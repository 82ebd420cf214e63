/* SPDX-License-Identifier: ISC */
/*
 * One content after the other, a slice in each turn of the loop, so that
 * orders are obeyed soon.  Of each worker one question is known; the others
 * wait in its channel, and workers take turns.
 *
 * What was made is kept: the next worker, or the next life of one, gets it at
 * once.  It is found by the state of the file as this process sees it, never
 * by what a worker says; so one that was taken over cannot have others send
 * what it made up.
 */
#include "server/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/log.h"
#include "net/channel.h"
#include "server/service.h"
#include "site/compress.h"
#include "site/encode.h"
#include "site/encode_msg.h"

#define SLICE_BYTES ((size_t)128 << 10)
#define KEPT_BYTES ((uint64_t)64 << 20)
#define KEPT_MAX 4096u
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What came of a question. */
struct made {
	struct list node;               /* the oldest first */
	struct encode_state state;
	enum coding coding;
	int fd;                         /* -1: it would not be smaller */
	uint64_t size;
	uint32_t digest;
};

struct peer {
	struct service_peer base;
	struct encode_ask ask;
	int plain;                      /* its descriptor; -1: not asking */
	bool is_replying;               /* its channel was full */
	struct encode_reply reply;
	int reply_fd;                   /* its own; -1: none */
};

struct encoder {
	struct service service;
	uint64_t most;
	struct list made;
	unsigned n_made, max_made;
	uint64_t made_bytes;

	/* What is being compressed. */
	struct peer *job;               /* for whom; NULL: nothing is */
	struct timer step;
	struct compressor *compressor;
	uint64_t done;
	struct buf out;
	char slice[SLICE_BYTES];
};

static struct encoder *
encoder_of(const struct peer *p)
{
	return list_entry(p->base.service, struct encoder, service);
}

/* What was made */

static void
forget(struct encoder *e, struct made *m)
{
	list_remove(&m->node);
	e->n_made--;
	e->made_bytes -= m->size;
	if (m->fd != -1)
		close(m->fd);
	free(m);
}

static void
forget_oldest(struct encoder *e)
{
	forget(e, list_entry(e->made.next, struct made, node));
}

static struct made *
find(struct encoder *e, const struct encode_ask *ask)
{
	struct list *l;

	for (l = e->made.prev; l != &e->made; l = l->prev) {
		struct made *m = list_entry(l, struct made, node);

		if (m->coding != ask->coding ||
		    !encode_state_is(&m->state, &ask->state))
			continue;
		list_remove(l);
		list_append(&e->made, l);
		return m;
	}
	return NULL;
}

/* Takes over fd; NULL without memory. */
static struct made *
keep(struct encoder *e, const struct encode_ask *ask, int fd, struct str bytes)
{
	struct made *m = malloc(sizeof(*m));

	if (m == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	while (e->n_made > 0 && (e->n_made >= e->max_made ||
	    e->made_bytes + bytes.n > KEPT_BYTES))
		forget_oldest(e);
	*m = (struct made){
		.state = ask->state,
		.coding = (enum coding)ask->coding,
		.fd = fd,
		.size = bytes.n,
		.digest = (uint32_t)XXH3_64bits(bytes.p, bytes.n),
	};
	list_append(&e->made, &m->node);
	e->n_made++;
	e->made_bytes += bytes.n;
	return m;
}

/* Replies */

static int
send_reply(struct peer *p)
{
	int err;

	err = channel_send(p->base.watch.fd, &p->reply, sizeof(p->reply),
	    &p->reply_fd, p->reply.kind == ENCODE_MADE);
	/* Of descriptors under way there may be only so many: unix(7). */
	if (err == -ETOOMANYREFS) {
		p->reply.kind = ENCODE_FAILED;
		err = channel_send(p->base.watch.fd, &p->reply,
		    sizeof(p->reply), NULL, 0);
	}
	p->is_replying = err == -EAGAIN;
	if (!p->is_replying && p->reply_fd != -1) {
		close(p->reply_fd);
		p->reply_fd = -1;
	}
	if (err == 0 || p->is_replying)
		err = loop_want(p->base.service->loop, &p->base.watch,
		    p->is_replying ? READY_OUT : READY_IN);
	return err;
}

/* Replies with what came of it; NULL: it failed. */
static int
reply(struct peer *p, const struct made *m)
{
	close(p->plain);
	p->plain = -1;
	p->reply = (struct encode_reply){
		.id = p->ask.id,
		.kind = ENCODE_FAILED,
	};
	if (m != NULL && m->fd == -1)
		p->reply.kind = ENCODE_NOT_SMALLER;
	/* A copy, as it may be forgotten before there is room to send it. */
	if (m != NULL && m->fd != -1)
		p->reply_fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 3);
	if (p->reply_fd != -1) {
		p->reply.kind = ENCODE_MADE;
		p->reply.digest = m->digest;
	}
	return send_reply(p);
}

/* Compressing */

/* Is it still the file that was asked about? */
static bool
is_unchanged(const struct peer *p)
{
	struct encode_state now;
	struct stat st;

	if (fstat(p->plain, &st) == -1 || !S_ISREG(st.st_mode))
		return false;
	now = encode_state_of(&st);
	return encode_state_is(&now, &p->ask.state);
}

static void
end_job(struct encoder *e)
{
	loop_timer_stop(e->service.loop, &e->step);
	compressor_free(e->compressor);
	e->compressor = NULL;
	buf_fini(&e->out);
	e->job = NULL;
}

/* Memory that nobody who gets it can change; or a negative errno. */
static int
seal(struct str bytes)
{
	int fd, err = 0;
	ssize_t n;

	fd = memfd_create("sws-coded", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return -errno;
	while (bytes.n > 0 && err == 0) {
		n = write(fd, bytes.p, bytes.n);
		if (n == -1)
			err = -errno;
		else
			bytes = str_skip(bytes, (size_t)n);
	}
	if (err == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == -1)
		err = -errno;
	if (err < 0)
		close(fd);
	return err < 0 ? err : fd;
}

/* The whole is compressed, or (-ENOBUFS) does not become smaller. */
static struct made *
conclude(struct encoder *e, int err)
{
	struct peer *p = e->job;
	int fd;

	if (!is_unchanged(p))
		return NULL;
	if (err == -ENOBUFS)
		return keep(e, &p->ask, -1, (struct str){ "", 0 });
	if (err < 0)
		return NULL;
	fd = seal(buf_str(&e->out));
	return fd < 0 ? NULL : keep(e, &p->ask, fd, buf_str(&e->out));
}

/* Compresses the next slice: 1 when that was the last, 0, negative errno. */
static int
advance(struct encoder *e)
{
	struct peer *p = e->job;
	uint64_t size = p->ask.state.size;
	bool is_last;
	ssize_t n;
	int err;

	n = pread(p->plain, e->slice, SLICE_BYTES, (off_t)e->done);
	if (n == -1 && errno == EINTR)
		return 0;
	if (n <= 0 || (uint64_t)n > size - e->done)
		return n == -1 ? -errno : -EIO;
	e->done += (uint64_t)n;
	is_last = e->done == size;
	err = compressor_add(e->compressor,
	    (struct str){ e->slice, (size_t)n },
	    is_last ? COMPRESS_END : COMPRESS_MORE, &e->out);
	return err < 0 ? err : is_last;
}

/* In another turn, so that watches have theirs. */
static int
step_later(struct encoder *e)
{
	return loop_timer_start(e->service.loop, &e->step, 1);
}

static int
begin_job(struct encoder *e, struct peer *p)
{
	uint64_t size = p->ask.state.size;

	if (!is_unchanged(p))
		return -ESTALE;
	e->job = p;
	e->done = 0;
	buf_init(&e->out, (size_t)encode_worth(size));
	e->compressor = compressor_new((enum coding)p->ask.coding,
	    EFFORT_ONCE, size);
	if (e->compressor == NULL || step_later(e) < 0) {
		end_job(e);
		return -ENOMEM;
	}
	return 0;
}

/* Begins, or replies at once.  A negative errno: the peer is to be dropped. */
static int
serve(struct encoder *e, struct peer *p)
{
	struct made *m;

	/* Only of a file that is what the worker says: see above. */
	m = is_unchanged(p) ? find(e, &p->ask) : NULL;
	if (m != NULL)
		return reply(p, m);
	if (e->job != NULL)
		return 0;
	return begin_job(e, p) < 0 ? reply(p, NULL) : 0;
}

/* The next one that asks, and has waited longest. */
static struct peer *
next_asking(struct encoder *e)
{
	struct list *peers = &e->service.peers;

	for (struct list *l = peers->next; l != peers; l = l->next) {
		struct peer *p = list_entry(l, struct peer, base.node);

		if (p->plain == -1)
			continue;
		list_remove(l);
		list_append(peers, l);
		return p;
	}
	return NULL;
}

static void
begin_next(struct encoder *e)
{
	struct peer *p;

	while (e->job == NULL && (p = next_asking(e)) != NULL)
		if (serve(e, p) < 0)
			service_drop(&p->base);
}

static void
on_step(struct timer *t)
{
	struct encoder *e = list_entry(t, struct encoder, step);
	struct peer *p = e->job;
	struct made *m;
	int r;

	if (p == NULL) {
		begin_next(e);
		return;
	}
	r = advance(e);
	if (r == 0 && step_later(e) == 0)
		return;
	m = r == 0 ? NULL : conclude(e, r);
	end_job(e);
	if (reply(p, m) < 0)
		service_drop(&p->base);
	begin_next(e);
}

/* Peers */

static struct peer *
peer_of(struct service_peer *base)
{
	return list_entry(base, struct peer, base);
}

static int
read_question(struct peer *p)
{
	struct encoder *e = encoder_of(p);
	unsigned n_fds = 1;
	int fd = -1;
	ssize_t n;

	n = channel_receive(p->base.watch.fd, &p->ask, sizeof(p->ask), &fd,
	    &n_fds);
	if (n == -EAGAIN)
		return 0;
	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return -EBADMSG;
	if (n_fds == 1)
		p->plain = fd;
	if (!encode_ask_is_valid(&p->ask, (size_t)n, n_fds) ||
	    p->ask.state.size < ENCODE_MIN || p->ask.state.size > e->most)
		return -EBADMSG;
	/* One after the other: the rest waits in the channel. */
	if (loop_want(e->service.loop, &p->base.watch, 0) < 0)
		return -ENOMEM;
	return serve(e, p);
}

static void
on_peer_begin(struct service_peer *base)
{
	peer_of(base)->plain = peer_of(base)->reply_fd = -1;
}

static int
on_peer_ready(struct service_peer *base, unsigned ready)
{
	struct peer *p = peer_of(base);

	return ready & READY_OUT ? send_reply(p) : read_question(p);
}

static void
on_peer_end(struct service_peer *base)
{
	struct peer *p = peer_of(base);
	struct encoder *e = encoder_of(p);

	if (p->plain != -1)
		close(p->plain);
	p->plain = -1;
	if (p->reply_fd != -1)
		close(p->reply_fd);
	if (e->job == p) {
		end_job(e);
		step_later(e);
	}
}

static const struct service_ops service_ops = {
	.peer_bytes = sizeof(struct peer),
	.begin = on_peer_begin,
	.serve = on_peer_ready,
	.end = on_peer_end,
};

/* Each takes a descriptor; half of all is more than enough for the rest. */
static unsigned
count_kept(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur / 2 > KEPT_MAX)
		return KEPT_MAX;
	return (unsigned)(limit.rlim_cur / 2);
}

int
encoder_run(const struct encoder_setup *setup)
{
	struct encoder *e = calloc(1, sizeof(*e));
	int err = -ENOMEM;

	if (e == NULL)
		goto out;
	e->most = setup->most;
	e->max_made = count_kept();
	e->step.fn = on_step;
	list_init(&e->made);
	err = service_open(&e->service, &service_ops, setup->orders);
	if (err == 0)
		err = service_run(&e->service);
	service_close(&e->service);
	while (e->n_made > 0)
		forget_oldest(e);
	free(e);
out:
	if (err < 0)
		log_error("files cannot be compressed: %s", strerror(-err));
	return err < 0;
}
