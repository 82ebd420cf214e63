/* SPDX-License-Identifier: ISC */

/*
 * What a worker asks the encoder for, and what it does with replies, sound
 * ones and others.  The encoder is this test.
 */

#include "site/encode.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/channel.h"
#include "site/cache.h"
#include "site/encode_msg.h"

#include "place.h"

#define BYTES 2000
#define MOST 10000

static struct place place;
static struct loop *loop;
static int channel;             /* the encoder's end */

static int
connect_encoder(void)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	channel = ends[1];
	return ends[0];
}

static int
begin(void **state)
{
	static const struct cache_limits limits = {
		.bytes = 1 << 20, .descriptors = 10, .directories = 10,
	};

	(void)state;
	place_open(&place);
	folder_large(&place.folder, "page.txt", BYTES);
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(cache_open(loop, place.folder.fd, SYMLINKS_BENEATH,
	    &limits, &place.site.cache), 0);
	assert_int_equal(encode_open(loop, place.site.cache, place.folder.fd,
	    MOST, connect_encoder(), &place.site.encode), 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	encode_close(place.site.encode);
	cache_close(place.site.cache);
	loop_close(loop);
	if (channel != -1)
		close(channel);
	place_close(&place);
	return 0;
}

static void
on_turn(struct timer *t)
{
	(void)t;
	loop_stop(loop);
}

static void
turn_after(int64_t ms)
{
	struct timer last = { .fn = on_turn };

	assert_int_equal(loop_timer_start(loop, &last, ms), 0);
	assert_int_equal(loop_run(loop), 0);
}

static void
turn(void)
{
	turn_after(0);
}

/* Asks for it; what it comes in. */
static void
get(const char *target, const char *accepted, const char *coding)
{
	char fields[80];

	snprintf(fields, sizeof(fields), "Accept-Encoding: %s\r\n", accepted);
	loopback_get(&place.loopback, target, fields);
	assert_int_equal(place.loopback.status, 200);
	loopback_expect(&place.loopback, "Content-Encoding", coding);
}

/* The next question, 0 when there is none; its file is looked at. */
static uint32_t
next_question(enum coding c)
{
	struct encode_ask ask;
	unsigned n_fds = 1;
	struct encode_state state;
	struct stat st;
	ssize_t n;
	int fd = -1;

	n = channel_receive(channel, &ask, sizeof(ask), &fd, &n_fds);
	if (n == -EAGAIN)
		return 0;
	assert_true(n > 0 && encode_ask_is_valid(&ask, (size_t)n, n_fds));
	assert_int_equal(ask.coding, c);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	state = encode_state_of(&st);
	assert_true(encode_state_is(&ask.state, &state));
	return ask.id;
}

static void
reply(uint32_t id, enum encode_kind kind)
{
	struct encode_reply message = {
		.id = id, .kind = kind, .digest = 0x12ab,
	};
	int fd = memfd_create("made", MFD_CLOEXEC);

	assert_int_equal(write(fd, "made", 4), 4);
	assert_int_equal(channel_send(channel, &message, sizeof(message), &fd,
	    kind == ENCODE_MADE), 0);
	close(fd);
	turn();
}

static void
test_made(void **state)
{
	struct loopback *l = &place.loopback;
	uint32_t id;

	(void)state;
	get("/page.txt", "br, gzip", NULL);
	id = next_question(CODING_BR);
	assert_int_not_equal(id, 0);
	/* Once, as long as it is not answered. */
	get("/page.txt", "br", NULL);
	assert_int_equal(next_question(CODING_BR), 0);
	reply(id, ENCODE_MADE);
	get("/page.txt", "br", "br");
	loopback_expect_content(l, S("made"));
	loopback_expect(l, "Vary", "Accept-Encoding");
	assert_true(str_ends(loopback_field(l, "ETag"), S("-br.000012ab\"")));
	assert_false(str_starts(loopback_field(l, "ETag"), S("W/")));
	loopback_expect(l, "Last-Modified", FOLDER_DATE);
	/* For others it is made as well. */
	get("/page.txt", "zstd", NULL);
	assert_int_not_equal(next_question(CODING_ZSTD), 0);
	get("/page.txt", "", NULL);
	assert_int_equal(next_question(CODING_GZIP), 0);
}

/* What does not become smaller is not asked for again. */
static void
test_not_made(void **state)
{
	uint32_t id;

	(void)state;
	get("/page.txt", "gzip", NULL);
	id = next_question(CODING_GZIP);
	reply(id, ENCODE_NOT_SMALLER);
	get("/page.txt", "gzip", NULL);
	get("/page.txt", "br", NULL);
	assert_int_equal(next_question(CODING_BR), 0);
}

/* What failed may come off another time, but not at each request until then. */
static void
test_failed(void **state)
{
	int64_t began_ms;
	uint32_t id;

	(void)state;
	get("/page.txt", "br", NULL);
	id = next_question(CODING_BR);
	began_ms = clock_mono_ms();
	reply(id, ENCODE_FAILED);
	do {
		turn_after(ENCODE_REST_MS / 20);
		get("/page.txt", "br", NULL);
		id = next_question(CODING_BR);
	} while (id == 0);
	assert_true(clock_mono_ms() - began_ms >= ENCODE_REST_MS);
	reply(id, ENCODE_MADE);
	get("/page.txt", "br", "br");
}

static void
test_not_asked(void **state)
{
	static const char *const targets[] = {
		"/small.txt", "/large.txt", "/image.png", "/beside.txt",
	};

	(void)state;
	folder_large(&place.folder, "small.txt", (size_t)ENCODE_MIN - 1);
	folder_large(&place.folder, "large.txt", MOST + 1);
	folder_large(&place.folder, "image.png", BYTES);
	folder_large(&place.folder, "beside.txt", BYTES);
	folder_file(&place.folder, "beside.txt.br", S("beside"));
	for (size_t i = 0; i < COUNT(targets); i++) {
		get(targets[i], "br", i == 3 ? "br" : NULL);
		assert_int_equal(next_question(CODING_BR), 0);
	}
}

/* A change while it is made: the reply is about what is no more. */
static void
test_changed_while_made(void **state)
{
	uint32_t id;

	(void)state;
	get("/page.txt", "br", NULL);
	id = next_question(CODING_BR);
	folder_large(&place.folder, "page.txt", BYTES + 1);
	turn();
	reply(id, ENCODE_MADE);
	get("/page.txt", "br", NULL);
	assert_int_equal(place.loopback.length, BYTES + 1);
	assert_int_not_equal(next_question(CODING_BR), 0);
}

/* A sidecar that came meanwhile counts more. */
static void
test_sidecar_came(void **state)
{
	uint32_t id;

	(void)state;
	get("/page.txt", "br", NULL);
	id = next_question(CODING_BR);
	folder_file(&place.folder, "page.txt.br", S("beside"));
	turn();
	get("/page.txt", "br", "br");
	reply(id, ENCODE_MADE);
	get("/page.txt", "br", "br");
	loopback_expect_content(&place.loopback, S("beside"));
}

static void
test_unknown_reply(void **state)
{
	uint32_t id;

	(void)state;
	get("/page.txt", "br", NULL);
	id = next_question(CODING_BR);
	reply(id + 1, ENCODE_MADE);
	reply(id, ENCODE_MADE);
	reply(id, ENCODE_MADE);
	get("/page.txt", "br", "br");
}

/* An encoder that talks nonsense, or ends, is followed by another. */
static void
test_reconnect(void **state)
{
	char byte = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		get("/page.txt", "br", NULL);
		assert_int_not_equal(next_question(CODING_BR), 0);
		if (i == 0)
			assert_int_equal(channel_send(channel, &byte, 1, NULL,
			    0), 0);
		else
			close(channel);
		turn();
		get("/page.txt", "br", NULL);
		if (i == 0)
			close(channel);
		encode_reconnect(place.site.encode, connect_encoder());
	}
	get("/page.txt", "br", NULL);
	reply(next_question(CODING_BR), ENCODE_MADE);
	get("/page.txt", "br", "br");
}

/* There are only so many questions at a time; the others come up again. */
static void
test_many(void **state)
{
	char name[32], target[32];
	unsigned asked = 0;
	uint32_t first = 0, id;

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "%d.txt", i);
		folder_large(&place.folder, name, BYTES);
	}
	turn();
	for (int i = 0; i < 50; i++) {
		snprintf(target, sizeof(target), "/%d.txt", i);
		get(target, "br", NULL);
		id = next_question(CODING_BR);
		if (first == 0)
			first = id;
		asked += id != 0;
	}
	assert_true(asked > 0 && asked < 50);
	reply(first, ENCODE_NOT_SMALLER);
	get("/49.txt", "br", NULL);
	assert_int_not_equal(next_question(CODING_BR), 0);
}

int
main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(test_made),
		WITH_PLACE(test_not_made),
		WITH_PLACE(test_failed),
		WITH_PLACE(test_not_asked),
		WITH_PLACE(test_changed_while_made),
		WITH_PLACE(test_sidecar_came),
		WITH_PLACE(test_unknown_reply),
		WITH_PLACE(test_reconnect),
		WITH_PLACE(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
