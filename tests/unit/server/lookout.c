/* SPDX-License-Identifier: ISC */
/* What changes where a path leads to is told, and nothing else. */

#include "server/lookout.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "../../folder.h"
#include "../cases.h"

#define END_MS 60000    /* in vain: what was awaited was not told */

static struct folder folder;
static struct loop *loop;
static struct lookout lookout;
static char path[128];
static bool was_told;

static void
on_change(struct lookout *l)
{
	was_told = true;
	lookout_look(l);
	loop_stop(loop);
}

static const char *
at(const char *name, char text[128])
{
	snprintf(text, 128, "%s/%s", folder.path, name);
	return text;
}

static void
move(const char *from, const char *to)
{
	char a[128], b[128];

	assert_int_equal(rename(at(from, a), at(to, b)), 0);
}

static void
swap_link(const char *link, const char *target)
{
	folder_link(&folder, "new", target);
	move("new", link);
}

static int
open_all(void **state)
{
	(void)state;
	folder_open(&folder);
	folder_dir(&folder, "a");
	folder_dir(&folder, "a/site");
	folder_dir(&folder, "b");
	folder_dir(&folder, "b/site");
	folder_link(&folder, "current", "a");
	return 0;
}

static void
watch(const char *name)
{
	assert_int_equal(loop_open("poll", &loop), 0);
	lookout = (struct lookout){
		.paths = { at(name, path) },
		.changed = on_change,
	};
	lookout_open(&lookout, loop);
	lookout_look(&lookout);
	was_told = false;
}

/* Reads what there is, as the loop would; is there something? */
static bool
read_events(int wait_ms)
{
	struct pollfd p = { .fd = lookout.watch.fd, .events = POLLIN };

	if (poll(&p, 1, wait_ms) != 1)
		return false;
	lookout.watch.fn(&lookout.watch, READY_IN);
	return true;
}

/* Is a change told now? */
static bool
is_told(void)
{
	was_told = false;
	while (!was_told && read_events(END_MS))
		;
	return was_told;
}

static int
close_all(void **state)
{
	(void)state;
	lookout_close(&lookout);
	loop_close(loop);
	folder_close(&folder);
	return 0;
}

static void
test_link_is_replaced(void **state)
{
	(void)state;
	watch("current/site");
	for (int i = 0; i < 3; i++) {
		swap_link("current", i % 2 == 0 ? "b" : "a");
		assert_true(is_told());
	}
}

static void
test_missing_is_waited_for(void **state)
{
	(void)state;
	watch("current/site/sub");
	folder_dir(&folder, "a/site/sub");
	assert_true(is_told());
}

static void
test_directories_are_renamed(void **state)
{
	(void)state;
	watch("current/site");
	move("a/site", "a/old");
	assert_true(is_told());
	move("b/site", "a/site");
	assert_true(is_told());
	move("a", "c");
	assert_true(is_told());
}

/* Before what is told there are changes that are no news. */
static void
test_others_are_not_told(void **state)
{
	unsigned n;

	(void)state;
	watch("current/site");
	n = lookout.n;
	folder_file(&folder, "beside", S("x"));
	folder_file(&folder, "a/beside", S("x"));
	folder_file(&folder, "a/site/file", S("x"));
	while (read_events(0))
		;
	assert_false(was_told);
	assert_int_equal(lookout.n, n);
	swap_link("current", "b");
	assert_true(is_told());
}

static void
test_links_in_a_circle_end(void **state)
{
	(void)state;
	folder_link(&folder, "one", "two");
	folder_link(&folder, "two", "one");
	watch("one");
	/* It cannot be followed: then it is looked at from time to time. */
	assert_int_equal(loop_run(loop), 0);
	assert_true(was_told);
}

static void
test_no_descriptor_is_left(void **state)
{
	unsigned before = folder_descriptors();

	(void)state;
	watch("current/site");
	lookout_look(&lookout);
	lookout_look(&lookout);
	lookout_close(&lookout);
	loop_close(loop);
	assert_int_equal(folder_descriptors(), before);
	watch("current/site");
}

int
main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, open_all, \
    close_all)
	static const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_link_is_replaced),
		WITH_FOLDER(test_missing_is_waited_for),
		WITH_FOLDER(test_directories_are_renamed),
		WITH_FOLDER(test_others_are_not_told),
		WITH_FOLDER(test_links_in_a_circle_end),
		WITH_FOLDER(test_no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
