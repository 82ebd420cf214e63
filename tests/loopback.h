/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_LOOPBACK_H
#define SWS_TESTS_LOOPBACK_H

/*
 * The fourth protocol: requests as text, answers as memory, no socket.  It
 * does what each protocol may do to a site and lets nothing pass that each of
 * them relies on: the request's memory is gone before the content is pulled,
 * field lines are well-formed, the content is as long as was promised.
 */

#include "base/buf.h"
#include "http/exchange.h"

struct site;

struct loopback {
	/* Fills in x->res. */
	void (*serve)(struct loopback *l, struct exchange *x);
	void *owner;
	time_t now;             /* when requests arrive; 0: now */

	struct exchange_pool exchanges;
	struct exchange *x;     /* between loopback_ask and _finish */

	/* The answer */
	unsigned status;
	enum reason reason;
	uint64_t length;
	struct buf fields;      /* all its lines */
	struct buf content;
	unsigned pieces;        /* that the content came in */
	size_t largest;         /* of those in memory */
	bool is_broken;         /* it could not be had to its end */
};

void loopback_init(struct loopback *l,
    void (*serve)(struct loopback *l, struct exchange *x), void *owner);

/* Over a whole site. */
void loopback_init_site(struct loopback *l, struct site *s);
void loopback_fini(struct loopback *l);

/* Serves a request head, but leaves the content where it is. */
void loopback_ask(struct loopback *l, struct str head);

/* Pulls the content and ends the exchange. */
void loopback_finish(struct loopback *l);

/* Both, for a method, a target and further field lines, perhaps "". */
void loopback_send(struct loopback *l, const char *method, const char *target,
    const char *fields);
void loopback_get(struct loopback *l, const char *target, const char *fields);

/* The value of a field of the answer; its p is NULL when there is none. */
struct str loopback_field(const struct loopback *l, const char *name);

/* Fails unless the field has this value; NULL: unless there is none. */
void loopback_expect(const struct loopback *l, const char *name,
    const char *value);
void loopback_expect_content(const struct loopback *l, struct str content);

#endif
