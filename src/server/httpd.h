/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_HTTPD_H
#define SWS_SERVER_HTTPD_H

/*
 * Under the name httpd the program takes the flags of bozohttpd, NetBSD's web
 * server, as far as it can do what they ask for.
 */

#include "server/config.h"

/* Is that the name which the program was started under? */
bool httpd_is_name(const char *argv0);

/*
 * As config_parse, for a command line of bozohttpd.  A flag that asks for
 * what sws cannot do is refused by its name.
 */
enum config_verdict httpd_parse(int argc, char **argv,
    struct config *out_config);

#endif
