/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_ADDRESS_H
#define SWS_SOCK_ADDRESS_H

/*
 * The one grammar of addresses: KIND:REST.
 *
 *	tcp:HOST:PORT[,OPTION...]   also tcp4: tcp6: mptcp: udp: udp4: udp6:
 *	unix:PATH  unix:@NAME       also unix-dgram: unix-seqpacket:
 *	icmp:HOST  fd:N  pid:PID/FD  file:PATH  exec:COMMAND
 *	-  pipe:  source:[SIZE]  sink:  echo:
 *
 * An IPv6 address stands in brackets when a port follows, and may have a
 * %scope.  A HOST of nothing or "*" is the wildcard.  PORT is a number or the
 * name of a service.  Without KIND: HOST:PORT is tcp:, and what begins with
 * "/", "./", "../" or "@" is unix:.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define ADDRESS_PATH_MAX 107    /* sun_path, less the NUL: unix(7) */

enum address_kind {
	ADDRESS_INET,           /* has a host and a port */
	ADDRESS_UNIX,           /* has a path */
	ADDRESS_ICMP,           /* has a host */
	ADDRESS_FD,             /* has an fd */
	ADDRESS_PID,            /* has a pid and an fd */
	ADDRESS_FILE,           /* has a path */
	ADDRESS_EXEC,           /* has a path: the command, for sh(1) */
	ADDRESS_STDIO,
	ADDRESS_PIPE,           /* what goes in comes out again */
	ADDRESS_SOURCE,         /* has a size, or gives for ever */
	ADDRESS_SINK,
	ADDRESS_ECHO,           /* pipe by another name */
};

/* Slices of the text that was parsed; they live as long as it does. */
struct address {
	enum address_kind kind;
	int family;             /* AF_UNSPEC: IPv4 and IPv6 */
	int type;               /* SOCK_STREAM, ...; 0 for no socket */
	int protocol;           /* 0: the default of the type */
	struct str host;        /* empty: the wildcard */
	struct str service;     /* not empty: a name, not a number */
	unsigned port;
	struct str options;     /* "nodelay,ttl=3" */
	struct str path;        /* without the "@" of an abstract name */
	bool is_abstract;
	int fd;
	int pid;
	bool has_size;
	uint64_t size;
};

/*
 * NULL when text is an address, else a sentence that says what is wrong with
 * it; *out_address is then untouched.  Knows nothing of this machine: whether
 * there is such a host, service or file is found out by endpoint.h.
 */
const char *address_parse(struct str text, struct address *out_address);

#endif
