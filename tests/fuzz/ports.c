/* SPDX-License-Identifier: ISC */

/* A set of ports of any text: what is in it is counted, and in its range. */

#include "sock/ports.h"

#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct ports p;
	unsigned n = 0;

	if (ports_parse(text, &p) != NULL)
		return 0;
	for (unsigned at = ports_next(&p, 1); at != 0;
	    at = ports_next(&p, at + 1)) {
		assert(at < PORTS_ALL && ports_has(&p, at));
		n++;
	}
	assert(n == p.n && n > 0 && !ports_has(&p, 0));
	return 0;
}
