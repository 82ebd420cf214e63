/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_LOOKOUT_H
#define SWS_SERVER_LOOKOUT_H

/*
 * Watches by inotify(7) whether paths still lead to where they led: the links
 * on the way, and the directories that could be renamed.
 */

#include "net/loop.h"

#define LOOKOUT_PATHS 2
#define LOOKOUT_SIGHTS 128

/* Lives inside the struct of its owner. */
struct lookout {
	struct loop *loop;
	/* What is set at the start: */
	const char *paths[LOOKOUT_PATHS];       /* absolute; or NULL */
	/* A path may lead elsewhere.  To be answered by lookout_look. */
	void (*changed)(struct lookout *l);

	struct watch watch;
	struct timer timer;
	unsigned n;
	struct sight {
		int wd;
		char *name;             /* NULL: the directory itself */
	} sights[LOOKOUT_SIGHTS];
};

/* l->paths and l->changed are set.  It begins with lookout_look. */
void lookout_open(struct lookout *l, struct loop *loop);
void lookout_close(struct lookout *l);

/*
 * Watches the ways as they are now: whoever then looks at where they lead is
 * told of what changes after that.
 */
void lookout_look(struct lookout *l);

/* Calls l->changed so much later, whatever happens. */
void lookout_return(struct lookout *l, unsigned after_ms);

#endif
