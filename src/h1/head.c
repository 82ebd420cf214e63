/* SPDX-License-Identifier: ISC */
/*
 * The head of a request.  This is the server's border: each byte is checked,
 * strictly, and what is not plainly right is refused, since the next
 * server in the chain may read it differently (RFC 9112 11.2).
 *
 * Which bytes may stand where is said in scan.c.  The functions below follow
 * the message from its first byte to its last.
 */
#include "h1/head.h"

#include <arpa/inet.h>

#include "h1/scan.h"

/*
 * Takes a line from *rest, without its CR LF.  A lone LF ends a line too
 * (RFC 9112 2.2); a CR that ends none is left in, where it is no legal byte.
 */
static bool
take_line(struct str *rest, struct str *out_line)
{
	const char *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str line;

	if (lf == NULL)
		return false;
	line = str_from(rest->p, lf);
	*rest = str_skip(*rest, line.n + 1);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	*out_line = line;
	return true;
}

/* "HTTP/1.1", RFC 9112 2.3 */
static enum reason
parse_version(struct str s, enum version *out_version)
{
	if (s.n != 8 || !str_starts(s, S("HTTP/")) || s.p[6] != '.' ||
	    s.p[5] < '0' || s.p[5] > '9' || s.p[7] < '0' || s.p[7] > '9')
		return REASON_REQUEST_LINE;
	if (s.p[5] != '1')
		return REASON_VERSION;
	*out_version = s.p[7] == '0' ? VERSION_1_0 : VERSION_1_1;
	return REASON_NONE;
}

/* "[" IPv6address "]"; what has yet to be invented is not served. */
static bool
is_ip_literal(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (s.n < 4 || s.n - 2 >= sizeof(text))
		return false;
	memcpy(text, s.p + 1, s.n - 2);
	text[s.n - 2] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

/* *( unreserved / pct-encoded / sub-delims ) */
static bool
is_reg_name(struct str s)
{
	if (h1_span(s, H1_HOST) != s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && (s.n - i < 3 ||
		    str_hex_digit(s.p[i + 1]) < 0 ||
		    str_hex_digit(s.p[i + 2]) < 0))
			return false;
	}
	return true;
}

/* *DIGIT, and none that is no port */
static bool
is_port(struct str s)
{
	uint64_t port;

	return s.n == 0 || (str_to_u64(s, &port) == 0 && port <= 65535);
}

/* uri-host [ ":" port ]; an empty one is right where there is none to name. */
static bool
is_authority(struct str s)
{
	bool is_literal = s.n > 0 && s.p[0] == '[';
	const char *end = s.n == 0 ? NULL : is_literal ?
	    memchr(s.p, ']', s.n) : memchr(s.p, ':', s.n);
	struct str host = s, rest;

	if (is_literal && end == NULL)
		return false;
	if (end != NULL)
		host.n = (size_t)(end - s.p) + is_literal;
	rest = str_skip(s, host.n);
	if (rest.n > 0 && (rest.p[0] != ':' || !is_port(str_skip(rest, 1))))
		return false;
	return is_literal ? is_ip_literal(host) : is_reg_name(host);
}

static void
split_query(struct str target, struct request *req)
{
	const char *mark = memchr(target.p, '?', target.n);

	req->path = target;
	if (mark != NULL) {
		req->path.n = (size_t)(mark - target.p);
		req->query = str_skip(target, req->path.n + 1);
	}
}

/* http://authority/path?query, RFC 9112 3.2.2 */
static enum reason
parse_absolute(struct str target, struct request *req)
{
	enum { HTTP, HTTPS, SCHEMES };
	static const struct str schemes[SCHEMES] = {
		[HTTP] = STR("http://"), [HTTPS] = STR("https://"),
	};
	size_t end, i;

	for (i = 0; i < SCHEMES; i++) {
		struct str head = target;

		if (target.n < schemes[i].n)
			continue;
		head.n = schemes[i].n;
		if (str_eq_nocase(head, schemes[i]))
			break;
	}
	if (i == SCHEMES)
		return REASON_TARGET;
	target = str_skip(target, schemes[i].n);
	for (end = 0; end < target.n; end++) {
		if (target.p[end] == '/' || target.p[end] == '?')
			break;
	}
	req->authority = (struct str){ target.p, end };
	if (end == 0 || !is_authority(req->authority))
		return REASON_TARGET;
	/* Only who has shown a certificate may answer it: RFC 9110 7.4. */
	if (i == HTTPS)
		return REASON_MISDIRECTED;
	split_query(str_skip(target, end), req);
	if (req->path.n == 0)
		req->path = S("/");
	return REASON_NONE;
}

static enum reason
parse_target(struct str target, struct request *req)
{
	if (req->method == METHOD_CONNECT) {
		req->authority = target;
		return is_authority(target) ? REASON_NONE : REASON_TARGET;
	}
	if (target.p[0] == '/') {
		split_query(target, req);
		return REASON_NONE;
	}
	if (req->method == METHOD_OPTIONS && str_eq(target, S("*")))
		return REASON_NONE;
	return parse_absolute(target, req);
}

/* method SP request-target SP HTTP-version, RFC 9112 3 */
static enum reason
parse_line(struct str line, struct request *req)
{
	struct str target, rest = line;
	enum reason r;

	req->line = line;
	req->method_name = (struct str){ line.p, h1_span(line, H1_TOKEN) };
	rest = str_skip(line, req->method_name.n);
	if (req->method_name.n == 0 || rest.n < 2 || rest.p[0] != ' ')
		return REASON_REQUEST_LINE;
	req->method = method_parse(req->method_name);
	rest = str_skip(rest, 1);
	target = (struct str){ rest.p, h1_span(rest, H1_TARGET) };
	rest = str_skip(rest, target.n);
	if (target.n == 0)
		return REASON_REQUEST_LINE;
	if (rest.n == 0) {
		/* Simple-Request, RFC 1945 5: GET and nothing else. */
		if (req->method != METHOD_GET || target.p[0] != '/')
			return REASON_REQUEST_LINE;
		req->version = VERSION_0_9;
	} else {
		if (rest.p[0] != ' ')
			return REASON_REQUEST_LINE;
		r = parse_version(str_skip(rest, 1), &req->version);
		if (r != REASON_NONE)
			return r;
	}
	return parse_target(target, req);
}

/*
 * field-name ":" OWS field-value OWS, RFC 9112 5; obs-fold is refused.  False
 * when *rest does not begin with such a line, or not with the whole of it.
 */
static bool
take_field(struct str *rest, struct field *out_field)
{
	struct str name = { rest->p, h1_span(*rest, H1_TOKEN) }, value, after;

	if (name.n == 0 || name.n == rest->n || rest->p[name.n] != ':')
		return false;
	value = after = str_skip(*rest, name.n + 1);
	value.n = h1_span(value, H1_VALUE);
	after = str_skip(after, value.n);
	if (str_starts(after, S("\r\n")))
		*rest = str_skip(after, 2);
	else if (str_starts(after, S("\n")))
		*rest = str_skip(after, 1);
	else
		return false;
	*out_field = (struct field){ name, str_trim(value) };
	return true;
}

static void
add_field(struct request *req, const struct field *f)
{
	enum field_id id = field_parse(f->name);

	req->fields[req->n_fields++] = *f;
	if (request_has(req, id))
		req->repeated |= 1u << id;
	else
		req->first[id] = (unsigned char)req->n_fields;
}

/* RFC 9112 3.2: exactly one, valid, in HTTP/1.1; in 1.0 it may be missing. */
static enum reason
check_host(struct request *req)
{
	struct str host = request_field(req, FIELD_HOST);

	if (host.p == NULL)
		return req->version == VERSION_1_0 ? REASON_NONE : REASON_HOST;
	if (req->repeated & 1u << FIELD_HOST || !is_authority(host))
		return REASON_HOST;
	/* The target's own authority counts more (RFC 9112 3.2.2). */
	if (req->authority.p == NULL)
		req->authority = host;
	return REASON_NONE;
}

/*
 * RFC 9112 6.3: how long is the content?  Whatever two readers could answer
 * differently is refused: both fields, either of them twice, a list.
 */
static enum reason
check_framing(struct request *req)
{
	const uint32_t both = 1u << FIELD_TRANSFER_ENCODING |
	    1u << FIELD_CONTENT_LENGTH;
	bool has_length = request_has(req, FIELD_CONTENT_LENGTH);
	bool has_coding = request_has(req, FIELD_TRANSFER_ENCODING);
	struct str value, last = { NULL, 0 }, rest;

	if (!has_length && !has_coding)
		return REASON_NONE;
	if ((has_length && has_coding) || req->repeated & both)
		return REASON_FRAMING;
	if (has_length) {
		value = request_field(req, FIELD_CONTENT_LENGTH);
		/* The largest value is spoken for: LENGTH_UNKNOWN. */
		if (str_to_u64(value, &req->content_length) < 0 ||
		    req->content_length > INT64_MAX)
			return REASON_FRAMING;
		return REASON_NONE;
	}
	if (req->version == VERSION_1_0)
		return REASON_FRAMING;
	value = rest = request_field(req, FIELD_TRANSFER_ENCODING);
	req->is_chunked = str_eq_nocase(value, S("chunked"));
	if (req->is_chunked)
		return REASON_NONE;
	while (field_list_next(&rest, &last))
		;
	return str_eq_nocase(last, S("chunked")) ? REASON_CODING :
	    REASON_FRAMING;
}

/* RFC 9112 9.3 */
static void
check_connection(struct request *req)
{
	bool closes = false;

	req->keeps_alive = req->version == VERSION_1_1;
	if (!request_has(req, FIELD_CONNECTION))
		return;
	for (unsigned i = 0; i < req->n_fields; i++) {
		struct field *f = &req->fields[i];

		if (field_parse(f->name) != FIELD_CONNECTION)
			continue;
		if (field_list_has(f->value, S("close")))
			closes = true;
		if (field_list_has(f->value, S("keep-alive")))
			req->keeps_alive = true;
	}
	if (closes)
		req->keeps_alive = false;
}

/* RFC 9110 10.1.1: a list, of which one member is known. */
static enum reason
check_expectations(struct request *req)
{
	struct str rest, member;

	/* A 1.0 client does not know the field: it is ignored. */
	if (req->version != VERSION_1_1 || !request_has(req, FIELD_EXPECT))
		return REASON_NONE;
	for (unsigned i = 0; i < req->n_fields; i++) {
		if (field_parse(req->fields[i].name) != FIELD_EXPECT)
			continue;
		rest = req->fields[i].value;
		while (field_list_next(&rest, &member)) {
			if (!str_eq_nocase(member, S("100-continue")))
				return REASON_EXPECTATION;
			req->expects_continue = request_has_content(req);
		}
	}
	return REASON_NONE;
}

static enum reason
check_fields(struct request *req)
{
	enum reason r;

	r = check_host(req);
	if (r == REASON_NONE)
		r = check_framing(req);
	if (r != REASON_NONE)
		return r;
	check_connection(req);
	return check_expectations(req);
}

/* The field lines up to and with the empty one. */
static enum parse
parse_fields(struct str *rest, size_t fields_max, struct request *req,
    enum reason *out_reason)
{
	const char *begin = rest->p;
	struct field field;
	struct str line;
	bool is_field;

	for (;;) {
		is_field = take_field(rest, &field);
		if (!is_field && !take_line(rest, &line)) {
			/* The CR of the empty line does not count. */
			if (rest->n + (size_t)(rest->p - begin) <=
			    fields_max + 1)
				return PARSE_MORE;
			*out_reason = REASON_FIELDS_SIZE;
			return PARSE_BAD;
		}
		if (!is_field && line.n == 0)
			return PARSE_DONE;
		if ((size_t)(rest->p - begin) > fields_max ||
		    req->n_fields == REQUEST_FIELDS) {
			*out_reason = REASON_FIELDS_SIZE;
			return PARSE_BAD;
		}
		if (!is_field) {
			*out_reason = REASON_FIELD;
			return PARSE_BAD;
		}
		add_field(req, &field);
	}
}

/*
 * Empty lines before a request are what old clients leave behind a POST
 * (RFC 9112 2.2).  A few are passed over.
 */
static void
skip_empty_lines(struct str *rest)
{
	for (int i = 0; i < 4; i++) {
		if (str_starts(*rest, S("\r\n")))
			*rest = str_skip(*rest, 2);
		else if (str_starts(*rest, S("\n")))
			*rest = str_skip(*rest, 1);
	}
}

enum parse
h1_head_parse(struct str in, size_t line_max, size_t fields_max,
    struct request *out_req, size_t *out_used, enum reason *out_reason)
{
	struct str line, rest = in;
	enum reason r;
	enum parse p;

	request_clear(out_req);
	skip_empty_lines(&rest);
	if (rest.n == 0) {
		*out_used = in.n;
		return PARSE_MORE;
	}
	/* What cannot begin a request need not be waited for. */
	if (h1_span((struct str){ rest.p, 1 }, H1_TOKEN) == 0 &&
	    !str_eq(rest, S("\r"))) {
		*out_reason = REASON_REQUEST_LINE;
		return PARSE_BAD;
	}
	if (!take_line(&rest, &line)) {
		if (rest.n <= line_max + 1)
			return PARSE_MORE;
		out_req->line = rest;
		*out_reason = REASON_LINE_LENGTH;
		return PARSE_BAD;
	}
	r = line.n > line_max ? REASON_LINE_LENGTH : parse_line(line, out_req);
	if (r != REASON_NONE) {
		out_req->line = line;
		*out_reason = r;
		return PARSE_BAD;
	}
	if (out_req->version != VERSION_0_9) {
		p = parse_fields(&rest, fields_max, out_req, out_reason);
		if (p != PARSE_DONE)
			return p;
		r = check_fields(out_req);
	}
	*out_used = in.n - rest.n;
	*out_reason = r;
	return r == REASON_NONE ? PARSE_DONE : PARSE_BAD;
}
