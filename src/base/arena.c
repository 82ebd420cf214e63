/* SPDX-License-Identifier: ISC */

/*
 * The arena: chunks that double in size, the free part of the newest handed
 * out from front to back.  What a chunk has left when a bigger piece is asked
 * for is given up: an exchange is short, and its pieces are small.
 *
 * The limit counts the bytes of the chunks without their heads.
 */

#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ALIGNMENT alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;       /* older */
	size_t n;                       /* bytes of data */
	alignas(max_align_t) char data[];
};

/* With its head still a size that malloc keeps at hand (below 1 KiB). */
#define FIRST_BYTES ((size_t)(1008 - sizeof(struct arena_chunk)))
#define MOST_BYTES ((size_t)32 * 1024)

static size_t
next_chunk_size(const struct arena *a, size_t need)
{
	size_t n = a->chunks == NULL ? FIRST_BYTES : a->chunks->n * 2;

	if (n > MOST_BYTES)
		n = MOST_BYTES;
	if (n > a->left_bytes)
		n = a->left_bytes;
	return n > need ? n : need;
}

static int
add_chunk(struct arena *a, size_t need)
{
	struct arena_chunk *chunk;
	size_t n;

	if (need > a->left_bytes)
		return -ENOBUFS;
	n = next_chunk_size(a, need);
	if (n > SIZE_MAX - sizeof(*chunk))
		return -ENOMEM;
	chunk = malloc(sizeof(*chunk) + n);
	if (chunk == NULL)
		return -ENOMEM;
	chunk->n = n;
	chunk->next = a->chunks;
	a->chunks = chunk;
	a->at = chunk->data;
	a->end = chunk->data + n;
	a->left_bytes -= n;
	return 0;
}

/* From the newest chunk, or NULL when it has not enough left. */
static void *
take(struct arena *a, size_t n)
{
	size_t free_bytes = (size_t)(a->end - a->at);
	size_t padding = -(uintptr_t)a->at % ALIGNMENT;
	char *piece;

	if (free_bytes < padding || free_bytes - padding < n)
		return NULL;
	piece = a->at + padding;
	a->at = piece + n;
	return piece;
}

void
arena_init(struct arena *a, size_t max_bytes)
{
	*a = (struct arena){ .left_bytes = max_bytes };
}

void
arena_fini(struct arena *a)
{
	struct arena_chunk *chunk, *older;
	size_t max_bytes = a->left_bytes;

	for (chunk = a->chunks; chunk != NULL; chunk = older) {
		older = chunk->next;
		max_bytes += chunk->n;
		free(chunk);
	}
	arena_init(a, max_bytes);
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *piece;

	/* Also a piece of no bytes has an address: NULL means failure. */
	if (n == 0)
		n = 1;
	piece = take(a, n);
	if (piece == NULL && add_chunk(a, n) == 0)
		piece = take(a, n);
	return piece;
}

struct str
arena_dup(struct arena *a, struct str s)
{
	return (struct str){ arena_cstr(a, s), s.n };
}

char *
arena_cstr(struct arena *a, struct str s)
{
	char *copy;

	if (s.n == SIZE_MAX)
		return NULL;
	copy = arena_alloc(a, s.n + 1);
	if (copy == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

struct str
arena_printf(struct arena *a, const char *format, ...)
{
	struct str text = { NULL, 0 };
	va_list args;
	char *p;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return text;
	p = arena_alloc(a, (size_t)len + 1);
	if (p == NULL)
		return text;
	va_start(args, format);
	vsnprintf(p, (size_t)len + 1, format, args);
	va_end(args);
	text.p = p;
	text.n = (size_t)len;
	return text;
}
