/* SPDX-License-Identifier: ISC */
/*
 * A program's header is as little to be trusted as a client's: it may pass on
 * what a client sent it.  What could frame the answer anew is dropped, what
 * could split it is refused.
 */
#include "site/cgi_head.h"

/* Of the connection, which is ours (RFC 9110 7.6.1), or ours to say. */
static const struct str not_passed_on[] = {
	STR("Connection"), STR("Keep-Alive"), STR("Proxy-Connection"),
	STR("Transfer-Encoding"), STR("TE"), STR("Trailer"), STR("Upgrade"),
	STR("Date"), STR("Server"),
};

static bool
is_passed_on(struct str name)
{
	const size_t n = sizeof(not_passed_on) / sizeof(not_passed_on[0]);

	for (size_t i = 0; i < n; i++) {
		if (str_eq_nocase(name, not_passed_on[i]))
			return false;
	}
	return true;
}

static bool
is_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* "404 Not Found"; the phrase is left to us. */
static bool
parse_status(struct str value, unsigned *out_status)
{
	struct str code = value;
	uint64_t status;

	if (code.n > 3)
		code.n = 3;
	if (value.n < 3 || str_to_u64(code, &status) < 0 || status < 200 ||
	    status > 599 || (value.n > 3 && value.p[3] != ' '))
		return false;
	*out_status = (unsigned)status;
	return true;
}

/* Those fields that are spoken to the server; false when they are wrong. */
static bool
take_field(struct cgi_head *h, struct str name, struct str value)
{
	if (str_eq_nocase(name, S("Status")))
		return h->status == 0 && parse_status(value, &h->status);
	if (str_eq_nocase(name, S("Content-Length"))) {
		if (h->has_length || str_to_u64(value, &h->length) < 0 ||
		    h->length > INT64_MAX)
			return false;
		h->has_length = true;
		return true;
	}
	if (str_eq_nocase(name, S("Location"))) {
		if (h->location.p != NULL || value.n == 0)
			return false;
		h->location = value;
	}
	if (str_eq_nocase(name, S("Content-Type"))) {
		if (h->has_type || value.n == 0)
			return false;
		h->has_type = true;
	}
	if (!is_passed_on(name))
		return true;
	if (h->n == CGI_FIELDS)
		return false;
	h->fields[h->n++] = (struct field){ name, value };
	return true;
}

static bool
take_line(struct cgi_head *h, struct str line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct str name, value;

	if (colon == NULL)
		return false;
	name = str_from(line.p, colon);
	value = str_trim(str_skip(line, name.n + 1));
	return field_is_token(name) && is_value(value) &&
	    take_field(h, name, value);
}

/* At least one of these is a must (RFC 3875 6.3). */
static bool
is_whole(const struct cgi_head *h)
{
	return h->has_type || h->status != 0 || h->location.p != NULL;
}

enum cgi_parse
cgi_head_parse(struct str in, struct cgi_head *out_head, size_t *out_used)
{
	struct str rest = in, line;
	const char *lf;

	memset(out_head, 0, offsetof(struct cgi_head, fields));
	while (rest.n > 0 && (lf = memchr(rest.p, '\n', rest.n)) != NULL) {
		line = str_from(rest.p, lf);
		rest = str_skip(rest, line.n + 1);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (in.n - rest.n > CGI_HEAD_MAX)
			return CGI_HEAD_BAD;
		if (line.n == 0) {
			*out_used = in.n - rest.n;
			return is_whole(out_head) ? CGI_HEAD_DONE :
			    CGI_HEAD_BAD;
		}
		if (!take_line(out_head, line))
			return CGI_HEAD_BAD;
	}
	return in.n > CGI_HEAD_MAX ? CGI_HEAD_BAD : CGI_HEAD_MORE;
}

/* A fragment is none of ours: only the client can go there. */
bool
cgi_head_is_local_redirect(const struct cgi_head *h)
{
	return h->location.p != NULL && h->location.p[0] == '/' &&
	    !str_starts(h->location, S("//")) && h->status == 0 &&
	    memchr(h->location.p, '#', h->location.n) == NULL;
}
