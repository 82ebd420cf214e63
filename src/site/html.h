/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_HTML_H
#define SWS_SITE_HTML_H

/* Names of files in pages of ours: any bytes but NUL. */

#include "base/str.h"

enum {
	HTML_IN_URL = 1,        /* not to be written as it is in a path, */
	HTML_IN_TEXT = 2,       /* in text or a quoted attribute */
};

/* Bits: where s cannot be written as it is.  Most names can everywhere. */
unsigned html_special(struct str s);

/*
 * Writes s as text at `at`, where there is room for 6 bytes each, and returns
 * the end.  What is not a character, or one that only controls, is shown as
 * U+FFFD.
 */
char *html_put(char *at, struct str s);

#endif
