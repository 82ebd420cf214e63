/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_OBJECT_PRIV_H
#define SWS_SITE_OBJECT_PRIV_H

/*
 * What an object is made of (object.c) and the header lines that it is then
 * sent with (object_block.c).
 */

#include "site/digest.h"
#include "site/object.h"

/* What a tag is drawn from. */
enum tag {
	TAG_TIME,
	TAG_CONTENT,
	TAG_MADE,               /* from the content of another object */
	TAG_NONE,
};

/* What is told of a file, before it is an object. */
struct facts {
	struct str type;
	bool has_charset;
	enum coding coding;
	bool is_settled;
	time_t modified;        /* -1: nothing is told */
	const struct stat *st;
	enum etag etag;                 /* as asked for */
	enum tag tag;                   /* as it is */
	struct str plain_tag;           /* TAG_MADE */
	uint32_t crc;                   /* into these bytes */
	XXH128_hash_t digest;           /* TAG_CONTENT */
	struct str cache_control;
	bool is_negotiated;
};

/*
 * An object of these facts, with its header lines but without content; it
 * copies what it needs.  The caller holds the one reference.  NULL when memory
 * is out.
 */
struct object *object_new(const struct facts *f);

#endif
