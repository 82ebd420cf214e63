/* SPDX-License-Identifier: ISC */

/*
 * A head as it arrives, byte by byte: it is good so far until it is whole or
 * bad, and then it stays so; what was read lies inside and is of one opinion.
 */

#include "h1/head.h"

#include "target.h"

#define INPUT_MAX 512   /* the work grows with the square */
#define LINE_MAX_BYTES 128
#define FIELDS_MAX_BYTES 256

static bool
is_inside(struct str part, struct str whole)
{
	return part.n == 0 ||
	    (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_target(const struct request *r, struct str in)
{
	assert(is_inside(r->line, in));
	assert(is_inside(r->method_name, in));
	assert(is_inside(r->query, in));
	assert(is_inside(r->authority, in));
	assert(field_is_token(r->method_name));
	assert(method_parse(r->method_name) == r->method);
	/* Only "*" and what CONNECT names have none. */
	if (r->method != METHOD_CONNECT && r->method != METHOD_OPTIONS)
		assert(r->path.n > 0);
	assert(r->path.n == 0 || r->path.p[0] == '/');
}

static void
check_fields(const struct request *r, struct str in)
{
	assert(r->n_fields <= REQUEST_FIELDS);
	for (unsigned i = 0; i < r->n_fields; i++) {
		const struct field *f = &r->fields[i];

		assert(is_inside(f->name, in) && is_inside(f->value, in));
		assert(field_is_token(f->name));
		assert(str_eq(str_trim(f->value), f->value));
		assert(f->value.n == 0 ||
		    memchr(f->value.p, '\n', f->value.n) == NULL);
		assert(request_has(r, field_parse(f->name)));
	}
}

static void
check_done(const struct request *r, struct str head)
{
	assert(head.n > 0 && head.p[head.n - 1] == '\n');
	check_target(r, head);
	check_fields(r, head);
	assert(!r->is_chunked || r->content_length == 0);
	assert(!r->is_chunked || r->version == VERSION_1_1);
	assert(!r->expects_continue || request_has_content(r));
	assert(r->version != VERSION_0_9 || r->n_fields == 0);
	if (r->version == VERSION_1_1)
		assert(request_has(r, FIELD_HOST) &&
		    !(r->repeated & 1u << FIELD_HOST));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request r;
	struct str in = { (const char *)data, 0 };
	enum parse was = PARSE_MORE, now;
	enum reason reason = REASON_NONE;
	size_t whole = 0, used = 0;

	if (size > INPUT_MAX)
		return 0;
	for (; in.n <= size; in.n++) {
		now = h1_head_parse(in, LINE_MAX_BYTES, FIELDS_MAX_BYTES, &r,
		    &used, &reason);
		assert(was == PARSE_MORE || now == was);
		if (now == PARSE_BAD)
			assert(reason_status(reason) >= 400);
		if (now == PARSE_DONE) {
			whole = was == PARSE_MORE ? in.n : whole;
			assert(used == whole);
			check_done(&r, (struct str){ in.p, used });
		}
		was = now;
	}
	return 0;
}
