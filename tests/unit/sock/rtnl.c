/* SPDX-License-Identifier: ISC */
/*
 * Requests of rtnetlink as they are put together.  The loopback is named, for
 * every machine has one; nothing is asked of the kernel but its number.
 */

#include "sock/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "../cases.h"

static const struct nlmsghdr *
header(const struct rtnl *r)
{
	return (const void *)r->bytes;
}

/* The attribute of a type among n bytes; NULL when it is not there. */
static const struct rtattr *
find_in(const unsigned char *at, size_t n, unsigned type)
{
	const struct rtattr *a = (const void *)at;

	while (n >= sizeof(*a)) {
		assert_in_range(a->rta_len, sizeof(*a), n);
		if (a->rta_type == type)
			return a;
		if (RTA_ALIGN(a->rta_len) >= n)
			break;
		n -= RTA_ALIGN(a->rta_len);
		at += RTA_ALIGN(a->rta_len);
		a = (const void *)at;
	}
	return NULL;
}

/* Behind the body of the message. */
static const struct rtattr *
find(const struct rtnl *r, size_t body_bytes, unsigned type)
{
	size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(body_bytes);

	return find_in(r->bytes + head, header(r)->nlmsg_len - head, type);
}

static const struct rtattr *
find_inside(const struct rtattr *a, size_t skip, unsigned type)
{
	const unsigned char *at = (const unsigned char *)a + RTA_LENGTH(skip);

	assert_non_null(a);
	return find_in(at, a->rta_len - RTA_LENGTH(skip), type);
}

static const char *
text_of(const struct rtattr *a)
{
	assert_non_null(a);
	assert_int_equal(((const char *)a)[a->rta_len - 1], '\0');
	return (const char *)a + RTA_LENGTH(0);
}

static uint32_t
number_of(const struct rtattr *a)
{
	uint32_t value;

	assert_non_null(a);
	assert_int_equal(a->rta_len, RTA_LENGTH(sizeof(value)));
	memcpy(&value, (const char *)a + RTA_LENGTH(0), sizeof(value));
	return value;
}

static void
test_veth(void **state)
{
	const struct rtattr *info, *peer;
	struct rtnl r;

	(void)state;
	assert_int_equal(rtnl_veth(&r, "left", "right", 42), 0);
	assert_int_equal(header(&r)->nlmsg_type, RTM_NEWLINK);
	assert_int_equal(header(&r)->nlmsg_flags,
	    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
	assert_string_equal(text_of(find(&r, sizeof(struct ifinfomsg),
	    IFLA_IFNAME)), "left");
	info = find(&r, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	assert_string_equal(text_of(find_inside(info, 0, IFLA_INFO_KIND)),
	    "veth");
	peer = find_inside(find_inside(info, 0, IFLA_INFO_DATA), 0,
	    VETH_INFO_PEER);
	assert_string_equal(text_of(find_inside(peer,
	    sizeof(struct ifinfomsg), IFLA_IFNAME)), "right");
	assert_int_equal(number_of(find_inside(peer, sizeof(struct ifinfomsg),
	    IFLA_NET_NS_FD)), 42);
}

static void
test_names(void **state)
{
	struct rtnl r;

	(void)state;
	assert_int_equal(rtnl_veth(&r, "", "right", 1), -EINVAL);
	assert_int_equal(rtnl_veth(&r, "left", "a-name-too-long-", 1),
	    -EINVAL);
	assert_int_equal(rtnl_veth(&r, "fifteen-letters", "right", 1), 0);
	assert_int_equal(rtnl_bridge(&r, "a-name-too-long-"), -EINVAL);
	assert_int_equal(rtnl_set_up(&r, "no-such-link", true), -ENODEV);
	assert_int_equal(rtnl_plug(&r, "lo", "no-such-link"), -ENODEV);
	assert_int_equal(rtnl_is_running("no-such-link"), -ENODEV);
	/* The kernel is asked: the loopback's state is never "up". */
	assert_int_equal(rtnl_is_running("lo"), 0);
}

static void
test_up(void **state)
{
	struct ifinfomsg link;
	struct rtnl r;

	(void)state;
	for (unsigned is_up = 0; is_up <= 1; is_up++) {
		assert_int_equal(rtnl_set_up(&r, "lo", is_up), 0);
		memcpy(&link, r.bytes + NLMSG_HDRLEN, sizeof(link));
		assert_int_equal(link.ifi_index, if_nametoindex("lo"));
		assert_int_equal(link.ifi_change, IFF_UP);
		assert_int_equal(link.ifi_flags, is_up ? IFF_UP : 0);
	}
}

static const struct {
	const char *prefix;
	int err;
	int family;
	unsigned bits;
} prefixes[] = {
	{ "10.0.0.1/24", 0, AF_INET, 24 },
	{ "10.0.0.1", 0, AF_INET, 32 },
	{ "0.0.0.0/0", 0, AF_INET, 0 },
	{ "fd00::1/64", 0, AF_INET6, 64 },
	{ "::1", 0, AF_INET6, 128 },
	{ "10.0.0.1/33", -EINVAL, 0, 0 },
	{ "10.0.0.1/-1", -EINVAL, 0, 0 },
	{ "10.0.0.1/", -EINVAL, 0, 0 },
	{ "10.0.0.1/8x", -EINVAL, 0, 0 },
	{ "10.0.0/8", -EINVAL, 0, 0 },
	{ "fd00::1/129", -EINVAL, 0, 0 },
	{ "", -EINVAL, 0, 0 },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", -EINVAL, 0, 0 },
};

static void
test_address(void **state)
{
	struct ifaddrmsg m;
	struct rtnl r;

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		assert_int_equal(rtnl_address(&r, "lo", prefixes[i].prefix),
		    prefixes[i].err);
		if (prefixes[i].err != 0)
			continue;
		memcpy(&m, r.bytes + NLMSG_HDRLEN, sizeof(m));
		assert_int_equal(m.ifa_family, prefixes[i].family);
		assert_int_equal(m.ifa_prefixlen, prefixes[i].bits);
		assert_non_null(find(&r, sizeof(m), IFA_LOCAL));
	}
}

static void
test_broadcast(void **state)
{
	struct rtnl r;

	(void)state;
	assert_int_equal(rtnl_address(&r, "lo", "10.1.2.3/20"), 0);
	assert_int_equal(number_of(find(&r, sizeof(struct ifaddrmsg),
	    IFA_BROADCAST)), htonl(0x0a010fff));
	assert_int_equal(rtnl_address(&r, "lo", "fd00::1/64"), 0);
	assert_null(find(&r, sizeof(struct ifaddrmsg), IFA_BROADCAST));
}

static void
test_route(void **state)
{
	struct rtmsg m;
	struct rtnl r;

	(void)state;
	assert_int_equal(rtnl_route(&r, "10.0.0.0/8", "192.0.2.1"), 0);
	memcpy(&m, r.bytes + NLMSG_HDRLEN, sizeof(m));
	assert_int_equal(m.rtm_type, RTN_UNICAST);
	assert_int_equal(number_of(find(&r, sizeof(m), RTA_DST)),
	    htonl(0x0a000000));
	assert_int_equal(number_of(find(&r, sizeof(m), RTA_GATEWAY)),
	    htonl(0xc0000201));
	assert_int_equal(rtnl_route(&r, "0.0.0.0/0", NULL), 0);
	memcpy(&m, r.bytes + NLMSG_HDRLEN, sizeof(m));
	assert_int_equal(m.rtm_type, RTN_BLACKHOLE);
	assert_null(find(&r, sizeof(m), RTA_DST));
	assert_int_equal(rtnl_route(&r, "10.0.0.0/8", "fd00::1"), -EINVAL);
	assert_int_equal(rtnl_route(&r, "10.0.0.0/8", "gate"), -EINVAL);
}

static void
test_limit(void **state)
{
	const struct rtattr *options;
	struct rtnl r;

	(void)state;
	assert_int_equal(rtnl_limit(&r, "lo", 125000, 1600, 30000), 0);
	assert_int_equal(header(&r)->nlmsg_type, RTM_NEWQDISC);
	assert_string_equal(text_of(find(&r, sizeof(struct tcmsg), TCA_KIND)),
	    "tbf");
	options = find(&r, sizeof(struct tcmsg), TCA_OPTIONS);
	assert_int_equal(number_of(find_inside(options, 0, TCA_TBF_BURST)),
	    1600);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_veth),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_broadcast),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
