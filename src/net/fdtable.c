/* SPDX-License-Identifier: ISC */
/* Descriptors are small numbers, so a table finds what belongs to each. */
#include "net/fdtable_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LEAST 64

void *
fdtable_reach(void *table, size_t *n, size_t size, int fd)
{
	size_t longer = *n > 0 ? *n : LEAST;

	assert(fd >= 0);
	if ((size_t)fd < *n)
		return table;
	while (longer <= (size_t)fd)
		longer *= 2;
	table = realloc(table, longer * size);
	if (table == NULL)
		return NULL;
	memset((char *)table + *n * size, 0, (longer - *n) * size);
	*n = longer;
	return table;
}
