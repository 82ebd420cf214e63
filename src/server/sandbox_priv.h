/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_SANDBOX_PRIV_H
#define SWS_SERVER_SANDBOX_PRIV_H

#include "server/sandbox.h"

/* AddressSanitizer and its search for leaks need more than we do. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Allows what the table in sandbox_calls.c does.  0 or a negative errno. */
int sandbox_filter(const struct sandbox *s);

#endif
