/* SPDX-License-Identifier: ISC */
/* What passes a relay, in hexadecimal and as text (-X). */
#include "sock/relay_priv.h"

#include <stdint.h>
#include <stdio.h>

/* 16 a line, as tcpdump -X and hexdump -C have them. */
static void
show_line(char mark, uint64_t offset, const unsigned char *p, size_t n)
{
	char hex[3 * 16 + 1], text[16 + 1];
	struct record r;

	for (size_t i = 0; i < n; i++) {
		snprintf(hex + 3 * i, 4, "%02x ", p[i]);
		text[i] = p[i] >= ' ' && p[i] < 0x7f ? (char)p[i] : '.';
	}
	text[n] = '\0';
	record_begin(&r, "bytes");
	record_text(&r, "way", mark == '>' ? "there" : "back");
	record_number(&r, "offset", (int64_t)offset);
	record_text(&r, "hex", hex);
	record_text(&r, "text", text);
	record_say(&r, SAY_CALL, "%c %08llx  %-48s %s", mark,
	    (unsigned long long)offset, hex, text);
}

void
relay_show_bytes(const struct relay *r, const struct flow *f, size_t n)
{
	const unsigned char *p = (unsigned char *)f->buffer + f->at;
	char mark = f->to == &r->ends[1] ? '>' : '<';
	size_t one;

	if (!r->shows_bytes)
		return;
	for (size_t i = 0; i < n; i += one) {
		one = n - i < 16 ? n - i : 16;
		show_line(mark, *f->passed + i, p + i, one);
	}
}
