/* SPDX-License-Identifier: ISC */
#ifndef SWS_NET_PROC_NET_H
#define SWS_NET_PROC_NET_H

/*
 * The tables of sockets in /proc/net, as proc(5) tells of tcp and of those that
 * are like it: a line a socket, in columns.
 */

#include <string.h>

/* Two of their words hold two numbers with a colon between. */
enum {
	COLUMN_LOCAL = 1,       /* address:port in hexadecimal */
	COLUMN_PEER,
	COLUMN_STATE,
	COLUMN_QUEUES,
	COLUMN_UID = 7,
	COLUMN_INODE = 9,
};

/* Where that column of the line begins; at its end, if there are fewer. */
static inline const char *
proc_net_column(const char *line, int number)
{
	for (line += strspn(line, " "); number > 0; number--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return line;
}

#endif
