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
static const char harmless[] = "-._~/!$()*+,;=";

static bool
is_harmless(char c)
{
	unsigned char lower = (unsigned char)c | 0x20;

	if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr(harmless, c) != NULL;
}

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

int
path_encode(struct buf *b, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t escapes = 0;
	char *at;
	int err;

	for (size_t i = 0; i < s.n; i++)
		escapes += !is_harmless(s.p[i]);
	err = buf_reserve(b, s.n + 2 * escapes);
	if (err < 0)
		return err;
	at = b->p + b->n;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte = (unsigned char)s.p[i];

		if (is_harmless(s.p[i])) {
			*at++ = s.p[i];
			continue;
		}
		*at++ = '%';
		*at++ = digits[byte >> 4];
		*at++ = digits[byte & 0xf];
	}
	b->n = (size_t)(at - b->p);
	return 0;
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
