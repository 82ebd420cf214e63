/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_HEAD_H
#define SWS_H1_HEAD_H

#include "http/reason.h"
#include "http/request.h"

enum parse {
	PARSE_DONE,
	PARSE_MORE,             /* good so far, but not the end */
	PARSE_BAD,
};

/*
 * Reads the head of a request (RFC 9112 2 to 6): request line, fields and the
 * empty line behind them; a simple request of HTTP/0.9 ends with its line.
 *
 * PARSE_MORE sets *out_used to what need not be shown again: empty lines, when
 * there is nothing else.
 * PARSE_DONE fills *out_req, whose slices point into `in`, and *out_used.
 * PARSE_BAD sets *out_reason and, when that far was read, out_req->line and
 * out_req->version, so that the refusal can be logged and spoken properly.
 * Where the message ends is then unknown: the connection must be closed.
 */
enum parse h1_head_parse(struct str in, size_t line_max, size_t fields_max,
    struct request *out_req, size_t *out_used, enum reason *out_reason);

#endif
