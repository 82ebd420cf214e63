/* SPDX-License-Identifier: ISC */
#include "site/redirect.h"

#include "http/path.h"

#define FIELDS_TEXT 128         /* beside the address */

/* The address begins with exactly one slash: two would name another host. */
void
redirect_slash(struct exchange *x, struct str path)
{
	struct buf *b = &x->res.fields;

	/* All of it, or nothing: memory may come and go in between. */
	if (buf_reserve(b, 3 * path.n + x->req.query.n + FIELDS_TEXT) < 0) {
		exchange_refuse(x, REASON_MEMORY);
		return;
	}
	exchange_answer(x, 301, S("text/plain"), S("Moved.\n"));
	/* The directory may be a file by tomorrow. */
	buf_add(b, S("Cache-Control: no-cache\r\n"));
	buf_add(b, S("Location: /"));
	path_encode(b, path);
	buf_add(b, S("/"));
	if (x->req.query.p != NULL) {
		buf_add(b, S("?"));
		buf_add(b, x->req.query);
	}
	buf_add(b, S("\r\n"));
}
