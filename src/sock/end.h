/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_END_H
#define SWS_SOCK_END_H

/* One end of a relay: where bytes come from and where they go. */

#include "sock/endpoint.h"

struct end {
	const char *text;       /* as on the command line */
	int in_fd;              /* bytes come from here; -1: none do */
	int out_fd;             /* and go there; may be the same; -1: none */
	bool is_socket;         /* ends by shutdown(2), not by close(2) */
	bool is_peer;           /* a failure is the peer's, not ours */
	bool has_messages;      /* datagrams or records: kept whole */
	bool has_end;           /* false: a datagram socket, which has none */
	bool is_stdio;          /* not ours to close */
	bool has_limit;
	uint64_t left;          /* of source:SIZE */
	int child;              /* of exec:; 0: none */
};

/* What end_open has to know about the other end. */
struct end_use {
	bool is_first;          /* file: is read; as the second it is written */
	bool other_gives, other_takes;
};

/* Does an address of this kind give bytes, or take them, in its place? */
bool end_gives(const struct address *a, bool is_first);
bool end_takes(const struct address *a, bool is_first);

/* Opens it; on failure says why. */
enum outcome end_open(const struct job *job, const struct target *t,
    const struct end_use *use, struct end *out_end);

/* An end over a connected socket, which is then the end's. */
void end_of_socket(struct end *out_end, const char *text, int fd);

/* No more goes there. */
void end_shut(struct end *e);

/*
 * Closes it.  A command's end is awaited: its exit status, or 128 and its
 * signal; 0 for other ends.  With `is_cut` it is told to end (SIGTERM), and
 * how it does is not asked.
 */
int end_close(struct end *e, bool is_cut);

#endif
