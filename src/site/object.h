/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_OBJECT_H
#define SWS_SITE_OBJECT_H

/*
 * A file as a server wants to know it: its content or a descriptor, its
 * validators, its type, and the header lines that go with all that, written
 * once.  Whoever sends it holds a reference.
 */

#include <sys/stat.h>

#include "http/body.h"
#include "http/coding.h"
#include "http/cond.h"

struct digester;
struct mime_table;
struct sniffer;

#define OBJECT_CONTENT_MAX ((size_t)64 << 10)   /* a good content_max */

/* What the tag of a file is drawn from. */
enum etag {
	ETAG_MTIME,             /* its size and when it was modified; where
	                           that says nothing, its content */
	ETAG_CONTENT,
	ETAG_NONE,
};

struct object {
	unsigned refs;
	int fd;                         /* -1 when the content is in memory */
	char *content;                  /* owned; NULL when in the file */
	uint64_t size;
	struct validators validators;
	enum coding coding;             /* that the content is in */
	struct str type;                /* the Content-Type */
	struct str cache_control;       /* that of the header; perhaps "" */
	struct str block;               /* all its header lines; in front what
	                                   tells of the content alone, its type
	                                   and coding, */
	size_t content_lines;           /* in so many bytes */
	bool is_settled;                /* its validators are there, and will
	                                   tell a change */
	enum etag etag;                 /* what its tag was drawn from */
	size_t content_max;
	struct stat st;                 /* of the file it was made from */
	size_t *budget;                 /* NULL, or to which `counted` is given
	                                   back at the end */
	size_t counted;

	/*
	 * Its content in other codings (variant.h), which it refers to and
	 * which go with it.  By which it is found again is the cache's own.
	 */
	bool is_negotiated;             /* there are some, or may be: the
	                                   header says Vary */
	struct object *coded[CODING_COUNT];
	bool is_sidecar;                /* it has a file of its own */
	unsigned char asked, barren;    /* bits: it is being made; it would
	                                   not be smaller */
	int64_t rests_until_ms;         /* it could not be made: not asked for
	                                   before that (loop_now_ms) */
	struct cache_entry *entry;

	char text[];
};

/* How a file is to be shown. */
struct object_look {
	struct str name;                /* tells the type */
	const struct mime_table *types;
	struct sniffer *sniffer;        /* may be NULL */
	struct str cache_control;       /* of the header; "" leaves it out */
	bool is_negotiated;             /* if its type gains by a coding */
	enum etag etag;
	struct digester *digester;      /* for what is too large to be read at
	                                   once; may be NULL */
	size_t content_max;             /* up to which content is held in
	                                   memory */
};

/*
 * Makes an object of an open regular file, which is then the object's to
 * close (also on failure).  The caller holds the one reference.  0 or a
 * negative errno.
 */
int object_open(int fd, const struct stat *st, const struct object_look *look,
    struct object **out_object);

/*
 * The same of what somebody has put beside the file of `plain`: its content
 * in a real coding.
 */
int object_open_sidecar(int fd, const struct stat *st,
    const struct object *plain, enum coding c, struct object **out_object);

/*
 * The same of what we have made from the content of `plain`.  `crc` is
 * drawn from the bytes: other versions of a library make other ones, which
 * must not have the same strong tag (RFC 9110 8.8.1).
 */
int object_open_made(int fd, const struct object *plain, enum coding c,
    uint32_t crc, struct object **out_object);

/*
 * Makes an object of a page of ours in memory that malloc(3) gave, which is
 * then the object's to free (also on failure).  Its tag, if it has
 * one, is drawn from all its bytes.  0 or -ENOMEM.
 */
int object_of_page(struct str page, struct str type, struct str cache_control,
    bool has_etag, bool is_negotiated, struct object **out_object);

static inline struct object *
object_ref(struct object *o)
{
	o->refs++;
	return o;
}

/* The last one frees it. */
void object_unref(struct object *o);

#define MALLOC_COST 16                  /* beside what was asked for */

/* The memory and the descriptors that it takes, with its coded ones. */
size_t object_bytes(const struct object *o);
unsigned object_descriptors(const struct object *o);

/* A piece of the content: at most n bytes from offset on. */
struct piece object_piece(const struct object *o, uint64_t offset, uint64_t n);

/* Content for a response: a range of o.  Takes a reference. */
void object_body(struct body *b, struct object *o, uint64_t offset, uint64_t n);

#endif
