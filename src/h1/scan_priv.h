/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_SCAN_PRIV_H
#define SWS_H1_SCAN_PRIV_H

/*
 * The means of h1_span, all of one opinion; the plain one is the truth.  The
 * others look up many bytes at once, each by its two halves: the lower one
 * picks a column, whose bits say for which upper halves, up to 7, the byte is
 * of the class.
 */

#include "h1/scan.h"

struct h1_columns {
	unsigned char low[16];
	bool takes_high;        /* all bytes above ASCII, or none */
};

extern const struct h1_columns h1_columns[H1_CLASSES];

struct h1_scanner {
	const char *name;
	bool (*is_here)(void);  /* can this processor do it? */
	size_t (*span)(struct str s, enum h1_class class);
};

/* Best first; the last one is the plain one. */
extern const struct h1_scanner h1_scanners[];
extern const size_t h1_n_scanners;

size_t h1_span_plain(struct str s, enum h1_class class);
size_t h1_span_ssse3(struct str s, enum h1_class class);
size_t h1_span_avx2(struct str s, enum h1_class class);
size_t h1_span_neon(struct str s, enum h1_class class);

#endif
