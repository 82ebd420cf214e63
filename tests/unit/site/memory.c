/* SPDX-License-Identifier: ISC */

/*
 * Memory that runs out, at each place where some is asked for, one after the
 * other: the linker puts our malloc(3) in front of the C library's.  Whatever
 * fails, the request is answered or refused, the next one finds all as if
 * nothing had been, and nothing is left behind.
 */

#include "site/site.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/loop.h"
#include "site/cache.h"

#include "place.h"

#define BUDGET ((size_t)8 << 20)
#define ENTRIES 1000            /* more than one slice of time */

/* Counts down to the one that fails; 0: none does. */
static unsigned until_failure;

static bool
fails(void)
{
	return until_failure > 0 && --until_failure == 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

static struct place place;
static struct loop *loop;
static struct listings listings;
static unsigned fails_at;       /* in the next request; 0: nowhere */
static bool has_failed;

static void
woken(struct exchange *x)
{
	loop_stop(x->conn);
}

/* Serves to the end, also what is answered later. */
static void
serve(struct loopback *l, struct exchange *x)
{
	x->wake = woken;
	x->conn = loop;
	until_failure = fails_at;
	site_serve(l->owner, x);
	if (x->is_pending)
		assert_int_equal(loop_run(loop), 0);
	has_failed = fails_at > 0 && until_failure == 0;
	until_failure = 0;
	assert_false(x->is_pending);
}

static int
begin(void **state)
{
	const struct folder *folder = &place.folder;
	char name[32];

	(void)state;
	place_open(&place);
	folder_large(folder, "page.txt", 2000);
	folder_file(folder, "beside.txt", S("plain"));
	folder_file(folder, "beside.txt.gz", S("gzip!"));
	folder_large(folder, "large", OBJECT_CONTENT_MAX + 1);
	folder_dir(folder, "d");
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		folder_link(folder, name, "..");
	}
	place.loopback.serve = serve;
	listings = (struct listings){
		.bytes = BUDGET, .left_bytes = BUDGET,
	};
	list_init(&listings.makings);
	place.site.listings = &listings;
	place.site.compress_max = 1 << 20;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	place_close(&place);
	return 0;
}

static void
begin_life(void)
{
	static const struct cache_limits limits = {
		.bytes = 1 << 20, .descriptors = 10, .directories = 10,
		.missing = 10,
	};

	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(cache_open(loop, place.folder.fd, SYMLINKS_BENEATH,
	    &limits, &place.site.cache), 0);
	place.site.loop = loop;
}

static void
end_life(void)
{
	cache_close(place.site.cache);
	loop_close(loop);
	assert_true(list_is_empty(&listings.makings));
	assert_int_equal(listings.left_bytes, BUDGET);
}

struct asked {
	const char *target, *fields;
	unsigned status;
	const char *coding;
};

static void
expect_usual(const struct asked *asked)
{
	struct loopback *l = &place.loopback;

	loopback_get(l, asked->target, asked->fields);
	assert_int_equal(l->status, asked->status);
	loopback_expect(l, "Content-Encoding", asked->coding);
	assert_false(l->is_broken);
}

/* With the n-th one failing; were there so many? */
static bool
survives(const struct asked *asked, unsigned n)
{
	struct loopback *l = &place.loopback;
	bool was_reached, is_usual;
	size_t fields_length = 0;

	begin_life();
	fails_at = n;
	loopback_get(l, asked->target, asked->fields);
	was_reached = has_failed;
	fails_at = 0;
	if (l->status != asked->status && l->status != 500 && l->status != 503)
		fail_msg("%s: %u: %u", asked->target, n, l->status);
	/* A coding may be missing, but no field of what is sent. */
	is_usual = l->status == asked->status && l->status < 400 &&
	    (asked->coding == NULL ||
	    loopback_field(l, "Content-Encoding").p != NULL);
	if (is_usual)
		fields_length = l->fields.n;
	expect_usual(asked);
	if (is_usual)
		assert_int_equal(l->fields.n, fields_length);
	expect_usual(asked);
	end_life();
	return was_reached;
}

static void
test_all(void **state)
{
	static const struct asked cases[] = {
		{ "/page.txt", "", 200, NULL },
		{ "/page.txt", "Range: bytes=0-1,4-5\r\n", 206, NULL },
		{ "/page.txt", "Accept-Encoding: br, identity;q=0\r\n", 200,
		    "br" },
		{ "/beside.txt", "Accept-Encoding: gzip\r\n", 200, "gzip" },
		{ "/large", "", 200, NULL },
		{ "/d", "", 301, NULL },
		{ "/d/", "", 200, NULL },
		{ "/no/way", "", 404, NULL },
	};
	unsigned n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		n = 1;
		while (survives(&cases[i], n))
			n++;
		print_message("%s: %u\n", cases[i].target, n - 1);
		assert_true(n > 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
