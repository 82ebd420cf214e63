/* SPDX-License-Identifier: ISC */
/* sws, the simple web server: see man/sws.1. */
#include <sysexits.h>

#include "base/log.h"
#include "server/config.h"
#include "server/server.h"

int
main(int argc, char **argv)
{
	struct config config;

	log_open("sws", LOG_LEVEL_INFO);
	switch (config_parse(argc, argv, &config)) {
	case CONFIG_RUN:
		return server_run(&config);
	case CONFIG_EXIT:
		return 0;
	case CONFIG_USAGE:
		break;
	}
	return EX_USAGE;
}
