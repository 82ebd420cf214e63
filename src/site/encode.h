/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_ENCODE_H
#define SWS_SITE_ENCODE_H

/*
 * Known objects in other codings, the worker's side: another process
 * (server/encoder.h) makes them, once, while the object is served as it is.
 */

#include "http/coding.h"
#include "net/loop.h"
#include "site/object.h"

struct cache;
struct encode_service;

#define ENCODE_MIN ((uint64_t)512)      /* what is smaller fits a packet */
/* Between a failure and the next question about that object. */
#define ENCODE_REST_MS 1000

/*
 * For objects of `c`, whose files are below `root`, of ENCODE_MIN to `most`
 * bytes.  `channel` leads to that process and is the service's to close; -1
 * while there is none.  0 or a negative errno, after which the channel is still
 * the caller's.
 */
int encode_open(struct loop *l, struct cache *c, int root, uint64_t most,
    int channel, struct encode_service **out_service);

/* Before the cache is closed.  NULL is fine. */
void encode_close(struct encode_service *s);

/*
 * A new process: what the old one was asked for may be asked for again.  NULL
 * is fine: then there is no use for the channel.
 */
void encode_reconnect(struct encode_service *s, int channel);

/*
 * Asks for the content of o in that coding, which will then be in o->coded
 * for later requests; or leaves it, if there is a reason to: it is asked for,
 * would not be smaller, failed a moment ago.  `s` may be NULL.
 */
void encode_ask(struct encode_service *s, struct object *o, enum coding c);

#endif
