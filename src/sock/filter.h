/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_FILTER_H
#define SWS_SOCK_FILTER_H

/*
 * Filters in the language of pcap-filter(7): "tcp port 80 and host 10.0.0.1".
 * libpcap translates them; where sock was built without it, only the empty
 * one, which takes every packet, is known.
 */

#include "sock/capture.h"

#define FILTER_WHY 256

/*
 * Of each packet that it takes `snap` bytes are kept.  0, -EINVAL when it is
 * no filter, or -ENOSYS without libpcap; out_why then says more.
 */
int filter_compile(const char *text, unsigned snap,
    struct capture_filter *out, char out_why[FILTER_WHY]);

#endif
