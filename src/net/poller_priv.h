/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_POLLER_PRIV_H
#define SWS_NET_POLLER_PRIV_H

/*
 * The seam between the loop and the kernel's ways to wait.  A poller is one
 * file with one const struct poller_ops.  All are level-triggered: what is
 * ready and not dealt with is reported again.
 */

#include "net/loop.h"

struct poller_event {
	int fd;
	unsigned ready;         /* READY_IN, READY_OUT; both on an error */
};

struct poller_ops {
	bool is_in_kernel;      /* the set is: to change it costs a system call,
	                           and a closed descriptor leaves it */

	/* Why it cannot be used here, NULL: it can; the function may be NULL,
	   too, for what every system has. */
	const char *(*lacks)(void);

	/* What a library waits with in turn; NULL for who is none. */
	const char *(*backend)(void);

	/*
	 * Makes the poller's state; `argument` is the number of its engine's
	 * name (engine.h).  0 or a negative errno.
	 */
	int (*open)(unsigned argument, void **out_state);

	/*
	 * What is wanted of fd changes from `old` to `wanted`; 0 means that
	 * the poller does not know fd (any more).  0 or a negative errno;
	 * -EMFILE when fd is beyond what the poller can watch.
	 */
	int (*set)(void *state, int fd, unsigned old, unsigned wanted);

	/*
	 * Waits, at most timeout_ms (-1: for ever), and writes up to `max`
	 * events.  Returns how many, 0 after a timeout or a signal, or a
	 * negative errno.
	 */
	int (*wait)(void *state, int timeout_ms, struct poller_event *events,
	    int max);

	void (*close)(void *state);

	/* Events come in the order in which they happened, and none without
	   those before it. */
	bool keeps_order;

	/* What it can do beside polling (completion_priv.h), or NULL. */
	const struct completion_ops *completion;
};

extern const struct poller_ops poller_epoll;
extern const struct poller_ops poller_epoll_et;
extern const struct poller_ops poller_kqueue;
extern const struct poller_ops poller_libev;
extern const struct poller_ops poller_libevent;
extern const struct poller_ops poller_nonblock;
extern const struct poller_ops poller_poll;
extern const struct poller_ops poller_pselect;
extern const struct poller_ops poller_select;
extern const struct poller_ops poller_sigio;
extern const struct poller_ops poller_uring;

#endif
