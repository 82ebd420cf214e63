/* SPDX-License-Identifier: ISC */
/* The worker's side: this test is the process that it asks. */

#include "site/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cases.h"
#include "base/clock.h"
#include "http/mime.h"
#include "net/channel.h"
#include "site/home_msg.h"

#define FAIL_MIN_MS 25
#define FAIL_MAX_MS 50

static struct loop *loop;
static struct home_service *homes;
static struct mime_table *types;
static struct exchange_pool pool;
static struct site site = {
	.root = -1,
	.index = STR("index.html"),
	.lists = true,
};
static int end;                 /* of the channel: the other process */
static unsigned awake;          /* exchanges that were woken */
static unsigned expected;       /* so many, and the loop stops */

static void
wake(struct exchange *x)
{
	(void)x;
	if (++awake == expected)
		loop_stop(loop);
}

static int
new_end(void)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	end = ends[0];
	return ends[1];
}

static int
open_service(void **state)
{
	(void)state;
	awake = expected = 0;
	site.types = types = mime_new();
	site.content_max = OBJECT_CONTENT_MAX;
	assert_int_equal(loop_open(NULL, &loop), 0);
	assert_int_equal(home_open(loop, new_end(), &homes), 0);
	return 0;
}

static int
close_service(void **state)
{
	(void)state;
	home_close(homes);
	close(end);
	loop_close(loop);
	exchange_pool_fini(&pool);
	mime_free(types);
	return 0;
}

static struct exchange *
request(const char *path)
{
	struct exchange *x = exchange_begin(&pool);

	assert_non_null(x);
	request_clear(&x->req);
	x->wake = wake;
	x->req.path = str_of(path);
	home_answer(homes, &site, x, str_skip(x->req.path, 1));
	return x;
}

/* Runs the loop until n exchanges were woken; once in a test. */
static void
run_until(unsigned n)
{
	expected = awake + n;
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(awake, expected);
}

static uint32_t
read_question(const char *path)
{
	struct home_ask message;
	unsigned n_fds = 0;
	ssize_t n;

	n = channel_receive(end, &message, sizeof(message), NULL, &n_fds);
	assert_int_equal(n, home_ask_size(strlen(path)));
	assert_string_equal(message.path, path);
	return message.id;
}

/* The descriptors are given away. */
static void
reply(uint32_t id, uint32_t kind, const int *fds)
{
	struct home_reply message = { .id = id, .kind = kind };
	unsigned n_fds = home_reply_fds(kind);

	assert_int_equal(channel_send(end, &message, sizeof(message), fds,
	    n_fds), 0);
	for (unsigned i = 0; i < n_fds; i++)
		close(fds[i]);
}

static int
file_of(const char *text)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static unsigned
open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Does all of the content, and then nothing, stand in the body? */
static void
assert_content(struct exchange *x, const char *content)
{
	struct piece p;

	assert_int_equal(body_pull(&x->res.body, &p), PULL_PIECE);
	assert_int_equal(p.n, strlen(content));
	assert_memory_equal(p.p, content, p.n);
	assert_int_equal(body_pull(&x->res.body, &p), PULL_END);
}

static bool
contains(struct str where, const char *what)
{
	return memmem(where.p, where.n, what, strlen(what)) != NULL;
}

static void
test_file(void **state)
{
	struct exchange *x = request("/~alice/a/b.txt");
	int fd = file_of("text");

	(void)state;
	assert_true(x->is_pending);
	x->handler->content(x, S("dropped"));
	assert_false(x->is_full);
	x->handler->content_end(x);
	reply(read_question("alice/a/b.txt"), HOME_FILE, &fd);
	run_until(1);
	assert_false(x->is_pending);
	assert_int_equal(x->res.status, 200);
	assert_int_equal(x->res.length, 4);
	assert_true(contains(x->res.block, "Content-Type: text/plain"));
	assert_content(x, "text");
	exchange_end(&pool, x);
}

static void
test_index(void **state)
{
	struct exchange *top = request("/~alice/");
	struct exchange *sub = request("/~alice/sub/");
	int fds[2] = { file_of("x"), file_of("y") };

	(void)state;
	reply(read_question("alice/"), HOME_FILE, &fds[0]);
	reply(read_question("alice/sub/"), HOME_FILE, &fds[1]);
	run_until(2);
	assert_true(contains(top->res.block, "Content-Type: text/html"));
	assert_content(top, "x");
	assert_content(sub, "y");
	exchange_end(&pool, top);
	exchange_end(&pool, sub);
}

/* The memory of the request is another's when the reply comes. */
static void
test_condition(void **state)
{
	char path[] = "/~alice/x", name[] = "If-None-Match", value[] = "*";
	struct exchange *x = exchange_begin(&pool);
	int fd = file_of("text");
	char decoded[] = "~alice/x";

	(void)state;
	request_clear(&x->req);
	x->wake = wake;
	x->req.path = str_of(path);
	x->req.n_fields = x->req.first[FIELD_IF_NONE_MATCH] = 1;
	x->req.fields[0] = (struct field){ str_of(name), str_of(value) };
	home_answer(homes, &site, x, str_of(decoded));
	memset(path, '#', sizeof(path));
	memset(name, '#', sizeof(name));
	memset(value, '#', sizeof(value));
	exchange_detach(x);
	reply(read_question("alice/x"), HOME_FILE, &fd);
	run_until(1);
	assert_int_equal(x->res.status, 304);
	exchange_end(&pool, x);
}

static void
test_slash(void **state)
{
	struct exchange *x = request("/~alice");

	(void)state;
	x->req.query = S("q=1");
	reply(read_question("alice"), HOME_SLASH, NULL);
	run_until(1);
	assert_int_equal(x->res.status, 301);
	assert_true(contains(buf_str(&x->res.fields),
	    "Location: /~alice/?q=1\r\n"));
	exchange_end(&pool, x);
}

static void
test_listing(void **state)
{
	struct exchange *x = request("/~alice/");
	unsigned before = open_descriptors();
	int fds[HOME_REPLY_FDS];
	struct piece p;

	(void)state;
	fds[0] = open("/", O_RDONLY | O_DIRECTORY);
	fds[1] = open("/", O_PATH | O_DIRECTORY);
	reply(read_question("alice/"), HOME_DIRECTORY, fds);
	run_until(1);
	assert_int_equal(x->res.status, 200);
	assert_int_equal(body_pull(&x->res.body, &p), PULL_PIECE);
	assert_true(contains((struct str){ p.p, p.n }, "<a href=\"./etc/\">"));
	exchange_end(&pool, x);
	assert_int_equal(open_descriptors(), before);
}

/* A user who is not there and a name that nobody has look the same. */
static void
test_failures(void **state)
{
	static const char *const paths[] = {
		"/~alice", "/~alice/x", "/~", "/~/", "/~:/x", "/~a b/",
	};
	int64_t begin_ms = clock_mono_ms();
	struct exchange *xs[COUNT(paths)];
	struct piece page, first = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		xs[i] = request(paths[i]);
		assert_true(xs[i]->is_pending);
	}
	reply(read_question("alice"), HOME_MISSING, NULL);
	reply(read_question("alice/x"), HOME_MISSING, NULL);
	run_until(COUNT(paths));
	assert_true(clock_mono_ms() - begin_ms >= FAIL_MIN_MS);
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_int_equal(xs[i]->res.reason, REASON_MISSING);
		assert_int_equal(body_pull(&xs[i]->res.body, &page),
		    PULL_PIECE);
		if (i == 0)
			first = page;
		assert_int_equal(page.n, first.n);
		assert_memory_equal(page.p, first.p, first.n);
	}
	for (size_t i = 0; i < COUNT(paths); i++)
		exchange_end(&pool, xs[i]);
}

/* Nor does it take longer, unless the machine has other things to do. */
static void
test_failures_are_soon(void **state)
{
	int64_t least_ms = INT64_MAX;

	(void)state;
	for (int i = 0; i < 500 && least_ms > FAIL_MAX_MS + 10; i++) {
		int64_t begin_ms = clock_mono_ms(), took_ms;
		struct exchange *x = request("/~");

		run_until(1);
		took_ms = clock_mono_ms() - begin_ms;
		least_ms = took_ms < least_ms ? took_ms : least_ms;
		exchange_end(&pool, x);
	}
	assert_in_range(least_ms, FAIL_MIN_MS, FAIL_MAX_MS + 10);
}

/* Who leaves takes nothing along and leaves nothing behind. */
static void
test_left(void **state)
{
	unsigned before = open_descriptors();
	struct exchange *gone = request("/~alice/gone");
	struct exchange *failed = request("/~:");
	struct exchange *stays = request("/~alice/stays");
	uint32_t id = read_question("alice/gone");
	int fd = file_of("text");

	(void)state;
	exchange_end(&pool, gone);
	exchange_end(&pool, failed);
	reply(id, HOME_FILE, &fd);
	reply(read_question("alice/stays"), HOME_SLASH, NULL);
	run_until(1);
	assert_int_equal(stays->res.status, 301);
	exchange_end(&pool, stays);
	assert_int_equal(open_descriptors(), before);
}

/* A reply whose descriptors did not fit never came. */
static void
test_lost(void **state)
{
	struct exchange *lost = request("/~alice/lost");
	struct exchange *found = request("/~alice/found");

	(void)state;
	read_question("alice/lost");
	reply(read_question("alice/found"), HOME_SLASH, NULL);
	run_until(2);
	assert_int_equal(lost->res.reason, REASON_DESCRIPTORS);
	assert_int_equal(found->res.status, 301);
	exchange_end(&pool, lost);
	exchange_end(&pool, found);
}

static void
test_process_dies(void **state)
{
	struct exchange *xs[3];

	(void)state;
	xs[0] = request("/~alice/0");
	xs[1] = request("/~alice/1");
	read_question("alice/0");
	close(end);
	run_until(2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(xs[i]->res.reason, REASON_BUSY);
		exchange_end(&pool, xs[i]);
	}
	xs[2] = request("/~alice/2");
	assert_false(xs[2]->is_pending);
	assert_int_equal(xs[2]->res.reason, REASON_BUSY);
	exchange_end(&pool, xs[2]);
}

static void
test_reconnect(void **state)
{
	struct exchange *old = request("/~alice/old"), *new;

	(void)state;
	read_question("alice/old");
	close(end);
	home_reconnect(homes, new_end());
	assert_false(old->is_pending);
	assert_int_equal(old->res.reason, REASON_BUSY);
	exchange_end(&pool, old);
	new = request("/~alice/new");
	reply(read_question("alice/new"), HOME_SLASH, NULL);
	run_until(1);
	assert_int_equal(new->res.status, 301);
	exchange_end(&pool, new);
}

static void
test_malformed(void **state)
{
	struct exchange *x = request("/~alice/");
	unsigned n_fds = 0;
	char question[sizeof(struct home_ask)];

	(void)state;
	assert_int_equal(channel_send(end, "junk", 4, NULL, 0), 0);
	run_until(1);
	assert_int_equal(x->res.reason, REASON_BUSY);
	exchange_end(&pool, x);
	assert_true(channel_receive(end, question, sizeof(question), NULL,
	    &n_fds) > 0);
	assert_int_equal(channel_receive(end, question, sizeof(question),
	    NULL, &n_fds), 0);
}

/* More than can wait are told so at once. */
static void
test_crowd(void **state)
{
	struct exchange *xs[512];
	unsigned waiting = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(xs); i++) {
		xs[i] = request("/~alice/");
		waiting += xs[i]->is_pending;
	}
	assert_true(waiting > 0 && waiting <= 256);
	for (size_t i = 0; i < COUNT(xs); i++) {
		assert_int_equal(xs[i]->is_pending, i < waiting);
		if (!xs[i]->is_pending)
			assert_int_equal(xs[i]->res.reason, REASON_BUSY);
		exchange_end(&pool, xs[i]);
	}
	/* Now there is room for others. */
	for (unsigned i = 0; i < waiting; i++)
		read_question("alice/");
	xs[0] = request("/~alice/");
	assert_true(xs[0]->is_pending);
	exchange_end(&pool, xs[0]);
}

int
main(void)
{
#define WITH_SERVICE(test) \
	cmocka_unit_test_setup_teardown(test, open_service, close_service)
	static const struct CMUnitTest tests[] = {
		WITH_SERVICE(test_file),
		WITH_SERVICE(test_index),
		WITH_SERVICE(test_condition),
		WITH_SERVICE(test_slash),
		WITH_SERVICE(test_listing),
		WITH_SERVICE(test_failures),
		WITH_SERVICE(test_failures_are_soon),
		WITH_SERVICE(test_left),
		WITH_SERVICE(test_lost),
		WITH_SERVICE(test_process_dies),
		WITH_SERVICE(test_reconnect),
		WITH_SERVICE(test_malformed),
		WITH_SERVICE(test_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
