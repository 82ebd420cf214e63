/* SPDX-License-Identifier: ISC */

/* An answer of any bytes: its versions are as many as are told. */

#include "sock/quic.h"

#include "target.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct quic_ids ids = {
		.to = "abcdefg", .from = "ABCDEFG",
	};
	struct str m = { (const char *)data, size };
	uint32_t versions[QUIC_VERSIONS_MAX];
	char text[QUIC_TEXT];
	unsigned n = 0;

	if (!quic_read_versions(m, &ids, versions, &n)) {
		assert(n == 0);
		return 0;
	}
	assert(n > 0 && n <= QUIC_VERSIONS_MAX);
	quic_versions_text(versions, n, text);
	assert(strlen(text) == (size_t)11 * n);
	return 0;
}
