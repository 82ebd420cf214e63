/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_MIME_H
#define SWS_HTTP_MIME_H

/*
 * Media types by file name.  A built-in table knows what the web is made of;
 * the system's mime.types is laid over it.
 */

#include <stdbool.h>

#include "base/str.h"

struct mime_table;

/*
 * A table with the built-in types.  Whoever makes it frees it.  NULL when
 * memory is out.
 */
struct mime_table *mime_new(void);
void mime_free(struct mime_table *t);

/*
 * Adds the lines of a mime.types file ("type ext ext ...", # begins a
 * comment).  A name that is already there is replaced, except those of the
 * built-in table that browsers insist on (text/javascript, application/wasm).
 * Lines that make no sense are passed over.  0 or -ENOMEM; `text` is copied.
 */
int mime_add(struct mime_table *t, struct str text);

/*
 * The type for a file name ("photo.JPG"), by its longest known extension
 * (so "x.tar.gz" is found as "tar.gz" before "gz"), without case.  The p of
 * the result is NULL when the name says nothing; otherwise it lives as long
 * as the table.  Never carries parameters.
 */
struct str mime_by_name(const struct mime_table *t, struct str name);

/*
 * Is a charset parameter right for this type: text/..., and what else is
 * text to a browser but has no charset of its own inside?
 */
bool mime_wants_charset(struct str type);

/*
 * Does content of this type, which may carry parameters, usually become
 * smaller when it is compressed?
 */
bool mime_compresses(struct str type);

#endif
