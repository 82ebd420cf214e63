/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_URING_PRIV_H
#define SWS_NET_URING_PRIV_H

/*
 * The engine over io_uring(7), in files: uring_setup.c has the ring and its
 * memory, uring.c the turn, uring_watch.c watches descriptors, uring_stream.c
 * moves bytes, uring_accept.c accepts.
 *
 * The life of an operation:
 *
 *      planned -------> submitted -------> completed -------> released
 *      (uring_plan)     (its push)         (its table entry)
 *
 * Whoever wants something of the kernel only notes so, and plans itself.
 * Submissions are written in one place, just before the loop waits; so a
 * callback never meets a full ring, what many callbacks of a turn want is one
 * system call, and what was asked for and taken back in a turn costs nothing.
 * A submission names its owner by a pointer.  So whoever is closed lives on
 * until its last operation has completed, however it ended.
 */

#include <assert.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/completion_priv.h"
#include "net/poller_priv.h"
#include "net/stream.h"

/* What is received is lent out of buffers of this size. */
#define URING_RECEIVE LOOP_SCRATCH
/* A send that is not larger is copied, and leaves with the turn's batch. */
#define URING_SEND 4064

/* The kinds of operations, in the low bits of what names the owner. */
enum uring_tag {
	URING_NOBODY,           /* it worked, or it does not matter */
	URING_WATCH,
	URING_RECEIVE_MORE,
	URING_SEND_SOME,
	URING_WRITABLE,
	URING_ACCEPT,
	URING_KNOCK,
	URING_TAGS,
	URING_TAG_BITS = 7,     /* zero in the address of every owner */
};

static_assert(URING_TAGS <= URING_TAG_BITS + 1, "a tag has no room");

/* Whoever has submissions to write; lives inside the struct of the owner. */
struct uring_plan {
	struct list node;
	struct list closed;     /* in uring.closed, while it only ends */
	/* Writes them.  False when the ring is full: to be called again. */
	bool (*push)(struct uring_plan *p);
};

/* Bytes on their way out. */
struct uring_out {
	struct uring_out *next; /* while it is free */
	unsigned n, sent;
	char bytes[URING_SEND];
};

/* A descriptor that is watched: uring_watch.c. */
struct uring_watch {
	unsigned generation;    /* of its last poll, which is the valid one */
	unsigned char wanted;
	unsigned char armed;    /* READY_ bits that the kernel looks for */
	bool is_stale;          /* what is armed is not what is wanted */
	bool is_planned;
	int next;               /* the descriptor that is planned, too; or -1 */
};

struct uring {
	struct io_uring ring;
	struct loop *loop;      /* NULL until the first stream */
	unsigned n_seen;        /* completions that uring_wait has looked at */
	bool is_ending;         /* what is closed shall not wait any more */
	struct list plans;      /* struct uring_plan, to be pushed */
	struct list closed;     /* the same, but operations are under way */
	struct list ready;      /* streams: what was kept is wanted again */

	/* Receiving: the kernel takes buffers from a ring of its own. */
	struct io_uring_buf_ring *buf_ring;
	char *buffers;
	unsigned n_buffers;

	/* Sending. */
	struct uring_out *free_outs;
	unsigned outs_left;     /* to be allocated */

	/* Watching. */
	struct uring_watch *watches;    /* by descriptor */
	size_t n_watches;
	int planned_watch;      /* the first of those planned; -1: none */
};

/* uring.c */

/* p->push is called before the loop waits. */
void uring_plan(struct uring *u, struct uring_plan *p);

/* The next submission to fill in, or NULL when the ring is full. */
struct io_uring_sqe *uring_sqe(struct uring *u);

/* Ends the owner's operation of this kind.  False when the ring is full. */
bool uring_push_cancel(struct uring *u, const void *owner, enum uring_tag tag);

/* Closes fd; the same. */
bool uring_push_close(struct uring *u, int fd);

/* Submits, and tells what of the owner's has completed then, at once. */
void uring_tell_now(struct uring *u, const void *owner, enum uring_tag tag);

/* What a completion is known by. */
static inline uint64_t
uring_data(const void *owner, enum uring_tag tag)
{
	assert(((uintptr_t)owner & URING_TAG_BITS) == 0);
	return (uint64_t)(uintptr_t)owner | tag;
}

/* uring_setup.c */

/* Makes the ring and its memory.  0 or a negative errno. */
int uring_setup(struct uring *u, unsigned n_buffers);
void uring_teardown(struct uring *u);

/* Memory for bytes to be sent; NULL when all is in use. */
struct uring_out *uring_out_take(struct uring *u);
void uring_out_give(struct uring *u, struct uring_out *out);

/* The bytes that a completion brought, and the way back for their buffer. */
const char *uring_buffer(const struct uring *u, unsigned flags);
void uring_buffer_return(struct uring *u, unsigned flags);

/* uring_watch.c */

/* struct poller_ops.set */
int uring_watch_set(void *state, int fd, unsigned old, unsigned wanted);

/* Writes what watches want.  False when the ring is full. */
bool uring_watch_push(struct uring *u);

/* A poll has completed: 1 and *out_event, or 0 when nobody waits for it. */
int uring_watch_event(struct uring *u, const struct io_uring_cqe *cqe,
    struct poller_event *out_event);

/* Nothing is wanted any more. */
void uring_watch_forget(struct uring *u);

/* uring_stream.c */

/* struct completion_ops.open_stream */
int uring_stream_open(void *state, struct loop *l, int fd,
    const struct stream_events *events, void *owner, struct stream **out_s);

/* Completions: `owner` is what uring_data was made of. */
void uring_stream_received(struct uring *u, void *owner, int res,
    unsigned flags);
void uring_stream_sent(struct uring *u, void *owner, int res, unsigned flags);
void uring_stream_writable(struct uring *u, void *owner, int res,
    unsigned flags);

/* Delivers what was kept to those who want it again. */
void uring_stream_deliver(struct uring *u);

/* uring_accept.c */

/* struct completion_ops.open_accept, want_accept, close_accept */
int uring_accept_open(void *state, struct intake *in, int fd, void **out_op);
void uring_accept_want(void *op, bool wanted);
void uring_accept_close(void *op);

void uring_accept_done(struct uring *u, void *owner, int res, unsigned flags);
void uring_accept_knocked(struct uring *u, void *owner, int res,
    unsigned flags);

#endif
