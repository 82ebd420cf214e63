/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_HOME_H
#define SWS_SITE_HOME_H

/*
 * User directories ("/~user/path"), the worker's side.  Whose they are and
 * what is in them is found out by another process (server/homes.h), which
 * sends back open descriptors.
 */

#include "http/exchange.h"
#include "net/loop.h"
#include "site/site.h"

struct home_service;

/*
 * `channel` leads to that process and is the service's to close; -1 while
 * there is none.  Returns 0 or a negative errno, after which the channel is
 * still the caller's.
 */
int home_open(struct loop *l, int channel, struct home_service **out_service);

/* All exchanges must have ended.  `h` may be NULL. */
void home_close(struct home_service *h);

/* A new process: what was asked of the old one is answered with 503. */
void home_reconnect(struct home_service *h, int channel);

/* Is this decoded path one of a user's ("~user/...")? */
bool home_is_path(struct str path);

/*
 * Answers GET or HEAD of such a path, which lives as long as the exchange.
 * The answer comes later, most of the time.
 */
void home_answer(struct home_service *h, const struct site *site,
    struct exchange *x, struct str path);

#endif
