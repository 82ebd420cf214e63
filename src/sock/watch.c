/* SPDX-License-Identifier: ISC */
/*
 * sock watch: the packets that pass, as lines, as bytes, as a file for
 * tcpdump(1), or one connection as a ladder.  What is seen is what a socket
 * of packet(7) gets: it stands in `sock ls packet` like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "sock/filter.h"
#include "sock/ladder.h"
#include "sock/stop.h"
#include "sock/verbs.h"

#define FILTER_BYTES 4096
#define FILTER_WORDS 256
#define ETHER_HEADER 14
#define ROW 16                  /* bytes in a line of -X */

struct watch {
	struct job job;
	bool shows_bytes, is_ladder;
	const char *path;       /* of -w */

	unsigned ifindex;       /* 0: all */
	char text[FILTER_BYTES];
	struct capture_filter filter;
	int fd, stop_fd, file;
	uint64_t n;
	int64_t begun_ns;       /* the first packet's time */
	struct ladder ladder;
	struct captured packet;
};

static const struct option_row options[] = {
	{ "hex", 'X', NULL, OPTION_FLAG, offsetof(struct watch, shows_bytes),
	    "show the bytes, too" },
	{ "ladder", 'l', NULL, OPTION_FLAG, offsetof(struct watch, is_ladder),
	    "draw the first connection, until it has ended" },
	{ "write", 'w', "FILE", OPTION_TEXT, offsetof(struct watch, path),
	    "write packets to a file for tcpdump, - is standard output" },
	{ .name = NULL },
};

/* --------------------------------------------------------------- operands */

/* The words behind the interface, with blanks between. */
static enum outcome
join_filter(struct watch *w, unsigned from)
{
	size_t n = 0, len;

	for (unsigned i = from; i < w->job.n_operands; i++) {
		len = strlen(w->job.operands[i]);
		if (n + len + 2 > sizeof(w->text))
			return say_error(OUTCOME_USAGE, NULL, "filter", 0,
			    "it has %d bytes at the most", FILTER_BYTES - 2);
		if (n > 0)
			w->text[n++] = ' ';
		memcpy(w->text + n, w->job.operands[i], len + 1);
		n += len;
	}
	return OUTCOME_DONE;
}

/* The first operand is an interface if there is one of that name. */
static enum outcome
read_operands(struct watch *w)
{
	const char *first = w->job.n_operands > 0 ? w->job.operands[0] : "any";
	unsigned snap = w->path != NULL || w->shows_bytes ? CAPTURE_MAX :
	    CAPTURE_SNAP;
	char why[FILTER_WHY];
	bool is_name;
	enum outcome o;
	int err;

	w->ifindex = if_nametoindex(first);
	is_name = w->ifindex != 0 || strcmp(first, "any") == 0;
	o = join_filter(w, is_name ? 1 : 0);
	if (o != OUTCOME_DONE)
		return o;
	err = filter_compile(w->text, snap, &w->filter, why);
	if (err == 0)
		return OUTCOME_DONE;
	if (err == -ENOSYS)
		return say_error(OUTCOME_UNAVAILABLE, w->text, "filter", 0,
		    "%s", why);
	return say_error(OUTCOME_USAGE, w->text, is_name ? "no such filter" :
	    "neither an interface nor a filter", 0, "%s", why);
}

/* ----------------------------------------------------------------- opening */

static enum outcome
open_file(struct watch *w)
{
	int err = 0;

	if (w->path == NULL)
		return OUTCOME_DONE;
	w->file = strcmp(w->path, "-") == 0 ? STDOUT_FILENO :
	    open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->file == -1)
		return say_error(OUTCOME_LOCAL, w->path, "open", errno, NULL);
	err = capture_begin_pcap(w->file, CAPTURE_MAX);
	return err == 0 ? OUTCOME_DONE :
	    say_error(OUTCOME_LOCAL, w->path, "write", err, NULL);
}

static enum outcome
open_capture(struct watch *w)
{
	const char *name = w->ifindex != 0 ? w->job.operands[0] : "any";
	unsigned flags = CAPTURE_SENT;
	struct record r;

	if (w->ifindex != 0)
		flags |= CAPTURE_PROMISCUOUS;
	w->fd = capture_open_filtered(w->ifindex, flags, &w->filter);
	if (w->fd == -EPERM)
		return say_error(OUTCOME_UNAVAILABLE, name, "capture", w->fd,
		    "it needs CAP_NET_RAW; sock lab NAME --keep is a network "
		    "where you have it");
	if (w->fd < 0)
		return say_error(outcome_of_local(w->fd), name, "capture",
		    w->fd, NULL);
	record_begin(&r, "watch");
	record_text(&r, "interface", name);
	record_text(&r, "filter", w->text);
	record_say(&r, SAY_STATUS, "%s: watching%s%s", name,
	    w->text[0] != '\0' ? " " : "", w->text);
	return OUTCOME_DONE;
}

/* ----------------------------------------------------------------- telling */

static const char *const kind_names[] = {
	[PACKET_UNKNOWN] = "unknown",
	[PACKET_ARP] = "arp",
	[PACKET_IP] = "ip",
	[PACKET_ICMP] = "icmp",
	[PACKET_ICMP6] = "icmp6",
	[PACKET_UDP] = "udp",
	[PACKET_TCP] = "tcp",
};

static void
add_ends(struct record *r, const struct packet *p)
{
	char text[PACKET_END_TEXT], flags[8];

	if (p->family == 0)
		return;
	record_text(r, "from", packet_end_text(p, true, text));
	record_text(r, "to", packet_end_text(p, false, text));
	record_number(r, "ttl", p->ttl);
	record_number(r, "payload", (int64_t)p->payload_bytes);
	if (p->kind == PACKET_TCP) {
		record_text(r, "flags", packet_flags_text(p->tcp.flags, flags));
		record_number(r, "seq", p->tcp.seq);
		record_number(r, "ack", p->tcp.ack);
	} else if (p->kind == PACKET_ICMP || p->kind == PACKET_ICMP6) {
		record_number(r, "type", p->icmp.type);
		record_number(r, "code", p->icmp.code);
	}
}

static double
seconds_of(const struct watch *w)
{
	return (double)(w->packet.at_ns - w->begun_ns) / 1e9;
}

static void
say_packet(const struct watch *w, const struct packet *p)
{
	char name[IF_NAMESIZE] = "?", text[PACKET_TEXT];
	struct record r;

	if_indextoname(w->packet.ifindex, name);
	packet_text(p, text);
	record_begin(&r, "packet");
	record_real(&r, "seconds", seconds_of(w));
	record_text(&r, "interface", name);
	record_bool(&r, "sent", w->packet.is_sent);
	record_text(&r, "kind", kind_names[p->kind]);
	record_number(&r, "bytes", (int64_t)w->packet.whole_bytes);
	add_ends(&r, p);
	record_text(&r, "text", text);
	record_say(&r, SAY_ANSWER, "%12.6f  %-8s %s", seconds_of(w), name,
	    text);
}

/* As tcpdump -X has it: behind the header of Ethernet, two bytes a group. */
static void
say_row(size_t at, const unsigned char *p, size_t n)
{
	char hex[ROW * 5 / 2 + 1] = "", text[ROW + 1];
	size_t used = 0;
	struct record r;

	for (size_t i = 0; i < n; i++) {
		used += (size_t)snprintf(hex + used, sizeof(hex) - used,
		    i % 2 == 1 ? "%02x " : "%02x", p[i]);
		text[i] = p[i] > ' ' && p[i] <= '~' ? (char)p[i] : '.';
	}
	text[n] = '\0';
	record_begin(&r, "bytes");
	record_number(&r, "offset", (int64_t)at);
	record_text(&r, "hex", hex);
	record_text(&r, "text", text);
	record_say(&r, SAY_ANSWER, "      0x%04zx:  %-40s %s", at, hex, text);
}

static void
say_rows(const struct captured *c)
{
	size_t n = c->n > ETHER_HEADER ? c->n - ETHER_HEADER : 0;

	for (size_t at = 0; at < n; at += ROW)
		say_row(at, c->bytes + ETHER_HEADER + at,
		    n - at < ROW ? n - at : ROW);
}

/* Is the packet of the connection that is drawn? */
static bool
say_rung(struct watch *w, const struct packet *p)
{
	char rung[LADDER_TEXT], head[LADDER_TEXT];
	bool is_first = !w->ladder.is_begun;
	struct record r;

	if (!ladder_take(&w->ladder, p, rung))
		return false;
	if (is_first && !say_style()->is_json) {
		record_begin(&r, "ladder");
		record_say(&r, SAY_ANSWER, "%12s  %s", "",
		    ladder_head(&w->ladder, head));
	}
	record_begin(&r, "rung");
	record_real(&r, "seconds", seconds_of(w));
	add_ends(&r, p);
	record_text(&r, "text", rung);
	record_say(&r, SAY_ANSWER, "%12.6f  %s", seconds_of(w), rung);
	return true;
}

/* --------------------------------------------------------------------- run */

static enum outcome
take_packet(struct watch *w)
{
	struct packet p;
	int err = 0;

	if (w->begun_ns == 0)
		w->begun_ns = w->packet.at_ns;
	packet_parse(capture_bytes(&w->packet), &p);
	if (w->is_ladder && !say_rung(w, &p))
		return OUTCOME_DONE;
	w->n++;
	if (w->path != NULL)
		err = capture_add_pcap(w->file, &w->packet);
	else if (!w->is_ladder)
		say_packet(w, &p);
	if (w->path == NULL && w->shows_bytes)
		say_rows(&w->packet);
	return err == 0 ? OUTCOME_DONE :
	    say_error(OUTCOME_LOCAL, w->path, "write", err, NULL);
}

static bool
is_enough(const struct watch *w)
{
	return (w->job.count > 0 && w->n >= w->job.count) ||
	    w->ladder.is_over;
}

static enum outcome
take_packets(struct watch *w)
{
	enum outcome o = OUTCOME_DONE;
	int err = 0;

	while (o == OUTCOME_DONE && !is_enough(w)) {
		err = capture_next(w->fd, &w->packet);
		if (err == -EAGAIN || err == -EINTR)
			break;
		o = err == 0 ? take_packet(w) : say_error(OUTCOME_LOCAL, NULL,
		    "capture", err, NULL);
	}
	say_flush();
	return o;
}

/* Milliseconds that are left of --for; -1 when it was not given. */
static int
time_left(const struct watch *w)
{
	double left = (double)w->job.for_ms - say_seconds() * 1e3;

	if (w->job.for_ms == 0)
		return -1;
	return left <= 0 ? 0 : left < INT32_MAX ? (int)left + 1 : INT32_MAX;
}

static enum outcome
watch_all(struct watch *w)
{
	struct pollfd p[] = {
		{ .fd = w->fd, .events = POLLIN },
		{ .fd = w->stop_fd, .events = POLLIN },
	};
	enum outcome o = OUTCOME_DONE;

	while (o == OUTCOME_DONE && !is_enough(w)) {
		if (poll(p, 2, time_left(w)) == 0)
			break;
		/* What has been caught until the signal is still told. */
		if (p[0].revents != 0)
			o = take_packets(w);
		if (p[1].revents != 0) {
			stop_taken(w->stop_fd);
			break;
		}
	}
	return o;
}

static void
summarize(const struct watch *w)
{
	unsigned lost = capture_lost(w->fd);
	struct record r;

	record_begin(&r, "watched");
	record_number(&r, "packets", (int64_t)w->n);
	record_number(&r, "lost", lost);
	record_say(&r, SAY_STATUS, "%" PRIu64 " packets; %u more were lost for "
	    "want of room", w->n, lost);
}

static enum outcome
open_and_watch(struct watch *w)
{
	enum outcome o = open_capture(w);

	if (o != OUTCOME_DONE)
		return o;
	o = open_file(w);
	if (o == OUTCOME_DONE) {
		o = watch_all(w);
		summarize(w);
	}
	if (w->path != NULL && w->file > STDERR_FILENO)
		close(w->file);
	close(w->fd);
	return o;
}

static enum outcome
watch_run(struct job *job)
{
	struct watch *w = (struct watch *)job;
	enum outcome o = read_operands(w);

	if (o != OUTCOME_DONE)
		return o;
	/* First: who reads that it watches may send a signal at once. */
	w->stop_fd = stop_open();
	if (w->stop_fd < 0)
		return say_error(OUTCOME_LOCAL, NULL, "signalfd", w->stop_fd,
		    NULL);
	o = open_and_watch(w);
	stop_close(w->stop_fd);
	return o;
}

const struct verb verb_watch = {
	.name = "watch",
	.operands = "[INTERFACE] [FILTER...]",
	.least = 0,
	.most = FILTER_WORDS,
	.about = "show the packets that pass",
	.details =
	    "Without an INTERFACE, or with any, all are watched.  FILTER is\n"
	    "as in pcap-filter(7): tcp port 80 and host 10.0.0.1.\n",
	.options = options,
	.size = sizeof(struct watch),
	.run = watch_run,
};
