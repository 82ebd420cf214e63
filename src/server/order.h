/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_ORDER_H
#define SWS_SERVER_ORDER_H

/*
 * What the supervisor and the processes below it say to each other, over a
 * channel that each has with it.  The end of the channel means that the
 * supervisor is gone.
 */

#include <stdint.h>

enum order {
	/* From the supervisor. */
	ORDER_STOP = 1,         /* finish what runs, within the grace */
	ORDER_STOP_NOW,
	ORDER_LOG,              /* to a worker: log to this descriptor */
	ORDER_PEER,             /* to a service: a channel to a worker */
	ORDER_SPAWNER,          /* to a worker: a channel to that service; */
	ORDER_HOMES,            /* from a child of a worker: one for it */
	ORDER_ENCODER,
	ORDER_INHERIT,          /* to one that waits: a channel to one whose
	                           connections it will go on with */
	ORDER_RETIRE,           /* to a worker: begin no exchange any more, hand
	                           connections over by this channel, and end */
	ORDER_SERVE,            /* to one that waits: begin */
	/* To the supervisor. */
	ORDER_READY,            /* from a worker: it waits for ORDER_SERVE */
	ORDER_RETIRED,          /* from a worker: it begins no exchange */
	ORDER_END_WORKER,       /* from a service: it sent what no sound
	                           worker sends */
};

struct order_msg {
	uint32_t order;
	uint32_t worker;        /* of ORDER_PEER and ORDER_END_WORKER: which
	                           one; no two processes have the same */
};

/*
 * Sends an order, with a descriptor (-1: none), which stays the sender's own.
 * Returns as channel_send.
 */
int order_send(int channel, enum order order, unsigned worker, int fd);

/*
 * Receives one; *out_fd is the receiver's to close, -1 when none came along.
 * Returns 1, 0 when the other end is gone, -EAGAIN when none waits, or another
 * negative errno for what is no order.
 */
int order_receive(int channel, struct order_msg *out_msg, int *out_fd);

#endif
