/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_TITLE_H
#define SWS_SERVER_TITLE_H

/* What ps(1) and top(1) show of a process. */

/*
 * Takes over the memory that main()'s arguments and environment stand in, and
 * puts copies in their place, so it comes before anything that keeps pointers
 * to them.  Without memory for the copies all titles stay as they are.
 */
void title_init(int argc, char **argv);

/* Shows "sws: " and this, as far as there is room. */
void title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
