/* SPDX-License-Identifier: ISC */
#include "site/redirect.h"

#include "http/path.h"
#include "site/html.h"

#define FIELDS_TEXT 128         /* beside the address */

#define PAGE_BEGIN \
	"<!doctype html>\n" \
	"<html lang=\"en\">\n" \
	"<meta charset=\"utf-8\">\n" \
	"<title>301 Moved Permanently</title>\n" \
	"<p>This directory is found at <a href=\""
#define PAGE_END "\">its name with a slash</a>.\n"

/* It begins with exactly one slash: two would name another host. */
static struct str
write_address(struct exchange *x, struct str path)
{
	struct str query = x->req.query;
	char *begin, *at;

	begin = at = arena_alloc(&x->arena,
	    3 * path.n + query.n + strlen("//?"));
	if (begin == NULL)
		return (struct str){ NULL, 0 };
	*at++ = '/';
	at = path_put_encoded(at, path);
	*at++ = '/';
	if (query.p != NULL) {
		*at++ = '?';
		at = str_put(at, query);
	}
	return str_from(begin, at);
}

/* For people, and for clients that see no field (RFC 1945 9.3). */
static struct str
write_page(struct exchange *x, struct str address)
{
	char *begin, *at;

	begin = at = arena_alloc(&x->arena,
	    6 * address.n + strlen(PAGE_BEGIN PAGE_END));
	if (begin == NULL)
		return (struct str){ NULL, 0 };
	at = str_put(at, S(PAGE_BEGIN));
	at = html_put(at, address);
	at = str_put(at, S(PAGE_END));
	return str_from(begin, at);
}

void
redirect_slash(struct exchange *x, struct str path)
{
	struct str address = write_address(x, path), page = { NULL, 0 };

	if (address.p != NULL)
		page = write_page(x, address);
	/* All of it, or nothing: memory may come and go in between. */
	if (page.p == NULL ||
	    buf_reserve(&x->res.fields, address.n + FIELDS_TEXT) < 0) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	exchange_answer(x, 301, S("text/html; charset=utf-8"), page);
	/* The directory may be a file by tomorrow. */
	exchange_add_field(x, S("Cache-Control"), S("no-cache"));
	exchange_add_field(x, S("Location"), address);
}
