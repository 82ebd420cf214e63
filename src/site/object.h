/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_OBJECT_H
#define SWS_SITE_OBJECT_H

/*
 * A file as a server wants to know it: its content or a descriptor, its
 * validators, its type, and the header lines that go with all that, written
 * once.  Whoever sends it holds a reference.
 */

#include <sys/stat.h>
#include <time.h>

#include "http/body.h"
#include "http/cond.h"

struct mime_table;
struct sniffer;

#define OBJECT_CONTENT_MAX ((size_t)64 << 10)   /* above: by descriptor */

struct object {
	unsigned refs;
	int fd;                         /* -1 when the content is in memory */
	char *content;                  /* owned; NULL when in the file */
	uint64_t size;
	struct validators validators;
	struct str type;                /* the Content-Type */
	struct str block;               /* all its header lines, "Content-Type"
	                                   first, */
	size_t type_line;               /* whose length this is */
	bool is_settled;                /* its validators will tell a change */
	struct stat st;                 /* of the file it was made from */

	char text[];
};

/*
 * Makes an object of an open regular file, which is then the object's to
 * close (also on failure).  `name` tells the type.  The caller holds the one
 * reference.  0 or a negative errno.
 */
int object_open(int fd, const struct stat *st, struct str name,
    const struct mime_table *types, struct sniffer *sniffer,
    struct object **out_object);

static inline struct object *
object_ref(struct object *o)
{
	o->refs++;
	return o;
}

/* The last one frees it. */
void object_unref(struct object *o);

/* The memory that it takes. */
size_t object_bytes(const struct object *o);

/* A piece of the content: at most n bytes from offset on. */
struct piece object_piece(const struct object *o, uint64_t offset, uint64_t n);

/* Content for a response: a range of o.  Takes a reference. */
void object_body(struct body *b, struct object *o, uint64_t offset, uint64_t n);

#endif
