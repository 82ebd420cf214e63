/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_SHOW_H
#define SWS_SOCK_LAB_SHOW_H

/* How labs are told, as lines or as JSON objects (say.h). */

#include "sock/lab_run.h"

/* The labs and the rows of the checklist. */
void lab_show_list(void);
void lab_show_rows(void);

/* All of one lab: line of time, expectations, what was seen, statements. */
void lab_show_whole(struct lab_run *run);

/* One line of a table: name, seconds, verdict. */
void lab_show_line(struct lab_run *run);

/* A statement of the lecture, with what the lab of that run measured. */
void lab_show_claim(unsigned number, const struct lab_run *run);

#endif
