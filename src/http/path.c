/* SPDX-License-Identifier: ISC */

/*
 * From the path of a target to a name below the root, and back.  Escapes are
 * taken off once and before segments are looked at, so that "%2e%2e" is no
 * disguise for "..".
 *
 * What the name may then lead to (symbolic links) is not decided here.
 */

#include "http/path.h"

#include <errno.h>

/* What may stand for itself: unreserved, "/", and some of sub-delims. */
static const bool harmless[256] = {
#define FROM2(c) [(c)] = true, [(c) + 1] = true
#define FROM10(c) FROM2(c), FROM2(c + 2), FROM2(c + 4), FROM2(c + 6), \
	FROM2(c + 8)
#define FROM26(c) FROM10(c), FROM10(c + 10), FROM2(c + 20), FROM2(c + 22), \
	FROM2(c + 24)
	FROM26('A'), FROM26('a'), FROM10('0'),
	['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['/'] = true,
	['!'] = true, ['$'] = true, ['('] = true, [')'] = true, ['*'] = true,
	['+'] = true, [','] = true, [';'] = true, ['='] = true,
#undef FROM2
#undef FROM10
#undef FROM26
};

/* The byte that the two digits behind a % mean; 0 where there are not two. */
static char
unescape(const char *p, const char *end)
{
	int high, low;

	if (end - p < 2)
		return '\0';
	high = str_hex_digit(p[0]);
	low = str_hex_digit(p[1]);
	if (high < 0 || low < 0)
		return '\0';
	return (char)(high << 4 | low);
}

/*
 * Decodes up to the next slash or the end; *in then stands there.  Returns
 * where the text at `at` ends, NULL for a refusal.  Never writes what has not
 * been read yet, as `at` may lie in the same memory.
 */
static char *
decode_segment(const char **in, const char *end, char *at)
{
	const char *p = *in;

	for (; p < end && *p != '/'; p++) {
		char c = *p;

		if (c == '%') {
			c = unescape(p + 1, end);
			p += 2;
			if (c == '/')
				return NULL;
		}
		if (c == '\0')
			return NULL;
		*at++ = c;
	}
	*in = p;
	return at;
}

/* Removes the last segment of what ends in a slash. */
static char *
drop_segment(const char *out, char *at)
{
	at--;
	while (at > out && at[-1] != '/')
		at--;
	return at;
}

/*
 * Keeps the segment from `at` to `end`, or does what its dots mean.  Returns
 * where the path now ends, NULL when that would be above the root.
 */
static char *
add_segment(const char *out, char *at, char *end)
{
	size_t n = (size_t)(end - at);

	if (n > 2 || (n > 0 && at[0] != '.'))
		return end;
	if (n < 2)
		return at;
	if (at[1] != '.')
		return end;
	return at > out ? drop_segment(out, at) : NULL;
}

int
path_decode(struct str raw, char *out, size_t *out_len)
{
	const char *in = raw.p, *end;
	char *at = out;

	if (!str_starts(raw, S("/")))
		return -EINVAL;
	end = in + raw.n;
	while (in < end) {
		char *segment = at, *segment_end;

		in++;
		segment_end = decode_segment(&in, end, segment);
		if (segment_end == NULL)
			return -EINVAL;
		at = add_segment(out, segment, segment_end);
		if (at == NULL)
			return -EINVAL;
		/* A segment that was kept, and is followed by a slash. */
		if (in < end && at > segment)
			*at++ = '/';
	}
	*at = '\0';
	*out_len = (size_t)(at - out);
	return 0;
}

char *
path_put_encoded(char *at, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if (harmless[byte]) {
			*at++ = s.p[i];
			continue;
		}
		*at++ = '%';
		*at++ = digits[byte >> 4];
		*at++ = digits[byte & 0xf];
	}
	return at;
}

int
path_encode(struct buf *b, struct str s)
{
	size_t escapes = 0;
	int err;

	for (size_t i = 0; i < s.n; i++)
		escapes += !harmless[(unsigned char)s.p[i]];
	err = buf_reserve(b, s.n + 2 * escapes);
	if (err == 0)
		b->n = (size_t)(path_put_encoded(b->p + b->n, s) - b->p);
	return err;
}

struct str
path_last(struct str path)
{
	const char *slash = memrchr(path.p, '/', path.n);

	return slash == NULL ? path : str_from(slash + 1, path.p + path.n);
}

bool
path_is_hidden(struct str decoded)
{
	const struct str well_known = STR(".well-known");
	struct str segment, rest = decoded;

	while (str_cut(&rest, '/', &segment)) {
		if (!str_starts(segment, S(".")))
			continue;
		if (segment.p != decoded.p || !str_eq(segment, well_known))
			return true;
	}
	return false;
}
