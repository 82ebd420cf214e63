/* SPDX-License-Identifier: ISC */
#include "site/file.h"

#include "http/range.h"
#include "site/multipart.h"

static int
add_content_range(struct exchange *x, const struct range *r, uint64_t size)
{
	return buf_printf(&x->res.fields,
	    "Content-Range: bytes %llu-%llu/%llu\r\n",
	    (unsigned long long)r->first,
	    (unsigned long long)(r->first + r->length - 1),
	    (unsigned long long)size);
}

static void
answer_whole(struct exchange *x, struct object *o)
{
	x->res.status = 200;
	x->res.block = o->block;
	x->res.length = o->size;
	object_body(&x->res.body, o, 0, o->size);
}

/* No Content-Type: that is for content (RFC 9110 15.4.5). */
static void
answer_not_modified(struct exchange *x, struct object *o)
{
	x->res.status = 304;
	x->res.block = str_skip(o->block, o->content_lines);
	object_body(&x->res.body, o, 0, 0);
}

/* Another representation might not have been refused. */
static void
refuse(struct exchange *x, const struct object *o, enum reason r)
{
	exchange_refuse(x, r);
	if (o->is_negotiated)
		exchange_add_field(x, S("Vary"), S("Accept-Encoding"));
}

static void
answer_unsatisfiable(struct exchange *x, struct object *o)
{
	refuse(x, o, REASON_RANGE);
	buf_printf(&x->res.fields, "Content-Range: bytes */%llu\r\n",
	    (unsigned long long)o->size);
}

static void
answer_part(struct exchange *x, struct object *o, const struct range *r)
{
	/* Without it a part would be taken for the whole. */
	if (add_content_range(x, r, o->size) < 0) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	x->res.status = 206;
	x->res.block = o->block;
	x->res.length = r->length;
	object_body(&x->res.body, o, r->first, r->length);
}

static void
answer_ranges(struct exchange *x, struct object *o, struct str value)
{
	struct range ranges[RANGE_MAX];
	unsigned n;

	switch (range_parse(value, o->size, ranges, &n)) {
	case RANGE_IGNORE:
		answer_whole(x, o);
		break;
	case RANGE_UNSATISFIABLE:
		answer_unsatisfiable(x, o);
		break;
	case RANGE_PARTIAL:
		/*
		 * Of a coded content several parts make no sense to clients,
		 * which would decode the whole answer, borders included.
		 */
		if (n == 1)
			answer_part(x, o, &ranges[0]);
		else if (o->coding != CODING_IDENTITY)
			answer_whole(x, o);
		else
			multipart_answer(x, o, ranges, n);
		break;
	}
}

/* Dates that are repeated make a list, which is no date: RFC 9110 13.1.3. */
static struct cond
read_conditions(struct exchange *x)
{
	return (struct cond){
		.if_match = exchange_list(x, FIELD_IF_MATCH),
		.if_unmodified_since =
		    exchange_list(x, FIELD_IF_UNMODIFIED_SINCE),
		.if_none_match = exchange_list(x, FIELD_IF_NONE_MATCH),
		.if_modified_since = exchange_list(x, FIELD_IF_MODIFIED_SINCE),
		.if_range = exchange_list(x, FIELD_IF_RANGE),
	};
}

/* Are the conditions such that o is to be sent?  Else x is answered. */
static bool
goes_on(struct exchange *x, struct object *o, const struct cond *c)
{
	switch (cond_check(c, &o->validators, true, x->received)) {
	case COND_NOT_MODIFIED:
		answer_not_modified(x, o);
		return false;
	case COND_FAILED:
		refuse(x, o, REASON_PRECONDITION);
		return false;
	case COND_GO_ON:
		break;
	}
	return true;
}

static void
answer_conditionally(struct exchange *x, struct object *o)
{
	struct cond c = read_conditions(x);
	struct str range = request_field(&x->req, FIELD_RANGE);

	if (!goes_on(x, o, &c))
		return;
	/* Range is for GET only, and once (RFC 9110 14.2). */
	if (range.p != NULL && x->req.method == METHOD_GET &&
	    !(x->req.repeated & 1u << FIELD_RANGE) &&
	    cond_range_applies(&c, &o->validators, x->received))
		answer_ranges(x, o, range);
	else
		answer_whole(x, o);
}

void
file_answer(struct exchange *x, struct object *o)
{
	static const enum field_id conditional[] = {
		FIELD_IF_MATCH, FIELD_IF_MODIFIED_SINCE, FIELD_IF_NONE_MATCH,
		FIELD_IF_UNMODIFIED_SINCE, FIELD_RANGE,
	};

	for (size_t i = 0; i < sizeof(conditional) / sizeof(*conditional);
	    i++) {
		if (request_has(&x->req, conditional[i])) {
			answer_conditionally(x, o);
			return;
		}
	}
	answer_whole(x, o);
}

void
file_answer_without_ranges(struct exchange *x, struct object *o)
{
	struct cond c = read_conditions(x);

	if (goes_on(x, o, &c))
		answer_whole(x, o);
}
