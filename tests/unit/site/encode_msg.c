/* SPDX-License-Identifier: ISC */

#include "site/encode_msg.h"

#include <string.h>

#include "../cases.h"

#define ASK sizeof(struct encode_ask)
#define REPLY sizeof(struct encode_reply)

static const struct {
	size_t n;
	unsigned n_fds;
	uint32_t coding;
	bool is_valid;
} asks[] = {
	{ ASK, 1, CODING_BR, true },
	{ ASK, 1, CODING_ZSTD, true },
	{ ASK, 1, CODING_GZIP, true },
	{ ASK, 1, CODING_IDENTITY, false },
	{ ASK, 1, CODING_COUNT, false },
	{ ASK, 1, UINT32_MAX, false },
	{ ASK, 0, CODING_BR, false },
	{ ASK, 2, CODING_BR, false },
	{ ASK - 1, 1, CODING_BR, false },
	{ ASK + 1, 1, CODING_BR, false },
	{ 1, 1, CODING_BR, false },
};

static void
test_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++) {
		struct encode_ask ask = { .coding = asks[i].coding };

		if (encode_ask_is_valid(&ask, asks[i].n, asks[i].n_fds) !=
		    asks[i].is_valid)
			fail_msg("row %zu", i);
	}
}

static const struct {
	size_t n;
	unsigned n_fds;
	uint32_t kind;
	bool is_valid;
} replies[] = {
	{ REPLY, 0, ENCODE_NOT_SMALLER, true },
	{ REPLY, 1, ENCODE_MADE, true },
	{ REPLY, 0, ENCODE_FAILED, true },
	{ REPLY, 1, ENCODE_NOT_SMALLER, false },
	{ REPLY, 1, ENCODE_FAILED, false },
	{ REPLY, 0, ENCODE_MADE, false },
	{ REPLY, 1, ENCODE_KINDS, false },
	{ REPLY, 0, UINT32_MAX, false },
	{ REPLY - 1, 0, ENCODE_NOT_SMALLER, false },
	{ REPLY + 1, 0, ENCODE_NOT_SMALLER, false },
};

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		struct encode_reply reply = { .kind = replies[i].kind };

		if (encode_reply_is_valid(&reply, replies[i].n,
		    replies[i].n_fds) != replies[i].is_valid)
			fail_msg("row %zu", i);
	}
}

/* Whatever can tell one state of a file from another. */
static void
test_states(void **state)
{
	struct stat st = {
		.st_dev = 1,
		.st_ino = 2,
		.st_size = 3,
		.st_mtim = { 4, 5 },
		.st_ctim = { 6, 7 },
	};
	const struct encode_state known = encode_state_of(&st);
	struct encode_state other = encode_state_of(&st);

	(void)state;
	assert_true(encode_state_is(&known, &other));
	st.st_atim.tv_sec = 8;
	st.st_nlink = 9;
	other = encode_state_of(&st);
	assert_true(encode_state_is(&known, &other));

#define DIFFERS(field) \
	st.field++; \
	other = encode_state_of(&st); \
	assert_false(encode_state_is(&known, &other)); \
	st.field--
	DIFFERS(st_dev);
	DIFFERS(st_ino);
	DIFFERS(st_size);
	DIFFERS(st_mtim.tv_sec);
	DIFFERS(st_mtim.tv_nsec);
	DIFFERS(st_ctim.tv_sec);
	DIFFERS(st_ctim.tv_nsec);
#undef DIFFERS
}

static void
test_worth(void **state)
{
	(void)state;
	assert_int_equal(encode_worth(512), 496);
	assert_int_equal(encode_worth(1000000), 968750);
	assert_true(encode_worth(UINT64_MAX) < UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_worth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
