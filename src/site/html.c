/* SPDX-License-Identifier: ISC */
#include "site/html.h"

/* What a byte asks for.  The bytes from 0x80 on are looked at by hand. */
static const unsigned char special[256] = {
#define BOTH4(c) [(c)] = 3, [(c) + 1] = 3, [(c) + 2] = 3, [(c) + 3] = 3
#define BOTH16(c) BOTH4(c), BOTH4(c + 4), BOTH4(c + 8), BOTH4(c + 12)
	BOTH16(0x00), BOTH16(0x10), [0x7f] = 3,
	BOTH16(0x80), BOTH16(0x90), BOTH16(0xa0), BOTH16(0xb0),
	BOTH16(0xc0), BOTH16(0xd0), BOTH16(0xe0), BOTH16(0xf0),
	['"'] = 3, ['&'] = 3, ['<'] = 3, ['>'] = 3,
	[' '] = 1, ['#'] = 1, ['%'] = 1, ['\''] = 1, [':'] = 1, ['?'] = 1,
	['@'] = 1, ['['] = 1, ['\\'] = 1, [']'] = 1, ['^'] = 1, ['`'] = 1,
	['{'] = 1, ['|'] = 1, ['}'] = 1,
#undef BOTH4
#undef BOTH16
};

unsigned
html_special(struct str s)
{
	unsigned all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= special[(unsigned char)s.p[i]];
	return all;
}

/* The bytes of the character at p, 0 when there is none. */
static size_t
character(const char *p, size_t left)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (c < 0x80)
		return c >= ' ' && c != 0x7f;
	return c >= 0xc2 && n <= left && str_is_utf8((struct str){ p, n }) ?
	    n : 0;
}

char *
html_put(char *at, struct str s)
{
	size_t n;

	for (; s.n > 0; s = str_skip(s, n > 0 ? n : 1)) {
		n = character(s.p, s.n);
		if (n == 0)
			at = str_put(at, S("\xef\xbf\xbd"));
		else if (*s.p == '&')
			at = str_put(at, S("&amp;"));
		else if (*s.p == '<')
			at = str_put(at, S("&lt;"));
		else if (*s.p == '>')
			at = str_put(at, S("&gt;"));
		else if (*s.p == '"')
			at = str_put(at, S("&quot;"));
		else
			at = str_put(at, (struct str){ s.p, n });
	}
	return at;
}
