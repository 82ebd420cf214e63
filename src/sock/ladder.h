/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LADDER_H
#define SWS_SOCK_LADDER_H

/*
 * One connection as a ladder: its two ends as rails, each packet a rung from
 * one to the other, with numbers that begin at 0.  Pure.
 */

#include "sock/packet.h"

#define LADDER_TEXT 160

struct ladder {
	bool is_begun;
	bool is_over;           /* both have ended, or one has reset it */
	struct packet first;    /* from the left to the right */
	struct ladder_side {
		bool has_base, has_fin, is_fin_acked;
		uint32_t base;  /* its first sequence number */
		uint32_t end;   /* the number behind its FIN */
	} sides[2];             /* left, right */
};

/*
 * Does the packet belong to the connection?  The first of TCP or UDP begins
 * it.  The rung is then in out_text.
 */
bool ladder_take(struct ladder *l, const struct packet *p,
    char out_text[LADDER_TEXT]);

/* The names of the two ends, above the rails.  Returns `text`. */
const char *ladder_head(const struct ladder *l, char text[LADDER_TEXT]);

#endif
