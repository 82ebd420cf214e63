/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_CONN_PRIV_H
#define SWS_H1_CONN_PRIV_H

/*
 * What conn.c (the connection: events, deadlines, the end) and serve.c (its
 * exchanges: requests in, answers out) share.
 */

#include "h1/chunk.h"
#include "h1/output.h"
#include "http/proto.h"
#include "net/addr.h"
#include "net/loop.h"

enum h1_state {
	H1_IDLE,                /* between requests */
	H1_HEAD,                /* part of a head is here */
	H1_BUSY,                /* with an exchange */
	H1_FLUSH,               /* with what the peer has yet to take of those
	                           before */
	H1_LINGER,              /* all is said; the peer's last bytes are read
	                           so that no reset overtakes the answer */
	H1_DEAD,                /* to be freed when this callback is over */
};

/* What only an exchange that waits needs; in its arena. */
struct task {
	struct piece piece;             /* pulled, not all sent */
	struct chunk_reader chunks;
	uint64_t content_left;          /* of the request, unless chunked */
	uint64_t dropped;
};

struct h1_conn {
	struct http_conn base;
	struct http_host *host;
	struct exchange *x;             /* while H1_BUSY */
	struct task *task;              /* x's, or NULL */
	struct buf in;                  /* received, not yet read */
	struct output out;
	struct timer timer;
	struct addr peer;
	unsigned queued;                /* in the kernel, at the last period */
	unsigned char state;
	unsigned char slow_periods;

	/* The exchange's two halves. */
	bool reads : 1;                 /* request content is to come, */
	bool is_paused : 1;             /* but its handler is full */
	bool answers : 1;               /* the head of the answer is written */
	bool is_blocked : 1;            /* the peer must take bytes first */
	bool is_guarded : 1;            /* the timer watches the peer's rate */

	/* The end. */
	bool has_ended : 1;             /* the peer will send no more */
	bool closes : 1;                /* once all is sent, */
	bool lingers : 1;               /* and then waits for the peer */
	bool aborts : 1;                /* with a reset */
};

/* conn.c */

/* Changes the state, and with it what the timer waits for. */
void h1_enter(struct h1_conn *c, enum h1_state next);

/*
 * The answer broke off.  Where its end would be told by closing alone, a
 * reset says that this is not it.
 */
void h1_break_off(struct h1_conn *c);

/* What is staged goes out or is kept, and then comes before all else. */
void h1_flush(struct h1_conn *c);

/* struct exchange.wake */
void h1_wake(struct exchange *x);

/* serve.c */

/* Reads requests and answers them until one has to wait; *in is the rest. */
void h1_serve(struct h1_conn *c, struct str *in);

/* The same for what was received earlier. */
void h1_serve_kept(struct h1_conn *c);

/* Takes the answer under way as far as it goes now. */
void h1_go_on(struct h1_conn *c);

/* An answer to what is not a request that could be served. */
void h1_refuse(struct h1_conn *c, enum reason r);

/* The same where not even a request line can be told. */
void h1_refuse_unread(struct h1_conn *c, enum reason r);

/* The exchange is over, at its end or before. */
void h1_end_exchange(struct h1_conn *c);

#endif
