/* SPDX-License-Identifier: ISC */

/*
 * What is known, and what makes it forgotten.  Each case has a site, a loop
 * and a cache of its own; /a/b/page.txt is asked for, then something happens,
 * then the loop has a turn to hear of it.
 */

#include "site/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/loop.h"
#include "site/resolve.h"

#include "place.h"

#define PAGE "/a/b/page.txt"

static const struct cache_limits plenty = {
	.bytes = 1 << 20,
	.descriptors = 10,
	.directories = 100,
	.missing = 100,
};

static struct place place;
static struct loop *loop;
static const struct folder *const folder = &place.folder;

static void
open_place(const struct cache_limits *limits)
{
	place_open(&place);
	folder_dir(folder, "a");
	folder_dir(folder, "a/b");
	folder_file(folder, "a/b/page.txt", S("first"));
	folder_file(folder, "a/b/other.txt", S("other"));
	folder_file(folder, "a/beside.txt", S("beside"));
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(cache_open(loop, folder->fd, SYMLINKS_BENEATH, limits,
	    &place.site.cache), 0);
}

static void
close_place(void)
{
	cache_close(place.site.cache);
	loop_close(loop);
	place_close(&place);
}

static void
on_turn(struct timer *t)
{
	(void)t;
	loop_stop(loop);
}

/* A loop that was stopped does not go on: one turn a case. */
static void
turn(void)
{
	struct timer end = { .fn = on_turn };

	assert_int_equal(loop_timer_start(loop, &end, 0), 0);
	assert_int_equal(loop_run(loop), 0);
}

/* The same, in another second by the loop's clock. */
static void
turn_in_next_second(void)
{
	struct timer end = { .fn = on_turn };

	assert_int_equal(loop_timer_start(loop, &end, 1000), 0);
	assert_int_equal(loop_run(loop), 0);
}

static enum cached
what_is_known(const char *target)
{
	struct object *o;

	return cache_find(place.site.cache, str_of(target), &o);
}

static bool
is_known(const char *target)
{
	return what_is_known(target) == CACHE_FOUND;
}

static bool
is_known_missing(const char *target)
{
	return what_is_known(target) == CACHE_MISSING;
}

static void
expect(const char *target, unsigned status, const char *content)
{
	loopback_get(&place.loopback, target, "");
	if (place.loopback.status != status)
		fail_msg("%s: %u", target, place.loopback.status);
	if (content != NULL)
		loopback_expect_content(&place.loopback, str_of(content));
}

/* What may happen to the page */

static void
rename_to(const char *from, const char *to)
{
	assert_int_equal(renameat(folder->fd, from, folder->fd, to), 0);
}

static void
nothing(void)
{
}

static void
rewrite(void)
{
	folder_file(folder, "a/b/page.txt", S("second"));
}

static void
write_in_place(void)
{
	int fd = openat(folder->fd, "a/b/page.txt", O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, "FI", 2), 2);
	close(fd);
	folder_age(folder, "a/b/page.txt");
}

static void
truncate_it(void)
{
	int fd = openat(folder->fd, "a/b/page.txt", O_WRONLY | O_TRUNC);

	close(fd);
	folder_age(folder, "a/b/page.txt");
}

static void
replace(void)
{
	folder_file(folder, "a/b/new", S("second"));
	rename_to("a/b/new", "a/b/page.txt");
}

static void
replace_from_elsewhere(void)
{
	folder_file(folder, "new", S("second"));
	rename_to("new", "a/b/page.txt");
}

static void
remove_page(void)
{
	assert_int_equal(unlinkat(folder->fd, "a/b/page.txt", 0), 0);
}

static void
delete_and_create(void)
{
	remove_page();
	rewrite();
}

static void
rename_away(void)
{
	rename_to("a/b/page.txt", "away");
}

static void
change_mode(void)
{
	assert_int_equal(fchmodat(folder->fd, "a/b/page.txt", 0600, 0), 0);
}

static void
change_time(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	assert_int_equal(utimensat(folder->fd, "a/b/page.txt", times, 0), 0);
}

static void
become_directory(void)
{
	remove_page();
	folder_dir(folder, "a/b/page.txt");
}

static void
rename_directory(void)
{
	rename_to("a/b", "a/c");
}

static void
rename_ancestor(void)
{
	rename_to("a", "c");
}

static void
replace_ancestor(void)
{
	rename_to("a", "c");
	folder_dir(folder, "a");
	folder_dir(folder, "a/b");
	folder_file(folder, "a/b/page.txt", S("second"));
}

/* As people deploy: a new tree takes the place of the old one. */
static void
exchange_ancestors(void)
{
	folder_dir(folder, "new");
	folder_dir(folder, "new/b");
	folder_file(folder, "new/b/page.txt", S("second"));
	assert_int_equal(renameat2(folder->fd, "a", folder->fd, "new",
	    RENAME_EXCHANGE), 0);
}

static void
remove_directory(void)
{
	remove_page();
	assert_int_equal(unlinkat(folder->fd, "a/b/other.txt", 0), 0);
	assert_int_equal(unlinkat(folder->fd, "a/b", AT_REMOVEDIR), 0);
}

static void
protect_directory(void)
{
	assert_int_equal(fchmodat(folder->fd, "a/b", 0700, 0), 0);
}

static void
replace_link(const char *name, const char *target)
{
	folder_link(folder, "new", target);
	rename_to("new", name);
}

static void
move_link(void)
{
	replace_link("link.txt", "a/b/other.txt");
}

static void
move_link_out(void)
{
	replace_link("link.txt", "/etc/passwd");
}

static void
move_linked(void)
{
	replace_link("linked", "c");
}

static void
change_neighbour(void)
{
	folder_file(folder, "a/b/other.txt", S("another"));
	folder_file(folder, "a/beside.txt", S("another"));
	folder_file(folder, "a/b/new", S("new"));
	folder_file(folder, "page.txt", S("of the same name"));
	folder_dir(folder, "a/page.txt");
}

static void
read_it(void)
{
	int fd = openat(folder->fd, "a/b/page.txt", O_RDONLY | O_CLOEXEC);
	char got[8];

	assert_int_equal(read(fd, got, sizeof(got)), 5);
	close(fd);
}

static const struct {
	const char *what;
	void (*happen)(void);
	bool is_known;          /* afterwards */
	unsigned status;
	const char *content;
} changes[] = {
	{ "nothing", nothing, true, 200, "first" },
	{ "read", read_it, true, 200, "first" },
	{ "neighbour", change_neighbour, true, 200, "first" },
	{ "rewritten", rewrite, false, 200, "second" },
	{ "written in place", write_in_place, false, 200, "FIrst" },
	{ "truncated", truncate_it, false, 200, "" },
	{ "replaced", replace, false, 200, "second" },
	{ "from elsewhere", replace_from_elsewhere, false, 200, "second" },
	{ "deleted", remove_page, false, 404, NULL },
	{ "deleted and made", delete_and_create, false, 200, "second" },
	{ "renamed", rename_away, false, 404, NULL },
	{ "mode", change_mode, false, 200, "first" },
	{ "time", change_time, false, 200, "first" },
	{ "now a directory", become_directory, false, 301, NULL },
	{ "directory renamed", rename_directory, false, 404, NULL },
	{ "ancestor renamed", rename_ancestor, false, 404, NULL },
	{ "ancestor replaced", replace_ancestor, false, 200, "second" },
	{ "ancestors exchanged", exchange_ancestors, false, 200, "second" },
	{ "directory removed", remove_directory, false, 404, NULL },
	{ "directory's mode", protect_directory, false, 200, "first" },
};

static void
test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		open_place(&plenty);
		expect(PAGE, 200, "first");
		assert_true(is_known(PAGE));
		expect(PAGE, 200, "first");
		changes[i].happen();
		turn();
		if (is_known(PAGE) != changes[i].is_known)
			fail_msg("%s: %s", changes[i].what,
			    is_known(PAGE) ? "still known" : "forgotten");
		expect(PAGE, changes[i].status, changes[i].content);
		close_place();
	}
}

/* The same, when the change comes between the look-up and the keeping. */
static void
test_changed_before_kept(void **state)
{
	struct object_look look = { .name = S("page.txt") };
	struct cache_place p;
	struct found f;
	struct object *o;

	(void)state;
	open_place(&plenty);
	look.types = place.types;
	look.content_max = OBJECT_CONTENT_MAX;
	p = cache_watch(place.site.cache, S("a/b/page.txt"), S(PAGE));
	assert_non_null(p.spot.dir);
	assert_int_equal(resolve_open(folder->fd, "a/b/page.txt",
	    SYMLINKS_BENEATH, &f), 0);
	assert_int_equal(object_open(f.fd, &f.st, &look, &o), 0);
	rewrite();
	cache_add(&p, o, false);
	object_unref(o);
	assert_true(is_known(PAGE));
	turn();
	assert_false(is_known(PAGE));
	expect(PAGE, 200, "second");
	close_place();
}

/* All spellings of a path are one object, known by the usual one. */
static void
test_spellings(void **state)
{
	(void)state;
	open_place(&plenty);
	folder_file(folder, "a/index.html", S("index"));
	expect(PAGE, 200, "first");
	expect("/a/b/p%61ge.txt", 200, "first");
	expect("/a//b/page.txt", 200, "first");
	expect(PAGE "?query", 200, "first");
	expect("/a/", 200, "index");
	assert_true(is_known(PAGE));
	assert_false(is_known("/a/b/p%61ge.txt"));
	assert_false(is_known("/a//b/page.txt"));
	assert_true(is_known("/a/"));
	rewrite();
	assert_int_equal(unlinkat(folder->fd, "a/index.html", 0), 0);
	turn();
	assert_false(is_known(PAGE));
	assert_false(is_known("/a/"));
	close_place();
}

/* What is asked about at each request needs no turn to be seen. */
static void
test_shared(void **state)
{
	static const struct {
		const char *target;
		void (*happen)(void);
		unsigned status;
		const char *content;
	} cases[] = {
		{ "/link.txt", nothing, 200, "first" },
		{ "/link.txt", write_in_place, 200, "FIrst" },
		{ "/link.txt", rewrite, 200, "second" },
		{ "/link.txt", replace, 200, "second" },
		{ "/link.txt", move_link, 200, "other" },
		{ "/link.txt", move_link_out, 403, NULL },
		{ "/linked/page.txt", nothing, 200, "first" },
		{ "/linked/page.txt", write_in_place, 200, "FIrst" },
		{ "/linked/page.txt", replace, 200, "second" },
		{ "/linked/page.txt", move_linked, 200, "elsewhere" },
		{ "/linked/page.txt", remove_page, 404, NULL },
		{ "/second.txt", nothing, 200, "first" },
		{ "/second.txt", write_in_place, 200, "FIrst" },
		{ "/second.txt", remove_page, 200, "first" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		open_place(&plenty);
		folder_link(folder, "link.txt", "a/b/page.txt");
		folder_link(folder, "linked", "a/b");
		folder_dir(folder, "c");
		folder_file(folder, "c/page.txt", S("elsewhere"));
		assert_int_equal(linkat(folder->fd, "a/b/page.txt",
		    folder->fd, "second.txt", 0), 0);
		expect(cases[i].target, 200, "first");
		assert_true(is_known(cases[i].target));
		cases[i].happen();
		if (is_known(cases[i].target) != (cases[i].happen == nothing))
			fail_msg("%s: %zu", cases[i].target, i);
		expect(cases[i].target, cases[i].status, cases[i].content);
		close_place();
	}
}

/* Links that are not all followed */

/* The same file, now behind a link. */
static void
put_link_before(void)
{
	rename_to("a/b", "a/c");
	folder_link(folder, "a/b", "c");
}

static void
put_link_to(void)
{
	rename_to("a/b/page.txt", "away");
	folder_link(folder, "a/b/page.txt", "../../away");
}

static void
give_link(const char *path)
{
	if (fchownat(folder->fd, path, 4001, (gid_t)-1,
	    AT_SYMLINK_NOFOLLOW) == -1)
		fail_msg("chown: %s", path);
}

static void
give_link_away(void)
{
	give_link("link.txt");
}

static void
give_linked_away(void)
{
	give_link("linked");
}

static void
give_target_away(void)
{
	give_link("a/b/page.txt");
}

/* `directories` is 0 where nobody tells of changes. */
static void
check_policy(enum symlinks symlinks, const char *target,
    void (*happen)(void), unsigned status, unsigned directories)
{
	struct cache_limits limits = plenty;

	limits.directories = directories;
	open_place(&limits);
	cache_close(place.site.cache);
	assert_int_equal(cache_open(loop, folder->fd, symlinks, &limits,
	    &place.site.cache), 0);
	place.site.symlinks = symlinks;
	folder_link(folder, "link.txt", "a/b/page.txt");
	folder_link(folder, "linked", "a/b");
	expect(target, 200, "first");
	assert_true(is_known(target));
	happen();
	turn_in_next_second();
	if (happen != nothing)
		assert_false(is_known(target));
	expect(target, status, status == 200 ? "first" : NULL);
	expect(target, status, status == 200 ? "first" : NULL);
	close_place();
}

static void
test_link_comes(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 100; n += 100) {
		check_policy(SYMLINKS_NONE, PAGE, nothing, 200, n);
		check_policy(SYMLINKS_NONE, PAGE, put_link_before, 403, n);
		check_policy(SYMLINKS_NONE, PAGE, put_link_to, 403, n);
	}
}

static void
test_link_changes_owner(void **state)
{
	static const struct {
		const char *target;
		void (*happen)(void);
		unsigned status;
	} cases[] = {
		{ "/link.txt", nothing, 200 },
		{ "/linked/page.txt", nothing, 200 },
		{ "/link.txt", give_link_away, 403 },
		{ "/linked/page.txt", give_linked_away, 403 },
		{ "/link.txt", give_target_away, 403 },
		{ "/linked/page.txt", give_target_away, 200 },
	};

	(void)state;
	if (geteuid() != 0)
		skip();         /* files can be given away by root only */
	for (size_t i = 0; i < COUNT(cases); i++)
		check_policy(SYMLINKS_OWNER, cases[i].target, cases[i].happen,
		    cases[i].status, 100);
}

/* What lies beside a file */

#define SIDECAR "a/b/page.txt.gz"

static void
expect_coding(const char *coding)
{
	loopback_get(&place.loopback, PAGE, "Accept-Encoding: gzip\r\n");
	assert_int_equal(place.loopback.status, 200);
	loopback_expect(&place.loopback, "Content-Encoding", coding);
}

static void
make_old(const char *path)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };

	assert_int_equal(utimensat(folder->fd, path, times, 0), 0);
}

static void
lay_old(void)
{
	folder_file(folder, SIDECAR, S("coded"));
	make_old(SIDECAR);
}

static void
lay_dangling(void)
{
	folder_link(folder, SIDECAR, "../../coded");
}

static void
lay_link(void)
{
	folder_file(folder, "coded", S("coded"));
	lay_dangling();
}

static void
lay_old_link(void)
{
	lay_link();
	make_old("coded");
}

static void
lay_old_second_name(void)
{
	folder_file(folder, "coded", S("coded"));
	make_old("coded");
	assert_int_equal(linkat(folder->fd, "coded", folder->fd, SIDECAR, 0),
	    0);
}

static void
write_sidecar(void)
{
	folder_file(folder, SIDECAR, S("coded"));
}

static void
write_target(void)
{
	folder_file(folder, "coded", S("coded"));
}

/* In place: a second name stays one. */
static void
renew_target(void)
{
	folder_age(folder, "coded");
}

static void
remove_sidecar(void)
{
	assert_int_equal(unlinkat(folder->fd, SIDECAR, 0), 0);
}

static void
remove_target(void)
{
	assert_int_equal(unlinkat(folder->fd, "coded", 0), 0);
}

/* It is seen by the next request, also where it is changed elsewhere. */
static void
test_sidecars(void **state)
{
	static const struct {
		const char *what;
		void (*lay)(void);
		const char *before;
		void (*happen)(void);
		const char *after;
	} cases[] = {
		{ "none", nothing, NULL, write_sidecar, "gzip" },
		{ "gone", write_sidecar, "gzip", remove_sidecar, NULL },
		{ "old", lay_old, NULL, write_sidecar, "gzip" },
		{ "dangling", lay_dangling, NULL, write_target, "gzip" },
		{ "link", lay_link, "gzip", remove_target, NULL },
		{ "old link", lay_old_link, NULL, renew_target, "gzip" },
		{ "old name", lay_old_second_name, NULL, renew_target, "gzip" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		print_message("%s\n", cases[i].what);
		open_place(&plenty);
		cases[i].lay();
		expect_coding(cases[i].before);
		assert_true(is_known(PAGE));
		expect_coding(cases[i].before);
		/* Also one that does not count is no reason to forget. */
		assert_true(is_known(PAGE));
		cases[i].happen();
		turn();
		expect_coding(cases[i].after);
		close_place();
	}
}

/* Missing files */

static void
create_missing(void)
{
	folder_file(folder, "a/no", S("now"));
}

static void
link_missing(void)
{
	folder_link(folder, "a/no", "beside.txt");
}

static void
create_way(void)
{
	folder_dir(folder, "no");
}

static void
move_way_in(void)
{
	folder_dir(folder, "made");
	folder_dir(folder, "made/deep");
	folder_file(folder, "made/deep/file", S("now"));
	rename_to("made", "no");
}

static void
create_beside(void)
{
	folder_file(folder, "a/yes", S("no other"));
	folder_dir(folder, "yes");
}

static void
test_missing(void **state)
{
	static const struct {
		const char *target;
		void (*happen)(void);
		bool is_known;
		unsigned status;
	} cases[] = {
		{ "/a/no", nothing, true, 404 },
		{ "/a/no", create_beside, true, 404 },
		{ "/a/no", create_missing, false, 200 },
		{ "/a/no", link_missing, false, 200 },
		{ "/no/deep/file", nothing, true, 404 },
		{ "/no/deep/file", create_beside, true, 404 },
		{ "/no/deep/file", create_way, false, 404 },
		{ "/no/deep/file", move_way_in, false, 200 },
		{ "/no/", nothing, true, 404 },
		{ "/no/", create_way, false, 200 },
		{ "/a/b/no", rename_directory, false, 404 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		open_place(&plenty);
		expect(cases[i].target, 404, NULL);
		assert_true(is_known_missing(cases[i].target));
		expect(cases[i].target, 404, NULL);
		cases[i].happen();
		turn();
		if (is_known_missing(cases[i].target) != cases[i].is_known)
			fail_msg("%s: %zu", cases[i].target, i);
		expect(cases[i].target, cases[i].status, NULL);
		close_place();
	}
}

/* Listings */

static void
change_entry(void)
{
	folder_file(folder, "a/b/other.txt", S("another"));
}

static void
test_listing(void **state)
{
	static const struct {
		void (*happen)(void);
		bool is_known;
	} cases[] = {
		{ nothing, true },
		{ read_it, true },
		{ rewrite, false },
		{ change_entry, false },
		{ change_time, false },
		{ change_mode, false },
		{ remove_page, false },
		{ rename_away, false },
		{ replace_from_elsewhere, false },
		{ become_directory, false },
		{ rename_directory, false },
		{ rename_ancestor, false },
		{ protect_directory, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		open_place(&plenty);
		expect("/a/b/", 200, NULL);
		assert_true(is_known("/a/b/"));
		cases[i].happen();
		turn();
		if (is_known("/a/b/") != cases[i].is_known)
			fail_msg("case %zu", i);
		close_place();
	}
}

/* Of sub-directories nobody tells: it is made anew in the next second. */
static void
test_listing_ages(void **state)
{
	(void)state;
	open_place(&plenty);
	expect("/a/", 200, NULL);
	assert_true(is_known("/a/"));
	turn_in_next_second();
	assert_false(is_known("/a/"));
	close_place();
}

/* What is changed while a listing is made, over several turns. */
static void
test_promise(void **state)
{
	static const struct {
		void (*happen)(void);
		bool is_kept;
	} cases[] = {
		{ nothing, true },
		{ change_entry, false },
		{ rename_directory, false },
		{ rename_ancestor, false },
	};
	struct cache_promise *promise;
	struct cache_place p;
	struct object *o;
	char *page;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		open_place(&plenty);
		p = cache_watch(place.site.cache, S("a/b/"), S("/a/b/"));
		promise = cache_promise(&p);
		assert_true(cache_promise_holds(promise));
		cases[i].happen();
		turn();
		assert_int_equal(cache_promise_holds(promise),
		    cases[i].is_kept);
		page = strdup("page");
		assert_int_equal(object_of_page((struct str){ page, 4 },
		    S("text/html"), S(""), true, false, &o), 0);
		cache_fulfil(promise, o);
		object_unref(o);
		assert_int_equal(is_known("/a/b/"), cases[i].is_kept);
		close_place();
	}
}

/* What may appear without our notice is not known to be missing. */
static void
test_not_kept(void **state)
{
	static const char *const targets[] = {
		"/dangling", "/linked/no", "/dangling/no", "/out/no",
		"/a/beside.txt/no", "/a", "/.hidden",
	};

	(void)state;
	open_place(&plenty);
	folder_link(folder, "dangling", "nothing");
	folder_link(folder, "linked", "a/b");
	folder_link(folder, "out", "/");
	for (size_t i = 0; i < COUNT(targets); i++) {
		loopback_get(&place.loopback, targets[i], "");
		if (what_is_known(targets[i]) != CACHE_UNKNOWN)
			fail_msg("%s is kept", targets[i]);
	}
	close_place();
}

/* Names that nobody has heard of push out one another, and nothing else. */
static void
test_scan(void **state)
{
	char target[64];
	int known = 0;

	(void)state;
	open_place(&plenty);
	expect(PAGE, 200, "first");
	for (int i = 0; i < 1000; i++) {
		snprintf(target, sizeof(target), "/%s/%d",
		    i % 2 == 0 ? "a" : "no/way", i);
		expect(target, 404, NULL);
	}
	assert_true(is_known(PAGE));
	for (int i = 0; i < 1000; i++) {
		snprintf(target, sizeof(target), "/%s/%d",
		    i % 2 == 0 ? "a" : "no/way", i);
		known += is_known_missing(target);
	}
	assert_int_equal(known, 100);
	assert_true(is_known_missing("/no/way/999"));
	close_place();
}

/* A file so young that it may change without another time. */
static void
test_young_is_not_kept(void **state)
{
	struct timespec future[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

	(void)state;
	open_place(&plenty);
	assert_int_equal(utimensat(folder->fd, "a/b/page.txt", future, 0), 0);
	expect(PAGE, 200, "first");
	if (str_starts(loopback_field(&place.loopback, "ETag"), S("W/")))
		assert_false(is_known(PAGE));
	close_place();
}

static void
ask_number(int i)
{
	char target[16];

	snprintf(target, sizeof(target), "/%d", i);
	loopback_get(&place.loopback, target, "");
	assert_int_equal(place.loopback.status, 200);
}

/*
 * Asks for n files of a size, 0 again after each; counts those known.  They
 * are made before anything is watched: no late event tells of it.
 */
static int
fill(int n, size_t size)
{
	char name[16];
	int known = 0;

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		folder_large(folder, name, size);
	}
	for (int i = 0; i < n; i++) {
		ask_number(i);
		ask_number(0);
	}
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "/%d", i);
		known += is_known(name);
	}
	return known;
}

/* Whichever limit is reached, who was used least recently goes. */
static void
test_limits(void **state)
{
	static const struct {
		struct cache_limits limits;
		size_t size;
		int known;
	} cases[] = {
		/* All that is known of a file counts, beside its content. */
		{ { 55000, 10, 10, 10 }, 10000, 5 },
		{ { 1 << 20, 5, 10, 10 }, OBJECT_CONTENT_MAX + 1, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		open_place(&cases[i].limits);
		assert_int_equal(fill(12, cases[i].size), cases[i].known);
		assert_true(is_known("/0"));
		assert_true(is_known("/11"));
		assert_false(is_known("/1"));
		close_place();
	}
}

static void
test_directory_limit(void **state)
{
	struct cache_limits limits = plenty;

	(void)state;
	limits.directories = 2;
	open_place(&limits);
	folder_file(folder, "top.txt", S("top"));
	expect("/a/beside.txt", 200, "beside");
	assert_true(is_known("/a/beside.txt"));
	/* For one more there is no room: its file is known without. */
	expect(PAGE, 200, "first");
	assert_true(is_known(PAGE));
	expect("/a/b/no", 404, NULL);
	assert_false(is_known_missing("/a/b/no"));
	replace();
	turn_in_next_second();
	assert_false(is_known(PAGE));
	expect(PAGE, 200, "second");
	close_place();
}

/* Where nothing is known any more nothing is watched, if room is short. */
static void
test_directories_let_go(void **state)
{
	struct cache_limits limits = plenty;

	(void)state;
	limits.directories = 2;
	open_place(&limits);
	folder_dir(folder, "c");
	folder_file(folder, "c/page.txt", S("third"));
	expect("/a/beside.txt", 200, "beside");
	folder_file(folder, "a/beside.txt", S("changed"));
	turn();
	expect("/c/page.txt", 200, "third");
	assert_true(is_known("/c/page.txt"));
	expect("/c/no", 404, NULL);
	assert_true(is_known_missing("/c/no"));
	close_place();
}

/* What is being sent lives on when it is forgotten, and as it was. */
static void
test_forgotten_in_use(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	open_place(&plenty);
	expect(PAGE, 200, "first");
	loopback_ask(l, S("GET " PAGE " HTTP/1.1\r\nHost: a\r\n\r\n"));
	remove_page();
	turn();
	assert_false(is_known(PAGE));
	loopback_finish(l);
	loopback_expect_content(l, S("first"));
	close_place();
}

static void
test_closed_in_use(void **state)
{
	struct loopback *l = &place.loopback;

	(void)state;
	open_place(&plenty);
	folder_large(folder, "large", OBJECT_CONTENT_MAX + 1);
	expect("/large", 200, NULL);
	assert_true(is_known("/large"));
	loopback_ask(l, S("GET /large HTTP/1.1\r\nHost: a\r\n\r\n"));
	cache_close(place.site.cache);
	place.site.cache = NULL;
	loopback_finish(l);
	assert_int_equal(l->content.n, OBJECT_CONTENT_MAX + 1);
	close_place();
}

/* More changes than inotify remembers: then nothing is sure any more. */
static void
test_overflow(void **state)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	int max = 0, n = 0;

	(void)state;
	if (f != NULL) {
		n = fscanf(f, "%d", &max);
		fclose(f);
	}
	if (n != 1 || max > 100000)
		skip();
	open_place(&plenty);
	expect(PAGE, 200, "first");
	expect("/a/beside.txt", 200, "beside");
	/* Alternately, since equal events in a row are but one. */
	for (int i = 0; i < max; i++) {
		assert_int_equal(fchmodat(folder->fd, "a/b/other.txt", 0600,
		    0), 0);
		assert_int_equal(fchmodat(folder->fd, "a/b", 0755, 0), 0);
	}
	rewrite();
	turn();
	assert_false(is_known(PAGE));
	assert_false(is_known("/a/beside.txt"));
	expect(PAGE, 200, "second");
	close_place();
}

static void
test_none(void **state)
{
	struct cache *none = NULL;
	struct cache_place p;
	struct object *o;

	(void)state;
	assert_int_equal(cache_find(none, S("/a"), &o), CACHE_UNKNOWN);
	p = cache_watch(none, S("a"), S("/a"));
	cache_add(&p, NULL, false);
	cache_add_missing(&p);
	cache_close(none);
}

/* Where nobody tells of changes nothing is watched. */
static void
test_silent_file_system(void **state)
{
	struct cache_place p;
	struct cache *c;
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(cache_open(loop, proc, SYMLINKS_BENEATH,
	    &plenty, &c), 0);
	p = cache_watch(c, S("version"), S("/version"));
	assert_null(p.spot.dir);
	cache_close(c);
	loop_close(loop);
	close(proc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_changed_before_kept),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_link_comes),
		cmocka_unit_test(test_link_changes_owner),
		cmocka_unit_test(test_sidecars),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_listing_ages),
		cmocka_unit_test(test_promise),
		cmocka_unit_test(test_not_kept),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_young_is_not_kept),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_directory_limit),
		cmocka_unit_test(test_directories_let_go),
		cmocka_unit_test(test_forgotten_in_use),
		cmocka_unit_test(test_closed_in_use),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_silent_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
