/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_PORTS_H
#define SWS_SOCK_PORTS_H

/* Sets of ports: "22,80,8000-8080". */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define PORTS_ALL 65536

struct ports {
	uint64_t bits[PORTS_ALL / 64];
	unsigned n;
};

/*
 * NULL, or a sentence that says what is wrong with the text; *out is then
 * undefined.  Port 0 is none that one could ask.
 */
const char *ports_parse(struct str text, struct ports *out);

/* `port` is below PORTS_ALL. */
void ports_add(struct ports *p, unsigned port);

bool ports_has(const struct ports *p, unsigned port);

/* The next port of the set from `port` on; 0 when there is none. */
unsigned ports_next(const struct ports *p, unsigned port);

#endif
