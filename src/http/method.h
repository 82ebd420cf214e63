/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_METHOD_H
#define SWS_HTTP_METHOD_H

#include "base/str.h"

/* The methods that HTTP knows: RFC 9110 9.3, RFC 5789, WebDAV (RFC 4918). */
#define METHODS(X)                                                          \
	X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(CONNECT) X(OPTIONS)       \
	X(TRACE) X(PATCH) X(PROPFIND) X(PROPPATCH) X(MKCOL) X(COPY) X(MOVE) \
	X(LOCK) X(UNLOCK) X(LINK) X(UNLINK)

enum method {
	METHOD_UNKNOWN,         /* a valid token that names no known method */
#define X(name) METHOD_##name,
	METHODS(X)
#undef X
};

/* Methods are case-sensitive (RFC 9110 9.1): "get" is METHOD_UNKNOWN. */
enum method method_parse(struct str token);

#endif
