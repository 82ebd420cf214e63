/* SPDX-License-Identifier: ISC */
/*
 * sock check: what this system has and what this user may do, by trying it.
 * Nothing is changed: what is opened is closed again, and what would change
 * the process is tried by a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/diag.h"
#include "sock/verbs.h"

/* The lecture's names for families and protocols mean the same numbers. */
_Static_assert(AF_UNIX == PF_LOCAL && AF_INET == PF_INET &&
    AF_INET6 == PF_INET6, "AF_ and PF_ are the same on Linux");

#define NO_DOMAIN (-1)          /* Linux has no number for it */

struct kind {
	const char *name;
	int domain, type, protocol;
	const char *hint;       /* when it does not open; or NULL */
};

static const struct kind kinds[] = {
	{ "unix stream", AF_UNIX, SOCK_STREAM, 0, NULL },
	{ "unix datagram", AF_UNIX, SOCK_DGRAM, 0, NULL },
	{ "unix seqpacket", AF_UNIX, SOCK_SEQPACKET, 0, NULL },
	{ "TCP over IPv4", AF_INET, SOCK_STREAM, 0, NULL },
	{ "TCP over IPv6", AF_INET6, SOCK_STREAM, 0, NULL },
	{ "UDP over IPv4", AF_INET, SOCK_DGRAM, 0, NULL },
	{ "UDP over IPv6", AF_INET6, SOCK_DGRAM, 0, NULL },
	{ "MPTCP", AF_INET, SOCK_STREAM, IPPROTO_MPTCP,
	    "net.mptcp.enabled" },
	{ "UDP-Lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, NULL },
	{ "SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP, "kernel module sctp" },
	{ "DCCP", AF_INET, SOCK_DCCP, IPPROTO_DCCP, "kernel module dccp" },
	{ "ping (ICMP datagram)", AF_INET, SOCK_DGRAM, IPPROTO_ICMP,
	    "net.ipv4.ping_group_range" },
	{ "raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP, "CAP_NET_RAW" },
	{ "raw ICMPv6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "CAP_NET_RAW" },
	{ "packet (ARP, capture)", AF_PACKET, SOCK_RAW, 0, "CAP_NET_RAW" },
	{ "PF_ARP", NO_DOMAIN, SOCK_RAW, 0,
	    "no such domain on Linux; ARP is AF_PACKET with ETH_P_ARP" },
	{ "netlink", AF_NETLINK, SOCK_RAW, 0, NULL },
	{ "vsock", AF_VSOCK, SOCK_STREAM, 0, "kernel module vsock" },
	{ "TIPC", AF_TIPC, SOCK_STREAM, 0, "kernel module tipc" },
	{ "SMC", AF_SMC, SOCK_STREAM, 0, "kernel module smc" },
	{ "CAN", AF_CAN, SOCK_RAW, 1, "kernel module can" },
	{ "XDP", AF_XDP, SOCK_RAW, 0, "CAP_NET_RAW" },
	{ "RDM", AF_UNIX, SOCK_RDM, 0, "no family here has it" },
};

/* What to read, and why one may want to know it. */
static const struct knob {
	const char *name;
	const char *about;
} knobs[] = {
	{ "net/core/somaxconn", "the most a backlog can be" },
	{ "net/ipv4/tcp_max_syn_backlog", "half-open connections a listener" },
	{ "net/ipv4/tcp_syncookies", "1: a full SYN queue answers cookies" },
	{ "net/ipv4/tcp_abort_on_overflow", "1: a full backlog resets" },
	{ "net/ipv4/tcp_fin_timeout", "seconds in FIN_WAIT_2" },
	{ "net/ipv4/tcp_congestion_control", "congestion control" },
	{ "net/ipv4/ip_local_port_range", "the kernel's choice for port 0" },
	{ "net/ipv4/ip_unprivileged_port_start", "ports below need "
	    "CAP_NET_BIND_SERVICE" },
	{ "net/ipv4/ping_group_range", "groups that may ping; 1 0: none" },
	{ "net/ipv4/icmp_ratelimit", "ms between ICMP errors to one host" },
	{ "net/ipv4/icmp_ratemask", "the ICMP types that limit is for" },
	{ "net/ipv6/bindv6only", "1: [::] does not take IPv4" },
	{ "net/unix/max_dgram_qlen", "datagrams a unix socket holds" },
	{ "net/core/rmem_default", "SO_RCVBUF of UDP and unix" },
	{ "net/core/rmem_max", "the most SO_RCVBUF can ask for" },
	{ "net/core/wmem_default", "SO_SNDBUF of UDP and unix" },
	{ "net/core/wmem_max", "the most SO_SNDBUF can ask for" },
	{ "kernel/io_uring_disabled", "0: io_uring for all" },
	{ "user/max_user_namespaces", "0: no private networks for users" },
};

/* ---------------------------------------------------------------- saying */

static void
say_check(const char *group, const char *name, int err, const char *value,
    const char *about)
{
	struct record r;

	record_begin(&r, "check");
	record_text(&r, "group", group);
	record_text(&r, "name", name);
	record_bool(&r, "ok", err == 0);
	record_errno(&r, "errno", err);
	record_text(&r, "value", value);
	record_text(&r, "about", about);
	record_say(&r, SAY_ANSWER, "%-9s %-36s %-16s %s", group, name,
	    err == 0 ? (value != NULL ? value : "yes") : strerrorname_np(-err),
	    about != NULL ? about : "");
}

/* --------------------------------------------------------------- trying */

static void
check_kinds(void)
{
	int fd;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *k = &kinds[i];

		fd = call_socket(k->domain, k->type | SOCK_CLOEXEC,
		    k->protocol);
		say_check("socket", k->name, fd < 0 ? fd : 0, NULL,
		    fd < 0 ? k->hint : NULL);
		if (fd >= 0)
			call_close(fd);
	}
}

static int
bind_port_80(void)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(80),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = call_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return fd;
	err = call_bind(fd, (struct sockaddr *)&in, sizeof(in));
	call_close(fd);
	/* Who is in our way there was allowed what we ask about. */
	return err == -EADDRINUSE ? 0 : err;
}

/* Would this process lose something by it?  A child tries. */
static int
try_in_child(int (*attempt)(void))
{
	pid_t child = fork();
	int status;

	if (child == -1)
		return -errno;
	if (child == 0)
		_exit(-attempt());
	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int
make_namespaces(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1 ? -errno : 0;
}

static int
get_descriptor(void)
{
	int pidfd = pidfd_open(getppid(), 0), fd, err = 0;

	if (pidfd == -1)
		return -errno;
	fd = pidfd_getfd(pidfd, STDERR_FILENO, 0);
	if (fd == -1)
		err = -errno;
	else
		close(fd);
	close(pidfd);
	return err;
}

static void
check_rights(void)
{
	say_check("right", "ports below 1024", bind_port_80(), NULL,
	    "net.ipv4.ip_unprivileged_port_start");
	say_check("right", "private networks (labs)",
	    try_in_child(make_namespaces), NULL,
	    "unshare(2) of user and network namespaces");
	say_check("right", "another process's descriptors",
	    try_in_child(get_descriptor), NULL, "pidfd_getfd(2)");
}

static void
check_lists(void)
{
	for (enum diag_kind k = 0; k < DIAG_KINDS; k++) {
		struct diag_list list = { .n = 0 };
		char count[24];
		int err = diag_read(&list, k, false);

		snprintf(count, sizeof(count), "%zu", list.n);
		say_check("list", diag_kind_name(k), err, count,
		    "sockets that sock ls can see");
		diag_free(&list);
	}
}

static void
check_number(const char *name, long long n, const char *about)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", n);
	say_check("limit", name, 0, text, about);
}

static void
check_limits(void)
{
	struct rlimit files = { 0, 0 };
	int ends[2];

	check_number("FD_SETSIZE", FD_SETSIZE, "descriptors of select(2)");
	getrlimit(RLIMIT_NOFILE, &files);
	check_number("RLIMIT_NOFILE, soft", (long long)files.rlim_cur,
	    "descriptors of a process");
	check_number("RLIMIT_NOFILE, hard", (long long)files.rlim_max,
	    "what it may raise that to");
	if (pipe2(ends, O_CLOEXEC) == -1)
		return;
	check_number("PIPE_BUF", fpathconf(ends[0], _PC_PIPE_BUF),
	    "bytes that are written to a pipe in one piece");
	check_number("F_GETPIPE_SZ", fcntl(ends[0], F_GETPIPE_SZ),
	    "bytes that a pipe holds");
	close(ends[0]);
	close(ends[1]);
}

static void
check_knobs(void)
{
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		char path[96], value[64];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/sys/%s", knobs[i].name);
		f = fopen(path, "re");
		if (f == NULL || fgets(value, sizeof(value), f) == NULL) {
			say_check("knob", knobs[i].name, -ENOENT, NULL,
			    knobs[i].about);
		} else {
			value[strcspn(value, "\n")] = '\0';
			for (char *tab = value; *tab != '\0'; tab++)
				if (*tab == '\t')
					*tab = ' ';
			say_check("knob", knobs[i].name, 0, value,
			    knobs[i].about);
		}
		if (f != NULL)
			fclose(f);
	}
}

static void
check_names(void)
{
	static const struct {
		const char *name;
		int family;
	} families[] = {
		{ "localhost, IPv4", AF_INET },
		{ "localhost, IPv6", AF_INET6 },
	};
	struct addr found[ENDPOINTS_MAX];
	int n = addr_resolve("localhost", 0, found, ENDPOINTS_MAX);

	for (size_t i = 0; i < 2; i++) {
		int err = -ENOENT;

		for (int k = 0; k < n; k++)
			if (found[k].u.sa.sa_family == families[i].family)
				err = 0;
		say_check("name", families[i].name, err, NULL,
		    err < 0 ? "/etc/hosts has no such line" : NULL);
	}
}

static enum outcome
check_run(struct job *job)
{
	(void)job;
	check_kinds();
	check_rights();
	check_lists();
	check_limits();
	check_names();
	check_knobs();
	return OUTCOME_DONE;
}

const struct verb verb_check = {
	.name = "check",
	.operands = "",
	.least = 0,
	.most = 0,
	.about = "show what this system has and this user may do",
	.details =
	    "Each socket is opened, each right is tried; an error's name says\n"
	    "what came of it.\n",
	.size = sizeof(struct job),
	.run = check_run,
};
