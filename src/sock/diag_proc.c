/* SPDX-License-Identifier: ISC */
/*
 * The tables of /proc/net: a line a socket, its numbers in hexadecimal, of an
 * address each 32 bits as this processor reads them (proc(5)).  They know no
 * cookie; the inode is in its place.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/proc_net.h"
#include "sock/diag_priv.h"

#define LINE_BYTES 512          /* a line of the tables has 200 */

/* Eight digits and no more. */
static bool
take_u32(const char **at, uint32_t *out)
{
	uint32_t v = 0;
	int digit;

	for (int i = 0; i < 8; i++) {
		digit = str_hex_digit(*(*at)++);
		if (digit < 0)
			return false;
		v = v << 4 | (uint32_t)digit;
	}
	*out = v;
	return true;
}

/* "0100007F:0001"; for IPv6 it is four times as long. */
static bool
take_address(const struct diag_socket *s, const char *at, struct endpoint *e)
{
	size_t n = s->family == AF_INET ? 1 : 4;
	uint32_t ip[4];
	char *end;
	unsigned long port;

	for (size_t i = 0; i < n; i++)
		if (!take_u32(&at, &ip[i]))
			return false;
	if (at[0] != ':' || !isxdigit((unsigned char)at[1]))
		return false;
	port = strtoul(at + 1, &end, 16);
	if (*end != ' ' || port > UINT16_MAX)
		return false;
	diag_set_inet(e, s, ip, htons((uint16_t)port), 0);
	return true;
}

static uint32_t
number_at(const char *line, int number, int base)
{
	return (uint32_t)strtoul(proc_net_column(line, number), NULL, base);
}

bool
diag_take_line(struct diag_socket *s, const char *line)
{
	const char *local = proc_net_column(line, COLUMN_LOCAL);
	const char *peer = proc_net_column(line, COLUMN_PEER);
	const char *queues = proc_net_column(line, COLUMN_QUEUES);
	struct diag_socket found = *s;

	diag_set_kind(&found);
	if (!take_address(&found, local, &found.local) ||
	    !take_address(&found, peer, &found.peer))
		return false;
	queues += strcspn(queues, ": ");
	if (*queues != ':' || *proc_net_column(line, COLUMN_INODE) == '\0')
		return false;
	found.state = number_at(line, COLUMN_STATE, 16);
	if (found.state != STATE_ESTABLISHED)
		found.peer.len = 0;
	found.send_queue = number_at(line, COLUMN_QUEUES, 16);
	found.receive_queue = (uint32_t)strtoul(queues + 1, NULL, 16);
	found.uid = number_at(line, COLUMN_UID, 10);
	found.inode = number_at(line, COLUMN_INODE, 10);
	found.cookie = found.inode;
	*s = found;
	return true;
}

static int
read_table(struct diag_list *list, enum diag_kind kind, int family,
    const char *path)
{
	struct diag_socket s, *added;
	FILE *f = fopen(path, "re");
	char line[LINE_BYTES];
	int err = 0;

	if (f == NULL)
		return -errno;
	while (err == 0 && fgets(line, sizeof(line), f) != NULL) {
		s = (struct diag_socket){ .kind = kind, .family = family };
		if (!diag_take_line(&s, line))
			continue;
		added = diag_add(list);
		if (added != NULL)
			*added = s;
		else
			err = -ENOMEM;
	}
	if (err == 0 && ferror(f))
		err = -EIO;
	fclose(f);
	return err;
}

int
diag_read_proc(struct diag_list *list, enum diag_kind kind)
{
	bool is_raw = kind == DIAG_RAW;
	int err;

	err = read_table(list, kind, AF_INET,
	    is_raw ? "/proc/net/raw" : "/proc/net/icmp");
	if (err < 0)
		return err;
	err = read_table(list, kind, AF_INET6,
	    is_raw ? "/proc/net/raw6" : "/proc/net/icmp6");
	/* A kernel without IPv6 has none of it. */
	return err == -ENOENT ? 0 : err;
}
