/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_SIGNAL_H
#define SWS_NET_SIGNAL_H

/*
 * Signals as events of the loop: the handler writes the number to a pipe, the
 * loop reads it and calls back, outside of any handler.
 */

#include "net/loop.h"

struct signals {
	struct watch watch;
	struct loop *loop;
	void (*fn)(struct signals *s, int signo);
	int write_end;
};

/*
 * From here on each of the `n` signals in `list` ends in s->fn.  One set a
 * process; a forked child opens its own.  0 or a negative errno.
 */
int signals_open(struct signals *s, struct loop *l, const int *list, size_t n);

/* The signals go back to their default action. */
void signals_close(struct signals *s, const int *list, size_t n);

#endif
