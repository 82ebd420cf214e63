/* SPDX-License-Identifier: ISC */
/* Questions to the DNS, by res_nquery(3) and the parser that comes with it. */
#include "sock/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <string.h>

#define ANSWER_BYTES 4096
#define TIMEOUT_MAX_S 60

static const struct kind {
	int family;
	ns_type type;
	size_t bytes;
} kinds[] = {
	{ AF_INET6, ns_t_aaaa, sizeof(struct in6_addr) },
	{ AF_INET, ns_t_a, sizeof(struct in_addr) },
};

/* Of the answers, the addresses; aliases on the way have another type. */
static int
take_addresses(const unsigned char *answer, int n, const struct kind *k,
    struct dns_address *list, unsigned max)
{
	unsigned found = 0;
	ns_msg message;
	ns_rr rr;

	if (ns_initparse(answer, n, &message) == -1)
		return -EIO;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (found == max || ns_parserr(&message, ns_s_an, i, &rr) == -1)
			break;
		if (ns_rr_type(rr) != (unsigned)k->type ||
		    ns_rr_rdlen(rr) != k->bytes)
			continue;
		list[found].family = k->family;
		inet_ntop(k->family, ns_rr_rdata(rr), list[found].text,
		    sizeof(list[found].text));
		found++;
	}
	return (int)found;
}

static int
error_of(int h_error)
{
	switch (h_error) {
	case NO_DATA:
		return 0;       /* the name is, and has no such address */
	case HOST_NOT_FOUND:
		return -ENOENT;
	case TRY_AGAIN:
		return -ETIMEDOUT;
	case NETDB_INTERNAL:
		return errno != 0 ? -errno : -EIO;
	default:
		return -EIO;
	}
}

static int
ask_kind(res_state state, const char *name, const struct kind *k,
    struct dns_address *list, unsigned max)
{
	unsigned char answer[ANSWER_BYTES];
	int n;

	errno = 0;
	n = res_nquery(state, name, ns_c_in, (int)k->type, answer,
	    sizeof(answer));
	if (n < 0)
		return error_of(state->res_h_errno);
	/* What did not fit is not there. */
	return take_addresses(answer, n < ANSWER_BYTES ? n : ANSWER_BYTES, k,
	    list, max);
}

int
dns_ask(const char *name, int family, int64_t timeout_ms,
    struct dns_address *out_list, unsigned max)
{
	struct __res_state state;
	unsigned found = 0;
	int n = 0;

	memset(&state, 0, sizeof(state));
	if (res_ninit(&state) == -1)
		return -EIO;
	if (timeout_ms > 0 && timeout_ms < TIMEOUT_MAX_S * 1000) {
		state.retrans = (int)((timeout_ms + 999) / 1000);
		state.retry = 1;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (family != AF_UNSPEC && family != kinds[i].family)
			continue;
		n = ask_kind(&state, name, &kinds[i], out_list + found,
		    max - found);
		if (n < 0)
			break;
		found += (unsigned)n;
	}
	res_nclose(&state);
	return n < 0 ? n : (int)found;
}
