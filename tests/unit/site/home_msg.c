/* SPDX-License-Identifier: ISC */
/* What is a question and what is none, byte by byte. */

#include "site/home_msg.h"

#include <errno.h>

#include "../cases.h"

/* n is the length of the path with its NUL. */
#define ASK(bytes) bytes, sizeof(bytes)
/* Without one. */
#define CUT(bytes) bytes, sizeof(bytes) - 1

static const struct {
	const char *bytes;
	size_t n;
	const char *user, *path;        /* no user: refused; no path: NULL */
} asks[] = {
	{ ASK("alice"), "alice", NULL },
	{ ASK("alice/"), "alice", "" },
	{ ASK("alice/a"), "alice", "a" },
	{ ASK("alice/a/b/"), "alice", "a/b/" },
	{ ASK("alice//"), "alice", "/" },
	{ ASK("a.b_c-d@e9/x"), "a.b_c-d@e9", "x" },
	{ ASK("alice/any byte\n\xff:\\"), "alice", "any byte\n\xff:\\" },

	{ ASK(""), NULL, NULL },
	{ ASK("/"), NULL, NULL },
	{ ASK("/etc/passwd"), NULL, NULL },
	{ ASK("-n/x"), NULL, NULL },
	{ ASK("a:b/x"), NULL, NULL },
	{ ASK("+/x"), NULL, NULL },
	{ ASK("a b/x"), NULL, NULL },
	{ ASK("al\nice"), NULL, NULL },
	{ ASK("gr\xc3\xbc\xc3\x9f"), NULL, NULL },
	{ ASK("alice\0/"), NULL, NULL },
	{ ASK("alice/\0x"), NULL, NULL },
	{ ASK("alice/x\0"), NULL, NULL },
	{ CUT("alice/x"), NULL, NULL },
	{ CUT(""), NULL, NULL },
};

static void
test_ask(void **state)
{
	const size_t head = home_ask_size(0) - 1;

	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++) {
		struct home_ask ask = { .id = 1 };
		const char *user = NULL, *path = NULL;
		int err;

		memset(ask.path, 'x', sizeof(ask.path));
		memcpy(ask.path, asks[i].bytes, asks[i].n);
		err = home_ask_parse(&ask, head + asks[i].n, &user, &path);
		assert_int_equal(err, asks[i].user == NULL ? -EBADMSG : 0);
		if (asks[i].user == NULL)
			continue;
		assert_string_equal(user, asks[i].user);
		if (asks[i].path == NULL)
			assert_null(path);
		else
			assert_string_equal(path, asks[i].path);
	}
}

static void
test_ask_lengths(void **state)
{
	struct home_ask ask;
	const char *user, *path;

	(void)state;
	for (size_t n = 0; n < home_ask_size(0); n++)
		assert_int_equal(home_ask_parse(&ask, n, &user, &path),
		    -EBADMSG);
	memset(ask.path, 'x', sizeof(ask.path));
	ask.path[1] = '/';
	assert_int_equal(home_ask_parse(&ask, sizeof(ask), &user, &path),
	    -EBADMSG);
	ask.path[HOME_PATH_MAX - 1] = '\0';
	assert_int_equal(home_ask_parse(&ask, sizeof(ask) + 1, &user, &path),
	    -EBADMSG);
	assert_int_equal(home_ask_parse(&ask, sizeof(ask), &user, &path), 0);
	assert_int_equal(strlen(path), HOME_PATH_MAX - 3);
}

static void
test_user_lengths(void **state)
{
	char name[HOME_USER_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(home_is_user((struct str){ name, HOME_USER_MAX }));
	assert_false(home_is_user((struct str){ name, HOME_USER_MAX + 1 }));
	assert_false(home_is_user((struct str){ name, 0 }));
}

static const struct {
	uint32_t kind;
	unsigned n_fds;
	bool is_valid;
} replies[] = {
	{ HOME_MISSING, 0, true },
	{ HOME_MISSING, 1, false },
	{ HOME_SLASH, 0, true },
	{ HOME_SLASH, 2, false },
	{ HOME_FILE, 0, false },
	{ HOME_FILE, 1, true },
	{ HOME_FILE, 2, false },
	{ HOME_DIRECTORY, 1, false },
	{ HOME_DIRECTORY, 2, true },
	{ HOME_KINDS, 0, false },
	{ UINT32_MAX, 0, false },
};

static void
test_reply(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		struct home_reply reply = { .kind = replies[i].kind };
		const size_t n = sizeof(reply);

		assert_int_equal(home_reply_is_valid(&reply, n,
		    replies[i].n_fds), replies[i].is_valid);
		assert_false(home_reply_is_valid(&reply, n - 1,
		    replies[i].n_fds));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_ask_lengths),
		cmocka_unit_test(test_user_lengths),
		cmocka_unit_test(test_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
