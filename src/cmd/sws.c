/* SPDX-License-Identifier: ISC */
/* sws, the simple web server: see man/sws.1. */
#include <sysexits.h>

#include "base/log.h"
#include "server/config.h"
#include "server/httpd.h"
#include "server/server.h"
#include "server/title.h"

int
main(int argc, char **argv)
{
	enum config_verdict verdict;
	struct config config;

	log_open("sws", LOG_LEVEL_INFO);
	title_init(argc, argv);
	verdict = httpd_is_name(argv[0]) ? httpd_parse(argc, argv, &config) :
	    config_parse(argc, argv, &config);
	switch (verdict) {
	case CONFIG_RUN:
		return server_run(&config);
	case CONFIG_EXIT:
		return 0;
	case CONFIG_USAGE:
		break;
	}
	return EX_USAGE;
}
