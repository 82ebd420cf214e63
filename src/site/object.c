/* SPDX-License-Identifier: ISC */
/*
 * What there is to know of a file is gathered first: its facts.  Of these an
 * object is made, which takes over the content or the descriptor.
 */
#include "site/object.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "http/mime.h"
#include "site/object_priv.h"
#include "site/sniff.h"
#include "site/version.h"

#define SNIFF_MAX ((size_t)64 << 10)     /* for what is UTF-8 */
#define MAGIC_MAX ((size_t)4 << 10)      /* magic(5) may take its time */

/* Reads up to n bytes from the file's start: how many, or a negative errno. */
static ssize_t
read_start(int fd, char *to, size_t n)
{
	size_t got = 0;
	ssize_t r;

	while (got < n) {
		r = pread(fd, to + got, n - got, (off_t)got);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -errno;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

/* A character may be cut in two at the end of what was read of a file. */
static bool
looks_like_utf8(struct str start, bool is_whole)
{
	for (int cut = 0; cut < 4 && start.n > 0; cut++) {
		if (str_is_utf8(start))
			return true;
		if (is_whole)
			return false;
		start.n--;
	}
	return start.n == 0;
}

/* A file from the future was, to HTTP, modified now (RFC 9110 8.8.2.1). */
static time_t
time_modified(const struct stat *st)
{
	time_t now = clock_wall_s();

	return st->st_mtim.tv_sec < now ? st->st_mtim.tv_sec : now;
}

/*
 * Is this an SVG that is stored compressed?  It is sent so to everybody, as
 * Apache does: there is no other form of it, and who asks for identity alone,
 * as wget(1), does well to get the file as it is stored.
 */
static bool
is_svgz(const struct object_look *look, struct str type, struct str start)
{
	const struct str suffix = S(".svgz");
	size_t n = look->name.n;

	return n > suffix.n && str_eq_nocase(str_skip(look->name,
	    n - suffix.n), suffix) && str_eq(type, S("image/svg+xml")) &&
	    str_starts(start, S("\x1f\x8b"));
}

/* The type of a file that begins so. */
static void
find_type(struct facts *f, const struct object_look *look, struct str start)
{
	bool is_whole = start.n == (uint64_t)f->st->st_size;

	f->type = mime_by_name(look->types, look->name);
	if (f->type.p == NULL)
		f->type = sniffer_type(look->sniffer, (struct str){ start.p,
		    start.n < MAGIC_MAX ? start.n : MAGIC_MAX });
	f->has_charset = mime_wants_charset(f->type) &&
	    looks_like_utf8(start, is_whole);
	if (is_svgz(look, f->type, start))
		f->coding = CODING_GZIP;
	else
		f->is_negotiated = look->is_negotiated &&
		    mime_compresses(f->type);
}

/* Has the file stayed as it was while it was read? */
static bool
is_unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && version_is_same(&now, before);
}

/*
 * Takes the content into memory, if it is small and was read whole as it was
 * described: then the file can go.  Frees what it does not take.
 */
static bool
take_content(int fd, struct facts *f, size_t max, char *content, ssize_t got,
    char **out_content)
{
	uint64_t size = (uint64_t)f->st->st_size;

	*out_content = NULL;
	if (size > max || (uint64_t)got != size || !is_unchanged(fd, f->st)) {
		free(content);
		return false;
	}
	if (f->tag == TAG_CONTENT)
		f->digest = XXH3_128bits(content, (size_t)size);
	*out_content = content;
	return true;
}

/*
 * The digest of a file that is not in memory.  Until it is known there is no
 * tag, and the object is not to be relied on for longer.
 */
static void
find_digest(int fd, struct facts *f, struct digester *d)
{
	if (!f->is_settled || !digester_find(d, fd, f->st, &f->digest)) {
		f->tag = TAG_NONE;
		f->is_settled = f->is_settled && d == NULL;
	}
}

/* `look` is NULL where the facts are complete. */
static int
open_object(int fd, struct facts *f, const struct object_look *look,
    size_t content_max, struct object **out_object)
{
	uint64_t size = (uint64_t)f->st->st_size;
	size_t least = look == NULL ? 0 : SNIFF_MAX;
	size_t n = size <= content_max || size <= least ? (size_t)size : least;
	ssize_t got = -ENOMEM;
	struct object *o;
	char *start;

	start = malloc(n + 1);
	if (start != NULL)
		got = read_start(fd, start, n);
	if (got < 0) {
		free(start);
		close(fd);
		return (int)got;
	}
	if (look != NULL)
		find_type(f, look, (struct str){ start,
		    (size_t)got < SNIFF_MAX ? (size_t)got : SNIFF_MAX });
	if (!take_content(fd, f, content_max, start, got, &start) &&
	    f->tag == TAG_CONTENT)
		find_digest(fd, f, look != NULL ? look->digester : NULL);
	o = object_new(f);
	if (o == NULL) {
		free(start);
		close(fd);
		return -ENOMEM;
	}
	o->content = start;
	o->content_max = content_max;
	if (start != NULL)
		close(fd);
	else
		o->fd = fd;
	*out_object = o;
	return 0;
}

/*
 * Images of file systems that are the same wherever they are built (Nix,
 * OSTree) set the times of all files to the epoch, or a second after it.
 */
static bool
says_nothing(const struct timespec *modified)
{
	return modified->tv_sec == 0 || modified->tv_sec == 1;
}

/* What the file itself tells. */
static void
describe(struct facts *f, const struct stat *st, enum etag etag)
{
	static const enum tag tags[] = {
		[ETAG_MTIME] = TAG_TIME,
		[ETAG_CONTENT] = TAG_CONTENT,
		[ETAG_NONE] = TAG_NONE,
	};

	f->st = st;
	f->etag = etag;
	f->tag = tags[etag];
	f->is_settled = version_is_settled(st);
	f->modified = time_modified(st);
	if (says_nothing(&st->st_mtim)) {
		f->modified = -1;
		if (f->tag == TAG_TIME)
			f->tag = TAG_CONTENT;
	}
}

int
object_open(int fd, const struct stat *st, const struct object_look *look,
    struct object **out_object)
{
	struct facts f = {
		.coding = CODING_IDENTITY,
		.cache_control = look->cache_control,
	};

	describe(&f, st, look->etag);
	return open_object(fd, &f, look, look->content_max, out_object);
}

/* What does not depend on the coding. */
static struct facts
facts_of(const struct object *plain, enum coding c)
{
	return (struct facts){
		.type = plain->type,
		.coding = c,
		.is_settled = plain->is_settled,
		.modified = plain->validators.modified,
		.cache_control = plain->cache_control,
		.is_negotiated = true,
	};
}

int
object_open_sidecar(int fd, const struct stat *st, const struct object *plain,
    enum coding c, struct object **out_object)
{
	struct facts f = facts_of(plain, c);
	int err;

	describe(&f, st, plain->etag);
	err = open_object(fd, &f, NULL, plain->content_max, out_object);
	if (err == 0)
		(*out_object)->is_sidecar = true;
	return err;
}

int
object_open_made(int fd, const struct object *plain, enum coding c,
    uint32_t crc, struct object **out_object)
{
	struct facts f = facts_of(plain, c);
	struct stat st;
	int err;

	if (fstat(fd, &st) == -1) {
		err = -errno;
		close(fd);
		return err;
	}
	f.st = &st;
	f.plain_tag = plain->validators.etag;
	f.crc = crc;
	f.tag = f.plain_tag.p != NULL ? TAG_MADE : TAG_NONE;
	return open_object(fd, &f, NULL, plain->content_max, out_object);
}

int
object_of_page(struct str page, struct str type, struct str cache_control,
    bool has_etag, bool is_negotiated, struct object **out_object)
{
	struct stat st = { .st_size = (off_t)page.n };
	struct facts f = {
		.type = type,
		.coding = CODING_IDENTITY,
		.is_settled = true,
		.modified = -1,
		.st = &st,
		.tag = has_etag ? TAG_CONTENT : TAG_NONE,
		.digest = XXH3_128bits(page.p, page.n),
		.cache_control = cache_control,
		.is_negotiated = is_negotiated,
	};
	struct object *o;

	o = object_new(&f);
	if (o == NULL) {
		free((void *)(uintptr_t)page.p);
		return -ENOMEM;
	}
	o->content = (void *)(uintptr_t)page.p;
	*out_object = o;
	return 0;
}

void
object_unref(struct object *o)
{
	if (--o->refs > 0)
		return;
	if (o->budget != NULL)
		*o->budget += o->counted;
	for (unsigned c = 0; c < CODING_COUNT; c++)
		if (o->coded[c] != NULL)
			object_unref(o->coded[c]);
	if (o->fd != -1)
		close(o->fd);
	free(o->content);
	free(o);
}

size_t
object_bytes(const struct object *o)
{
	size_t n = sizeof(*o) + o->block.n + MALLOC_COST;

	if (o->content != NULL)
		n += (size_t)o->size + MALLOC_COST;
	for (unsigned c = 0; c < CODING_COUNT; c++)
		if (o->coded[c] != NULL)
			n += object_bytes(o->coded[c]);
	return n;
}

unsigned
object_descriptors(const struct object *o)
{
	unsigned n = o->fd != -1;

	for (unsigned c = 0; c < CODING_COUNT; c++)
		if (o->coded[c] != NULL)
			n += object_descriptors(o->coded[c]);
	return n;
}

struct piece
object_piece(const struct object *o, uint64_t offset, uint64_t n)
{
	if (o->content != NULL)
		return (struct piece){ .p = o->content + offset, .n = n };
	return (struct piece){ .n = n, .fd = o->fd, .offset = offset };
}

static enum pull
range_pull(struct body *b, struct piece *out_piece)
{
	if (b->left == 0)
		return PULL_END;
	*out_piece = object_piece(b->state, b->at, b->left);
	b->left = 0;
	return PULL_PIECE;
}

static void
range_close(struct body *b)
{
	object_unref(b->state);
}

static const struct body_ops range_ops = {
	.pull = range_pull,
	.close = range_close,
};

void
object_body(struct body *b, struct object *o, uint64_t offset, uint64_t n)
{
	*b = (struct body){
		.ops = &range_ops,
		.state = object_ref(o),
		.at = offset,
		.left = n,
	};
}
