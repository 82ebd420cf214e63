/* SPDX-License-Identifier: ISC */

/* Any text is an address or not; all that is given lies within it. */

#include "sock/address.h"

#include "target.h"

static bool
is_within(struct str part, struct str whole)
{
	return part.n == 0 ||
	    (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	struct address a, again;

	if (size == 0 || address_parse(in, &a) != NULL)
		return 0;
	assert(is_within(a.host, in) && is_within(a.service, in));
	assert(is_within(a.path, in) && is_within(a.options, in));
	assert(memchr(in.p, '\0', in.n) == NULL);
	assert(a.port <= 65535);
	assert(a.kind != ADDRESS_UNIX || a.path.n <= ADDRESS_PATH_MAX);
	assert(a.host.n <= 255);
	assert(address_parse(in, &again) == NULL && again.kind == a.kind);
	return 0;
}
