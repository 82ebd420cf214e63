/* SPDX-License-Identifier: ISC */
/* Command lines: what they ask for, and what is said about wrong ones. */

#include "server/config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGS_MAX 60
#define TEXT_MAX 8192

/* One output stream, turned into a file for a while. */
struct capture {
	int fd, saved, file;
};

static void
capture_begin(struct capture *c, int fd)
{
	fflush(NULL);
	c->fd = fd;
	c->saved = dup(fd);
	c->file = memfd_create("captured", MFD_CLOEXEC);
	assert_true(c->saved >= 0 && c->file >= 0);
	assert_int_equal(dup2(c->file, fd), fd);
}

static void
capture_end(struct capture *c, char text[TEXT_MAX])
{
	ssize_t n;

	fflush(NULL);
	assert_int_equal(dup2(c->saved, c->fd), c->fd);
	n = pread(c->file, text, TEXT_MAX - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	close(c->saved);
	close(c->file);
}

/* What the last call of `parse` wrote, and its words. */
static char out[TEXT_MAX], err[TEXT_MAX];
static char words[1024];

/* `line` is split at spaces; its words live until the next call. */
static enum config_verdict
parse(const char *line, struct config *config)
{
	char *args[ARGS_MAX + 1], name[] = "sws", *rest = words, *word;
	struct capture to_out, to_err;
	enum config_verdict verdict;
	int n = 0;

	args[n++] = name;
	assert_true(strlen(line) < sizeof(words));
	memcpy(words, line, strlen(line) + 1);
	while ((word = strsep(&rest, " ")) != NULL && n < ARGS_MAX)
		args[n++] = word;
	assert_null(rest);
	args[n] = NULL;

	capture_begin(&to_out, STDOUT_FILENO);
	capture_begin(&to_err, STDERR_FILENO);
	verdict = config_parse(n, args, config);
	capture_end(&to_err, err);
	capture_end(&to_out, out);
	return verdict;
}

static void
parse_well(const char *line, struct config *config)
{
	if (parse(line, config) != CONFIG_RUN)
		fail_msg("\"sws %s\" was refused: %s", line, err);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
}

static void
test_defaults(void **state)
{
	struct config c;

	(void)state;
	parse_well("site", &c);
	assert_string_equal(c.root, "site");
	assert_int_equal(c.mode, MODE_DAEMON);
	assert_int_equal(c.n_addresses, 0);
	assert_int_equal(c.port, 8080);
	assert_null(c.port_file);
	assert_null(c.log_file);
	assert_false(c.log_reasons);
	assert_null(c.engine);
	assert_in_range(c.workers, 1, 1024);
	assert_string_equal(c.index, "index.html");
	assert_true(c.listings);
	assert_false(c.hidden);
	assert_int_equal(c.symlinks, SYMLINKS_BENEATH);
	assert_string_equal(c.server_header, "sws/" SWS_VERSION);
	assert_int_equal(c.header_ms, 10000);
	assert_int_equal(c.idle_ms, 60000);
	assert_int_equal(c.grace_ms, 10000);
	assert_int_equal(c.min_rate, 100);
	assert_null(c.user);
	assert_int_equal(c.sandbox, SANDBOX_ON);
	assert_string_equal(c.user_dir, "sws");
	assert_int_equal(c.user_dir_min_uid, 1000);
}

static void
test_cgi_defaults(void **state)
{
	struct config c;

	(void)state;
	parse_well("site", &c);
	assert_null(c.cgi_root);
	assert_int_equal(c.n_cgi_env, 0);
	assert_int_equal(c.cgi_timeout_ms, 60000);
	assert_int_equal(c.cgi_max, 64);
	assert_int_equal(c.cgi_limits.cpu_s, 60);
	assert_int_equal(c.cgi_limits.memory_mib, 1024);
	assert_int_equal(c.cgi_limits.processes, 512);
	assert_int_equal(c.cgi_limits.files, 256);
	assert_int_equal(c.cgi_limits.file_size_mib, 1024);
	assert_int_equal(c.cgi_limits.nice, 5);
}

static void
check_values(const struct config *c)
{
	assert_string_equal(c->root, "site");
	assert_int_equal(c->mode, MODE_FOREGROUND);
	assert_int_equal(c->n_addresses, 2);
	assert_string_equal(c->addresses[0], "127.0.0.1");
	assert_string_equal(c->addresses[1], "[::1]");
	assert_int_equal(c->port, 81);
	assert_string_equal(c->log_file, "a.log");
}

static void
test_letters_and_names(void **state)
{
	struct config c;

	(void)state;
	parse_well("-f -i 127.0.0.1 -i [::1] -p 81 -l a.log site", &c);
	check_values(&c);
	parse_well("--foreground --address=127.0.0.1 --address [::1] "
	    "--port=81 --log a.log -- site", &c);
	check_values(&c);
	parse_well("site -fi127.0.0.1 -i[::1] -p81 -la.log", &c);
	check_values(&c);
}

static void
test_long_options(void **state)
{
	struct config c;

	(void)state;
	parse_well("--port=0 --port-file=p --engine=poll --workers=3 "
	    "--index=start.htm --no-index --hidden --server-header=x/1 "
	    "--header-timeout=0.5 --idle-timeout=5. --grace=.001 "
	    "--min-rate=0 site", &c);
	assert_int_equal(c.port, 0);
	assert_string_equal(c.port_file, "p");
	assert_string_equal(c.engine, "poll");
	assert_int_equal(c.workers, 3);
	assert_string_equal(c.index, "start.htm");
	assert_false(c.listings);
	assert_true(c.hidden);
	assert_string_equal(c.server_header, "x/1");
	assert_int_equal(c.header_ms, 500);
	assert_int_equal(c.idle_ms, 5000);
	assert_int_equal(c.grace_ms, 1);
	assert_int_equal(c.min_rate, 0);
	parse_well("--symlinks=none site", &c);
	assert_int_equal(c.symlinks, SYMLINKS_NONE);
	parse_well("--symlinks=none --symlinks=owner site", &c);
	assert_int_equal(c.symlinks, SYMLINKS_OWNER);
	parse_well("--symlinks=owner --symlinks=beneath site", &c);
	assert_int_equal(c.symlinks, SYMLINKS_BENEATH);
	parse_well("--server-header= --grace=86400 --port=65535 site", &c);
	assert_string_equal(c.server_header, "");
	assert_int_equal(c.grace_ms, 86400000);
	assert_int_equal(c.port, 65535);
}

static void
test_cgi_options(void **state)
{
	struct config c;

	(void)state;
	parse_well("-c cgi-bin --cgi-env=LD_LIBRARY_PATH --cgi-env _x1 "
	    "--cgi-timeout=2.5 --cgi-max=1 --cgi-cpu=1 --cgi-memory=2 "
	    "--cgi-processes=3 --cgi-files=4 --cgi-file-size=5 --cgi-nice=6 "
	    "site", &c);
	assert_string_equal(c.cgi_root, "cgi-bin");
	assert_int_equal(c.n_cgi_env, 2);
	assert_string_equal(c.cgi_env[0], "LD_LIBRARY_PATH");
	assert_string_equal(c.cgi_env[1], "_x1");
	assert_int_equal(c.cgi_timeout_ms, 2500);
	assert_int_equal(c.cgi_max, 1);
	assert_int_equal(c.cgi_limits.cpu_s, 1);
	assert_int_equal(c.cgi_limits.memory_mib, 2);
	assert_int_equal(c.cgi_limits.processes, 3);
	assert_int_equal(c.cgi_limits.files, 4);
	assert_int_equal(c.cgi_limits.file_size_mib, 5);
	assert_int_equal(c.cgi_limits.nice, 6);
}

static void
test_cache_options(void **state)
{
	struct config c;

	(void)state;
	parse_well("site", &c);
	assert_int_equal(c.cache_bytes, 64 << 20);
	assert_int_equal(c.cache_object_bytes, 64 << 10);
	assert_int_equal(c.etag, ETAG_MTIME);
	parse_well("--cache-size=3G --cache-object=2M --etag=content site",
	    &c);
	assert_int_equal(c.cache_bytes, INT64_C(3) << 30);
	assert_int_equal(c.cache_object_bytes, 2 << 20);
	assert_int_equal(c.etag, ETAG_CONTENT);
	parse_well("--cache-size=0 --cache-object=17 --etag=none site", &c);
	assert_int_equal(c.cache_bytes, 0);
	assert_int_equal(c.cache_object_bytes, 17);
	assert_int_equal(c.etag, ETAG_NONE);
	parse_well("--cache-size=1024G --cache-object=5K --etag=mtime site",
	    &c);
	assert_int_equal(c.cache_bytes, INT64_C(1) << 40);
	assert_int_equal(c.cache_object_bytes, 5 << 10);
	assert_int_equal(c.etag, ETAG_MTIME);
}

static void
test_users(void **state)
{
	struct config c;

	(void)state;
	parse_well("-u www --user-dir=public_html --user-dir-min-uid=0 site",
	    &c);
	assert_string_equal(c.user, "www");
	assert_string_equal(c.user_dir, "public_html");
	assert_int_equal(c.user_dir_min_uid, 0);
	parse_well("--user=www --user-dir= --user-dir-min-uid=4294967294 site",
	    &c);
	assert_string_equal(c.user, "www");
	assert_string_equal(c.user_dir, "");
	assert_int_equal(c.user_dir_min_uid, 4294967294);
}

static void
test_sandbox(void **state)
{
	struct config c;

	(void)state;
	parse_well("--sandbox=off site", &c);
	assert_int_equal(c.sandbox, SANDBOX_OFF);
	parse_well("--sandbox=require site", &c);
	assert_int_equal(c.sandbox, SANDBOX_REQUIRE);
	parse_well("--sandbox=off --sandbox=on site", &c);
	assert_int_equal(c.sandbox, SANDBOX_ON);
	assert_int_equal(parse("--sandbox=help", &c), CONFIG_EXIT);
	assert_non_null(strstr(out, "  openat2 "));
	assert_string_equal(err, "");
}

static void
test_modes(void **state)
{
	struct config c;

	(void)state;
	parse_well("-d --workers=4 site", &c);
	assert_int_equal(c.mode, MODE_DEBUG);
	assert_int_equal(c.workers, 1);
	parse_well("-d -f site", &c);
	assert_int_equal(c.mode, MODE_DEBUG);
	parse_well("-fd site", &c);
	assert_int_equal(c.mode, MODE_DEBUG);
}

#define NO_SIZE "not a size (0 to 1G)\n"
#define NO_PORT "not a port number (0 to 65535)\n"
#define NO_SECONDS "not a number of seconds (0.001 to 86400)\n"
#define NO_PROCESSES "not a number of processes (1 to 1024)\n"
#define NO_RATE "not a number of bytes a second (0 to 1000000000)\n"
#define NO_CACHE_SIZE "not a size (0 to 1024G)\n"
#define NO_INDEX "not the name of a file inside a directory\n"
#define NO_USER_DIR "not the name of a directory inside a home\n"
#define NO_VARIABLE "not the name of a variable\n"
#define TRY_HELP "no such option: try sws --help\n"
#define WHICH "which directory? try 'sws -f .' or sws --help\n"
#define FOUR_ADDRESSES "-i ::1 -i ::2 -i ::3 -i ::4 "
#define FOUR_VARIABLES "--cgi-env=A --cgi-env=B --cgi-env=C --cgi-env=D "
#define LONG_VALUE "0123456789012345678901234567890123456789"

static void
test_compress_max(void **state)
{
	static const struct {
		const char *line;
		uint64_t bytes;
	} cases[] = {
		{ "site", 8 << 20 },
		{ "--compress-max=0 site", 0 },
		{ "--compress-max=4711 site", 4711 },
		{ "--compress-max=3K site", 3 << 10 },
		{ "--compress-max=3k site", 3 << 10 },
		{ "--compress-max=20M site", 20 << 20 },
		{ "--compress-max=1G site", 1 << 30 },
		{ "--no-compress site", 0 },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse_well(cases[i].line, &c);
		assert_int_equal(c.compress_max, cases[i].bytes);
	}
}

#define FOREVER "public, max-age=31536000, immutable"

static void
test_freshness(void **state)
{
	static const struct {
		const char *line, *otherwise;
		const char *glob, *value;       /* of the first rule */
	} cases[] = {
		{ "site", "no-cache", NULL, NULL },
		{ "--cache-control=max-age=60 site", "max-age=60", NULL,
		    NULL },
		{ "--cache-control=public,max-age=60 site",
		    "public,max-age=60", NULL, NULL },
		{ "--cache-control=no-cache=\"a.b\" site", "no-cache=\"a.b\"",
		    NULL, NULL },
		{ "--cache-control= site", "", NULL, NULL },
		{ "--cache-control=*.css=max-age=60 site", "no-cache", "*.css",
		    "max-age=60" },
		{ "--cache-control=/a= site", "no-cache", "/a", "" },
		{ "--cache-control=a.txt=private site", "no-cache", "a.txt",
		    "private" },
		{ "--immutable=static/* site", "no-cache", "static/*",
		    FOREVER },
		{ "--immutable=LICENSE --cache-control=private site",
		    "private", "LICENSE", FOREVER },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse_well(cases[i].line, &c);
		assert_string_equal(c.freshness.otherwise, cases[i].otherwise);
		assert_int_equal(c.freshness.n, cases[i].glob != NULL);
		if (cases[i].glob == NULL)
			continue;
		assert_string_equal(c.freshness.rules[0].glob, cases[i].glob);
		assert_string_equal(c.freshness.rules[0].value,
		    cases[i].value);
	}
}

static void
test_freshness_rules(void **state)
{
	struct config c;

	(void)state;
	parse_well("--immutable=a --cache-control=b/=private --immutable=c "
	    "site", &c);
	assert_int_equal(c.freshness.n, 3);
	assert_string_equal(c.freshness.rules[1].glob, "b/");
	assert_string_equal(c.freshness.rules[2].glob, "c");
}

static const struct {
	const char *line;
	const char *complaint;
} wrong[] = {
	{ "--compress-max=1025M site", "--compress-max 1025M: " NO_SIZE },
	{ "--compress-max=2G site", "--compress-max 2G: " NO_SIZE },
	{ "--compress-max=K site", "--compress-max K: " NO_SIZE },
	{ "--compress-max=-1 site", "--compress-max -1: " NO_SIZE },
	{ "--compress-max=1T site", "--compress-max 1T: " NO_SIZE },
	{ "--compress-max= site", "--compress-max '': " NO_SIZE },
	{ "--compress-max=99999999999999999999 site",
	    "--compress-max 99999999999999999999: " NO_SIZE },
	{ "--immutable= site", "--immutable '': not a pattern (255 bytes at "
	    "most)\n" },
	{ "--cache-control=a\nb site", "--cache-control a?b: no control "
	    "characters can stand in a header\n" },
	{ "", WHICH },
	{ "-p 80", WHICH },
	{ "site more", "more: only one directory can be served, and it is "
	    "site\n" },
	{ "-x site", "-x: " TRY_HELP },
	{ "-fx site", "-x: " TRY_HELP },
	{ "--nosuch site", "--nosuch: " TRY_HELP },
	{ "--nosuch=1 site", "--nosuch=1: " TRY_HELP },
	{ "--h site", "--h: " TRY_HELP },       /* short for three */
	{ "site -p", "-p: its port is missing\n" },
	{ "site --log", "--log: its file is missing\n" },
	{ "--debug=3 site", "--debug=3: --debug takes no argument\n" },

	{ "-p 65536 site", "-p 65536: " NO_PORT },
	{ "--port=65536 site", "--port 65536: " NO_PORT },
	{ "-p -1 site", "-p -1: " NO_PORT },
	{ "-p 80a site", "-p 80a: " NO_PORT },
	{ "-p 99999999999999999999 site", "-p 99999999999999999999: " NO_PORT },
	{ "-p  site", "-p '': " NO_PORT },
	{ "-p \033[m site", "-p ?[m: " NO_PORT },

	{ "-i  site", "-i '': not an address or host name\n" },
	{ FOUR_ADDRESSES FOUR_ADDRESSES FOUR_ADDRESSES FOUR_ADDRESSES
	    "-i ::1 site", "-i ::1: too many addresses (16 at most)\n" },
	{ "-c  site", "-c '': not a directory name\n" },
	{ "-l  site", "-l '': not a file name\n" },
	{ "-l - site", "-l -: a daemon has no standard output; add -f\n" },
	{ "--port-file= site", "--port-file '': not a file name\n" },
	{ "--engine=nonblock:5000 site",
	    "--engine nonblock:5000: not a number from 1 to 1000 behind it\n" },
	{ "--engine=nonblock:x site",
	    "--engine nonblock:x: not a number from 1 to 1000 behind it\n" },
	{ "--engine=poll:3 site",
	    "--engine poll:3: no number belongs behind this engine\n" },
	{ "--engine=nosuch:3 site", "--engine nosuch:3: no such engine: "
	    "--engine=help lists those there are\n" },
	{ "--engine=nosuch site", "--engine nosuch: no such engine: "
	    "--engine=help lists those there are\n" },
	{ "--workers=0 site", "--workers 0: " NO_PROCESSES },
	{ "--workers=1025 site", "--workers 1025: " NO_PROCESSES },
	{ "--index=a/b site", "--index a/b: " NO_INDEX },
	{ "--index=.. site", "--index ..: " NO_INDEX },
	{ "--index= site", "--index '': " NO_INDEX },
	{ "--min-rate=-1 site", "--min-rate -1: " NO_RATE },
	{ "--server-header=a\nb site", "--server-header a?b: "
	    "no control characters can stand in a header\n" },
	{ "--server-header=" LONG_VALUE LONG_VALUE LONG_VALUE LONG_VALUE
	    LONG_VALUE "x site", "--server-header " LONG_VALUE LONG_VALUE
	    LONG_VALUE LONG_VALUE LONG_VALUE "x: too long (200 bytes at most)\n"
	},

	{ "-u  site", "-u '': not a user name\n" },
	{ "--sandbox=yes site", "--sandbox yes: no such mode: on, off or "
	    "require (help lists what it allows)\n" },
	{ "--user-dir=../x site", "--user-dir ../x: " NO_USER_DIR },
	{ "--user-dir=/x site", "--user-dir /x: " NO_USER_DIR },
	{ "--user-dir=. site", "--user-dir .: " NO_USER_DIR },
	{ "--user-dir-min-uid=4294967295 site", "--user-dir-min-uid "
	    "4294967295: not a user's number (0 to 4294967294)\n" },
	{ "--cgi-env= site", "--cgi-env '': " NO_VARIABLE },
	{ "--cgi-env=1A site", "--cgi-env 1A: " NO_VARIABLE },
	{ "--cgi-env=A=B site", "--cgi-env A=B: " NO_VARIABLE },
	{ FOUR_VARIABLES FOUR_VARIABLES FOUR_VARIABLES FOUR_VARIABLES
	    "--cgi-env=E site", "--cgi-env E: too many variables "
	    "(16 at most)\n" },
	{ "--cgi-timeout=0 site", "--cgi-timeout 0: " NO_SECONDS },
	{ "--cache-size=M site", "--cache-size M: " NO_CACHE_SIZE },
	{ "--cache-size= site", "--cache-size '': " NO_CACHE_SIZE },
	{ "--cache-size=1T site", "--cache-size 1T: " NO_CACHE_SIZE },
	{ "--cache-size=-1 site", "--cache-size -1: " NO_CACHE_SIZE },
	{ "--cache-size=1MM site", "--cache-size 1MM: " NO_CACHE_SIZE },
	{ "--cache-object=1025G site", "--cache-object 1025G: " NO_CACHE_SIZE },
	{ "--cache-object=18446744073709551615G site",
	    "--cache-object 18446744073709551615G: " NO_CACHE_SIZE },
	{ "--etag=size site",
	    "--etag size: no such kind: mtime, content or none\n" },
	{ "--symlinks=follow site",
	    "--symlinks follow: no such policy: beneath, owner or none\n" },
	{ "--cgi-max=0 site", "--cgi-max 0: not a number of programs "
	    "(1 to 1024)\n" },
	{ "--cgi-memory=16777217 site", "--cgi-memory 16777217: not a number "
	    "of MiB (0 to 16777216)\n" },
	{ "--cgi-nice=20 site", "--cgi-nice 20: not a niceness (0 to 19)\n" },
	{ "--cgi-nice=-1 site", "--cgi-nice -1: not a niceness (0 to 19)\n" },

	{ "--grace=0 site", "--grace 0: " NO_SECONDS },
	{ "--grace=0.0001 site", "--grace 0.0001: " NO_SECONDS },
	{ "--grace=86401 site", "--grace 86401: " NO_SECONDS },
	{ "--grace=-1 site", "--grace -1: " NO_SECONDS },
	{ "--grace=1e3 site", "--grace 1e3: " NO_SECONDS },
	{ "--grace=0x1 site", "--grace 0x1: " NO_SECONDS },
	{ "--grace=inf site", "--grace inf: " NO_SECONDS },
	{ "--grace=nan site", "--grace nan: " NO_SECONDS },
	{ "--grace=1.2.3 site", "--grace 1.2.3: " NO_SECONDS },
	{ "--grace=. site", "--grace .: " NO_SECONDS },
	{ "--grace=5s site", "--grace 5s: " NO_SECONDS },
	{ "--grace= site", "--grace '': " NO_SECONDS },
	{ "--idle-timeout=x site", "--idle-timeout x: " NO_SECONDS },
	{ "--header-timeout=x site", "--header-timeout x: " NO_SECONDS },
};

static void
test_wrong(void **state)
{
	struct config c, before;

	(void)state;
	memset(&before, 0x55, sizeof(before));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(&c, &before, sizeof(c));
		if (parse(wrong[i].line, &c) != CONFIG_USAGE)
			fail_msg("\"sws %s\" was taken", wrong[i].line);
		assert_memory_equal(err, "sws: ", 5);
		assert_string_equal(err + 5, wrong[i].complaint);
		assert_string_equal(out, "");
		assert_memory_equal(&c, &before, sizeof(c));
	}
}

/* Any of these ends the program well, whatever else is on the line. */
static void
test_answers(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("--version", &c), CONFIG_EXIT);
	assert_string_equal(out, "sws " SWS_VERSION "\n");
	assert_string_equal(err, "");
	assert_int_equal(parse("--engine=help", &c), CONFIG_EXIT);
	assert_non_null(strstr(out, "poll"));
	assert_string_equal(err, "");
	assert_int_equal(parse("-h -x", &c), CONFIG_EXIT);
	assert_string_equal(err, "");
}

static void
test_help(void **state)
{
	static const char usage[] =
	    "usage: sws [-dfh] [-c dir] [-i address]... [-l file] [-p port] "
	    "[-u user] dir\n";
	char *rest = out, *line;
	struct config c;
	int lines = 0;

	(void)state;
	assert_int_equal(parse("--help", &c), CONFIG_EXIT);
	assert_string_equal(err, "");
	assert_memory_equal(out, usage, strlen(usage));
	assert_non_null(strstr(out, "\n  -p, --port=port  "));
	for (; (line = strsep(&rest, "\n")) != NULL; lines++)
		assert_in_range(strlen(line), 0, 80);
	assert_in_range(lines, 1, 80);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_cgi_defaults),
		cmocka_unit_test(test_letters_and_names),
		cmocka_unit_test(test_long_options),
		cmocka_unit_test(test_cgi_options),
		cmocka_unit_test(test_cache_options),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_sandbox),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_compress_max),
		cmocka_unit_test(test_freshness),
		cmocka_unit_test(test_freshness_rules),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
