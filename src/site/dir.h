/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_DIR_H
#define SWS_SITE_DIR_H

#include "site/site.h"

/*
 * Answers with a listing of the directory open as `fd`, which is then the
 * answer's to close.  `path` is decoded: "" or with a slash at its end.
 */
void dir_answer(const struct site *s, struct exchange *x, int fd,
    struct str path);

#endif
