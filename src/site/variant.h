/* SPDX-License-Identifier: ISC */
#ifndef SWS_SITE_VARIANT_H
#define SWS_SITE_VARIANT_H

/* Which representation a client gets (RFC 9110 12). */

#include "site/object.h"
#include "site/site.h"

/* Bits: the codings whose sidecars this request could have. */
unsigned variant_codings(const struct site *s, struct exchange *x);

/* Answers GET or HEAD with o, in the coding that suits the client best. */
void variant_answer(const struct site *s, struct exchange *x, struct object *o);

/*
 * An answer of this type and length (or LENGTH_UNKNOWN) is made for this one
 * request: in which coding is it to be sent, if any?  Adds Vary where that
 * depends on the client.
 */
enum coding variant_of_stream(const struct site *s, struct exchange *x,
    struct str type, uint64_t length);

#endif
