/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_STATUS_H
#define SWS_HTTP_STATUS_H

#include <stdbool.h>

#include "base/str.h"

/* The reason phrase of RFC 9110 15 or RFC 6585; empty for codes unknown. */
struct str status_phrase(unsigned status);

/* May a response with this status carry content at all (RFC 9110 6.4.1)? */
bool status_has_content(unsigned status);

#endif
