/* SPDX-License-Identifier: ISC */

/* Whatever the bytes are: all ways to look at them see the same. */

#include "h1/scan.h"

#include "h1/scan_priv.h"

#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = { (const char *)data, size };

	for (unsigned class = 0; class < H1_CLASSES; class ++) {
		size_t wanted = h1_span_plain(s, class);

		assert(wanted <= size);
		assert(h1_span(s, class) == wanted);
		for (size_t i = 0; i < h1_n_scanners; i++) {
			if (h1_scanners[i].is_here())
				assert(h1_scanners[i].span(s, class) == wanted);
		}
	}
	return 0;
}
