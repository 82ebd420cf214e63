/* SPDX-License-Identifier: ISC */
/* Filters by libpcap.  Its frames are those of Ethernet, as capture.h's. */
#include "sock/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>

static int
copy(const struct bpf_program *from, struct capture_filter *out)
{
	if (from->bf_len > CAPTURE_CODE_MAX)
		return -EINVAL;
	out->n = from->bf_len;
	for (unsigned i = 0; i < from->bf_len; i++)
		out->code[i] = (struct capture_code){
			.code = from->bf_insns[i].code,
			.if_true = from->bf_insns[i].jt,
			.if_false = from->bf_insns[i].jf,
			.k = from->bf_insns[i].k,
		};
	return 0;
}

int
filter_compile(const char *text, unsigned snap, struct capture_filter *out,
    char out_why[FILTER_WHY])
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, (int)snap);
	struct bpf_program program;
	int err = -EINVAL;

	if (dead == NULL) {
		snprintf(out_why, FILTER_WHY, "no memory");
		return -ENOMEM;
	}
	if (pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN) == 0) {
		err = copy(&program, out);
		snprintf(out_why, FILTER_WHY, "it is too long");
		pcap_freecode(&program);
	} else {
		snprintf(out_why, FILTER_WHY, "%s", pcap_geterr(dead));
	}
	pcap_close(dead);
	return err;
}
