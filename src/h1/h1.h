/* SPDX-License-Identifier: ISC */
#ifndef SWS_H1_H1_H
#define SWS_H1_H1_H

/* HTTP/0.9, 1.0 and 1.1 (RFC 1945, RFC 9112). */

#include "http/proto.h"

extern const struct proto_ops h1_proto;

#endif
