/* SPDX-License-Identifier: ISC */
/* The grammar of addresses. */
#include "sock/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "../cases.h"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
	const char *text;
	enum address_kind kind;
	int family, type, protocol;
	const char *host;
	unsigned port;
	const char *service, *options;
} hosts[] = {
	{ "tcp:localhost:80", ADDRESS_INET, AF_UNSPEC, SOCK_STREAM, 0,
	    "localhost", 80, "", "" },
	{ "localhost:80", ADDRESS_INET, AF_UNSPEC, SOCK_STREAM, 0,
	    "localhost", 80, "", "" },
	{ "tcp4:127.0.0.1:0", ADDRESS_INET, AF_INET, SOCK_STREAM, 0,
	    "127.0.0.1", 0, "", "" },
	{ "tcp6:[::1]:65535", ADDRESS_INET, AF_INET6, SOCK_STREAM, 0,
	    "::1", 65535, "", "" },
	{ "[::1]:80", ADDRESS_INET, AF_INET6, SOCK_STREAM, 0,
	    "::1", 80, "", "" },
	{ "udp:[fe80::1%eth0]:53", ADDRESS_INET, AF_INET6, SOCK_DGRAM, 0,
	    "fe80::1%eth0", 53, "", "" },
	{ "udp4:*:9", ADDRESS_INET, AF_INET, SOCK_DGRAM, 0, "", 9, "", "" },
	{ "udp6::9", ADDRESS_INET, AF_INET6, SOCK_DGRAM, 0, "", 9, "", "" },
	{ "tcp::0", ADDRESS_INET, AF_UNSPEC, SOCK_STREAM, 0, "", 0, "", "" },
	{ ":0", ADDRESS_INET, AF_UNSPEC, SOCK_STREAM, 0, "", 0, "", "" },
	{ "mptcp:host:http", ADDRESS_INET, AF_UNSPEC, SOCK_STREAM,
	    IPPROTO_MPTCP, "host", 0, "http", "" },
	{ "tcp:h:1,nodelay,linger=0", ADDRESS_INET, AF_UNSPEC, SOCK_STREAM, 0,
	    "h", 1, "", "nodelay,linger=0" },
	{ "icmp:::1", ADDRESS_ICMP, AF_UNSPEC, 0, 0, "::1", 0, "", "" },
	{ "icmp:[::1]", ADDRESS_ICMP, AF_UNSPEC, 0, 0, "::1", 0, "", "" },
	{ "icmp:fe80::1%eth0", ADDRESS_ICMP, AF_UNSPEC, 0, 0, "fe80::1%eth0",
	    0, "", "" },
};

static void
test_hosts(void **state)
{
	struct address a;
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		wrong = address_parse(str_of(hosts[i].text), &a);
		if (wrong != NULL)
			fail_msg("\"%s\": %s", hosts[i].text, wrong);
		assert_int_equal(a.kind, hosts[i].kind);
		assert_int_equal(a.family, hosts[i].family);
		assert_int_equal(a.type, hosts[i].type);
		assert_int_equal(a.protocol, hosts[i].protocol);
		assert_true(str_eq(a.host, str_of(hosts[i].host)));
		assert_int_equal(a.port, hosts[i].port);
		assert_true(str_eq(a.service, str_of(hosts[i].service)));
		assert_true(str_eq(a.options, str_of(hosts[i].options)));
	}
}

static const struct {
	const char *text;
	enum address_kind kind;
	int type;
	bool is_abstract;
	const char *path;
} paths[] = {
	{ "unix:/run/x", ADDRESS_UNIX, SOCK_STREAM, false, "/run/x" },
	{ "unix:x:y,z", ADDRESS_UNIX, SOCK_STREAM, false, "x:y,z" },
	{ "unix:@name", ADDRESS_UNIX, SOCK_STREAM, true, "name" },
	{ "unix-dgram:socket", ADDRESS_UNIX, SOCK_DGRAM, false, "socket" },
	{ "unix-seqpacket:@q", ADDRESS_UNIX, SOCK_SEQPACKET, true, "q" },
	{ "/run/x", ADDRESS_UNIX, SOCK_STREAM, false, "/run/x" },
	{ "./a:b", ADDRESS_UNIX, SOCK_STREAM, false, "./a:b" },
	{ "../x", ADDRESS_UNIX, SOCK_STREAM, false, "../x" },
	{ "@name", ADDRESS_UNIX, SOCK_STREAM, true, "name" },
	{ "unix:/" HUNDRED "123456", ADDRESS_UNIX, SOCK_STREAM, false,
	    "/" HUNDRED "123456" },
	{ "file:/etc/hosts", ADDRESS_FILE, 0, false, "/etc/hosts" },
	{ "exec:tr a-z A-Z", ADDRESS_EXEC, 0, false, "tr a-z A-Z" },
	{ "-", ADDRESS_STDIO, 0, false, "" },
	{ "pipe:", ADDRESS_PIPE, 0, false, "" },
	{ "sink:", ADDRESS_SINK, 0, false, "" },
	{ "echo:", ADDRESS_ECHO, 0, false, "" },
	{ "source:", ADDRESS_SOURCE, 0, false, "" },
};

static void
test_paths(void **state)
{
	struct address a;
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		wrong = address_parse(str_of(paths[i].text), &a);
		if (wrong != NULL)
			fail_msg("\"%s\": %s", paths[i].text, wrong);
		assert_int_equal(a.kind, paths[i].kind);
		assert_int_equal(a.type, paths[i].type);
		assert_int_equal(a.is_abstract, paths[i].is_abstract);
		assert_true(str_eq(a.path, str_of(paths[i].path)));
	}
}

static void
test_numbers(void **state)
{
	struct address a;

	(void)state;
	assert_null(address_parse(S("fd:7"), &a));
	assert_int_equal(a.fd, 7);
	assert_null(address_parse(S("pid:1234/9"), &a));
	assert_int_equal(a.pid, 1234);
	assert_int_equal(a.fd, 9);
	assert_null(address_parse(S("source:10M"), &a));
	assert_true(a.has_size);
	assert_int_equal(a.size, 10 << 20);
}

static const struct str refused[] = {
	STR(""), STR("localhost"), STR("tcp:"), STR("tcp:localhost"),
	STR("tcp:localhost:"), STR("tcp:localhost:65536"),
	STR("tcp:localhost:-1"), STR("tcp:localhost:8o"),
	STR("tcp:localhost:99999999999999999999999"), STR("tcp:::1:80"),
	STR("::1"), STR("tcp:[::1]"), STR("tcp:[::1]80"), STR("tcp:[::1:80"),
	STR("tcp:[127.0.0.1]:80"), STR("tcp4:[::1]:80"),
	STR("tcp6:[fe80::1%]:80"), STR("tcp:a b:80"), STR("tcp:a:b c"),
	STR("tcp:h:80,"), STR("tcp:" HUNDRED HUNDRED HUNDRED ":80"),
	STR("tcp:h:" HUNDRED), STR("tcp:h\0st:80"), STR("tcp:h:ht\0tp"),
	STR("unix:"), STR("unix:@"), STR("unix:a\0b"), STR("@"),
	STR("unix:/" HUNDRED "1234567"), STR("unix:@" HUNDRED "12345678"),
	STR("icmp:"), STR("icmp:a b"), STR("fd:"), STR("fd:-1"), STR("fd:x"),
	STR("fd:99999999999"), STR("pid:"), STR("pid:1"), STR("pid:/1"),
	STR("pid:1/"), STR("file:"), STR("exec:"), STR("pipe:x"),
	STR("source:x"), STR("source:99999999T"), STR("sink:x"),
};

static void
test_refused(void **state)
{
	struct address a, before;

	(void)state;
	memset(&a, 0x55, sizeof(a));
	before = a;
	for (size_t i = 0; i < COUNT(refused); i++) {
		if (address_parse(refused[i], &a) == NULL)
			fail_msg("\"%.*s\" was taken", STR_ARG(refused[i]));
		assert_memory_equal(&a, &before, sizeof(a));
	}
}

/* What browsers and other tools are given: it says what is meant instead. */
static void
test_urls(void **state)
{
	static const char *const urls[] = {
		"http://localhost/", "http://localhost:80/x", "https://[::1]/",
		"tcp://localhost:80", "udp6://[::1]:53",
	};
	struct address a;
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		wrong = address_parse(str_of(urls[i]), &a);
		assert_non_null(wrong);
		if (strstr(wrong, "tcp:HOST:PORT") == NULL)
			fail_msg("\"%s\": %s", urls[i], wrong);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
