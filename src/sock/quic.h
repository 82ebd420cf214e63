/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_QUIC_H
#define SWS_SOCK_QUIC_H

/*
 * The first question of QUIC, without its cryptography: a datagram of a
 * version that nobody has is answered by a list of those that the server
 * speaks (RFC 9000 6).  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define QUIC_PROBE_BYTES 1200   /* servers ignore less: RFC 9000 14.1 */
#define QUIC_ID_BYTES 8
#define QUIC_VERSIONS_MAX 16
#define QUIC_TEXT 192

/* What a probe and its answer have in common. */
struct quic_ids {
	unsigned char to[QUIC_ID_BYTES], from[QUIC_ID_BYTES];
};

void quic_write_probe(const struct quic_ids *ids,
    unsigned char m[QUIC_PROBE_BYTES]);

/*
 * Is m the answer to the probe of these ids?  An answer has them the other
 * way round, so that nobody who did not see the probe can give it.  More than
 * QUIC_VERSIONS_MAX versions are not told.
 */
bool quic_read_versions(struct str m, const struct quic_ids *ids,
    uint32_t out_versions[QUIC_VERSIONS_MAX], unsigned *out_n);

/* " 0x00000001 0x6b3343cf" as far as there is room.  Returns `text`. */
const char *quic_versions_text(const uint32_t *versions, unsigned n,
    char text[QUIC_TEXT]);

#endif
