/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_RESOLVE_PRIV_H
#define SWS_SITE_RESOLVE_PRIV_H

/*
 * The look-up below a root, in files: resolve.c knows what is asked for,
 * resolve_owner.c how links are followed that belong to the right owner.
 */

/*
 * openat2(2) with RESOLVE_BENEATH, without magic links, and with the further
 * RESOLVE_ flags in `resolve`.  "" is the root itself.  Returns a descriptor,
 * closed on exec, or a negative errno.
 */
int resolve_beneath(int root, const char *path, int flags,
    unsigned long long resolve);

/*
 * The same, with each link followed that has the owner of what it leads to.
 * -EMLINK if there is another one on the way.
 */
int resolve_owned(int root, const char *path, int flags);

#endif
