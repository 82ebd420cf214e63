/* SPDX-License-Identifier: ISC */

/* Accept-Encoding: weights within bounds, and a choice that they allow. */

#include "http/coding.h"

#include "target.h"

static void
check_choice(const struct codings *accepted, unsigned there)
{
	uint64_t sizes[CODING_COUNT];
	enum coding chosen;

	for (unsigned c = 0; c < CODING_COUNT; c++)
		sizes[c] = there & 1u << c ? 100 - c : UINT64_MAX;
	chosen = coding_choose(accepted, sizes);
	if (chosen != CODING_COUNT)
		assert(there & 1u << chosen && accepted->weight[chosen] > 0);
	for (unsigned c = 0; c < CODING_COUNT; c++)
		if (there & 1u << c && accepted->weight[c] > 0)
			assert(chosen != CODING_COUNT &&
			    accepted->weight[chosen] >= accepted->weight[c]);
}

static void
check_wish(const struct codings *accepted, unsigned among)
{
	enum coding wanted = coding_wanted(accepted, among);

	if (wanted == CODING_COUNT)
		return;
	assert(wanted >= CODING_REAL && among & 1u << wanted);
	assert(accepted->weight[wanted] > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct coding_memo memo;
	struct str in = { (const char *)data, size };
	struct codings accepted, recalled;

	coding_parse(in, &accepted);
	coding_recall(&memo, in, &recalled);
	assert(memcmp(&accepted, &recalled, sizeof(accepted)) == 0);
	for (unsigned c = 0; c < CODING_COUNT; c++)
		assert(accepted.weight[c] <= 1000);
	for (unsigned bits = 0; bits < 1u << CODING_COUNT; bits++) {
		check_choice(&accepted, bits);
		check_wish(&accepted, bits);
	}
	return 0;
}
