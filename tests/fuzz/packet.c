/* SPDX-License-Identifier: ISC */

/*
 * A frame of any bytes: what is found of it lies inside, and its line is one
 * line that fits.
 */

#include "sock/packet.h"

#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str frame = { (const char *)data, size };
	char text[PACKET_TEXT], flags[8];
	struct packet p;

	packet_parse(frame, &p);
	assert(p.payload.n <= p.payload_bytes);
	assert(p.payload.n == 0 || (p.payload.p >= frame.p &&
	    p.payload.p + p.payload.n <= frame.p + frame.n));
	assert(p.kind == PACKET_UNKNOWN || p.kind == PACKET_ARP ||
	    p.family != 0);
	assert(packet_text(&p, text) == text);
	assert(memchr(text, '\0', sizeof(text)) != NULL);
	assert(strpbrk(text, "\n\r") == NULL && text[0] != '\0');
	packet_flags_text(p.tcp.flags, flags);
	return 0;
}
