/* SPDX-License-Identifier: ISC */
/*
 * One row an option.  What a row says of its effect was tried on Linux; that
 * the kernel doubles buffers and refuses SO_SNDLOWAT is socket(7).
 */
#include "sock/sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sock/call.h"
#include "sock/options.h"

/* The longest text that is set: a congestion control or device is shorter. */
#define TEXT_MAX 63

enum { GET = 1, SET = 2, BOTH = 3 };

/* Two, not one on top of the other: #option must not be expanded before. */
#define LECTURE(name, option, type, may, about) \
	{ name, #option, SOL_SOCKET, option, SOCKOPT_##type, \
		((may) & GET) != 0, ((may) & SET) != 0, true, about }
#define MORE(name, level, option, type, may, about) \
	{ name, #option, level, option, SOCKOPT_##type, \
		((may) & GET) != 0, ((may) & SET) != 0, false, about }

static const struct sockopt sockopts[] = {
	LECTURE("debug", SO_DEBUG, FLAG, BOTH,
	    "record debugging information; no effect on Linux, needs root"),
	LECTURE("reuseaddr", SO_REUSEADDR, FLAG, BOTH,
	    "bind in spite of connections in TIME_WAIT"),
	LECTURE("reuseport", SO_REUSEPORT, FLAG, BOTH,
	    "share the port with other sockets of this user that ask too"),
	LECTURE("keepalive", SO_KEEPALIVE, FLAG, BOTH,
	    "probe a silent peer, and end the connection when it is gone"),
	LECTURE("dontroute", SO_DONTROUTE, FLAG, BOTH,
	    "send to the attached networks only, not through routers"),
	LECTURE("linger", SO_LINGER, LINGER, BOTH,
	    "close waits so long for unsent data; 0 resets the connection"),
	LECTURE("broadcast", SO_BROADCAST, FLAG, BOTH,
	    "may send to broadcast addresses (EACCES without)"),
	LECTURE("oobinline", SO_OOBINLINE, FLAG, BOTH,
	    "urgent data is read in its place in the stream"),
	LECTURE("sndbuf", SO_SNDBUF, INT, BOTH,
	    "bytes that may wait to be sent; Linux doubles what is asked"),
	LECTURE("rcvbuf", SO_RCVBUF, INT, BOTH,
	    "bytes that may wait to be read; Linux doubles what is asked"),
	LECTURE("sndlowat", SO_SNDLOWAT, INT, GET,
	    "room that makes writable; 1 on Linux, cannot be set"),
	LECTURE("rcvlowat", SO_RCVLOWAT, INT, BOTH,
	    "bytes that make readable"),
	LECTURE("sndtimeo", SO_SNDTIMEO, TIME, BOTH,
	    "a send that waits longer fails (EAGAIN); 0 waits for ever"),
	LECTURE("rcvtimeo", SO_RCVTIMEO, TIME, BOTH,
	    "a receive that waits longer fails (EAGAIN); 0 waits for ever"),
	LECTURE("timestamp", SO_TIMESTAMP, FLAG, BOTH,
	    "recvmsg tells when a datagram came"),
	LECTURE("type", SO_TYPE, INT, GET, "1 stream, 2 datagram, 3 raw"),
	LECTURE("error", SO_ERROR, ERROR, GET,
	    "the error that waits; reading it clears it"),

	MORE("acceptconn", SOL_SOCKET, SO_ACCEPTCONN, FLAG, GET,
	    "does it listen?"),
	MORE("domain", SOL_SOCKET, SO_DOMAIN, INT, GET,
	    "1 unix, 2 IPv4, 10 IPv6"),
	MORE("protocol", SOL_SOCKET, SO_PROTOCOL, INT, GET,
	    "6 TCP, 17 UDP, 1 ICMP, 262 MPTCP, 0 unix"),
	MORE("peercred", SOL_SOCKET, SO_PEERCRED, CREDS, GET,
	    "who the peer of a unix stream was when it connected"),
	MORE("passcred", SOL_SOCKET, SO_PASSCRED, FLAG, BOTH,
	    "recvmsg tells who sent (unix)"),
	MORE("bindtodevice", SOL_SOCKET, SO_BINDTODEVICE, TEXT, BOTH,
	    "only this network interface"),
	MORE("mark", SOL_SOCKET, SO_MARK, INT, BOTH,
	    "for routing and filters; needs CAP_NET_ADMIN"),
	MORE("priority", SOL_SOCKET, SO_PRIORITY, INT, BOTH,
	    "of what is sent, for the queue of the interface"),
	MORE("incoming-cpu", SOL_SOCKET, SO_INCOMING_CPU, INT, BOTH,
	    "the processor that its packets come in by"),
	MORE("sndbufforce", SOL_SOCKET, SO_SNDBUFFORCE, INT, SET,
	    "sndbuf above wmem_max; needs CAP_NET_ADMIN"),
	MORE("rcvbufforce", SOL_SOCKET, SO_RCVBUFFORCE, INT, SET,
	    "rcvbuf above rmem_max; needs CAP_NET_ADMIN"),
	MORE("rxq-ovfl", SOL_SOCKET, SO_RXQ_OVFL, FLAG, BOTH,
	    "recvmsg tells how many datagrams were dropped"),
	MORE("timestampns", SOL_SOCKET, SO_TIMESTAMPNS, FLAG, BOTH,
	    "as timestamp, in nanoseconds"),
	MORE("busy-poll", SOL_SOCKET, SO_BUSY_POLL, INT, BOTH,
	    "microseconds to poll the device before sleeping"),

	MORE("nodelay", SOL_TCP, TCP_NODELAY, FLAG, BOTH,
	    "small segments leave at once (no Nagle)"),
	MORE("cork", SOL_TCP, TCP_CORK, FLAG, BOTH,
	    "only full segments leave, until it is off again"),
	MORE("maxseg", SOL_TCP, TCP_MAXSEG, INT, BOTH,
	    "the largest segment, in bytes"),
	MORE("congestion", SOL_TCP, TCP_CONGESTION, TEXT, BOTH,
	    "the congestion control: cubic, reno, bbr"),
	MORE("keepidle", SOL_TCP, TCP_KEEPIDLE, INT, BOTH,
	    "seconds of silence before the first keepalive probe"),
	MORE("keepintvl", SOL_TCP, TCP_KEEPINTVL, INT, BOTH,
	    "seconds between keepalive probes"),
	MORE("keepcnt", SOL_TCP, TCP_KEEPCNT, INT, BOTH,
	    "keepalive probes without an answer that end a connection"),
	MORE("user-timeout", SOL_TCP, TCP_USER_TIMEOUT, INT, BOTH,
	    "ms that sent data may stay without acknowledgement"),
	MORE("syncnt", SOL_TCP, TCP_SYNCNT, INT, BOTH,
	    "how often a SYN is sent again"),
	MORE("defer-accept", SOL_TCP, TCP_DEFER_ACCEPT, INT, BOTH,
	    "seconds to wait for data before accept(2) gives a connection"),
	MORE("quickack", SOL_TCP, TCP_QUICKACK, FLAG, BOTH,
	    "acknowledge at once, for now"),
	MORE("linger2", SOL_TCP, TCP_LINGER2, INT, BOTH,
	    "seconds in FIN_WAIT_2 after close"),
	MORE("window-clamp", SOL_TCP, TCP_WINDOW_CLAMP, INT, BOTH,
	    "the largest window that is offered"),
	MORE("notsent-lowat", SOL_TCP, TCP_NOTSENT_LOWAT, INT, BOTH,
	    "writable only while less than this is not yet sent"),
	MORE("fastopen", SOL_TCP, TCP_FASTOPEN, INT, BOTH,
	    "how many may connect with data in their SYN"),

	MORE("ttl", SOL_IP, IP_TTL, INT, BOTH,
	    "how many routers a packet may pass"),
	MORE("tos", SOL_IP, IP_TOS, INT, BOTH,
	    "the class of service of what is sent"),
	MORE("mtu-discover", SOL_IP, IP_MTU_DISCOVER, INT, BOTH,
	    "0 may fragment, 2 must not (EMSGSIZE)"),
	MORE("mtu", SOL_IP, IP_MTU, INT, GET,
	    "what the path takes; of connected sockets"),
	MORE("recverr", SOL_IP, IP_RECVERR, FLAG, BOTH,
	    "ICMP errors can be read, with who sent them (MSG_ERRQUEUE)"),
	MORE("pktinfo", SOL_IP, IP_PKTINFO, FLAG, BOTH,
	    "recvmsg tells which address a datagram was sent to"),
	MORE("freebind", SOL_IP, IP_FREEBIND, FLAG, BOTH,
	    "bind an address that is not there (yet)"),
	MORE("multicast-ttl", SOL_IP, IP_MULTICAST_TTL, INT, BOTH,
	    "ttl of multicast"),
	MORE("multicast-loop", SOL_IP, IP_MULTICAST_LOOP, FLAG, BOTH,
	    "multicast is heard on this machine too"),
	MORE("v6only", SOL_IPV6, IPV6_V6ONLY, FLAG, BOTH,
	    "no IPv4 on this IPv6 socket"),
	MORE("hops", SOL_IPV6, IPV6_UNICAST_HOPS, INT, BOTH,
	    "the ttl of IPv6; -1 is the system's"),
	MORE("tclass", SOL_IPV6, IPV6_TCLASS, INT, BOTH,
	    "the class of service of IPv6"),
	{ .name = NULL },
};

const struct sockopt *
sockopt_table(void)
{
	return sockopts;
}

const struct sockopt *
sockopt_find(struct str name)
{
	for (const struct sockopt *o = sockopts; o->name != NULL; o++)
		if (str_eq(str_of(o->name), name) ||
		    str_eq_nocase(str_of(o->c_name), name))
			return o;
	return NULL;
}

const struct sockopt *
sockopt_of(int level, int option)
{
	for (const struct sockopt *o = sockopts; o->name != NULL; o++)
		if (o->level == level && o->option == option)
			return o;
	return NULL;
}

const char *
sockopt_level_name(int level)
{
	switch (level) {
	case SOL_SOCKET:
		return "SOL_SOCKET";
	case SOL_TCP:
		return "SOL_TCP";
	case SOL_IP:
		return "SOL_IP";
	case SOL_IPV6:
		return "SOL_IPV6";
	default:
		return NULL;
	}
}

/* ------------------------------------------------------------- reading */

union value {
	int number;
	struct timeval time;
	struct linger linger;
	struct ucred creds;
	char text[TEXT_MAX + 1];
};

static socklen_t
size_of(enum sockopt_type type)
{
	switch (type) {
	case SOCKOPT_TIME:
		return sizeof(struct timeval);
	case SOCKOPT_LINGER:
		return sizeof(struct linger);
	case SOCKOPT_CREDS:
		return sizeof(struct ucred);
	case SOCKOPT_TEXT:
		return TEXT_MAX;
	case SOCKOPT_FLAG:
	case SOCKOPT_INT:
	case SOCKOPT_ERROR:
		break;
	}
	return sizeof(int);
}

static void
write_value(const struct sockopt *o, const union value *v, char *text)
{
	const size_t size = SOCKOPT_VALUE_TEXT;
	const char *name;

	switch (o->type) {
	case SOCKOPT_TIME:
		snprintf(text, size, "%lld.%06lld s", (long long)v->time.tv_sec,
		    (long long)v->time.tv_usec);
		return;
	case SOCKOPT_LINGER:
		if (v->linger.l_onoff)
			snprintf(text, size, "%d s", v->linger.l_linger);
		else
			snprintf(text, size, "off");
		return;
	case SOCKOPT_CREDS:
		snprintf(text, size, "pid %d uid %d gid %d", v->creds.pid,
		    (int)v->creds.uid, (int)v->creds.gid);
		return;
	case SOCKOPT_TEXT:
		snprintf(text, size, "\"%s\"", v->text);
		return;
	case SOCKOPT_ERROR:
		name = strerrorname_np(v->number);
		snprintf(text, size, "%s", v->number == 0 ? "0" :
		    name != NULL ? name : "?");
		return;
	case SOCKOPT_FLAG:
	case SOCKOPT_INT:
		snprintf(text, size, "%d", v->number);
		return;
	}
}

int
sockopt_get(int fd, const struct sockopt *o, char out_text[SOCKOPT_VALUE_TEXT])
{
	socklen_t len = size_of(o->type);
	union value v = { .text = "" };
	int err;

	err = call_getsockopt(fd, o->level, o->option, &v, &len);
	if (err < 0)
		return err;
	write_value(o, &v, out_text);
	return 0;
}

/* ------------------------------------------------------------- setting */

/* A number with an optional sign and unit. */
static int
parse_number(struct str s, int *out_number)
{
	char text[24];
	bool is_negative = str_starts(s, S("-"));
	uint64_t v;
	int err;

	s = str_skip(s, is_negative);
	if (s.n == 0 || s.n >= sizeof(text))
		return -EINVAL;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	err = options_size(text, &v);
	if (err < 0)
		return err;
	if (v > INT32_MAX)
		return -ERANGE;
	*out_number = is_negative ? -(int)v : (int)v;
	return 0;
}

static int
parse_time(struct str s, int64_t *out_ms)
{
	char text[24];

	if (s.n >= sizeof(text))
		return -EINVAL;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return options_time(text, out_ms);
}

static int
parse_linger(struct str s, struct linger *out_linger)
{
	int64_t ms;
	int err;

	if (str_eq(s, S("off"))) {
		*out_linger = (struct linger){ .l_onoff = 0 };
		return 0;
	}
	err = parse_time(s, &ms);
	if (err < 0 || ms % 1000 != 0)
		return -EINVAL;
	*out_linger = (struct linger){ 1, (int)(ms / 1000) };
	return 0;
}

static int
parse_flag(struct str s, int *out_number)
{
	if (s.n == 0 || str_eq(s, S("on")))
		*out_number = 1;
	else if (str_eq(s, S("off")))
		*out_number = 0;
	else
		return parse_number(s, out_number);
	return 0;
}

static int
parse_value(const struct sockopt *o, struct str s, union value *v,
    socklen_t *len)
{
	int64_t ms;
	int err;

	*len = size_of(o->type);
	switch (o->type) {
	case SOCKOPT_FLAG:
		return parse_flag(s, &v->number);
	case SOCKOPT_INT:
		return parse_number(s, &v->number);
	case SOCKOPT_LINGER:
		return parse_linger(s, &v->linger);
	case SOCKOPT_TIME:
		err = parse_time(s, &ms);
		if (err < 0)
			return err;
		v->time.tv_sec = ms / 1000;
		v->time.tv_usec = ms % 1000 * 1000;
		return 0;
	case SOCKOPT_TEXT:
		if (s.n > TEXT_MAX)
			return -ERANGE;
		memcpy(v->text, s.p, s.n);
		*len = (socklen_t)s.n;
		return 0;
	case SOCKOPT_CREDS:
	case SOCKOPT_ERROR:
		break;
	}
	/* Get only: let the kernel say how it refuses. */
	v->number = 0;
	return 0;
}

int
sockopt_set(int fd, const struct sockopt *o, struct str value)
{
	union value v = { .text = "" };
	socklen_t len;

	if (parse_value(o, value, &v, &len) < 0)
		return -EINVAL;
	return call_setsockopt(fd, o->level, o->option, &v, len);
}

/* What a person can do about the kernel's refusal. */
static const char *
hint(const struct sockopt *o, int err)
{
	if (!o->is_settable)
		return ": Linux lets it be read only";
	if (err == -EPERM || err == -EACCES)
		return ": needs a privilege (CAP_NET_ADMIN)";
	if (err == -ENOPROTOOPT || err == -EOPNOTSUPP)
		return ": sockets of this kind do not have it";
	return "";
}

enum outcome
sockopt_apply(int fd, const char *address, struct str setting)
{
	const struct sockopt *o;
	struct str name, value = setting;
	int err;

	str_cut(&value, '=', &name);
	o = sockopt_find(name);
	if (o == NULL)
		return say_error(OUTCOME_USAGE, address, "no such option", 0,
		    "%.*s; sock opts lists them", STR_ARG(name));
	if (value.n == 0 && o->is_settable && o->type != SOCKOPT_FLAG &&
	    o->type != SOCKOPT_TEXT)
		return say_error(OUTCOME_USAGE, address, "set option", 0,
		    "%s=VALUE is wanted", o->name);
	err = sockopt_set(fd, o, value);
	if (err == -EINVAL && value.n > 0)
		return say_error(OUTCOME_USAGE, address, "set option", err,
		    "%s=%.*s is not a value of it", o->name, STR_ARG(value));
	if (err < 0)
		return say_error(OUTCOME_UNAVAILABLE, address, "set option",
		    err, "%s (%s)%s", o->name, o->c_name, hint(o, err));
	return OUTCOME_DONE;
}
