/* SPDX-License-Identifier: ISC */

/*
 * Heads, good and bad, whole and in pieces.  Each is parsed in memory of just
 * its size, so that a sanitizer sees any look behind the end.
 */

#include "h1/head.h"

#include <stdlib.h>

#include "../cases.h"

#define LINE_MAX_BYTES ((size_t)8192)
#define FIELDS_MAX_BYTES ((size_t)32768)
#define UNTOUCHED ((size_t)4711)

/* What a parse said; `copy` is what the request's slices point into. */
struct outcome {
	char *copy;
	enum parse parse;
	struct request req;
	size_t used;
	enum reason reason;
};

static void
parse_within(struct outcome *o, struct str in, size_t line_max,
    size_t fields_max)
{
	struct str copied = { NULL, in.n };

	o->copy = malloc(in.n ? in.n : 1);
	assert_non_null(o->copy);
	copied.p = o->copy;
	memcpy(o->copy, in.p, in.n);
	o->used = UNTOUCHED;
	o->reason = REASON_NONE;
	o->parse = h1_head_parse(copied, line_max, fields_max, &o->req,
	    &o->used, &o->reason);
}

static void
parse(struct outcome *o, struct str in)
{
	parse_within(o, in, LINE_MAX_BYTES, FIELDS_MAX_BYTES);
}

static void
expect_str(struct str got, const char *wanted, struct str in)
{
	if (wanted == NULL ? got.n != 0 : !str_eq(got, str_of(wanted)))
		fail_msg("\"%.*s\": got \"%.*s\", wanted \"%s\"", STR_ARG(in),
		    STR_ARG(got), wanted ? wanted : "");
}

#define HOST "Host: a\r\n"
#define GET_1_1 "GET / HTTP/1.1\r\n" HOST
#define POST_1_1 "POST / HTTP/1.1\r\n" HOST
#define END "\r\n"

static const struct {
	struct str in;
	enum method method;
	enum version version;
	const char *path, *query, *authority;   /* NULL: empty */
} lines[] = {
	{ STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	    METHOD_GET, VERSION_1_1, "/", NULL, "a" },
	{ STR("HEAD /a/b HTTP/1.1\r\nHost: a:80\r\n\r\n"), METHOD_HEAD,
	    VERSION_1_1, "/a/b", NULL, "a:80" },
	{ STR("get / HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_UNKNOWN,
	    VERSION_1_1, "/", NULL, "a" },
	{ STR("M-SEARCH!#$%&'*+.^_`|~09 / HTTP/1.1\r\nHost: a\r\n\r\n"),
	    METHOD_UNKNOWN, VERSION_1_1, "/", NULL, "a" },
	/* Versions */
	{ STR("GET / HTTP/1.0\r\n\r\n"),
	    METHOD_GET, VERSION_1_0, "/", NULL, NULL },
	{ STR("GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
	    METHOD_GET, VERSION_1_0, "/", NULL, "a" },
	{ STR("GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
	    METHOD_GET, VERSION_1_1, "/", NULL, "a" },
	{ STR("GET / HTTP/1.9\r\nHost: a\r\n\r\n"),
	    METHOD_GET, VERSION_1_1, "/", NULL, "a" },
	{ STR("GET /\r\n"), METHOD_GET, VERSION_0_9, "/",
	    NULL, NULL },
	{ STR("GET /a?b\n"), METHOD_GET, VERSION_0_9, "/a",
	    "b", NULL },
	/* Queries */
	{ STR("GET /a?b=c&d HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/a", "b=c&d", "a" },
	{ STR("GET /a?b?/? HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/a", "b?/?", "a" },
	{ STR("GET /? HTTP/1.1\r\nHost: a\r\n\r\n"),
	    METHOD_GET, VERSION_1_1, "/", "", "a" },
	/* What is in a path is path_decode's to judge. */
	{ STR("GET //a/../%zz%00\xc3\xa4\"<>\\^`{|} HTTP/1.1\r\nHost: a\r\n"
	    "\r\n"), METHOD_GET, VERSION_1_1,
	    "//a/../%zz%00\xc3\xa4\"<>\\^`{|}", NULL, "a" },
	/* The absolute form names the host, whatever Host says. */
	{ STR("GET http://a:1/b?c HTTP/1.1\r\nHost: d\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/b", "c", "a:1" },
	{ STR("GET HTTP://a HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/", NULL, "a" },
	{ STR("GET http://a?b HTTP/1.0\r\n\r\n"),
	    METHOD_GET, VERSION_1_0, "/", "b", "a" },
	{ STR("GET http://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/", NULL, "[::1]:80" },
	{ STR("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_OPTIONS,
	    VERSION_1_1, NULL, NULL, "a" },
	{ STR("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_CONNECT,
	    VERSION_1_1, NULL, NULL, "b:443" },
	/* Hosts */
	{ STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	    METHOD_GET, VERSION_1_1, "/", NULL, NULL },
	{ STR("GET / HTTP/1.1\r\nhOST:[2001:db8::1]\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/", NULL, "[2001:db8::1]" },
	{ STR("GET / HTTP/1.1\r\nHost: \t a-b_c.example:65535 \t\r\n\r\n"),
	    METHOD_GET, VERSION_1_1, "/", NULL,
	    "a-b_c.example:65535" },
	/* Ends of lines, and empty ones in front (RFC 9112 2.2) */
	{ STR("GET / HTTP/1.1\nHost: a\n\n"),
	    METHOD_GET, VERSION_1_1, "/", NULL, "a" },
	{ STR("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\n"), METHOD_GET,
	    VERSION_1_1, "/", NULL, "a" },
	{ STR("\r\n\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), METHOD_GET,
	    VERSION_1_1, "/", NULL, "a" },
};

static void
test_lines(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct str in = lines[i].in;

		parse(&o, in);
		if (o.parse != PARSE_DONE)
			fail_msg("\"%.*s\": %.*s", STR_ARG(in),
			    STR_ARG(reason_code(o.reason)));
		assert_int_equal(o.used, in.n);
		assert_int_equal(o.req.method, lines[i].method);
		assert_int_equal(o.req.version, lines[i].version);
		expect_str(o.req.path, lines[i].path, in);
		expect_str(o.req.query, lines[i].query, in);
		assert_int_equal(o.req.query.p != NULL,
		    lines[i].query != NULL);
		expect_str(o.req.authority, lines[i].authority, in);
		free(o.copy);
	}
}

/* How the message goes on, and the connection (RFC 9112 6.3, 9.3). */
static const struct {
	struct str in;
	uint64_t length;
	bool is_chunked, keeps_alive, expects_continue;
} framings[] = {
	{ STR(GET_1_1 END), 0, false, true, false },
	{ STR(POST_1_1 "Content-Length: 0" END END), 0, false, true, false },
	{ STR(POST_1_1 "Content-Length: 5" END END), 5, false, true, false },
	{ STR(POST_1_1 "content-length:\t0005 " END END), 5, false, true,
	    false },
	{ STR(GET_1_1 "Content-Length: 7" END END), 7, false, true, false },
	{ STR(POST_1_1 "Content-Length: 9223372036854775807" END END),
	    INT64_MAX, false, true, false },
	{ STR(POST_1_1 "Transfer-Encoding: chunked" END END), 0, true, true,
	    false },
	{ STR(POST_1_1 "TRANSFER-ENCODING: ChunkeD" END END), 0, true, true,
	    false },
	{ STR("POST / HTTP/1.0" END "Content-Length: 5" END END), 5, false,
	    false, false },
	/* The end of the connection */
	{ STR(GET_1_1 "Connection: close" END END), 0, false, false, false },
	{ STR(GET_1_1 "Connection: x, CLOSE ,y" END END), 0, false, false,
	    false },
	{ STR(GET_1_1 "Connection: x" END "Connection: close" END END), 0,
	    false, false, false },
	{ STR(GET_1_1 "Connection: keep-alive, close" END END), 0, false,
	    false, false },
	{ STR(GET_1_1 "Connection: closed" END END), 0, false, true, false },
	{ STR(GET_1_1 "Connection:" END END), 0, false, true, false },
	{ STR("GET / HTTP/1.0" END END), 0, false, false, false },
	{ STR("GET / HTTP/1.0" END "Connection: Keep-Alive" END END), 0,
	    false, true, false },
	{ STR("GET / HTTP/1.0" END "Connection: keep-alive" END
	    "Connection: close" END END), 0, false, false, false },
	{ STR("GET /" END), 0, false, false, false },
	/* Expectations */
	{ STR(POST_1_1 "Content-Length: 5" END "Expect: 100-Continue" END
	    END), 5, false, true, true },
	{ STR(POST_1_1 "Transfer-Encoding: chunked" END
	    "Expect: 100-continue" END END), 0, true, true, true },
	{ STR(GET_1_1 "Expect: 100-continue" END END), 0, false, true,
	    false },
	{ STR("POST / HTTP/1.0" END "Content-Length: 5" END
	    "Expect: 100-continue" END END), 5, false, false, false },
	{ STR("GET / HTTP/1.0" END "Expect: miracles" END END), 0, false,
	    false, false },
	{ STR(POST_1_1 "Content-Length: 5" END "Expect: 100-continue" END
	    "Expect: , 100-continue" END END), 5, false, true, true },
	{ STR(POST_1_1 "Content-Length: 5" END "Expect:" END END), 5, false,
	    true, false },
};

static void
test_framing(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(framings); i++) {
		parse(&o, framings[i].in);
		if (o.parse != PARSE_DONE)
			fail_msg("\"%.*s\": %.*s", STR_ARG(framings[i].in),
			    STR_ARG(reason_code(o.reason)));
		assert_int_equal(o.used, framings[i].in.n);
		assert_int_equal(o.req.content_length, framings[i].length);
		assert_int_equal(o.req.is_chunked, framings[i].is_chunked);
		if (o.req.keeps_alive != framings[i].keeps_alive ||
		    o.req.expects_continue != framings[i].expects_continue)
			fail_msg("\"%.*s\"", STR_ARG(framings[i].in));
		free(o.copy);
	}
}

static const struct {
	struct str in;
	enum reason reason;
} bad[] = {
	/* The request line */
	{ STR("GET" END), REASON_REQUEST_LINE },
	{ STR("GET " END), REASON_REQUEST_LINE },
	{ STR("GET / " END), REASON_REQUEST_LINE },
	{ STR("GET /a b" END), REASON_REQUEST_LINE },
	{ STR("GET  / HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /  HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1.1 " END HOST END), REASON_REQUEST_LINE },
	{ STR("GET\t/ HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /\tHTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /a b HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR(" GET / HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("G@T / HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET: / HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("G\xc3\x84T / HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /#a HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /\0a HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /\x7f HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /\x1b[m HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET /\r HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1.1\r\r\n" HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1.1\rHost: a\r\r"), REASON_NONE },
	{ STR("GET / HTTP/1.1\rHost: a\r\n\r\n"), REASON_REQUEST_LINE },
	{ STR("\r\rGET / HTTP/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("\r\n\r\n\r\n\r\n\r\n"), REASON_REQUEST_LINE },
	{ STR("\x16\x03\x01"), REASON_REQUEST_LINE },
	{ STR("\0"), REASON_REQUEST_LINE },
	/* HTTP/0.9 is GET and a path. */
	{ STR("HEAD /" END), REASON_REQUEST_LINE },
	{ STR("POST /" END), REASON_REQUEST_LINE },
	{ STR("GET http://a/" END), REASON_REQUEST_LINE },
	{ STR("GET a" END), REASON_REQUEST_LINE },
	/* Versions */
	{ STR("GET / HTTP/2.0" END HOST END), REASON_VERSION },
	{ STR("GET / HTTP/0.9" END END), REASON_VERSION },
	{ STR("PRI * HTTP/2.0" END END "SM" END END), REASON_VERSION },
	{ STR("GET / http/1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1." END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1.10" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/01.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1,1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/1.x" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / HTTP/ 1.1" END HOST END), REASON_REQUEST_LINE },
	{ STR("GET / ICY/1.1" END HOST END), REASON_REQUEST_LINE },
	/* Targets */
	{ STR("GET a HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET * HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("OPTIONS ** HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET ftp://a/ HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET http:/a HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET https:///a HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET https://a/b HTTP/1.1" END HOST END), REASON_MISDIRECTED },
	{ STR("GET hTTps://a:1 HTTP/1.0" END END), REASON_MISDIRECTED },
	{ STR("GET http:///a HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET http://?a HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET http://b@a/ HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET http://a:b/ HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("GET http://[::1/ HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("CONNECT / HTTP/1.1" END HOST END), REASON_TARGET },
	{ STR("CONNECT http://a/ HTTP/1.1" END HOST END), REASON_TARGET },
	/* Field lines */
	{ STR(GET_1_1 "X : y" END END), REASON_FIELD },
	{ STR(GET_1_1 "X\t: y" END END), REASON_FIELD },
	{ STR(GET_1_1 ": y" END END), REASON_FIELD },
	{ STR(GET_1_1 "X" END END), REASON_FIELD },
	{ STR(GET_1_1 "X y: z" END END), REASON_FIELD },
	{ STR(GET_1_1 "X(y): z" END END), REASON_FIELD },
	{ STR(GET_1_1 "\xc3\x84: y" END END), REASON_FIELD },
	{ STR(GET_1_1 "X\0: y" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: \0" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: a\x01" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: a\x0b" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: \x7f" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: a\rY: b" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: a\r\r\n" END), REASON_FIELD },
	{ STR(GET_1_1 "\r\r\n"), REASON_FIELD },
	/* obs-fold (RFC 9112 5.2), and white space behind the first line */
	{ STR(GET_1_1 "X: a" END " b" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: a" END "\tb: c" END END), REASON_FIELD },
	{ STR(GET_1_1 "X: a" END " " END END), REASON_FIELD },
	{ STR("GET / HTTP/1.1" END " " HOST END), REASON_FIELD },
	{ STR("GET / HTTP/1.0" END " X: a" END END), REASON_FIELD },
	/* Hosts */
	{ STR("GET / HTTP/1.1" END END), REASON_HOST },
	{ STR("GET http://a/ HTTP/1.1" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END HOST HOST END), REASON_HOST },
	{ STR("GET / HTTP/1.0" END HOST HOST END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END HOST "hOST: b" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a b" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a, b:80" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a/b" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: http://a" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: b@a" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a?b" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a\\b" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: \xc3\xa4" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a:b" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a:80:80" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a:-1" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a:655360" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: ::1" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: []" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: [::1" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: [::1]a" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: [[::1]]" END END), REASON_HOST },
	{ STR("GET / HTTP/1.1" END "Host: a[b]" END END), REASON_HOST },
	/* Two opinions on the length */
	{ STR(POST_1_1 "Content-Length: 5" END "Transfer-Encoding: chunked"
	    END END), REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunked" END "Content-Length: 5"
	    END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5" END "Transfer-Encoding: identity"
	    END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5" END "Content-Length: 6" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5" END "content-length: 5" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5, 5" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5," END END), REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunked" END
	    "Transfer-Encoding: chunked" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunked" END
	    "Transfer-Encoding: identity" END END), REASON_FRAMING },
	/* No length that all would read alike */
	{ STR(POST_1_1 "Content-Length:" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: +5" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: -5" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 0x5" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5 5" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5;" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 5.0" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: \"5\"" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 9223372036854775808" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length: 18446744073709551616" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Content-Length : 5" END END), REASON_FIELD },
	{ STR(POST_1_1 "Content-Length: \x0b" "5" END END), REASON_FIELD },
	{ STR(POST_1_1 "Content-Length:" END " 5" END END), REASON_FIELD },
	{ STR("GET / HTTP/1.0" END "Content-Length: x" END END),
	    REASON_FRAMING },
	/* Codings: chunked last, or the end cannot be found */
	{ STR(POST_1_1 "Transfer-Encoding: gzip, chunked" END END),
	    REASON_CODING },
	{ STR(POST_1_1 "Transfer-Encoding: identity" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunked, gzip" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: xchunked" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunkedx" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: \"chunked\"" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunked;a=b" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding: chunked chunked" END END),
	    REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding:" END END), REASON_FRAMING },
	{ STR(POST_1_1 "Transfer-Encoding : chunked" END END), REASON_FIELD },
	{ STR(POST_1_1 "Transfer-Encoding:\x0b" "chunked" END END),
	    REASON_FIELD },
	{ STR(POST_1_1 "Transfer-Encoding: chunked\0" END END),
	    REASON_FIELD },
	{ STR(POST_1_1 "Transfer-Encoding:" END " chunked" END END),
	    REASON_FIELD },
	{ STR("POST / HTTP/1.0" END "Transfer-Encoding: chunked" END END),
	    REASON_FRAMING },
	/* Expectations */
	{ STR(POST_1_1 "Content-Length: 5" END "Expect: 200-ok" END END),
	    REASON_EXPECTATION },
	{ STR(GET_1_1 "Expect: 100-continue, x" END END),
	    REASON_EXPECTATION },
	{ STR(GET_1_1 "Expect: 100-continue" END "Expect: x" END END),
	    REASON_EXPECTATION },
	{ STR(GET_1_1 "Expect:" END "Expect: \"100-continue\"" END END),
	    REASON_EXPECTATION },
};

/* A reason of NONE: it may still become what it is not yet. */
static void
test_bad(void **state)
{
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		parse(&o, bad[i].in);
		if (bad[i].reason == REASON_NONE) {
			assert_int_equal(o.parse, PARSE_MORE);
		} else if (o.parse != PARSE_BAD ||
		    o.reason != bad[i].reason) {
			fail_msg("\"%.*s\": %s, %.*s", STR_ARG(bad[i].in),
			    o.parse == PARSE_BAD ? "bad" : "taken",
			    STR_ARG(reason_code(o.reason)));
		}
		free(o.copy);
	}
}

/* A refusal can be logged, and is spoken in the version of the request. */
static void
test_bad_tells_line(void **state)
{
	static const struct {
		struct str in;
		const char *line;
		enum version version;
	} cases[] = {
		{ STR("GET / HTTP/1.0" END "X" END END), "GET / HTTP/1.0",
		    VERSION_1_0 },
		{ STR("\nGET / HTTP/1.1\n\n"), "GET / HTTP/1.1",
		    VERSION_1_1 },
		{ STR("GET  /" END), "GET  /", VERSION_1_1 },
		{ STR("GET / HTTP/3.0" END), "GET / HTTP/3.0", VERSION_1_1 },
		{ STR("\x16\x03\x01" END), NULL, VERSION_1_1 },
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(&o, cases[i].in);
		assert_int_equal(o.parse, PARSE_BAD);
		expect_str(o.req.line, cases[i].line, cases[i].in);
		assert_int_equal(o.req.version, cases[i].version);
		free(o.copy);
	}
}

static void
check_prefixes(struct str whole)
{
	struct outcome o;

	for (size_t n = 0; n < whole.n; n++) {
		parse(&o, (struct str){ whole.p, n });
		if (o.parse != PARSE_MORE)
			fail_msg("the first %zu of \"%.*s\": %.*s", n,
			    STR_ARG(whole), STR_ARG(reason_code(o.reason)));
		/* Empty lines alone are used up. */
		if (o.used != UNTOUCHED) {
			assert_int_equal(o.used, n);
			assert_true(strspn(whole.p, "\r\n") >= n);
		}
		free(o.copy);
	}
}

/* Wherever a head is cut, it is good so far; only the whole is whole. */
static void
test_good_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		check_prefixes(lines[i].in);
	for (size_t i = 0; i < COUNT(framings); i++)
		check_prefixes(framings[i].in);
}

/* However a bad head is cut, it is refused in the end, and stays refused. */
static void
test_bad_in_pieces(void **state)
{
	struct outcome o;
	bool was_bad;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		was_bad = false;
		for (size_t n = 0; n < bad[i].in.n; n++) {
			parse(&o, (struct str){ bad[i].in.p, n });
			if (o.parse == PARSE_DONE ||
			    (was_bad && o.parse != PARSE_BAD))
				fail_msg("the first %zu of \"%.*s\"", n,
				    STR_ARG(bad[i].in));
			was_bad = o.parse == PARSE_BAD;
			free(o.copy);
		}
	}
}

/* What follows a head is not looked at. */
static void
test_more_behind(void **state)
{
	static const struct str behind[] = {
		STR("GET / HTTP/1.1\r\n"), STR("\n"), STR("\r\n\r\n"),
		STR("\0"), STR(" "), STR("\x16\x03\x01"),
	};
	struct outcome o;
	char in[512];

	(void)state;
	for (size_t i = 0; i < COUNT(lines) * COUNT(behind); i++) {
		struct str head = lines[i / COUNT(behind)].in;
		struct str more = behind[i % COUNT(behind)];

		assert_true(head.n + more.n <= sizeof(in));
		memcpy(in, head.p, head.n);
		memcpy(in + head.n, more.p, more.n);
		parse(&o, (struct str){ in, head.n + more.n });
		assert_int_equal(o.parse, PARSE_DONE);
		assert_int_equal(o.used, head.n);
		free(o.copy);
	}
}

static void
test_fields(void **state)
{
	static const struct str in = STR("GET / HTTP/1.1\r\n"
	    "X:\r\n"
	    "range: \t bytes=0-1 \t \r\n"
	    "HOST:a\r\n"
	    "!#$%&'*+-.^_`|~09aZ: :\"\\\xff\tz\r\n"
	    "Range: bytes=2-\r\n"
	    "\r\n");
	static const struct {
		const char *name, *value;
	} wanted[] = {
		{ "X", "" },
		{ "range", "bytes=0-1" },
		{ "HOST", "a" },
		{ "!#$%&'*+-.^_`|~09aZ", ":\"\\\xff\tz" },
		{ "Range", "bytes=2-" },
	};
	struct outcome o;

	(void)state;
	parse(&o, in);
	assert_int_equal(o.parse, PARSE_DONE);
	assert_int_equal(o.req.n_fields, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		expect_str(o.req.fields[i].name, wanted[i].name, in);
		expect_str(o.req.fields[i].value, wanted[i].value, in);
	}
	expect_str(request_field(&o.req, FIELD_RANGE), "bytes=0-1", in);
	assert_true(o.req.repeated & 1u << FIELD_RANGE);
	assert_false(o.req.repeated & 1u << FIELD_HOST);
	assert_false(request_has(&o.req, FIELD_IF_RANGE));
	expect_str(o.req.line, "GET / HTTP/1.1", in);
	expect_str(o.req.method_name, "GET", in);
	free(o.copy);
}

#define LINE_22 "GET /23456789 HTTP/1.1"
#define FIELDS_16 "Host: a\r\nX: 34\r\n"

/* Just so long is good in all its pieces; a byte more is too long. */
static void
test_limits(void **state)
{
	static const struct str in = STR(LINE_22 END FIELDS_16 END);
	static const struct {
		size_t line_max, fields_max;
		enum reason reason;
	} cases[] = {
		{ 22, 16, REASON_NONE },
		{ 21, 16, REASON_LINE_LENGTH },
		{ 22, 15, REASON_FIELDS_SIZE },
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse_within(&o, in, cases[i].line_max, cases[i].fields_max);
		assert_int_equal(o.parse == PARSE_BAD,
		    cases[i].reason != REASON_NONE);
		assert_int_equal(o.reason, cases[i].reason);
		free(o.copy);
	}
	for (size_t n = 0; n < in.n; n++) {
		parse_within(&o, (struct str){ in.p, n }, 22, 16);
		if (o.parse != PARSE_MORE)
			fail_msg("the first %zu bytes: %.*s", n,
			    STR_ARG(reason_code(o.reason)));
		free(o.copy);
	}
}

/* What never ends is refused once the limit is passed, not later. */
static void
test_endless(void **state)
{
	static const struct {
		struct str head;
		size_t max;
		enum reason reason;
	} cases[] = {
		{ STR("GET /"), LINE_MAX_BYTES, REASON_LINE_LENGTH },
		{ STR(GET_1_1 "X: "), FIELDS_MAX_BYTES, REASON_FIELDS_SIZE },
		{ STR(GET_1_1), FIELDS_MAX_BYTES, REASON_FIELDS_SIZE },
	};
	char in[FIELDS_MAX_BYTES + 256];
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memset(in, 'x', sizeof(in));
		memcpy(in, cases[i].head.p, cases[i].head.n);
		parse(&o, (struct str){ in, cases[i].max - 64 });
		assert_int_equal(o.parse, PARSE_MORE);
		free(o.copy);
		parse(&o, (struct str){ in, cases[i].max + 64 });
		assert_int_equal(o.parse, PARSE_BAD);
		assert_int_equal(o.reason, cases[i].reason);
		free(o.copy);
	}
}

static void
test_number_of_fields(void **state)
{
	static const struct str line = STR("GET / HTTP/1.0\r\n");
	char in[1024];
	struct outcome o;
	size_t n = line.n;

	(void)state;
	memcpy(in, line.p, line.n);
	for (unsigned i = 0; i < REQUEST_FIELDS; i++, n += 4)
		memcpy(in + n, "X:\r\n", 4);
	memcpy(in + n, "\r\nX:\r\n", 6);
	parse(&o, (struct str){ in, n + 2 });
	assert_int_equal(o.parse, PARSE_DONE);
	assert_int_equal(o.req.n_fields, REQUEST_FIELDS);
	free(o.copy);

	memcpy(in + n, "X:\r\n\r\n", 6);
	parse(&o, (struct str){ in, n + 6 });
	assert_int_equal(o.parse, PARSE_BAD);
	assert_int_equal(o.reason, REASON_FIELDS_SIZE);
	free(o.copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_tells_line),
		cmocka_unit_test(test_good_in_pieces),
		cmocka_unit_test(test_bad_in_pieces),
		cmocka_unit_test(test_more_behind),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_number_of_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
