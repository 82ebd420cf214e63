/* SPDX-License-Identifier: ISC */
/*
 * The ring of io_uring(7) and the memory that it uses.
 *
 * The ring is restricted at birth to the operations of the table below, so
 * that it is no way around a sandbox: seccomp(2) sees only io_uring_enter(2),
 * not what is asked for in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/uring_priv.h"

#define BUF_GROUP 0
#define SQ_MAX 512u
/* Completions that there is room for, for each buffer. */
#define CQ_FACTOR 16
/* Sends under way, for each buffer. */
#define OUT_FACTOR 4

static const unsigned char operations[] = {
	IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE, IORING_OP_ACCEPT,
	IORING_OP_RECV, IORING_OP_SEND, IORING_OP_ASYNC_CANCEL,
	IORING_OP_CLOSE,
};

#define N_OPERATIONS (sizeof(operations) / sizeof(operations[0]))
#define OPERATION_FLAGS (IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS)

struct uring_out *
uring_out_take(struct uring *u)
{
	struct uring_out *out = u->free_outs;

	if (out != NULL) {
		u->free_outs = out->next;
	} else {
		if (u->outs_left == 0)
			return NULL;
		out = malloc(sizeof(*out));
		if (out == NULL)
			return NULL;
		u->outs_left--;
	}
	out->n = out->sent = 0;
	return out;
}

/* The last one used is the first one used again: it is in the cache. */
void
uring_out_give(struct uring *u, struct uring_out *out)
{
	out->next = u->free_outs;
	u->free_outs = out;
}

static char *
buffer(const struct uring *u, unsigned number)
{
	return u->buffers + (size_t)number * URING_RECEIVE;
}

static void
add_buffer(struct uring *u, unsigned number)
{
	io_uring_buf_ring_add(u->buf_ring, buffer(u, number), URING_RECEIVE,
	    (unsigned short)number, (int)u->n_buffers - 1, 0);
	io_uring_buf_ring_advance(u->buf_ring, 1);
}

const char *
uring_buffer(const struct uring *u, unsigned flags)
{
	return buffer(u, flags >> IORING_CQE_BUFFER_SHIFT);
}

void
uring_buffer_return(struct uring *u, unsigned flags)
{
	if (flags & IORING_CQE_F_BUFFER)
		add_buffer(u, flags >> IORING_CQE_BUFFER_SHIFT);
}

/* liburing 2.3 has functions for this and for start(), but exports neither. */
static int
restrict_ring(struct io_uring *ring)
{
	struct io_uring_restriction r[N_OPERATIONS + 2] = { 0 };
	unsigned n;

	for (n = 0; n < N_OPERATIONS; n++) {
		r[n].opcode = IORING_RESTRICTION_SQE_OP;
		r[n].sqe_op = operations[n];
	}
	r[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	r[n++].sqe_flags = OPERATION_FLAGS;
	/* At its end the ring gives up the number that start() got it. */
	r[n].opcode = IORING_RESTRICTION_REGISTER_OP;
	r[n++].register_op = IORING_UNREGISTER_RING_FDS;
	return io_uring_register((unsigned)ring->ring_fd,
	    IORING_REGISTER_RESTRICTIONS, r, n);
}

static int
open_buffers(struct uring *u)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = u->n_buffers * sizeof(struct io_uring_buf);
	struct io_uring_buf_reg reg = {
		.ring_entries = u->n_buffers,
		.bgid = BUF_GROUP,
	};
	int err;

	u->buffers = malloc((size_t)u->n_buffers * URING_RECEIVE);
	u->buf_ring = aligned_alloc(page, (bytes + page - 1) / page * page);
	if (u->buffers == NULL || u->buf_ring == NULL)
		return -ENOMEM;
	reg.ring_addr = (uintptr_t)u->buf_ring;
	err = io_uring_register_buf_ring(&u->ring, &reg, 0);
	if (err < 0)
		return err;
	io_uring_buf_ring_init(u->buf_ring);
	for (unsigned i = 0; i < u->n_buffers; i++)
		add_buffer(u, i);
	return 0;
}

/*
 * For one thread, which asks for completions when it wants them and is not
 * interrupted for them.  It begins disabled, to be restricted.
 */
static int
open_ring(struct io_uring *ring, unsigned n_buffers)
{
	unsigned n_submissions = n_buffers < SQ_MAX ? n_buffers : SQ_MAX;
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
		    IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
		    IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED |
		    IORING_SETUP_CQSIZE,
		.cq_entries = CQ_FACTOR * n_buffers,
	};

	return io_uring_queue_init_params(n_submissions, ring, &p);
}

static unsigned
power_of_two(unsigned n)
{
	unsigned power = 2;

	while (power < n)
		power *= 2;
	return power;
}

static int
start(struct uring *u)
{
	int err;

	err = open_buffers(u);
	if (err == 0)
		err = restrict_ring(&u->ring);
	if (err < 0)
		return err;
	/* A saving only: the ring need not be looked up for each call. */
	io_uring_register_ring_fd(&u->ring);
	return io_uring_register((unsigned)u->ring.ring_fd,
	    IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

int
uring_setup(struct uring *u, unsigned n_buffers)
{
	int err;

	u->n_buffers = power_of_two(n_buffers);
	u->outs_left = OUT_FACTOR * u->n_buffers;
	err = open_ring(&u->ring, u->n_buffers);
	if (err < 0)
		return err;
	err = start(u);
	if (err < 0)
		uring_teardown(u);
	return err;
}

void
uring_teardown(struct uring *u)
{
	struct uring_out *out;

	io_uring_queue_exit(&u->ring);
	while ((out = u->free_outs) != NULL) {
		u->free_outs = out->next;
		free(out);
	}
	free(u->watches);
	free(u->buf_ring);
	free(u->buffers);
}
