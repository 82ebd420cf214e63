/* SPDX-License-Identifier: ISC */
#include "http/reason.h"

#include <errno.h>

static const struct {
	unsigned status;
	struct str code, text;
} reasons[] = {
	[REASON_NONE] = { 0, STR(""), STR("") },
#define X(id, status, code, text) \
	[REASON_##id] = { status, STR(code), STR(text) },
	REASONS(X)
#undef X
};

unsigned
reason_status(enum reason r)
{
	return reasons[r].status;
}

struct str
reason_code(enum reason r)
{
	return reasons[r].code;
}

struct str
reason_text(enum reason r)
{
	return reasons[r].text;
}

enum reason
reason_of_errno(int err)
{
	switch (err) {
	case ENOENT:
	case ENAMETOOLONG:      /* no such name can exist */
	case EINVAL:
		return REASON_MISSING;
	case ENOTDIR:
		return REASON_NOT_DIRECTORY;
	case ELOOP:
		return REASON_LINK_LOOP;
	case EXDEV:             /* openat2(2), RESOLVE_BENEATH */
		return REASON_LINK_LEAVES;
	case EMLINK:            /* see site/resolve.h */
		return REASON_LINK_REFUSED;
	case EACCES:
	case EPERM:
		return REASON_UNREADABLE;
	case ENXIO:             /* a socket, or a device without a driver */
	case ENODEV:
		return REASON_NOT_FILE;
	case EMFILE:
	case ENFILE:
		return REASON_DESCRIPTORS;
	case ENOMEM:
	case ENOBUFS:
		return REASON_MEMORY;
	default:
		return REASON_INPUT_OUTPUT;
	}
}
