/* SPDX-License-Identifier: ISC */
/*
 * Rungs.  Sequence numbers are counted from each side's SYN, as people draw
 * them: RFC 9293 3.5.  An ICMP error about the connection is a rung too.
 */
#include "sock/ladder.h"

#include <stdio.h>
#include <sys/socket.h>

#define WIDTH 46                /* between the rails */
#define LABEL 80

enum { LEFT, RIGHT, NEITHER };

static size_t
address_bytes(const struct packet *p)
{
	return p->family == AF_INET6 ? 16 : 4;
}

/* Is p from the end at `from` to that at `to`? */
static bool
is_between(const struct packet *p, const unsigned char *from,
    unsigned from_port, const unsigned char *to, unsigned to_port)
{
	size_t n = address_bytes(p);

	return p->from_port == from_port && p->to_port == to_port &&
	    memcmp(p->from, from, n) == 0 && memcmp(p->to, to, n) == 0;
}

/* Which side told the other that its datagram was in vain? */
static int
side_of_error(const struct packet *f, const struct packet *p)
{
	size_t n = address_bytes(p);

	if (!p->quoted.is_there || p->quoted.protocol != f->protocol)
		return NEITHER;
	if (p->quoted.to_port == f->to_port &&
	    memcmp(p->quoted.to, f->to, n) == 0 &&
	    memcmp(p->to, f->from, n) == 0)
		return RIGHT;
	if (p->quoted.to_port == f->from_port &&
	    memcmp(p->quoted.to, f->from, n) == 0 &&
	    memcmp(p->to, f->to, n) == 0)
		return LEFT;
	return NEITHER;
}

static int
side_of(const struct ladder *l, const struct packet *p)
{
	const struct packet *f = &l->first;

	if (p->family != f->family)
		return NEITHER;
	if (p->kind != f->kind)
		return side_of_error(f, p);
	if (is_between(p, f->from, f->from_port, f->to, f->to_port))
		return LEFT;
	if (is_between(p, f->to, f->to_port, f->from, f->from_port))
		return RIGHT;
	return NEITHER;
}

/* Who opens stands left, also when only the answer was seen. */
static void
begin(struct ladder *l, const struct packet *p)
{
	bool is_answer = p->kind == PACKET_TCP &&
	    (p->tcp.flags & (PACKET_SYN | PACKET_ACK)) ==
	    (PACKET_SYN | PACKET_ACK);

	l->is_begun = true;
	l->first = *p;
	l->first.payload = S("");
	if (!is_answer)
		return;
	memcpy(l->first.from, p->to, sizeof(p->to));
	memcpy(l->first.to, p->from, sizeof(p->from));
	l->first.from_port = p->to_port;
	l->first.to_port = p->from_port;
}

/* Numbers may have wrapped: RFC 9293 3.4. */
static bool
is_at_least(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) >= 0;
}

static void
follow(struct ladder *l, int side, const struct packet *p)
{
	struct ladder_side *me = &l->sides[side], *other = &l->sides[!side];
	uint32_t n = (uint32_t)p->payload_bytes +
	    ((p->tcp.flags & PACKET_SYN) != 0);

	if (!me->has_base || p->tcp.flags & PACKET_SYN)
		me->base = p->tcp.seq;
	me->has_base = true;
	if (p->tcp.flags & PACKET_FIN) {
		me->has_fin = true;
		me->end = p->tcp.seq + n + 1;
	}
	if (!(p->tcp.flags & PACKET_ACK))
		return;
	/* Of an end whose packets were not seen yet, this tells the base. */
	if (!other->has_base) {
		other->has_base = true;
		other->base = p->tcp.ack - 1;
	}
	if (other->has_fin && is_at_least(p->tcp.ack, other->end))
		other->is_fin_acked = true;
}

static void
flags_label(unsigned flags, char label[LABEL])
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ PACKET_SYN, "SYN" },
		{ PACKET_FIN, "FIN" },
		{ PACKET_RST, "RST" },
		{ PACKET_PSH, "PSH" },
		{ PACKET_URG, "URG" },
		{ PACKET_ACK, "ACK" },
	};
	size_t n = 0;

	label[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			n += (size_t)snprintf(label + n, LABEL - n, "%s%s",
			    n > 0 ? "+" : "", names[i].name);
}

/* "PSH+ACK 5 bytes, seq 1, ack 1" */
static void
tcp_label(const struct ladder *l, int side, const struct packet *p,
    char label[LABEL])
{
	char flags[LABEL];
	int n;

	flags_label(p->tcp.flags, flags);
	n = snprintf(label, LABEL, "%.24s ", flags);
	if (p->payload_bytes > 0)
		n += snprintf(label + n, LABEL - (size_t)n, "%zu bytes, ",
		    p->payload_bytes);
	n += snprintf(label + n, LABEL - (size_t)n, "seq %u",
	    p->tcp.seq - l->sides[side].base);
	if (p->tcp.flags & PACKET_ACK)
		snprintf(label + n, LABEL - (size_t)n, ", ack %u",
		    p->tcp.ack - l->sides[!side].base);
}

static void
label_of(const struct ladder *l, int side, const struct packet *p,
    char label[LABEL])
{
	const char *name = packet_icmp_name(p->family, p->icmp.type,
	    p->icmp.code);

	if (p->kind == PACKET_TCP)
		tcp_label(l, side, p, label);
	else if (p->kind == PACKET_UDP)
		snprintf(label, LABEL, "%zu bytes", p->payload_bytes);
	else
		snprintf(label, LABEL, "ICMP %u/%u %s", p->icmp.type,
		    p->icmp.code, name != NULL ? name : "");
}

/* |-- label ----->| or |<----- label --| */
static void
draw(int side, const char *label, char out_text[LADDER_TEXT])
{
	static const char dashes[] =
	    "------------------------------------------------------------";
	int n = (int)strlen(label), rest = WIDTH - 5 - n;

	if (rest < 1)
		rest = 1;
	if (side == LEFT)
		snprintf(out_text, LADDER_TEXT, "|-- %s %.*s>|", label, rest,
		    dashes);
	else
		snprintf(out_text, LADDER_TEXT, "|<%.*s %s --|", rest, dashes,
		    label);
}

bool
ladder_take(struct ladder *l, const struct packet *p,
    char out_text[LADDER_TEXT])
{
	char label[LABEL];
	int side;

	if (!l->is_begun && p->kind != PACKET_TCP && p->kind != PACKET_UDP)
		return false;
	if (!l->is_begun)
		begin(l, p);
	side = side_of(l, p);
	if (side == NEITHER)
		return false;
	if (p->kind == PACKET_TCP) {
		follow(l, side, p);
		l->is_over = (p->tcp.flags & PACKET_RST) != 0 ||
		    (l->sides[LEFT].is_fin_acked &&
		    l->sides[RIGHT].is_fin_acked);
	}
	label_of(l, side, p, label);
	draw(side, label, out_text);
	return true;
}

const char *
ladder_head(const struct ladder *l, char text[LADDER_TEXT])
{
	char left[PACKET_END_TEXT], right[PACKET_END_TEXT];

	packet_end_text(&l->first, true, left);
	packet_end_text(&l->first, false, right);
	snprintf(text, LADDER_TEXT, "%s%*s", left,
	    WIDTH + 2 - (int)strlen(left), right);
	return text;
}
