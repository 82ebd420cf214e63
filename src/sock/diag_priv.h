/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_DIAG_PRIV_H
#define SWS_SOCK_DIAG_PRIV_H

/* What the files of diag.h share: how a socket gets into the list. */

#include "sock/diag.h"

/* From the kernel's tcp_states.h. */
enum { STATE_ESTABLISHED = 1, STATE_CLOSE = 7 };

/* A new socket at the end of the list, all 0; NULL without memory. */
struct diag_socket *diag_add(struct diag_list *list);

/* Type and protocol of an internet socket, by its kind and family. */
void diag_set_kind(struct diag_socket *s);

/* `ip` is 4 or 16 bytes, by the socket's family; it and `port` as sent. */
void diag_set_inet(struct endpoint *e, const struct diag_socket *s,
    const void *ip, uint16_t port, uint32_t scope);

/*
 * Adds the ping or raw sockets of IPv4 and IPv6 that the tables of /proc/net
 * name (proc(5)).  0 or a negative errno; -ENOENT without such a table.
 */
int diag_read_proc(struct diag_list *list, enum diag_kind kind);

/*
 * One line of such a table.  False for what is none, such as the heading;
 * *s is then untouched.  Its kind and family have to be set.
 */
bool diag_take_line(struct diag_socket *s, const char *line);

#endif
