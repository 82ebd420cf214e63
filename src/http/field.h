/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_FIELD_H
#define SWS_HTTP_FIELD_H

#include "base/str.h"

/* The request fields that some rule of ours reads. */
#define FIELDS(X)                                                   \
	X(ACCEPT_ENCODING, "Accept-Encoding")                       \
	X(CONNECTION, "Connection")                                 \
	X(CONTENT_LENGTH, "Content-Length")                         \
	X(CONTENT_TYPE, "Content-Type")                             \
	X(EXPECT, "Expect")                                         \
	X(HOST, "Host")                                             \
	X(IF_MATCH, "If-Match")                                     \
	X(IF_MODIFIED_SINCE, "If-Modified-Since")                   \
	X(IF_NONE_MATCH, "If-None-Match")                           \
	X(IF_RANGE, "If-Range")                                     \
	X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")               \
	X(RANGE, "Range")                                           \
	X(TRANSFER_ENCODING, "Transfer-Encoding")

enum field_id {
	FIELD_OTHER,
#define X(id, name) FIELD_##id,
	FIELDS(X)
#undef X
	FIELD_COUNT,
};

struct field {
	struct str name;
	struct str value;       /* without the white space around it */
};

/* Names are compared without case. */
enum field_id field_parse(struct str name);

/* token = 1*tchar (RFC 9110 5.6.2) */
bool field_is_token(struct str s);

/*
 * Takes the next element of a comma-separated list (RFC 9110 5.6.1), trimmed;
 * empty elements are passed over; a comma inside a quoted string does not
 * separate.  Returns false at the end of the list.
 */
bool field_list_next(struct str *rest, struct str *out_element);

/* Does the list hold this token, compared without case? */
bool field_list_has(struct str list, struct str token);

#endif
