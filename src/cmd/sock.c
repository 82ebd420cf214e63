/* SPDX-License-Identifier: ISC */
/* sock, the socket workbench: see man/sock.1. */
#include "sock/verb.h"

int
main(int argc, char **argv)
{
	return (int)say_close(verb_main(argc, argv));
}
