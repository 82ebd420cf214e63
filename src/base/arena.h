/* SPDX-License-Identifier: ISC */
#ifndef SWS_BASE_ARENA_H
#define SWS_BASE_ARENA_H

/*
 * Memory that has one life: everything taken from an arena goes with it.
 * An arena that was never asked for anything owns nothing.
 */

#include <stdalign.h>

#include "base/str.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;     /* newest first */
	char *at, *end;                 /* free part of the newest */
	size_t left_bytes;              /* until the limit */
};

void arena_init(struct arena *a, size_t max_bytes);

/* Frees all; the arena is then as after arena_init with the same limit. */
void arena_fini(struct arena *a);

/*
 * n bytes aligned for any type, not cleared; NULL when the limit is reached
 * or memory is out.
 */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of s in the arena; its p is NULL on failure (s.n is kept). */
struct str arena_dup(struct arena *a, struct str s);

/* A NUL-terminated copy; NULL on failure. */
char *arena_cstr(struct arena *a, struct str s);

/* Formatted text; its p is NULL on failure. */
struct str arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
