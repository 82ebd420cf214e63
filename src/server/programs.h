/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_PROGRAMS_H
#define SWS_SERVER_PROGRAMS_H

#include "server/config.h"
#include "site/cgi.h"

/* What the configuration says of CGI programs, made ready for site/cgi.h. */
struct programs {
	struct cgi_setup cgi;
	char *root_path, *document_root;        /* absolute, no links */
	char *env[CONFIG_CGI_ENV + 4];          /* PATH, TZ, LANG, chosen ones,
	                                           NULL */
};

/*
 * Opens the CGI directory and gathers the variables that programs get from
 * the server's own environment; p must not be moved after that.  0, or a
 * negative errno.  programs_close is to be called in either case.
 */
int programs_open(struct programs *p, const struct config *config,
    unsigned port);
void programs_close(struct programs *p);

#endif
