/* SPDX-License-Identifier: ISC */
#ifndef SWS_BASE_STR_H
#define SWS_BASE_STR_H

/*
 * A slice: bytes that somebody else owns.  It may hold NUL and is not
 * terminated by one.  A slice lives no longer than what it points into; each
 * header that hands one out says how long that is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

/* A slice of a string literal, usable in static tables. */
#define STR(literal) { (literal), sizeof(literal) - 1 }
#define S(literal) ((struct str)STR(literal))

/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str
str_of(const char *terminated)
{
	return (struct str){ terminated, strlen(terminated) };
}

static inline struct str
str_from(const char *p, const char *end)
{
	return (struct str){ p, (size_t)(end - p) };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq((struct str){ s.p, prefix.n }, prefix);
}

/* The rest of s behind its first n bytes; empty when there are fewer. */
static inline struct str
str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	if (n > 0)
		s = (struct str){ s.p + n, s.n - n };
	return s;
}

static inline bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	    str_eq(str_skip(s, s.n - suffix.n), suffix);
}

/* Equal when ASCII letters are compared without case (RFC 9110 5.1). */
bool str_eq_nocase(struct str a, struct str b);

/* Without the spaces and tabs at both ends (OWS of RFC 9110 5.6.3). */
struct str str_trim(struct str s);

/*
 * Takes from *rest what stands before the first `sep` and leaves what stands
 * behind it.  Without a `sep` everything is taken.  Returns false, and leaves
 * *out_head alone, once *rest was used up (its p is then NULL).
 */
bool str_cut(struct str *rest, char sep, struct str *out_head);

/*
 * One or more decimal digits and nothing else.  Returns 0, -EINVAL when that
 * is not what s holds, -ERANGE when the number is above UINT64_MAX;
 * *out_value is untouched on failure.
 */
int str_to_u64(struct str s, uint64_t *out_value);

/* 0 to 15, or -1 for what is no hexadecimal digit. */
int str_hex_digit(char c);

/* Writes v in decimal to at (20 bytes are always enough); returns the end. */
char *str_put_u64(char *at, uint64_t v);

/* Copies s to at, where there is room; returns the end. */
static inline char *
str_put(char *at, struct str s)
{
	memcpy(at, s.p, s.n);
	return at + s.n;
}

/* Is all of s well-formed UTF-8 (RFC 3629)? */
bool str_is_utf8(struct str s);

#endif
