/* SPDX-License-Identifier: ISC */
/* Sets of ports, as bits. */
#include "sock/ports.h"

static bool
read_port(struct str text, unsigned *out_port)
{
	uint64_t v;

	if (str_to_u64(text, &v) < 0 || v == 0 || v >= PORTS_ALL)
		return false;
	*out_port = (unsigned)v;
	return true;
}

void
ports_add(struct ports *p, unsigned port)
{
	uint64_t bit = (uint64_t)1 << port % 64;

	p->n += (p->bits[port / 64] & bit) == 0;
	p->bits[port / 64] |= bit;
}

const char *
ports_parse(struct str text, struct ports *out)
{
	struct str one, first;
	unsigned from, to;

	memset(out, 0, sizeof(*out));
	do {
		str_cut(&text, ',', &one);
		str_cut(&one, '-', &first);
		if (!read_port(first, &from))
			return "a port is a number from 1 to 65535";
		to = from;
		if (one.p != NULL && !read_port(one, &to))
			return "a port is a number from 1 to 65535";
		if (to < from)
			return "a range goes from its lower port to the upper";
		for (unsigned port = from; port <= to; port++)
			ports_add(out, port);
	} while (text.p != NULL);
	return NULL;
}

bool
ports_has(const struct ports *p, unsigned port)
{
	return port < PORTS_ALL &&
	    (p->bits[port / 64] >> port % 64 & 1) != 0;
}

unsigned
ports_next(const struct ports *p, unsigned port)
{
	for (; port < PORTS_ALL; port++)
		if (ports_has(p, port))
			return port;
	return 0;
}
