/* SPDX-License-Identifier: ISC */

/*
 * Method names.  The list is searched in its order, so GET, which is nearly
 * all that a web server is asked, is found by the first comparison.
 */

#include "http/method.h"

#include <stddef.h>

static const struct {
	struct str name;
	enum method method;
} methods[] = {
#define X(name) { STR(#name), METHOD_##name },
	METHODS(X)
#undef X
};

enum method
method_parse(struct str token)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (str_eq(token, methods[i].name))
			return methods[i].method;
	return METHOD_UNKNOWN;
}
