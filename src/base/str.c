/* SPDX-License-Identifier: ISC */

/*
 * Work on slices.  Nothing here asks the locale or needs a terminating NUL,
 * which is why the C library's own functions are not used.
 */

#include "base/str.h"

#include <errno.h>

#define U64_DIGITS 20

static unsigned char
to_lower(char c)
{
	unsigned char u = (unsigned char)c;

	return (unsigned char)(u - 'A') < 26 ? u | 0x20 : u;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the leading bytes of s that are ASCII end. */
static const unsigned char *
skip_ascii(const unsigned char *p, const unsigned char *end)
{
	const uint64_t high_bits = 0x8080808080808080;
	uint64_t word;

	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, 8);
		if (word & high_bits)
			break;
	}
	while (p < end && *p < 0x80)
		p++;
	return p;
}

/*
 * The length of the well-formed multi-byte character at p, 0 for any other
 * byte.  The second byte's bounds keep out overlong forms, surrogates and
 * what lies above U+10FFFF (RFC 3629 4).
 */
static size_t
utf8_char_len(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char lead_to;  /* from the row above, excluded */
		unsigned char len, second_from, second_to;
	} rows[] = {
		{ 0xc1, 0, 0, 0 },
		{ 0xdf, 2, 0x80, 0xbf },
		{ 0xe0, 3, 0xa0, 0xbf },
		{ 0xec, 3, 0x80, 0xbf },
		{ 0xed, 3, 0x80, 0x9f },
		{ 0xef, 3, 0x80, 0xbf },
		{ 0xf0, 4, 0x90, 0xbf },
		{ 0xf3, 4, 0x80, 0xbf },
		{ 0xf4, 4, 0x80, 0x8f },
		{ 0xff, 0, 0, 0 },
	};
	size_t row = 0;

	while (p[0] > rows[row].lead_to)
		row++;
	if (rows[row].len == 0 || rows[row].len > left)
		return 0;
	if (p[1] < rows[row].second_from || p[1] > rows[row].second_to)
		return 0;
	for (size_t i = 2; i < rows[row].len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return rows[row].len;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i] && to_lower(a.p[i]) != to_lower(b.p[i]))
			return false;
	return true;
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	return s;
}

bool
str_cut(struct str *rest, char sep, struct str *out_head)
{
	const char *found;

	if (rest->p == NULL)
		return false;
	found = memchr(rest->p, sep, rest->n);
	if (found == NULL) {
		*out_head = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*out_head = str_from(rest->p, found);
	*rest = str_from(found + 1, rest->p + rest->n);
	return true;
}

int
str_to_u64(struct str s, uint64_t *out_value)
{
	uint64_t value = 0;
	bool is_too_big = false;

	if (s.n == 0)
		return -EINVAL;
	/* Too many digits may still be followed by a letter: read on. */
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

		if (digit > 9)
			return -EINVAL;
		if (value > (UINT64_MAX - digit) / 10)
			is_too_big = true;
		else
			value = value * 10 + digit;
	}
	if (is_too_big)
		return -ERANGE;
	*out_value = value;
	return 0;
}

int
str_hex_digit(char c)
{
	unsigned char lower = (unsigned char)c | 0x20;

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

char *
str_put_u64(char *at, uint64_t v)
{
	char digits[U64_DIGITS];
	char *first = digits + sizeof(digits);
	size_t n;

	do {
		*--first = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	n = (size_t)(digits + sizeof(digits) - first);
	memcpy(at, first, n);
	return at + n;
}

bool
str_is_utf8(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	const unsigned char *end = p;
	size_t len;

	if (s.n == 0)
		return true;
	for (end += s.n; (p = skip_ascii(p, end)) < end; p += len) {
		len = utf8_char_len(p, (size_t)(end - p));
		if (len == 0)
			return false;
	}
	return true;
}
