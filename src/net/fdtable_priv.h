/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_FDTABLE_PRIV_H
#define SWS_NET_FDTABLE_PRIV_H

#include <stddef.h>

/*
 * A table indexed by descriptor: *n elements of `size` bytes.  Makes it long
 * enough for fd, new elements all zero, and sets *n.  Returns where it is
 * now, or NULL when there is no memory, and then it is as it was.
 */
void *fdtable_reach(void *table, size_t *n, size_t size, int fd);

#endif
