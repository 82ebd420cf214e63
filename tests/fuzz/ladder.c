/* SPDX-License-Identifier: ISC */

/*
 * Frames of any bytes, one after the other, each with its length in front:
 * every rung is one line that fits.
 */

#include "sock/ladder.h"

#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, frame;
	struct ladder l = { .is_begun = false };
	char text[LADDER_TEXT], head[LADDER_TEXT];
	struct packet p;

	while (rest.n > 0) {
		frame = str_skip(rest, 1);
		if (frame.n > (uint8_t)rest.p[0])
			frame.n = (uint8_t)rest.p[0];
		rest = str_skip(rest, 1 + frame.n);
		packet_parse(frame, &p);
		if (!ladder_take(&l, &p, text))
			continue;
		assert(l.is_begun);
		assert(text[0] == '|' && text[strlen(text) - 1] == '|');
		assert(strpbrk(text, "\n\r") == NULL);
		assert(strlen(ladder_head(&l, head)) < LADDER_TEXT);
	}
	return 0;
}
