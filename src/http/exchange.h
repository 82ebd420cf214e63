/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_EXCHANGE_H
#define SWS_HTTP_EXCHANGE_H

/*
 * One request with its response and its memory: what protocols hand to the
 * site, and the site hands back.
 */

#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/body.h"
#include "http/reason.h"
#include "http/request.h"

struct addr;
struct exchange;

#define LENGTH_UNKNOWN UINT64_MAX

struct response {
	unsigned status;
	enum reason reason;     /* why it was refused, for the log */
	struct str block;       /* ready "Name: value\r\n" lines, which live as
	                           long as the body */
	struct buf fields;      /* further lines of that form */
	uint64_t length;        /* of the content, sent or (HEAD) not */
	struct body body;
	bool closes;            /* the connection must not be used further */
	bool is_raw;            /* the content is all of the answer, head
	                           included, as it is */
};

/*
 * A handler that answers later, or that wants the request's content.  It is
 * given to an exchange by site_serve, while the request is still whole.
 */
struct handler {
	/* Takes all of it.  Sets x->is_full to be given no more until a wake
	   finds that cleared. */
	void (*content)(struct exchange *x, struct str bytes);
	/* That was all. */
	void (*content_end)(struct exchange *x);
	/* The exchange is over, perhaps before its time. */
	void (*close)(struct exchange *x);
};

struct exchange {
	struct request req;
	struct response res;
	struct arena arena;     /* lives until exchange_end */
	const struct addr *peer;
	time_t received;        /* when the head was complete */
	uint64_t body_sent;     /* bytes of content that left */
	bool is_pending;        /* the answer is not to be sent yet */
	bool is_full;           /* the handler takes no content now */
	bool is_detached;
	unsigned redirects;     /* from program to program, so far */
	const struct handler *handler;  /* NULL: what is answered is answered,
	                                   and content nobody wants */
	void *handler_state;            /* the handler's own */
	void (*wake)(struct exchange *x);       /* the protocol's, with */
	void *conn;                             /* its connection */
};

/*
 * A fresh exchange, or NULL when memory is out.  `pool` keeps ended ones for
 * the next; it starts as all zeros and is emptied by exchange_pool_fini.
 */
struct exchange_pool {
	struct exchange *free[16];
	unsigned n;
};

struct exchange *exchange_begin(struct exchange_pool *pool);
void exchange_end(struct exchange_pool *pool, struct exchange *x);
void exchange_pool_fini(struct exchange_pool *pool);

/*
 * Lets the exchange outlive the memory that the request was received in: the
 * request line is copied, all else of the request is forgotten.
 */
void exchange_detach(struct exchange *x);

/*
 * The same, but all of the request is copied and kept.  0 or -ENOMEM, after
 * which the exchange is as it was.
 */
int exchange_retain(struct exchange *x);

/*
 * Tells the protocol that there is something new: the answer is no longer
 * pending, the body has more, the handler takes content again.  Never to be
 * called from within a callback of the protocol; the exchange may be gone
 * after it.
 */
static inline void
exchange_wake(struct exchange *x)
{
	x->wake(x);
}

/*
 * The value of a field that is a list: values of repeated fields are joined
 * by commas (RFC 9110 5.3), in the arena; without memory it is the first.  p is
 * NULL when there is none.
 */
struct str exchange_list(struct exchange *x, enum field_id id);

/* Adds "name: value".  0 or as buf_add. */
int exchange_add_field(struct exchange *x, struct str name, struct str value);

/* Answers with content of a type, from memory that outlives the exchange. */
void exchange_answer(struct exchange *x, unsigned status, struct str type,
    struct str content);

/*
 * Answers with the status of a reason and a small page that tells it, which
 * is not to be kept.  What was put into the response before is dropped, fields
 * included.
 */
void exchange_refuse(struct exchange *x, enum reason r);

#endif
