/* SPDX-License-Identifier: ISC */

/* Digests of large files: when they are known, and for what they count. */

#define XXH_INLINE_ALL
#include "site/digest.h"

#include <fcntl.h>
#include <unistd.h>

#include "net/loop.h"

#include "../../folder.h"
#include "../cases.h"

#define SIZE 1000000

static struct folder folder;
static struct loop *loop;
static struct digester *digester;
static unsigned descriptors;

static int
begin(void **state)
{
	(void)state;
	descriptors = folder_descriptors();
	folder_open(&folder);
	folder_large(&folder, "a", SIZE);
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(digester_open(loop, &digester), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	digester_close(digester);
	loop_close(loop);
	folder_close(&folder);
	assert_int_equal(folder_descriptors(), descriptors);
	return 0;
}

static bool
find(const char *name, XXH128_hash_t *out_digest)
{
	int fd = openat(folder.fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool is_known;

	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	is_known = digester_find(digester, fd, &st, out_digest);
	close(fd);
	return is_known;
}

/* Asks until it is known, or for so many turns. */
struct asking {
	struct timer timer;
	const char *name;
	XXH128_hash_t digest;
	bool is_known;
	int turns;
};

static void
ask_again(struct timer *t)
{
	struct asking *a = (struct asking *)(void *)t;

	a->is_known = find(a->name, &a->digest);
	if (a->is_known || a->turns-- == 0)
		loop_stop(loop);
	else
		loop_timer_start(loop, t, 1);
}

static bool
becomes_known(const char *name, XXH128_hash_t *out_digest)
{
	struct asking a = {
		.timer.fn = ask_again,
		.name = name,
		.turns = 100000,
	};

	assert_int_equal(loop_timer_start(loop, &a.timer, 1), 0);
	assert_int_equal(loop_run(loop), 0);
	*out_digest = a.digest;
	return a.is_known;
}

static void
test_digest(void **state)
{
	XXH128_hash_t digest, expected;
	char *content = malloc(SIZE);

	(void)state;
	assert_non_null(content);
	for (size_t i = 0; i < SIZE; i++)
		content[i] = folder_byte(i);
	expected = XXH3_128bits(content, SIZE);
	free(content);
	assert_false(find("a", &digest));
	assert_true(becomes_known("a", &digest));
	assert_true(XXH128_isEqual(digest, expected));
	/* And for good, until the file is another. */
	assert_true(find("a", &digest));
	folder_file(&folder, "a", S("another"));
	assert_false(find("a", &digest));
}

/* Whoever goes on writing has no digest that is of neither state. */
static void
test_changed_while_read(void **state)
{
	XXH128_hash_t digest;

	(void)state;
	assert_false(find("a", &digest));
	folder_large(&folder, "a", SIZE + 1);
	assert_true(becomes_known("a", &digest));
	assert_false(XXH128_isEqual(digest, XXH3_128bits("", 0)));
	assert_true(find("a", &digest));
}

/* More than can wait: they are asked for again. */
static void
test_many(void **state)
{
	XXH128_hash_t digest;
	char name[] = "file-a";

	(void)state;
	for (char c = 'a'; c <= 'z'; c++) {
		name[5] = c;
		folder_large(&folder, name, 1000);
		assert_false(find(name, &digest));
	}
	assert_in_range(folder_descriptors() - descriptors, 1, 30);
	assert_true(becomes_known("file-z", &digest));
}

static void
test_none(void **state)
{
	XXH128_hash_t digest;
	struct stat st = { .st_size = 1 };

	(void)state;
	assert_false(digester_find(NULL, -1, &st, &digest));
	digester_close(NULL);
}

int
main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_digest),
		WITH_FOLDER(test_changed_while_read),
		WITH_FOLDER(test_many),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
