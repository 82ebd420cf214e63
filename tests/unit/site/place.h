/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_SITE_PLACE_H
#define SWS_TESTS_UNIT_SITE_PLACE_H

/* A site over a folder of its own, to be asked without a socket. */

#include "http/mime.h"
#include "site/site.h"

#include "../../folder.h"
#include "../../loopback.h"
#include "../cases.h"

struct place {
	struct folder folder;
	struct site site;
	struct mime_table *types;
	struct loopback loopback;
	unsigned descriptors;   /* before; as many must be left */
};

static inline void
place_open(struct place *p)
{
	p->descriptors = folder_descriptors();
	folder_open(&p->folder);
	p->types = mime_new();
	assert_non_null(p->types);
	p->site = (struct site){
		.root = p->folder.fd,
		.index = S("index.html"),
		.lists = true,
		.types = p->types,
		.content_max = OBJECT_CONTENT_MAX,
	};
	loopback_init_site(&p->loopback, &p->site);
}

static inline void
place_close(struct place *p)
{
	loopback_fini(&p->loopback);
	mime_free(p->types);
	folder_close(&p->folder);
	assert_int_equal(folder_descriptors(), p->descriptors);
}

#endif
