/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_SCAN_H
#define SWS_H1_SCAN_H

/*
 * Which bytes may stand where in a head, and how far they go: a head is made
 * of runs of such bytes, and of what ends them.
 */

#include "base/str.h"

enum h1_class {
	H1_TOKEN,               /* tchar, RFC 9110 5.6.2 */
	H1_TARGET,              /* visible, but no "#"; octets above ASCII are
	                           let through as people's browsers send them */
	H1_VALUE,               /* field-vchar, SP and HTAB, RFC 9110 5.5 */
	H1_HOST,                /* reg-name, RFC 3986 3.2.2 */
	H1_CLASSES,
};

/*
 * How many bytes from the start of s are of this class?  By the best means
 * that this processor has; nothing behind s is read.
 */
size_t h1_span(struct str s, enum h1_class class);

#endif
