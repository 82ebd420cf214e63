/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_PROTO_H
#define SWS_HTTP_PROTO_H

/*
 * The seam between the assembler and the protocols.  The assembler lends each
 * protocol a host: the loop, the site behind a callback, the limits.  A
 * protocol gives it connections that can be told to finish.
 */

#include "base/list.h"
#include "http/exchange.h"
#include "http/stamp.h"

struct addr;
struct loop;
struct stream;

struct http_limits {
	size_t line_bytes;      /* request line: 414 */
	size_t fields_bytes;    /* all field lines: 431; REQUEST_FIELDS too */
	unsigned header_ms;     /* from its first byte to its last: 408 */
	unsigned idle_ms;       /* between requests: closed silently */
	unsigned linger_ms;     /* for the peer's last bytes, after ours */
	unsigned min_rate;      /* bytes a second, over rate_ms; 0: any */
	unsigned rate_ms;
	uint64_t dropped_bytes; /* of content nobody reads, before closing */
};

/* Of one worker; outlives all its connections. */
struct http_host {
	struct loop *loop;
	struct http_limits limits;
	struct stamp stamp;
	struct exchange_pool exchanges;
	struct list conns;      /* struct http_conn */
	bool is_draining;       /* no connection is kept alive any more */
	bool is_retiring;       /* requests are another process's: no exchange
	                           begins here any more */
	struct buf out;         /* lent to the connection that is served, empty
	                           between callbacks */

	/* Fills in x->res, or has a handler do so later, which then must have
	   called exchange_retain: the request's memory goes. */
	void (*serve)(struct http_host *h, struct exchange *x);
	/* The last byte of the answer left, or will never leave. */
	void (*ended)(struct http_host *h, const struct exchange *x);
	/* A connection is gone. */
	void (*closed)(struct http_host *h);
	/*
	 * While is_retiring: sends a connection between two requests to where
	 * they are served, with what was received of the next.  0, then the
	 * own copy is to be closed; -EAGAIN, then drain is called later; or
	 * another negative errno: it cannot be sent.
	 */
	int (*pass)(struct http_host *h, int fd, const struct addr *peer,
	    struct str unread);
	void *owner;
};

/* The beginning of each protocol's connection. */
struct http_conn {
	struct list node;               /* in http_host.conns */
	const struct proto_ops *ops;
};

struct proto_ops {
	/*
	 * Serves the stream of a just accepted socket, which is then the
	 * protocol's to close.  0 or a negative errno: nothing was taken.
	 */
	int (*open)(struct http_host *h, int fd, const struct addr *peer);
	/* The same for a connection that was passed, with what had been
	   received. */
	int (*adopt)(struct http_host *h, int fd, const struct addr *peer,
	    struct str unread);
	/* Finish what runs, then close, or pass. */
	void (*drain)(struct http_conn *c);
	/* Close now. */
	void (*kill)(struct http_conn *c);
};

#endif
