/* SPDX-License-Identifier: ISC */

/* Whatever a program says, what is passed on frames nothing and splits
   nothing; and a header is the same however little of it has come yet. */

#include "site/cgi_head.h"

#include "target.h"

static void
check_field(struct str in, const struct field *f)
{
	assert(f->name.p >= in.p && f->value.p + f->value.n <= in.p + in.n);
	assert(field_is_token(f->name));
	assert(!str_eq_nocase(f->name, S("Transfer-Encoding")));
	assert(!str_eq_nocase(f->name, S("Connection")));
	assert(!str_eq_nocase(f->name, S("Content-Length")));
	assert(!str_eq_nocase(f->name, S("Status")));
	if (f->value.n > 0) {
		assert(memchr(f->value.p, '\n', f->value.n) == NULL);
		assert(memchr(f->value.p, '\r', f->value.n) == NULL);
		assert(memchr(f->value.p, '\0', f->value.n) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	static struct cgi_head h, part;
	size_t used = 0, part_used;

	if (cgi_head_parse(in, &h, &used) != CGI_HEAD_DONE)
		return 0;
	assert(used > 0 && used <= size && used <= CGI_HEAD_MAX);
	assert(in.p[used - 1] == '\n');
	assert(h.status == 0 || (h.status >= 200 && h.status <= 599));
	assert(h.n <= CGI_FIELDS);
	for (unsigned i = 0; i < h.n; i++)
		check_field(in, &h.fields[i]);
	in.n = used - 1;
	assert(cgi_head_parse(in, &part, &part_used) == CGI_HEAD_MORE);
	return 0;
}
