/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CGI_ENV_H
#define SWS_SITE_CGI_ENV_H

#include "site/cgi.h"

struct script {
	struct str path;        /* below the CGI root: "dir/name" */
	struct str info;        /* what follows: "" or "/extra/path" */
};

/*
 * Writes to b the message that has the spawner run a script for x (site/
 * spawn_msg.h): its arguments (RFC 3875 4.4) and exactly the environment of
 * 4.1 with what programs of today expect beside.  content_length is
 * LENGTH_UNKNOWN when the request has no content.  0, or -ENOBUFS when the
 * request is too large for a message.
 */
int cgi_write_message(struct buf *b, const struct cgi_setup *setup,
    struct exchange *x, const struct script *script, uint64_t content_length,
    uint32_t id);

#endif
