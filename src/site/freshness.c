/* SPDX-License-Identifier: ISC */
#include "site/freshness.h"

#include <fnmatch.h>

#include "http/path.h"

static bool
fits(const char *glob, struct str path)
{
	const char *rooted = *glob == '/' ? glob + 1 : glob;

	if (strchr(glob, '/') == NULL)
		path = path_last(path);
	return fnmatch(rooted, path.p, 0) == 0;
}

struct str
freshness_of(const struct freshness *f, struct str path)
{
	if (f == NULL)
		return S(FRESHNESS_DEFAULT);
	for (unsigned i = 0; i < f->n; i++)
		if (fits(f->rules[i].glob, path))
			return str_of(f->rules[i].value);
	return str_of(f->otherwise);
}
