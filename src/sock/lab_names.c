/* SPDX-License-Identifier: ISC */
/*
 * Labs on names and families of addresses.  The lab has its own /etc/hosts,
 * nsswitch.conf(5) and resolv.conf(5), mounted over those of the machine in
 * its own namespace, and its own server for DNS.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

#define TEXT_BYTES 128
#define LIST_BYTES 160
#define DNS_BYTES 512           /* of a message without extensions */
#define DNS_HEADER 12
#define DNS_A 1
#define DNS_ADDRESS "192.0.2.53"

static const struct {
	const char *file, *over, *text;
} files[] = {
	{ "hosts", "/etc/hosts",
	    "127.0.0.1 localhost v4only both three here.lab\n"
	    "::1 v6only both\n"
	    "127.0.0.2 three\n"
	    "127.0.0.3 three\n" },
	{ "nsswitch.conf", "/etc/nsswitch.conf", "hosts: files dns\n" },
	{ "resolv.conf", "/etc/resolv.conf", "nameserver 127.0.0.1\n" },
};

static int
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd == -1)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* False, said why, when one of them cannot be mounted. */
static bool
mount_files(struct lab *lab)
{
	int err;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		err = put_file(files[i].file, files[i].text);
		if (err == 0 && mount(files[i].file, files[i].over, NULL,
		    MS_BIND, NULL) == -1)
			err = -errno;
		lab_note(lab, "mount(%s) = %s", files[i].over,
		    err == 0 ? "0" : strerrorname_np(-err));
		if (err < 0) {
			lab_skip(lab, "%s cannot be mounted: %s",
			    files[i].over, strerrorname_np(-err));
			return false;
		}
	}
	return true;
}

/* ------------------------------------------------------ a server of DNS */

/* Behind the name and 4 bytes more; 0 when it is no question (RFC 1035). */
static size_t
question_end(const unsigned char *m, size_t n)
{
	size_t at = DNS_HEADER;

	while (at < n && m[at] != 0)
		at += (size_t)m[at] + 1;
	return at + 5 <= n ? at + 5 : 0;
}

/* What is asked for gets the same address; other types have no answer. */
static size_t
answer_dns(unsigned char *m, size_t n)
{
	static const unsigned char tail[] = {
		0xc0, DNS_HEADER, 0, DNS_A, 0, 1, 0, 0, 0, 0, 0, 4,
	};
	size_t end = question_end(m, n);
	bool wants_a;

	if (end == 0)
		return 0;
	wants_a = m[end - 4] == 0 && m[end - 3] == DNS_A;
	m[2] = 0x81;            /* an answer, and recursion was wanted */
	m[3] = 0x80;
	m[7] = wants_a;
	memset(m + 8, 0, 4);
	if (!wants_a || end + sizeof(tail) + 4 > DNS_BYTES)
		return end;
	memcpy(m + end, tail, sizeof(tail));
	inet_pton(AF_INET, DNS_ADDRESS, m + end + sizeof(tail));
	return end + sizeof(tail) + 4;
}

/* Until the lab is over. */
static int
serve_dns(struct lab *lab, void *arg)
{
	unsigned char m[DNS_BYTES];
	struct lab_addr from = { 0 };
	int fd = *(int *)arg;
	ssize_t n;

	(void)lab;
	do {
		from.n = sizeof(from.u);
		n = recvfrom(fd, m, sizeof(m), 0, &from.u.sa, &from.n);
		if (n <= DNS_HEADER)
			break;
		n = (ssize_t)answer_dns(m, (size_t)n);
	} while (sendto(fd, m, (size_t)n, 0, &from.u.sa, from.n) == n);
	return 1;
}

/* What DNS itself says of a name; "" when nothing. */
static void
ask_dns(const char *name, char out_host[INET_ADDRSTRLEN])
{
	struct lab_addr to = lab_inet("127.0.0.1", 53);
	unsigned char m[DNS_BYTES] = { 0x12, 0x34, 1, 0, 0, 1 };
	size_t at = DNS_HEADER, label;
	struct pollfd p = { .events = POLLIN };
	ssize_t n;

	out_host[0] = '\0';
	for (; *name != '\0'; name += label + (name[label] == '.')) {
		label = strcspn(name, ".");
		m[at++] = (unsigned char)label;
		memcpy(m + at, name, label);
		at += label;
	}
	m[at + 2] = DNS_A;
	m[at + 4] = 1;
	p.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sendto(p.fd, m, at + 5, 0, &to.u.sa, to.n);
	n = poll(&p, 1, LAB_AWAIT_MS) == 1 ? recv(p.fd, m, sizeof(m), 0) : -1;
	close(p.fd);
	if (n >= 4 && (size_t)n > at + 5)
		inet_ntop(AF_INET, m + n - 4, out_host, INET_ADDRSTRLEN);
}

/* --------------------------------------------------------------- names */

/* "::1 127.0.0.1", or the resolver's reason. */
static int
resolve(struct lab *lab, const char *name, int family, char out[LIST_BYTES])
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
	}, *list, *a;
	char host[NI_MAXHOST];
	size_t n = 0;
	int err = getaddrinfo(name, NULL, &hints, &list);

	out[0] = '\0';
	if (err != 0) {
		snprintf(out, LIST_BYTES, "%s", gai_strerror(err));
	} else {
		for (a = list; a != NULL && n < LIST_BYTES - 48;
		    a = a->ai_next) {
			getnameinfo(a->ai_addr, a->ai_addrlen, host,
			    sizeof(host), NULL, 0, NI_NUMERICHOST);
			n += (size_t)snprintf(out + n, LIST_BYTES - n,
			    "%s%.45s", n > 0 ? " " : "", host);
		}
		freeaddrinfo(list);
	}
	lab_note(lab, "getaddrinfo(%s%s): %s", name,
	    family == AF_INET6 ? ", AF_INET6" : "", out);
	return err;
}

static void
expect_list(struct lab *lab, const char *name, const char *wanted)
{
	char list[LIST_BYTES];

	resolve(lab, name, AF_UNSPEC, list);
	lab_expect(lab, strcmp(list, wanted) == 0, "%s: %s", name, list);
}

/* The lecture's call: it takes a name, and gives addresses of hosts. */
static void
show_gethostbyname(struct lab *lab)
{
	struct hostent *h = gethostbyname("three");
	char host[INET_ADDRSTRLEN] = "";
	unsigned n = 0;

	if (h != NULL)
		while (h->h_addr_list[n] != NULL)
			n++;
	lab_expect(lab, n == 3, "gethostbyname(three): %u addresses, of which"
	    " h_addr is the first", n);
	h = gethostbyname("80");
	if (h != NULL)
		inet_ntop(AF_INET, h->h_addr_list[0], host, sizeof(host));
	lab_note(lab, "gethostbyname(80): %s", host);
	lab_claim(lab, 3, strcmp(host, "0.0.0.80") != 0,
	    "gethostbyname(\"80\") is the host %s, not a port", host);
	h = gethostbyname2("v4only", AF_INET6);
	lab_expect(lab, h == NULL, "gethostbyname2(v4only, AF_INET6) finds"
	    " nothing: so the lecture's streamwrite fails on a localhost"
	    " without ::1");
}

/* Tries each address in turn; how many refused before one was there. */
static int
connect_any(struct lab *lab, const char *name, unsigned port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	struct lab_addr to = { 0 };
	int fd, err = -ENOENT, failed = 0;
	char service[16];

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(name, service, &hints, &list) != 0)
		return -1;
	for (a = list; a != NULL && err < 0; a = a->ai_next) {
		memcpy(&to.u, a->ai_addr, a->ai_addrlen);
		to.n = a->ai_addrlen;
		fd = lab_socket(lab, a->ai_family, SOCK_STREAM, 0);
		err = lab_connect(lab, fd, &to);
		lab_close(lab, fd);
		failed += err < 0;
	}
	freeaddrinfo(list);
	return err < 0 ? -1 : failed;
}

static void
show_connecting(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int failed;

	lab_listener(lab, &at, 5);
	failed = connect_any(lab, "both", lab_port(&at));
	lab_expect(lab, failed == 1, "both: %d address refused, the next"
	    " connects", failed);
	failed = connect_any(lab, "v6only", lab_port(&at));
	lab_expect(lab, failed == -1, "v6only: the server has no IPv6, all"
	    " refused");
}

static void
show_sources(struct lab *lab)
{
	char dns[INET_ADDRSTRLEN], list[LIST_BYTES];

	resolve(lab, "here.lab", AF_INET, list);
	ask_dns("here.lab", dns);
	lab_note(lab, "DNS itself, of here.lab: %s", dns);
	lab_expect(lab, strcmp(list, "127.0.0.1") == 0 &&
	    strcmp(dns, DNS_ADDRESS) == 0,
	    "\"hosts: files dns\": the file's %s wins; DNS alone says %s",
	    list, dns);
	resolve(lab, "there.lab", AF_INET, list);
	lab_expect(lab, strcmp(list, DNS_ADDRESS) == 0,
	    "what no file has is asked of DNS: %s", list);
}

void
lesson_names(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 53);
	struct lab_addr v6 = lab_inet("::1", 0);
	char list[LIST_BYTES];
	int fd;

	if (!mount_files(lab))
		return;
	if (lab_bind(lab, lab_socket(lab, AF_INET6, SOCK_DGRAM, 0), &v6) < 0) {
		lab_skip(lab, "no IPv6 here, so names have no choice");
		return;
	}
	fd = lab_bound(lab, SOCK_DGRAM, &at);
	lab_fork(lab, "dns", serve_dns, &fd);
	expect_list(lab, "v4only", "127.0.0.1");
	expect_list(lab, "v6only", "::1");
	expect_list(lab, "both", "::1 127.0.0.1");
	resolve(lab, "three", AF_UNSPEC, list);
	lab_expect(lab, strlen(list) == strlen("127.0.0.1 127.0.0.2 127.0.0.3"),
	    "three: %s", list);
	lab_expect(lab, resolve(lab, "v4only", AF_INET6, list) != 0,
	    "v4only has no IPv6: %s", list);
	show_gethostbyname(lab);
	show_connecting(lab);
	show_sources(lab);
	lab_say(lab, "A name may have many addresses: getaddrinfo(3) gives all,"
	    " in the order in which to try them. host(1) and dig(1) ask DNS"
	    " only; programs follow nsswitch.conf(5), files first.");
}

/* ---------------------------------------------------------------- dual */

static int
dual_listener(struct lab *lab, struct lab_addr *at, int only_v6)
{
	int fd = lab_socket(lab, AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	lab_set(lab, fd, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY", only_v6);
	if (lab_bind(lab, fd, at) < 0 || lab_listen(lab, fd, 5) < 0)
		return -EADDRNOTAVAIL;
	lab_name(lab, fd, at);
	return fd;
}

static int
connect_to(struct lab *lab, const char *host, unsigned port)
{
	struct lab_addr to = lab_inet(host, port);
	int fd = lab_socket(lab, to.u.sa.sa_family, SOCK_STREAM, 0);

	return lab_connect(lab, fd, &to);
}

static int
bind_v4(struct lab *lab, unsigned port)
{
	struct lab_addr at = lab_inet("0.0.0.0", port);
	int fd = lab_socket(lab, AF_INET, SOCK_STREAM, 0);
	int err = lab_bind(lab, fd, &at);

	lab_close(lab, fd);
	return err;
}

static void
show_both_families(struct lab *lab)
{
	struct lab_addr peer = { 0 }, at = lab_inet("::", 0);
	int listener = dual_listener(lab, &at, 0), err;
	char text[LAB_ADDR_TEXT];

	err = connect_to(lab, "127.0.0.1", lab_port(&at));
	lab_expect(lab, err == 0, "V6ONLY 0: an IPv4 client connects");
	lab_accept(lab, listener, &peer);
	lab_addr_text(&peer, text);
	lab_expect(lab, IN6_IS_ADDR_V4MAPPED(&peer.u.in6.sin6_addr),
	    "it appears as %s", text);
	err = connect_to(lab, "::1", lab_port(&at));
	lab_expect(lab, err == 0, "V6ONLY 0: an IPv6 client connects");
	err = bind_v4(lab, lab_port(&at));
	lab_expect(lab, err == -EADDRINUSE, "0.0.0.0 with that port is taken:"
	    " EADDRINUSE");
}

static void
show_one_family(struct lab *lab)
{
	struct lab_addr at = lab_inet("::", 0);
	int err;

	dual_listener(lab, &at, 1);
	err = connect_to(lab, "127.0.0.1", lab_port(&at));
	lab_expect(lab, err == -ECONNREFUSED, "V6ONLY 1: IPv4 is refused");
	err = connect_to(lab, "::1", lab_port(&at));
	lab_expect(lab, err == 0, "V6ONLY 1: IPv6 connects");
	err = bind_v4(lab, lab_port(&at));
	lab_expect(lab, err == 0, "0.0.0.0 with that port is free");
}

/* What getaddrinfo(3) proposes to bind; who takes the first has one family. */
static void
show_passive(struct lab *lab)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	}, *list, *a;
	unsigned families = 0;

	if (getaddrinfo(NULL, "80", &hints, &list) != 0) {
		lab_skip(lab, "AI_PASSIVE: no answer");
		return;
	}
	lab_note(lab, "getaddrinfo(NULL, AI_PASSIVE): %s first",
	    list->ai_family == AF_INET ? "0.0.0.0" : "::");
	for (a = list; a != NULL; a = a->ai_next)
		families |= a->ai_family == AF_INET ? 1 : 2;
	lab_expect(lab, families == 3, "AI_PASSIVE gives 0.0.0.0 and ::, %s"
	    " first: who binds only the first may miss the other",
	    list->ai_family == AF_INET ? "0.0.0.0" : "::");
	freeaddrinfo(list);
}

void
lesson_dual(struct lab *lab)
{
	struct lab_addr at = lab_inet("::1", 0);

	if (dual_listener(lab, &at, 1) < 0) {
		lab_skip(lab, "no IPv6 here");
		return;
	}
	show_both_families(lab);
	show_one_family(lab);
	show_passive(lab);
	lab_say(lab, "One IPv6 socket serves both families, unless"
	    " IPV6_V6ONLY; then each needs its own.");
}
