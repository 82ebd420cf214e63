/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_REASON_H
#define SWS_HTTP_REASON_H

/*
 * Why a request was refused: one table for the error page and the log.  Each
 * reason has a status, a code for machines and a sentence for people.
 */

#include "base/str.h"

#define REASONS(X)                                                            \
	X(REQUEST_LINE, 400, "request-line", "The request line is malformed.")\
	X(TARGET, 400, "target", "The request target is malformed.")          \
	X(MISDIRECTED, 421, "misdirected",                                    \
	    "This server does not speak for an https address.")               \
	X(PATH, 400, "path",                                                  \
	    "The path is malformed or leads out of the site.")                \
	X(FIELD, 400, "field", "A header field is malformed.")                \
	X(HOST, 400, "host", "The Host field is missing, repeated or wrong.") \
	X(FRAMING, 400, "framing",                                            \
	    "It is not certain where the request ends.")                      \
	X(CHUNK, 400, "chunk", "The chunked coding is malformed.")            \
	X(CODING, 501, "coding", "The transfer coding is not known here.")    \
	X(VERSION, 505, "version", "This server speaks HTTP/1.0 and 1.1.")    \
	X(LINE_LENGTH, 414, "line-length", "The request line is too long.")   \
	X(FIELDS_SIZE, 431, "fields-size",                                    \
	    "The header fields are too many or too large.")                   \
	X(HEAD_TIME, 408, "head-time", "The request took too long to arrive.")\
	X(CONTENT_TIME, 408, "content-time",                                  \
	    "The content of the request took too long to arrive.")            \
	X(METHOD_UNKNOWN, 501, "method-unknown", "The method is not known.")  \
	X(METHOD, 405, "method", "The method is not allowed here.")           \
	X(NOT_ACCEPTABLE, 406, "not-acceptable",                              \
	    "There is no form of this that the client accepts.")              \
	X(EXPECTATION, 417, "expectation", "The expectation cannot be met.")  \
	X(MISSING, 404, "missing", "There is nothing under this address.")    \
	X(HIDDEN, 404, "hidden", "There is nothing under this address.")      \
	X(NOT_DIRECTORY, 404, "not-directory",                                \
	    "There is nothing under this address.")                           \
	X(LINK_LOOP, 404, "link-loop", "The address is a loop of links.")     \
	X(LINK_LEAVES, 403, "link-leaves", "A link leads out of the site.")   \
	X(LINK_REFUSED, 403, "link-refused",                                  \
	    "There is a link on the way, which is not followed.")             \
	X(UNREADABLE, 403, "unreadable", "This may not be read.")             \
	X(NOT_FILE, 403, "not-file", "This is not a regular file.")           \
	X(NOT_EXECUTABLE, 403, "not-executable",                              \
	    "This program may not be run.")                                   \
	X(CONTENT_LENGTH, 413, "content-length",                              \
	    "The content of the request is too long.")                        \
	X(CGI_RUN, 502, "cgi-run", "The program could not be run.")           \
	X(CGI_HEAD, 502, "cgi-head", "The program gave no proper answer.")    \
	X(CGI_TIME, 504, "cgi-time", "The program took too long.")            \
	X(CGI_LOOP, 500, "cgi-loop", "The program redirects in circles.")     \
	X(NO_LISTING, 403, "no-listing", "This directory is not listed.")     \
	X(PRECONDITION, 412, "precondition", "A precondition does not hold.") \
	X(RANGE, 416, "range", "The file does not reach that far.")           \
	X(INPUT_OUTPUT, 500, "input-output", "The file could not be read.")   \
	X(MEMORY, 503, "memory", "The server is short of memory.")            \
	X(DESCRIPTORS, 503, "descriptors", "The server is short of files.")   \
	X(BUSY, 503, "busy", "The server has too many connections.")

enum reason {
	REASON_NONE,
#define X(id, status, code, text) REASON_##id,
	REASONS(X)
#undef X
};

unsigned reason_status(enum reason r);          /* 0 for REASON_NONE */
struct str reason_code(enum reason r);
struct str reason_text(enum reason r);

/* The reason behind an errno value (positive) of open, stat or read. */
enum reason reason_of_errno(int err);

#endif
