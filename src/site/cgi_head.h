/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CGI_HEAD_H
#define SWS_SITE_CGI_HEAD_H

/* What a CGI program says before its content (RFC 3875 6.2, 6.3). */

#include "http/field.h"

#define CGI_HEAD_MAX ((size_t)64 << 10)
#define CGI_FIELDS 100

struct cgi_head {
	unsigned status;        /* of the Status field; 0: not given */
	struct str location;    /* p NULL: not given */
	bool has_type;
	bool has_length;
	uint64_t length;
	unsigned n;             /* fields to be passed on; none that speaks of
	                           the connection or that the server sets */
	struct field fields[CGI_FIELDS];
};

enum cgi_parse {
	CGI_HEAD_DONE,
	CGI_HEAD_MORE,
	CGI_HEAD_BAD,
};

/*
 * Reads a header whose lines end in LF or CR LF.  CGI_HEAD_DONE fills in
 * *out_head, whose slices point into `in`, and *out_used.
 */
enum cgi_parse cgi_head_parse(struct str in, struct cgi_head *out_head,
    size_t *out_used);

/* Does Location ask the server itself to go there (RFC 3875 6.2.2)? */
bool cgi_head_is_local_redirect(const struct cgi_head *h);

#endif
