/* SPDX-License-Identifier: ISC */
/* What a program is told: its arguments and its environment, to the byte. */

#include "site/cgi_env.h"

#include <errno.h>

#include "net/addr.h"
#include "site/spawn_msg.h"

#include "../../loopback.h"
#include "../cases.h"

#define ID 7
#define TEXT_MAX 4096

/* What is the same for all that do not say otherwise. */
#define SERVER(name) "GATEWAY_INTERFACE=CGI/1.1\nSERVER_SOFTWARE=sws/x\n" \
	"SERVER_NAME=" name "\nSERVER_PORT=8080\n"
#define ASKED(version, method) "SERVER_PROTOCOL=HTTP/" version "\n" \
	"REQUEST_SCHEME=http\nREDIRECT_STATUS=200\nREQUEST_METHOD=" method \
	"\nDOCUMENT_ROOT=/www\n"
#define SCRIPT(name) \
	"SCRIPT_NAME=/cgi-bin/" name "\nSCRIPT_FILENAME=/cgi/" name "\n"
#define NO_QUERY "REQUEST_URI=/cgi-bin/s\nQUERY_STRING=\n"
#define PEER "REMOTE_ADDR=192.0.2.1\nREMOTE_HOST=192.0.2.1\n" \
	"REMOTE_PORT=40000\n"
#define CONFIGURED "PATH=/bin\nTZ=UTC\n"

/* Frames for what most cases are about. */
#define GIVEN(lines) "GET /cgi-bin/s HTTP/1.1\r\nHost: a\r\n" lines "\r\n"
#define GIVEN_AS(variables) \
	SERVER("a") ASKED("1.1", "GET") SCRIPT("s") NO_QUERY PEER CONFIGURED \
	"HTTP_HOST=a\n" variables
#define HOST(host) "GET /cgi-bin/s HTTP/1.1\r\nHost:" host "\r\n\r\n"
#define HOST_IS(name, host) \
	SERVER(name) ASKED("1.1", "GET") SCRIPT("s") NO_QUERY PEER CONFIGURED \
	"HTTP_HOST=" host "\n"
#define QUERY(query) "GET /cgi-bin/s?" query " HTTP/1.0\r\n\r\n"
#define QUERY_IS(query) \
	SERVER("localhost") ASKED("1.0", "GET") SCRIPT("s") \
	"REQUEST_URI=/cgi-bin/s?" query "\nQUERY_STRING=" query "\n" \
	PEER CONFIGURED

static const struct {
	const char *head;
	const char *path, *info;        /* the script; NULL: "s" and nothing */
	uint64_t length;                /* 0: no content */
	const char *args, *env;         /* a line each; NULL: none */
} cases[] = {
	/* Versions and methods */
	{ GIVEN(""), NULL, NULL, 0, NULL, GIVEN_AS("") },
	{ "GET /cgi-bin/s\r\n", NULL, NULL, 0, NULL,
	    SERVER("localhost") ASKED("0.9", "GET") SCRIPT("s") NO_QUERY
	    PEER CONFIGURED },
	{ "x-Y.z /cgi-bin/s HTTP/1.0\r\n\r\n", NULL, NULL, 0, NULL,
	    SERVER("localhost") ASKED("1.0", "x-Y.z") SCRIPT("s") NO_QUERY
	    PEER CONFIGURED },
	/* The script, and what follows its name.  The URI is as it came. */
	{ "HEAD /cgi-bin/d/a%20b//x%3fy/?q=%41 HTTP/1.0\r\n\r\n",
	    "d/a b", "/x?y/", 0, NULL,
	    SERVER("localhost") ASKED("1.0", "HEAD") SCRIPT("d/a b")
	    "PATH_INFO=/x?y/\nPATH_TRANSLATED=/www/x?y/\n"
	    "REQUEST_URI=/cgi-bin/d/a%20b//x%3fy/?q=%41\n"
	    "QUERY_STRING=q=%41\n" PEER CONFIGURED },
	/* The host: without its port, with its brackets, of the target. */
	{ HOST("a:81"), NULL, NULL, 0, NULL, HOST_IS("a", "a:81") },
	{ HOST("a:"), NULL, NULL, 0, NULL, HOST_IS("a", "a:") },
	{ HOST("[::1]"), NULL, NULL, 0, NULL, HOST_IS("[::1]", "[::1]") },
	{ HOST("[::1]:80"), NULL, NULL, 0, NULL,
	    HOST_IS("[::1]", "[::1]:80") },
	{ HOST(""), NULL, NULL, 0, NULL, HOST_IS("localhost", "") },
	{ "GET http://b:82/cgi-bin/s HTTP/1.1\r\nHost: a\r\n\r\n",
	    NULL, NULL, 0, NULL, HOST_IS("b", "a") },
	/* Content: the length is ours to tell, the type the client's. */
	{ "POST /cgi-bin/s?a+b HTTP/1.0\r\nContent-Length: 0012\r\n"
	    "Content-Type: a/b; c=\"d\"\r\n\r\n", NULL, NULL, 12, NULL,
	    SERVER("localhost") ASKED("1.0", "POST") SCRIPT("s")
	    "REQUEST_URI=/cgi-bin/s?a+b\nQUERY_STRING=a+b\n" PEER
	    "CONTENT_LENGTH=12\nCONTENT_TYPE=a/b; c=\"d\"\n" CONFIGURED },
	/* Fields: in capitals, repeated ones joined where they began. */
	{ GIVEN("x-a1: b=\"c\"\r\nX!Y: z\r\nEmpty:\r\n"),
	    NULL, NULL, 0, NULL,
	    GIVEN_AS("HTTP_X_A1=b=\"c\"\nHTTP_X_Y=z\nHTTP_EMPTY=\n") },
	{ GIVEN("X: 1\r\nY: 2\r\nx: 3\r\nX:\r\n"), NULL, NULL, 0, NULL,
	    GIVEN_AS("HTTP_X=1, 3, \nHTTP_Y=2\n") },
	{ GIVEN("Cookie: a=b\r\ncookie: c=d\r\n"), NULL, NULL, 0, NULL,
	    GIVEN_AS("HTTP_COOKIE=a=b; c=d\n") },
	/* Those that no program may see, or take for another. */
	{ GIVEN("Proxy: http://evil\r\nX_A: b\r\nX-B: c\r\n"
	    "Authorization: Basic x\r\nProxy-Authorization: x\r\n"),
	    NULL, NULL, 0, NULL, GIVEN_AS("HTTP_X_B=c\n") },
	{ GIVEN("Connection: X-A, close\r\nX-A: b\r\nX-B: c\r\n"
	    "connection: x-b\r\nTE: x\r\nTrailer: y\r\nKeep-Alive: 1\r\n"
	    "Upgrade: h2c\r\nProxy-Connection: x\r\nX-C: d\r\n"),
	    NULL, NULL, 0, NULL, GIVEN_AS("HTTP_X_C=d\n") },
	/* Arguments: the words of a query without "=" (RFC 3875 4.4). */
	{ QUERY("one"), NULL, NULL, 0, "one\n", QUERY_IS("one") },
	{ QUERY("a+b%20c+%2B+%3d"), NULL, NULL, 0, "a\nb c\n+\n=\n",
	    QUERY_IS("a+b%20c+%2B+%3d") },
	{ QUERY("a++b+"), NULL, NULL, 0, "a\n\nb\n\n", QUERY_IS("a++b+") },
	{ QUERY("-x+;rm"), NULL, NULL, 0, "-x\n;rm\n", QUERY_IS("-x+;rm") },
	{ QUERY("%ff"), NULL, NULL, 0, "\xff\n", QUERY_IS("%ff") },
	{ QUERY(""), NULL, NULL, 0, NULL, QUERY_IS("") },
	{ QUERY("a=b"), NULL, NULL, 0, NULL, QUERY_IS("a=b") },
	{ QUERY("a+b=c"), NULL, NULL, 0, NULL, QUERY_IS("a+b=c") },
	/* One that is wrong spoils them all. */
	{ QUERY("a+b%00"), NULL, NULL, 0, NULL, QUERY_IS("a+b%00") },
	{ QUERY("a+b%zz"), NULL, NULL, 0, NULL, QUERY_IS("a+b%zz") },
	{ QUERY("a+b%4"), NULL, NULL, 0, NULL, QUERY_IS("a+b%4") },
	{ QUERY("a+%"), NULL, NULL, 0, NULL, QUERY_IS("a+%") },
};

/* Of one request. */
static struct script script;
static uint64_t length;
static struct buf message;
static int err;

/* The one thing that a site does here. */
static void
write_message(struct loopback *l, struct exchange *x)
{
	static const char *const env[] = { "PATH=/bin", "TZ=UTC", NULL };
	static const struct cgi_setup setup = {
		.root_path = "/cgi",
		.document_root = "/www",
		.env = env,
		.software = "sws/x",
		.port = 8080,
	};
	struct addr peer;

	(void)l;
	assert_int_equal(addr_resolve("192.0.2.1", 40000, &peer, 1), 1);
	x->peer = &peer;
	err = cgi_write_message(&message, &setup, x, &script, length, ID);
	x->peer = NULL;
}

static void
ask(const char *head, size_t max_bytes)
{
	struct loopback l;

	buf_init(&message, max_bytes);
	loopback_init(&l, write_message, NULL);
	loopback_ask(&l, str_of(head));
	loopback_finish(&l);
	loopback_fini(&l);
}

/* Each string on a line of its own. */
static void
expect_lines(char *const *list, uint32_t n, const char *wanted)
{
	struct buf lines;

	buf_init(&lines, TEXT_MAX);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(buf_printf(&lines, "%s\n", list[i]), 0);
	assert_int_equal(buf_add_char(&lines, '\0'), 0);
	assert_string_equal(lines.p, wanted);
	buf_fini(&lines);
}

/* The message as the spawner reads it. */
static void
read_message(struct spawn_msg *out_head, struct spawn_run *out_run)
{
	assert_int_equal(err, 0);
	memcpy(out_head, message.p, sizeof(*out_head));
	assert_int_equal(spawn_run_parse(message.p, message.n, out_run), 0);
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *path = cases[i].path, *info = cases[i].info;
		struct spawn_msg head;
		struct spawn_run run;

		script.path = str_of(path != NULL ? path : "s");
		script.info = str_of(info != NULL ? info : "");
		length = cases[i].length != 0 ? cases[i].length :
		    LENGTH_UNKNOWN;
		ask(cases[i].head, SPAWN_MSG_MAX);
		read_message(&head, &run);
		assert_int_equal(head.id, ID);
		assert_true(str_eq(str_of(run.path), script.path));
		expect_lines(run.args + 1, head.n_args,
		    cases[i].args != NULL ? cases[i].args : "");
		expect_lines(run.env, head.n_env, cases[i].env);
		buf_fini(&message);
	}
}

/* A query of so many words. */
static void
ask_words(unsigned n)
{
	struct buf head;

	buf_init(&head, TEXT_MAX);
	assert_int_equal(buf_add(&head, S("GET /cgi-bin/s?a")), 0);
	while (--n > 0)
		assert_int_equal(buf_add(&head, S("+a")), 0);
	assert_int_equal(buf_add(&head, S(" HTTP/1.0\r\n\r\n\0")), 0);
	ask(head.p, SPAWN_MSG_MAX);
	buf_fini(&head);
}

/* Too many words are none, and the environment stays whole. */
static void
test_words_at_the_limit(void **state)
{
	struct spawn_msg head;
	struct spawn_run run;

	(void)state;
	script = (struct script){ S("s"), S("") };
	length = LENGTH_UNKNOWN;
	for (unsigned n = SPAWN_ARGS_MAX; n <= SPAWN_ARGS_MAX + 1; n++) {
		ask_words(n);
		read_message(&head, &run);
		assert_int_equal(head.n_args, n == SPAWN_ARGS_MAX ? n : 0);
		assert_string_equal(run.env[0], "GATEWAY_INTERFACE=CGI/1.1");
		buf_fini(&message);
	}
}

/* Wherever the room ends: refused, and nothing written past it. */
static void
test_too_large(void **state)
{
	size_t whole;

	(void)state;
	script = (struct script){ S("s"), S("/info") };
	length = LENGTH_UNKNOWN;
	ask(cases[0].head, SPAWN_MSG_MAX);
	assert_int_equal(err, 0);
	whole = message.n;
	buf_fini(&message);
	for (size_t max = 0; max <= whole; max++) {
		ask(cases[0].head, max);
		assert_int_equal(err, max < whole ? -ENOBUFS : 0);
		assert_true(message.n <= max);
		buf_fini(&message);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_words_at_the_limit),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
