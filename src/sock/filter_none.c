/* SPDX-License-Identifier: ISC */
/* Without libpcap there is one filter: every packet. */
#include "sock/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>

int
filter_compile(const char *text, unsigned snap, struct capture_filter *out,
    char out_why[FILTER_WHY])
{
	if (*text != '\0') {
		snprintf(out_why, FILTER_WHY,
		    "sock was built without libpcap, which filters need");
		return -ENOSYS;
	}
	out->n = 1;
	out->code[0] = (struct capture_code){
		.code = BPF_RET | BPF_K,
		.k = snap,
	};
	return 0;
}
