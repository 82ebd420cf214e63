/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_SITE_H
#define SWS_SITE_SITE_H

/* What a URL means: a document root and the rules for serving it. */

#include "http/coding.h"
#include "base/list.h"
#include "http/exchange.h"
#include "site/object.h"
#include "site/resolve.h"

struct cache;
struct cgi_service;
struct encode_service;
struct freshness;
struct home_service;
struct loop;
struct mime_table;
struct sniffer;

/* Those that are being made, known, or sent. */
struct listings {
	size_t bytes;                   /* that they may take together */
	size_t left_bytes;              /* of these */
	struct list makings;            /* dir.c's */
};

struct site {
	int root;                       /* descriptor of the document root */
	struct str index;               /* name of a directory's own page */
	bool lists;                     /* directories without one */
	struct listings *listings;      /* NULL: no bound */
	struct loop *loop;              /* NULL: all is done at once */
	bool shows_hidden;              /* names that begin with a dot */
	enum symlinks symlinks;         /* which of them are followed */
	const struct mime_table *types;
	struct sniffer *sniffer;        /* may be NULL */
	enum etag etag;
	struct digester *digester;      /* may be NULL */
	size_t content_max;             /* of a file, to be held in memory */
	struct cache *cache;            /* may be NULL */
	const struct freshness *freshness;      /* NULL: nothing is said */
	uint64_t compress_max;          /* larger files are not compressed
	                                   here; 0: nothing is */
	struct encode_service *encode;  /* may be NULL */
	struct coding_memo *codings;    /* may be NULL */
	struct cgi_service *cgi;        /* NULL: no programs */
	struct str cgi_path;            /* where they are, absolute, without
	                                   links; empty: not below the root */
	struct home_service *homes;     /* NULL: no user directories */
};

/*
 * Answers x: fills in x->res.  What the answer needs later it holds itself;
 * the request's memory may go.
 */
void site_serve(struct site *s, struct exchange *x);

#endif
