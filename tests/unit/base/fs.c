/* SPDX-License-Identifier: ISC */

#include "base/fs.h"

#include <linux/magic.h>

#include "../cases.h"

static const struct {
	long type;
	bool tells;
} types[] = {
	{ EXT4_SUPER_MAGIC, true },
	{ BTRFS_SUPER_MAGIC, true },
	{ XFS_SUPER_MAGIC, true },
	{ TMPFS_MAGIC, true },
	{ OVERLAYFS_SUPER_MAGIC, true },
	{ NFS_SUPER_MAGIC, false },
	{ FUSE_SUPER_MAGIC, false },
	{ CIFS_SUPER_MAGIC, false },
	/* The same in a word of 32 bits. */
	{ (int)CIFS_SUPER_MAGIC, false },
};

static void
test_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct statfs fs = { .f_type = types[i].type };

		assert_int_equal(fs_tells_changes(&fs), types[i].tells);
	}
}

static void
test_proc(void **state)
{
	struct statfs fs;

	(void)state;
	assert_int_equal(statfs("/proc", &fs), 0);
	assert_false(fs_tells_changes(&fs));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
