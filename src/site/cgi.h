/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_CGI_H
#define SWS_SITE_CGI_H

/*
 * CGI/1.1 (RFC 3875), the worker's side.  The programs are run by another
 * process, the spawner; what comes and goes through their pipes is streamed
 * here, with the client's pace as the only buffer.
 */

#include "base/list.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "site/site.h"

struct cgi_setup {
	int root;                       /* descriptor of the CGI directory */
	enum symlinks symlinks;         /* which of them are followed there */
	const char *root_path;          /* absolute, for SCRIPT_FILENAME */
	const char *document_root;      /* absolute, for DOCUMENT_ROOT */
	const char *const *env;         /* further "NAME=value", NULL ends */
	const char *software;           /* SERVER_SOFTWARE */
	unsigned port;
	unsigned idle_ms;               /* for a program that does nothing */
	unsigned max_programs;          /* at once; as many more wait with the
	                                   spawner, others are told 503 */
};

struct cgi_service;

/*
 * `channel` leads to the spawner and is the service's to close; -1 while there
 * is none.  *setup is copied; what it points to stays the caller's.  Returns 0
 * or a negative errno.
 */
int cgi_open(struct loop *l, const struct cgi_setup *setup, int channel,
    struct cgi_service **out_service);
void cgi_close(struct cgi_service *s);

/* A new spawner: the programs of the old one are gone. */
void cgi_reconnect(struct cgi_service *s, int channel);

/* Is this decoded path one of a CGI program's ("cgi-bin/...")? */
bool cgi_is_path(struct str path);

/*
 * Runs the program that the decoded path names, of any method.  The answer
 * comes later.  `site` serves what the program redirects to.
 */
void cgi_answer(struct cgi_service *s, struct site *site, struct exchange *x,
    struct str path);

#endif
