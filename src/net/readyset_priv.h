/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_READYSET_PRIV_H
#define SWS_NET_READYSET_PRIV_H

/*
 * For libraries that call back for each descriptor that is ready: those are
 * gathered here and handed on as many at a time as the loop can take.  A set
 * knows each descriptor that was ever watched.
 */

#include "base/list.h"
#include "net/poller_priv.h"

/* Stands first in the struct that a poller has for a descriptor. */
struct ready_entry {
	struct list node;       /* in `ready`, or alone */
	struct readyset *set;
	int fd;
	unsigned ready;         /* READY_ bits */
};

struct readyset {
	struct ready_entry **entries;   /* by descriptor; NULL: never watched */
	size_t n_entries;
	struct list ready;
};

void readyset_init(struct readyset *s);

/* What a poller has in its entries is its own to end before that. */
void readyset_fini(struct readyset *s);

/*
 * The poller's struct for fd, which the set owns and which stays where it is:
 * `size` bytes, zero behind the entry when it is new.  What was gathered of fd
 * is forgotten.  NULL without memory.
 */
void *readyset_reach(struct readyset *s, int fd, size_t size);

/* That of the i-th descriptor, of n_entries; NULL: never watched. */
static inline void *
readyset_at(const struct readyset *s, size_t i)
{
	return s->entries[i];
}

/* It is ready (for more): it is handed on behind the others, or before. */
void ready_last(struct ready_entry *e, unsigned ready);
void ready_first(struct ready_entry *e, unsigned ready);

/* Hands on at most `max`, each once; returns how many. */
int readyset_take(struct readyset *s, struct poller_event *events, int max);

#endif
