/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_FUZZ_TARGET_H
#define SWS_TESTS_FUZZ_TARGET_H

/* What each fuzz target needs: its entry, and asserts that are never off. */

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes a number off the front of in; what is missing of it is 0. */
static inline uint64_t
take_u64(struct str *in)
{
	uint64_t number = 0;
	size_t n = in->n < sizeof(number) ? in->n : sizeof(number);

	memcpy(&number, in->p, n);
	*in = str_skip(*in, n);
	return number;
}

#endif
