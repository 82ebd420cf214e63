/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_DIR_H
#define SWS_SITE_DIR_H

#include "site/site.h"

/*
 * Answers with a listing of the directory open as `fd`, which is then the
 * answer's to close.  `path` is decoded, below the root of `s`: "" or with a
 * slash at its end.  `above` is of the same form and stands before it in the
 * address: "" unless the root is not that of all the site.  s->root must stay
 * open until the exchange ends.
 */
void dir_answer(const struct site *s, struct exchange *x, int fd,
    struct str above, struct str path);

#endif
