/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_SVG_H
#define SWS_SOCK_SVG_H

#include "sock/chart.h"

/*
 * Charts, one below the other, as an SVG picture that is legible on light and
 * on dark ground (prefers-color-scheme) and needs no font of its own.
 * Returns 0 or a negative errno.
 */
int svg_write(const char *path, const struct chart *const *charts, unsigned n);

#endif
