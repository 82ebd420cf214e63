/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_REQUEST_H
#define SWS_HTTP_REQUEST_H

/*
 * What a client asks for, whatever version it asked in.  All slices point
 * into the memory that the protocol received the request in.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/field.h"
#include "http/method.h"

#define REQUEST_FIELDS 100

enum version {
	VERSION_0_9,            /* a simple request of RFC 1945: no header */
	VERSION_1_0,
	VERSION_1_1,            /* and what claims a higher minor version */
};

struct request {
	struct str line;        /* the first line without its end, for logs */
	enum method method;
	enum version version;
	struct str method_name;
	struct str path;        /* raw, begins with "/"; empty for "*" */
	struct str query;       /* raw, behind the "?"; p NULL when none */
	struct str authority;   /* of the target, else the Host field's */

	uint64_t content_length;        /* 0 when there is no content */
	bool is_chunked;
	bool keeps_alive;       /* the client would go on with this
	                           connection */
	bool expects_continue;

	unsigned n_fields;
	uint32_t repeated;      /* bit field_id: there is more than one */
	unsigned char first[FIELD_COUNT];       /* by field_id: index of the
	                                           first in fields + 1 */
	struct field fields[REQUEST_FIELDS];
};

/* No request yet; if it must be answered, then as HTTP/1.1. */
static inline void
request_clear(struct request *r)
{
	memset(r, 0, offsetof(struct request, fields));
	r->version = VERSION_1_1;
}

static inline bool
request_has(const struct request *r, enum field_id id)
{
	return r->first[id] != 0;
}

/* The first field with this id; its p is NULL when there is none. */
static inline struct str
request_field(const struct request *r, enum field_id id)
{
	if (!request_has(r, id))
		return (struct str){ NULL, 0 };
	return r->fields[r->first[id] - 1].value;
}

static inline bool
request_has_content(const struct request *r)
{
	return r->is_chunked || r->content_length > 0;
}

#endif
