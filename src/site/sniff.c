/* SPDX-License-Identifier: ISC */
/* The only place that knows libmagic(3). */
#include "site/sniff.h"

#include <magic.h>
#include <stdlib.h>

struct sniffer {
	magic_t magic;
};

struct sniffer *
sniffer_new(void)
{
	struct sniffer *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
	    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TAR);
	if (s->magic != NULL && magic_load(s->magic, NULL) == 0)
		return s;
	sniffer_free(s);
	return NULL;
}

void
sniffer_free(struct sniffer *s)
{
	if (s == NULL)
		return;
	if (s->magic != NULL)
		magic_close(s->magic);
	free(s);
}

struct str
sniffer_type(struct sniffer *s, struct str beginning)
{
	const char *type = NULL;

	/* Nothing is as good as text, and shown rather than saved. */
	if (beginning.n == 0)
		return S("text/plain");
	if (s != NULL)
		type = magic_buffer(s->magic, beginning.p, beginning.n);
	return type != NULL ? str_of(type) : S("application/octet-stream");
}
