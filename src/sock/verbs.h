/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_VERBS_H
#define SWS_SOCK_VERBS_H

/* Each verb of its file, for the table in verb.c. */

#include "sock/verb.h"

extern const struct verb verb_cat;
extern const struct verb verb_serve;
extern const struct verb verb_send;
extern const struct verb verb_name;
extern const struct verb verb_opts;
extern const struct verb verb_pair;
extern const struct verb verb_run;
extern const struct verb verb_ls;
extern const struct verb verb_watch;
extern const struct verb verb_ping;
extern const struct verb verb_trace;
extern const struct verb verb_scan;
extern const struct verb verb_bench;
extern const struct verb verb_c10k;
extern const struct verb verb_check;
extern const struct verb verb_completion;
extern const struct verb verb_lab;

#endif
