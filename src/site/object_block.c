/* SPDX-License-Identifier: ISC */
/*
 * The header lines of an object, written once, with where in them the type and
 * the validators stand.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "http/date.h"
#include "site/object_priv.h"

#define LAST_MODIFIED "Last-Modified: "
#define BLOCK_TEXT ((size_t)512)        /* of a block, but for what varies */

/* Where in the block its parts begin and end. */
struct marks {
	size_t type, content, etag_begin, etag, cache_begin, cache;
};

static void
write_suffix(struct buf *b, enum coding c)
{
	if (c != CODING_IDENTITY) {
		buf_add_char(b, '-');
		buf_add(b, coding_name(c));
	}
}

/*
 * Each representation has a tag of its own (RFC 9110 8.8.3.3).  What was made
 * from a file is as strong as the tag of that.
 */
static void
write_tag(struct buf *b, const struct facts *f)
{
	const struct stat *st = f->st;

	switch (f->tag) {
	case TAG_TIME:
		buf_printf(b, "%s\"%llx.%lx-%llx", f->is_settled ? "" : "W/",
		    (unsigned long long)st->st_mtim.tv_sec,
		    (unsigned long)st->st_mtim.tv_nsec,
		    (unsigned long long)st->st_size);
		write_suffix(b, f->coding);
		break;
	case TAG_CONTENT:
		buf_printf(b, "\"%016llx%016llx",
		    (unsigned long long)f->digest.high64,
		    (unsigned long long)f->digest.low64);
		write_suffix(b, f->coding);
		break;
	case TAG_MADE:
		buf_add(b, (struct str){ f->plain_tag.p, f->plain_tag.n - 1 });
		write_suffix(b, f->coding);
		buf_printf(b, ".%08x", f->crc);
		break;
	case TAG_NONE:
		return;
	}
	buf_add_char(b, '"');
}

/* Type, coding and validators as header lines; the order is object.h's. */
static int
write_block(struct buf *b, const struct facts *f, struct marks *out_marks)
{
	char date[DATE_LEN];
	int err;

	/* All of it, or nothing: memory may come and go in between. */
	err = buf_reserve(b, f->type.n + f->plain_tag.n + f->cache_control.n +
	    BLOCK_TEXT);
	if (err < 0)
		return err;
	buf_printf(b, "Content-Type: %.*s%s", STR_ARG(f->type),
	    f->has_charset ? "; charset=utf-8" : "");
	out_marks->type = b->n;
	buf_add(b, S("\r\n"));
	if (f->coding != CODING_IDENTITY)
		buf_printf(b, "Content-Encoding: %.*s\r\n",
		    STR_ARG(coding_name(f->coding)));
	out_marks->content = b->n;
	if (f->modified != -1) {
		date_write(date, f->modified);
		buf_printf(b, LAST_MODIFIED "%.*s\r\n", DATE_LEN, date);
	}
	if (f->tag != TAG_NONE)
		buf_add(b, S("ETag: "));
	out_marks->etag_begin = b->n;
	write_tag(b, f);
	out_marks->etag = b->n;
	if (f->tag != TAG_NONE)
		buf_add(b, S("\r\n"));
	if (f->is_negotiated)
		buf_add(b, S("Vary: Accept-Encoding\r\n"));
	if (f->cache_control.n > 0)
		buf_add(b, S("Cache-Control: "));
	out_marks->cache_begin = b->n;
	buf_add(b, f->cache_control);
	out_marks->cache = b->n;
	if (f->cache_control.n > 0)
		buf_add(b, S("\r\n"));
	return buf_add(b, S("Accept-Ranges: bytes\r\n"));
}

struct object *
object_new(const struct facts *f)
{
	struct object *o = NULL;
	struct marks marks;
	struct buf b;

	buf_init(&b, 4096);
	if (write_block(&b, f, &marks) < 0)
		goto out;
	o = malloc(sizeof(*o) + b.n);
	if (o == NULL)
		goto out;
	*o = (struct object){
		.refs = 1,
		.fd = -1,
		.size = (uint64_t)f->st->st_size,
		.is_settled = f->is_settled,
		.st = *f->st,
	};
	memcpy(o->text, b.p, b.n);
	o->coding = f->coding;
	o->type = str_from(o->text + strlen("Content-Type: "),
	    o->text + marks.type);
	o->cache_control = str_from(o->text + marks.cache_begin,
	    o->text + marks.cache);
	o->is_negotiated = f->is_negotiated;
	o->etag = f->etag;
	o->content_lines = marks.content;
	if (f->tag != TAG_NONE)
		o->validators.etag = str_from(o->text + marks.etag_begin,
		    o->text + marks.etag);
	o->validators.modified = f->modified;
	if (f->modified != -1)
		o->validators.modified_text = (struct str){
			o->text + marks.content + strlen(LAST_MODIFIED),
			DATE_LEN,
		};
	o->block = (struct str){ o->text, b.n };
out:
	buf_fini(&b);
	return o;
}
