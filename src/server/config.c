/* SPDX-License-Identifier: ISC */
/*
 * The command line.  One table of options drives getopt_long(3), --help and
 * the checks (config_values.c); what needs the system (does the directory
 * exist, is the port free) is found out by those who use it.
 */
#include "server/config.h"

#include <getopt.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "net/engine.h"
#include "server/config_priv.h"

#define PORT_MAX 65535
#define WORKERS_MAX 1024
#define RATE_MAX 1000000000
#define UID_MAX 4294967294u     /* the one above means none: chown(2) */
#define MIB_MAX (1 << 24)       /* 16 TiB */
#define PROCESSES_MAX (1 << 22) /* as many as Linux can number */
#define FILES_MAX (1 << 20)     /* what Linux lets one process open */
#define CGI_MAX 1024
#define NICE_MAX 19             /* setpriority(2) */

#define SERVER_HEADER "sws/" SWS_VERSION

#define FIELD(name) offsetof(struct config, name)

/* Above all letters: how getopt_long(3) tells which long option it found. */
#define LONG_BASE 0x100

static const struct config defaults = {
	.mode = MODE_DAEMON,
	.port = 8080,
	.index = "index.html",
	.listings = true,
	.freshness.otherwise = FRESHNESS_DEFAULT,
	.compress_max = UINT64_C(8) << 20,
	.server_header = SERVER_HEADER,
	.cache_bytes = 64 << 20,
	.cache_object_bytes = 64 << 10,
	.header_ms = 10 * 1000,
	.idle_ms = 60 * 1000,
	.grace_ms = 10 * 1000,
	.min_rate = 100,
	.sandbox = SANDBOX_ON,
	.user_dir = "sws",
	.user_dir_min_uid = 1000,
	.cgi_timeout_ms = 60 * 1000,
	.cgi_max = 64,
	.cgi_limits = {
		.cpu_s = 60,
		.memory_mib = 1024,
		.processes = 512,
		.files = 256,
		.file_size_mib = 1024,
		.nice = 5,
	},
};

static enum config_verdict show_help(const struct use *u);

static enum config_verdict
show_version(const struct use *u)
{
	(void)u;
	puts("sws " SWS_VERSION);
	return CONFIG_EXIT;
}

/* In the order of the help. */
static const struct option_row rows[] = {
	{ .help = "Where to listen" },
	{ 'i', "address", "address",
	    "IPv4 or IPv6 address or host name; may be\n"
	    "repeated (default: all of this host)",
	    .apply = config_set_address },
	{ 'p', "port", "port",
	    "default 8080; 0 takes any free port", .apply = config_set_number,
	    FIELD(port), "port number", 0, PORT_MAX },
	{ 0, "port-file", "file",
	    "write the number of the port to this file",
	    .apply = config_set_text,
	    FIELD(port_file), "file name" },

	{ .help = "What to serve" },
	{ 0, "index", "name",
	    "the file that stands for its directory\n"
	    "(default index.html)", .apply = config_set_index },
	{ 0, "no-index", NULL,
	    "do not list directories that have no such file",
	    .apply = config_set_no_index },
	{ 0, "hidden", NULL,
	    "serve names that begin with a dot as well",
	    .apply = config_set_hidden },
	{ 0, "symlinks", "policy",
	    "which symbolic links are followed: none, owner\n"
	    "(of who owns what they lead to) or beneath (all\n"
	    "that stay in the directory; default)",
	    .apply = config_set_symlinks },
	{ 0, "cache-control", "value",
	    "what may be done with copies of files, or with\n"
	    "glob=value, of some; may be repeated (default\n"
	    "no-cache)",
	    .apply = config_set_cache_control },
	{ 0, "immutable", "glob",
	    "copies of these files are good for a year;\n"
	    "may be repeated", .apply = config_set_immutable },
	{ 0, "compress-max", "size",
	    "compress files up to this size (default 8M)",
	    .apply = config_set_compress_max, FIELD(compress_max) },
	{ 0, "no-compress", NULL,
	    "compress nothing; name.br, .zst and .gz beside\n"
	    "a file are sent all the same", .apply = config_set_no_compress },
	{ 0, "etag", "kind",
	    "what a file is recognised by: mtime, content or\n"
	    "none (default mtime)", .apply = config_set_etag },
	{ 0, "server-header", "text",
	    "the Server field of responses; '' leaves it out\n"
	    "(default " SERVER_HEADER ")", .apply = config_set_server_header },
	{ 0, "user-dir", "name",
	    "what /~user/ shows of the home of a user;\n"
	    "'' shows nothing (default sws)", .apply = config_set_user_dir },
	{ 0, "user-dir-min-uid", "uid",
	    "of no user below this one (default 1000)",
	    .apply = config_set_number,
	    FIELD(user_dir_min_uid), "user's number", 0, UID_MAX },

	{ .help = "What to remember" },
	{ 0, "cache-size", "size",
	    "memory of a worker for files; 0: nothing is kept\n"
	    "(default 64M)", .apply = config_set_size, FIELD(cache_bytes) },
	{ 0, "cache-object", "size",
	    "larger files are kept open instead (default 64K)",
	    .apply = config_set_size, FIELD(cache_object_bytes) },

	{ .help = "CGI programs" },
	{ 'c', "cgi", "dir",
	    "run those of this directory for /cgi-bin/",
	    .apply = config_set_text,
	    FIELD(cgi_root), "directory name" },
	{ 0, "cgi-env", "name",
	    "a variable they get as well; may be repeated",
	    .apply = config_set_cgi_env },
	{ 0, "cgi-timeout", "seconds",
	    "how long one may be silent (default 60)",
	    .apply = config_set_seconds,
	    FIELD(cgi_timeout_ms) },
	{ 0, "cgi-max", "number",
	    "how many run at once (default 64)", .apply = config_set_number,
	    FIELD(cgi_max), "number of programs", 1, CGI_MAX },
	{ 0, "cgi-cpu", "seconds",
	    "processor time of one (default 60)", .apply = config_set_number,
	    FIELD(cgi_limits.cpu_s), "number of seconds", 0, SECONDS_MAX },
	{ 0, "cgi-memory", "MiB",
	    "memory of one (default 1024)", .apply = config_set_number,
	    FIELD(cgi_limits.memory_mib), "number of MiB", 0, MIB_MAX },
	{ 0, "cgi-processes", "number",
	    "processes of their user (default 512)", .apply = config_set_number,
	    FIELD(cgi_limits.processes), "number of processes", 0,
	    PROCESSES_MAX },
	{ 0, "cgi-files", "number",
	    "files that one has open (default 256)", .apply = config_set_number,
	    FIELD(cgi_limits.files), "number of files", 0, FILES_MAX },
	{ 0, "cgi-file-size", "MiB",
	    "length of a file that one writes (default 1024)",
	    .apply = config_set_number,
	    FIELD(cgi_limits.file_size_mib), "number of MiB", 0, MIB_MAX },
	{ 0, "cgi-nice", "number",
	    "how much they yield to others (default 5)",
	    .apply = config_set_number,
	    FIELD(cgi_limits.nice), "niceness", 0, NICE_MAX },

	{ .help = "How to run" },
	{ 'f', "foreground", NULL,
	    "stay attached to the terminal", .apply = config_set_foreground },
	{ 'd', "debug", NULL,
	    "the same, but serve one connection at a time\n"
	    "and log to standard output", .apply = config_set_debug },
	{ 'l', "log", "file",
	    "append a line for each request to this file;\n"
	    "with -f, - is standard output",
	    .apply = config_set_text,
	    FIELD(log_file), "file name" },
	{ 0, "log-reasons", NULL,
	    "say there why a request was refused",
	    .apply = config_set_log_reasons },
	{ 'u', "user", "name",
	    "whom root becomes (default www-data or nobody)",
	    .apply = config_set_text,
	    FIELD(user), "user name" },
	{ 0, "sandbox", "mode",
	    "on, off, or require: start only if all of it\n"
	    "holds (default on)", .apply = config_set_sandbox },
	{ 0, "workers", "number",
	    "processes that serve (default: one a processor)",
	    .apply = config_set_number,
	    FIELD(workers), "number of processes", 1, WORKERS_MAX },
	{ 0, "engine", "name",
	    "how to wait for events (--engine=help lists all)",
	    .apply = config_set_engine },
	{ 0, "grace", "seconds",
	    "time to finish requests when told to stop\n"
	    "(default 10)", .apply = config_set_seconds, FIELD(grace_ms) },

	{ .help = "How long to wait for clients" },
	{ 0, "header-timeout", "seconds",
	    "for the head of a request (default 10)",
	    .apply = config_set_seconds,
	    FIELD(header_ms) },
	{ 0, "idle-timeout", "seconds",
	    "for the next request (default 60)", .apply = config_set_seconds,
	    FIELD(idle_ms) },
	{ 0, "min-rate", "bytes",
	    "the least that a client must take or give in a\n"
	    "second (default 100; 0: any)", .apply = config_set_number,
	    FIELD(min_rate), "number of bytes a second", 0, RATE_MAX },

	{ .help = "Help" },
	{ 'h', "help", NULL, "show this summary", .apply = show_help },
	{ 0, "version", NULL, "show the version", .apply = show_version },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const char summary[] =
    "usage: sws [-dfh] [-c dir] [-i address]... [-l file] [-p port] "
    "[-u user] dir\n"
    "\n"
    "Serves the files of a directory over HTTP.  To see those of this one,\n"
    "run 'sws -f .' and open http://localhost:8080/ in a browser.\n";

static int
option_width(const struct option_row *row)
{
	size_t n = strlen("  -x, --") + strlen(row->name);

	if (row->argument != NULL)
		n += strlen("=") + strlen(row->argument);
	return (int)n;
}

static int
widest_option(void)
{
	int widest = 0;

	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].name != NULL && option_width(&rows[i]) > widest)
			widest = option_width(&rows[i]);
	return widest;
}

static void
print_option(const struct option_row *row, int widest)
{
	struct str rest = str_of(row->help), line;
	int missing = widest - option_width(row);

	if (row->letter != 0)
		printf("  -%c, --%s", row->letter, row->name);
	else
		printf("      --%s", row->name);
	if (row->argument != NULL)
		printf("=%s", row->argument);
	for (; str_cut(&rest, '\n', &line); missing = widest)
		printf("%*s  %.*s\n", missing, "", STR_ARG(line));
}

static enum config_verdict
show_help(const struct use *u)
{
	int widest = widest_option();

	(void)u;
	fputs(summary, stdout);
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].name == NULL)
			printf("\n%s\n", rows[i].help);
		else
			print_option(&rows[i], widest);
	puts("\nThe manual page sws(1) has the details and examples.");
	return CONFIG_EXIT;
}

/* What getopt_long(3) wants, made of our rows. */
struct getopt_tables {
	struct option longs[N_ROWS + 1];
	char shorts[2 * N_ROWS + 2];
};

static void
fill_tables(struct getopt_tables *t)
{
	struct option *l = t->longs;
	char *s = t->shorts;

	/* The colon in front tells a missing argument from a wrong option. */
	*s++ = ':';
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct option_row *row = &rows[i];

		if (row->name == NULL)
			continue;
		*l++ = (struct option){
			.name = row->name,
			.has_arg = row->argument != NULL,
			.val = LONG_BASE + (int)i,
		};
		if (row->letter == 0)
			continue;
		*s++ = row->letter;
		if (row->argument != NULL)
			*s++ = ':';
	}
	*l = (struct option){ 0 };
	*s = '\0';
}

/* NULL when no row has this letter. */
static const struct option_row *
row_of(int found)
{
	if (found >= LONG_BASE)
		return &rows[found - LONG_BASE];
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].letter != 0 && rows[i].letter == found)
			return &rows[i];
	return NULL;
}

/* `found` is what getopt_long(3) returned, `arg` what it had last read. */
static void
complain(int found, const char *arg)
{
	const struct option_row *row = row_of(optopt);

	if (found == ':' && optopt < LONG_BASE)
		log_error("-%c: its %s is missing", optopt, row->argument);
	else if (found == ':')
		log_error("%s: its %s is missing", arg, row->argument);
	else if (row != NULL)
		log_error("%s: --%s takes no argument", arg, row->name);
	else if (optopt != 0)
		log_error("-%c: no such option: try sws --help", optopt);
	else
		log_error("%s: no such option: try sws --help", arg);
}

static enum config_verdict
take_option(int found, const char *arg, struct config *config)
{
	struct use u = {
		.is_long = found >= LONG_BASE,
		.value = optarg,
		.config = config,
	};

	if (found == ':' || found == '?') {
		complain(found, arg);
		return CONFIG_USAGE;
	}
	u.row = row_of(found);
	return u.row->apply(&u);
}

static enum config_verdict
take_root(int n, char **operands, struct config *config)
{
	if (n == 0 || operands[0][0] == '\0') {
		log_error("which directory? try 'sws -f .' or sws --help");
		return CONFIG_USAGE;
	}
	if (n > 1) {
		log_error("%s: only one directory can be served, and it is %s",
		    operands[1], operands[0]);
		return CONFIG_USAGE;
	}
	config->root = operands[0];
	return CONFIG_RUN;
}

static unsigned
usable_processors(void)
{
	cpu_set_t set;
	long n;

	/* It fails on machines with more processors than the set can hold. */
	if (sched_getaffinity(0, sizeof(set), &set) == -1)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	else
		n = CPU_COUNT(&set);
	if (n < 1)
		return 1;
	return n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

static void
settle_workers(struct config *config)
{
	enum engine_policy policy = engine_find(config->engine, NULL)->policy;

	if (config->mode == MODE_DEBUG)
		config->workers = 1;
	else if (config->workers == 0)
		config->workers = policy == ENGINE_MANY ?
		    usable_processors() : 1;
}

static bool
is_stdout(const char *log_file)
{
	return log_file != NULL && strcmp(log_file, "-") == 0;
}

static enum config_verdict
settle_log(struct config *config)
{
	if (config->mode == MODE_DEBUG)
		config->log_file = "-";
	if (config->mode != MODE_DAEMON || !is_stdout(config->log_file))
		return CONFIG_RUN;
	log_error("-l -: a daemon has no standard output; add -f");
	return CONFIG_USAGE;
}

enum config_verdict
config_parse(int argc, char **argv, struct config *out_config)
{
	struct getopt_tables t;
	struct config config = defaults;
	enum config_verdict verdict;
	int found;

	fill_tables(&t);
	optind = 0;     /* begin anew, also after an earlier call */
	opterr = 0;     /* the complaints are ours */
	while ((found = getopt_long(argc, argv, t.shorts, t.longs, NULL)) !=
	    -1) {
		verdict = take_option(found, argv[optind - 1], &config);
		if (verdict != CONFIG_RUN)
			return verdict;
	}
	verdict = take_root(argc - optind, argv + optind, &config);
	if (verdict == CONFIG_RUN)
		verdict = settle_log(&config);
	if (verdict != CONFIG_RUN)
		return verdict;
	settle_workers(&config);
	*out_config = config;
	return CONFIG_RUN;
}
