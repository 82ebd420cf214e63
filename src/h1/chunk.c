/* SPDX-License-Identifier: ISC */
/*
 * The chunked transfer coding as a state machine over bytes; content is
 * passed over in one step.  Extensions and trailers are dropped: nothing here
 * has a use for them, and their total is bounded.
 */
#include "h1/chunk.h"

#define SPENT_MAX 8192          /* extensions and trailers together */
#define DIGITS_MAX 15           /* so that the size fits in 60 bits */

enum {
	SIZE,                   /* digits of the size */
	BLANK,                  /* bad white space before a ";" */
	EXTENSION,              /* up to the CR behind it */
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_BEGIN,          /* first byte of a line behind the last chunk */
	TRAILER_NAME,
	TRAILER,
	TRAILER_LF,
	END_LF,
};

/* HTAB, SP, VCHAR and obs-text: what extensions and values are made of. */
static bool
is_text(unsigned char c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* chunk-ext = *( BWS ";" ... ), RFC 9112 7.1.1 */
static int
step_blank(unsigned char c)
{
	if (c == ';')
		return EXTENSION;
	return c == ' ' || c == '\t' ? BLANK : -1;
}

/* Returns the next state, or -1. */
static int
step_size(struct chunk_reader *r, unsigned char c)
{
	int digit = str_hex_digit((char)c);

	if (digit >= 0) {
		if (++r->digits > DIGITS_MAX)
			return -1;
		r->left = r->left << 4 | (unsigned)digit;
		return SIZE;
	}
	if (r->digits == 0)
		return -1;
	if (c == '\r')
		return SIZE_LF;
	return step_blank(c);
}

static int
step_trailer(int state, unsigned char c)
{
	switch (state) {
	case TRAILER_BEGIN:
		if (c == '\r')
			return END_LF;
		return field_is_token((struct str){ (char *)&c, 1 }) ?
		    TRAILER_NAME : -1;
	case TRAILER_NAME:
		if (c == ':')
			return TRAILER;
		return field_is_token((struct str){ (char *)&c, 1 }) ?
		    TRAILER_NAME : -1;
	default:
		if (c == '\r')
			return TRAILER_LF;
		return is_text(c) ? TRAILER : -1;
	}
}

static int
step(struct chunk_reader *r, unsigned char c)
{
	switch (r->state) {
	case SIZE:
		return step_size(r, c);
	case BLANK:
		return ++r->spent <= SPENT_MAX ? step_blank(c) : -1;
	case EXTENSION:
		if (c == '\r')
			return SIZE_LF;
		return is_text(c) && ++r->spent <= SPENT_MAX ? EXTENSION : -1;
	case SIZE_LF:
		if (c != '\n')
			return -1;
		return r->left == 0 ? TRAILER_BEGIN : DATA;
	case DATA_CR:
		return c == '\r' ? DATA_LF : -1;
	case DATA_LF:
		r->digits = 0;
		return c == '\n' ? SIZE : -1;
	case TRAILER_LF:
		return c == '\n' ? TRAILER_BEGIN : -1;
	default:
		if (++r->spent > SPENT_MAX)
			return -1;
		return step_trailer(r->state, c);
	}
}

void
chunk_init(struct chunk_reader *r)
{
	*r = (struct chunk_reader){ .state = SIZE };
}

enum parse
chunk_read(struct chunk_reader *r, struct str in, struct str *out_data,
    size_t *out_used)
{
	size_t i = 0;

	*out_data = (struct str){ in.p, 0 };
	while (i < in.n && r->state != DATA) {
		unsigned char c = (unsigned char)in.p[i++];

		if (r->state == END_LF) {
			*out_used = i;
			return c == '\n' ? PARSE_DONE : PARSE_BAD;
		}
		r->state = step(r, c);
		if (r->state < 0)
			return PARSE_BAD;
	}
	if (r->state == DATA) {
		*out_data = str_skip(in, i);
		if (out_data->n >= r->left) {
			out_data->n = (size_t)r->left;
			r->state = DATA_CR;
		}
		r->left -= out_data->n;
		i += out_data->n;
	}
	*out_used = i;
	return PARSE_MORE;
}
