/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SUPERVISOR_PRIV_H
#define SWS_SERVER_SUPERVISOR_PRIV_H

/*
 * The supervisor, in files: supervisor.c is its life and the end of its
 * children, supervisor_succession.c how one crew comes after another.
 */

#include "net/signal.h"
#include "server/crew.h"
#include "server/lookout.h"

struct supervisor {
	struct command command;
	const struct supervisor_setup *setup;
	int ready;              /* gets a byte once all run; then -1 */
	struct signals signals;
	size_t n_signals;       /* of signal_list */
	struct timer kill;
	bool is_stopping;
	struct lookout lookout;
	struct timer step;      /* the next one of the new crew is overdue */
	bool looks_later;       /* once that crew serves */
	bool has_complained;    /* of what the names lead to now */
};

static inline struct supervisor *
supervisor_of(struct command *c)
{
	return list_entry(c, struct supervisor, command);
}

/* supervisor_succession.c */

/* Do the names lead elsewhere by now?  If so, it begins; later if it must. */
void supervisor_look(struct supervisor *s);

/* Somebody reported, or ended: is the next step due? */
void supervisor_advance(struct supervisor *s);

/* A crew that does not come to serve.  c may be gone then. */
void supervisor_abandon(struct supervisor *s, struct crew *c);

/* struct lookout.changed, struct command.reported, struct timer.fn */
void supervisor_on_change(struct lookout *l);
void supervisor_on_reported(struct child *c, enum order order);
void supervisor_on_overdue(struct timer *t);

#endif
