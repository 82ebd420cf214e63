/* SPDX-License-Identifier: ISC */
/*
 * Long header packets, RFC 9000 17.2, as far as every version has them
 * (RFC 8999): form bit, version, both connection IDs with their lengths.
 */
#include "sock/quic.h"

#include <stdio.h>

#define LONG_HEADER 0x80
#define FIXED_BIT 0x40
#define VERSION_AT 1
#define IDS_AT 5
#define VERSION_BYTES 4

/* RFC 9000 15 reserves 0x?a?a?a?a to make servers negotiate. */
static const unsigned char reserved[VERSION_BYTES] = {
	0x1a, 0x2a, 0x3a, 0x4a,
};

static unsigned char *
put_id(unsigned char *at, const unsigned char id[QUIC_ID_BYTES])
{
	*at++ = QUIC_ID_BYTES;
	memcpy(at, id, QUIC_ID_BYTES);
	return at + QUIC_ID_BYTES;
}

/* What follows the header would be encrypted; zeros serve as well. */
void
quic_write_probe(const struct quic_ids *ids, unsigned char m[QUIC_PROBE_BYTES])
{
	unsigned char *at = m + IDS_AT;

	memset(m, 0, QUIC_PROBE_BYTES);
	m[0] = LONG_HEADER | FIXED_BIT;
	memcpy(m + VERSION_AT, reserved, VERSION_BYTES);
	at = put_id(at, ids->to);
	put_id(at, ids->from);
}

/* Takes an ID off the front of m; is it that one? */
static bool
take_id(struct str *m, const unsigned char id[QUIC_ID_BYTES])
{
	bool is_it = m->n > QUIC_ID_BYTES && m->p[0] == QUIC_ID_BYTES &&
	    memcmp(m->p + 1, id, QUIC_ID_BYTES) == 0;

	*m = str_skip(*m, 1 + QUIC_ID_BYTES);
	return is_it;
}

static uint32_t
get32(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < VERSION_BYTES; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

bool
quic_read_versions(struct str m, const struct quic_ids *ids,
    uint32_t out_versions[QUIC_VERSIONS_MAX], unsigned *out_n)
{
	unsigned n = 0;

	if (m.n < IDS_AT || !(m.p[0] & LONG_HEADER) ||
	    get32(m.p + VERSION_AT) != 0)
		return false;
	m = str_skip(m, IDS_AT);
	if (!take_id(&m, ids->from) || !take_id(&m, ids->to))
		return false;
	for (; m.n >= VERSION_BYTES && n < QUIC_VERSIONS_MAX; n++) {
		out_versions[n] = get32(m.p);
		m = str_skip(m, VERSION_BYTES);
	}
	*out_n = n;
	return n > 0;
}

const char *
quic_versions_text(const uint32_t *versions, unsigned n, char text[QUIC_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < n && used + 12 < QUIC_TEXT; i++)
		used += (size_t)snprintf(text + used, QUIC_TEXT - used,
		    " 0x%08x", (unsigned)versions[i]);
	return text;
}
