/* SPDX-License-Identifier: ISC */
/*
 * The command line.  One table of options drives getopt_long(3), --help and
 * the checks; what needs the system (does the directory exist, is the port
 * free) is found out by those who use it.
 */

#include "server/config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "http/stamp.h"
#include "base/str.h"
#include "net/engine.h"

#define PORT_MAX 65535
#define WORKERS_MAX 1024
#define SECONDS_MAX 86400       /* a day */
#define RATE_MAX 1000000000
#define UID_MAX 4294967294u     /* the one above means none: chown(2) */
#define MIB_MAX (1 << 24)       /* 16 TiB */
#define SIZE_LARGEST (1ull << 40)
#define PROCESSES_MAX (1 << 22) /* as many as Linux can number */
#define FILES_MAX (1 << 20)     /* what Linux lets one process open */
#define CGI_MAX 1024
#define NICE_MAX 19             /* setpriority(2) */

#define COMPRESSED_MAX (UINT64_C(1) << 30)

/* A year, as for ever as it gets (RFC 8246 2). */
#define IMMUTABLE "public, max-age=31536000, immutable"

#define SERVER_HEADER "sws/" SWS_VERSION

/* A number of ours inside a message. */
#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(digits) #digits

/* Above all letters: how getopt_long(3) tells which long option it found. */
#define LONG_BASE 0x100

struct use;

struct option_row {
	char letter;            /* 0: only the long name */
	const char *name;       /* NULL: no option but a heading of the help */
	const char *argument;   /* what stands for it in the help, or NULL */
	const char *help;       /* lines */
	enum config_verdict (*apply)(const struct use *u);
	size_t field;           /* where its value goes, in struct config */
	const char *noun;       /* what its value has to be */
	unsigned least, most;   /* when that is a number */
};

#define FIELD(name) offsetof(struct config, name)

/* One option, as it was given. */
struct use {
	const struct option_row *row;
	bool is_long;
	const char *value;      /* NULL when it takes none */
	struct config *config;  /* to be filled */
};

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
		.processes = 256,
		.files = 256,
		.file_size_mib = 1024,
		.nice = 5,
	},
};

static enum config_verdict
refuse(const struct use *u, const char *why)
{
	/* An empty argument would leave nothing to see. */
	const char *shown = u->value[0] != '\0' ? u->value : "''";

	if (u->is_long)
		log_error("--%s %s: %s", u->row->name, shown, why);
	else
		log_error("-%c %s: %s", u->row->letter, shown, why);
	return CONFIG_USAGE;
}

static void *
field_of(const struct use *u)
{
	return (char *)u->config + u->row->field;
}

static enum config_verdict
set_number(const struct use *u)
{
	const struct option_row *row = u->row;
	char why[100];
	uint64_t n;

	if (str_to_u64(str_of(u->value), &n) < 0 || n < row->least ||
	    n > row->most) {
		snprintf(why, sizeof(why), "not a %s (%u to %u)", row->noun,
		    row->least, row->most);
		return refuse(u, why);
	}
	*(unsigned *)field_of(u) = (unsigned)n;
	return CONFIG_RUN;
}

/* A number of bytes; K, M and G are powers of 1,024. */
static int
parse_size(const char *text, uint64_t most, uint64_t *out_bytes)
{
	static const char units[] = "KMG";
	struct str digits = str_of(text);
	const char *unit = NULL;
	unsigned shift = 0;
	uint64_t n;

	if (digits.n > 0)
		unit = memchr(units, digits.p[digits.n - 1] & ~0x20, 3);
	if (unit != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		digits.n--;
	}
	if (str_to_u64(digits, &n) < 0 || n > most >> shift)
		return -EINVAL;
	*out_bytes = n << shift;
	return 0;
}

static enum config_verdict
set_compress_max(const struct use *u)
{
	if (parse_size(u->value, COMPRESSED_MAX, field_of(u)) < 0)
		return refuse(u, "not a size (0 to 1G)");
	return CONFIG_RUN;
}

static enum config_verdict
set_no_compress(const struct use *u)
{
	u->config->compress_max = 0;
	return CONFIG_RUN;
}

static enum config_verdict
set_size(const struct use *u)
{
	if (parse_size(u->value, SIZE_LARGEST, field_of(u)) < 0)
		return refuse(u, "not a size (0 to 1024G)");
	return CONFIG_RUN;
}

static enum config_verdict
set_etag(const struct use *u)
{
	static const char *const kinds[] = {
		[ETAG_MTIME] = "mtime",
		[ETAG_CONTENT] = "content",
		[ETAG_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(u->value, kinds[i]) == 0) {
			u->config->etag = (enum etag)i;
			return CONFIG_RUN;
		}
	}
	return refuse(u, "no such kind: mtime, content or none");
}

static enum config_verdict
set_seconds(const struct use *u)
{
	/* strtod(3) also takes signs, exponents, "inf" and "nan". */
	size_t n = strspn(u->value, "0123456789.");
	char *end;
	double seconds = strtod(u->value, &end);

	if (n == 0 || end != u->value + n || *end != '\0' || seconds < 0.001 ||
	    seconds > SECONDS_MAX)
		return refuse(u,
		    "not a number of seconds (0.001 to " TEXT(SECONDS_MAX) ")");
	*(unsigned *)field_of(u) = (unsigned)(seconds * 1000 + 0.5);
	return CONFIG_RUN;
}

static enum config_verdict
set_text(const struct use *u)
{
	char why[100];

	if (u->value[0] == '\0') {
		snprintf(why, sizeof(why), "not a %s", u->row->noun);
		return refuse(u, why);
	}
	*(const char **)field_of(u) = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_address(const struct use *u)
{
	if (u->value[0] == '\0')
		return refuse(u, "not an address or host name");
	if (u->config->n_addresses == CONFIG_ADDRESSES)
		return refuse(u,
		    "too many addresses (" TEXT(CONFIG_ADDRESSES) " at most)");
	u->config->addresses[u->config->n_addresses++] = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_cgi_env(const struct use *u)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz_0123456789";

	if (u->value[0] == '\0' || isdigit((unsigned char)u->value[0]) ||
	    u->value[strspn(u->value, characters)] != '\0')
		return refuse(u, "not the name of a variable");
	if (u->config->n_cgi_env == CONFIG_CGI_ENV)
		return refuse(u,
		    "too many variables (" TEXT(CONFIG_CGI_ENV) " at most)");
	u->config->cgi_env[u->config->n_cgi_env++] = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_debug(const struct use *u)
{
	u->config->mode = MODE_DEBUG;
	return CONFIG_RUN;
}

static enum config_verdict
set_engine(const struct use *u)
{
	const struct engine *e;
	char why[100];

	if (strcmp(u->value, "help") == 0) {
		engine_help(stdout);
		return CONFIG_EXIT;
	}
	e = engine_find(u->value, NULL);
	if (e == NULL)
		return refuse(u,
		    "no such engine: --engine=help lists those there are");
	/* Where another can stand in, the worker says why it does. */
	if (engine_lacks(e) != NULL && e->instead == NULL) {
		snprintf(why, sizeof(why), "not available here: %s",
		    engine_lacks(e));
		return refuse(u, why);
	}
	u->config->engine = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_foreground(const struct use *u)
{
	/* Debugging stays in the foreground already, and asks for more. */
	if (u->config->mode != MODE_DEBUG)
		u->config->mode = MODE_FOREGROUND;
	return CONFIG_RUN;
}

static enum config_verdict
set_hidden(const struct use *u)
{
	u->config->hidden = true;
	return CONFIG_RUN;
}

/* One component of a path. */
static bool
is_plain_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL &&
	    strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	    strlen(name) <= NAME_MAX;
}

static enum config_verdict
set_index(const struct use *u)
{
	if (!is_plain_name(u->value))
		return refuse(u, "not the name of a file inside a directory");
	u->config->index = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_no_index(const struct use *u)
{
	u->config->listings = false;
	return CONFIG_RUN;
}

static enum config_verdict
set_sandbox(const struct use *u)
{
	static const char *const modes[] = {
		[SANDBOX_ON] = "on",
		[SANDBOX_OFF] = "off",
		[SANDBOX_REQUIRE] = "require",
	};

	if (strcmp(u->value, "help") == 0) {
		sandbox_help(stdout);
		return CONFIG_EXIT;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(u->value, modes[i]) == 0) {
			u->config->sandbox = (enum sandbox_mode)i;
			return CONFIG_RUN;
		}
	}
	return refuse(u,
	    "no such mode: on, off or require (help lists what it allows)");
}

/* A line feed would end the field and begin another. */
static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static enum config_verdict
add_freshness(const struct use *u, struct str glob, const char *value)
{
	struct freshness *f = &u->config->freshness;
	struct freshness_rule *rule = &f->rules[f->n];

	if (glob.n == 0 || glob.n > FRESHNESS_GLOB)
		return refuse(u,
		    "not a pattern (" TEXT(FRESHNESS_GLOB) " bytes at most)");
	if (f->n == FRESHNESS_RULES)
		return refuse(u,
		    "too many patterns (" TEXT(FRESHNESS_RULES) " at most)");
	*str_put(rule->glob, glob) = '\0';
	rule->value = value;
	f->n++;
	return CONFIG_RUN;
}

/*
 * What stands before the first "=" is a pattern if it has a character that
 * no directive of Cache-Control has: "max-age=60" is a value.
 */
static enum config_verdict
set_cache_control(const struct use *u)
{
	size_t n = strcspn(u->value, "=");
	struct str glob = { u->value, n };

	if (has_control(u->value))
		return refuse(u, "no control characters can stand in a header");
	if (strlen(u->value) > FRESHNESS_VALUE)
		return refuse(u,
		    "too long (" TEXT(FRESHNESS_VALUE) " bytes at most)");
	if (u->value[n] == '=' && strcspn(u->value, "*?[./") < n)
		return add_freshness(u, glob, u->value + n + 1);
	u->config->freshness.otherwise = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_immutable(const struct use *u)
{
	return add_freshness(u, str_of(u->value), IMMUTABLE);
}

static enum config_verdict
set_server_header(const struct use *u)
{
	if (has_control(u->value))
		return refuse(u, "no control characters can stand in a header");
	if (strlen(u->value) > STAMP_SERVER_MAX)
		return refuse(u,
		    "too long (" TEXT(STAMP_SERVER_MAX) " bytes at most)");
	u->config->server_header = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_user_dir(const struct use *u)
{
	if (u->value[0] != '\0' && !is_plain_name(u->value))
		return refuse(u, "not the name of a directory inside a home");
	u->config->user_dir = u->value;
	return CONFIG_RUN;
}

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
	    "repeated (default: all of this host)", .apply = set_address },
	{ 'p', "port", "port",
	    "default 8080; 0 takes any free port", .apply = set_number,
	    FIELD(port), "port number", 0, PORT_MAX },
	{ 0, "port-file", "file",
	    "write the number of the port to this file", .apply = set_text,
	    FIELD(port_file), "file name" },

	{ .help = "What to serve" },
	{ 0, "index", "name",
	    "the file that stands for its directory\n"
	    "(default index.html)", .apply = set_index },
	{ 0, "no-index", NULL,
	    "do not list directories that have no such file",
	    .apply = set_no_index },
	{ 0, "hidden", NULL,
	    "serve names that begin with a dot as well", .apply = set_hidden },
	{ 0, "cache-control", "value",
	    "what may be done with copies of files, or with\n"
	    "glob=value, of some; may be repeated (default\n"
	    "no-cache)",
	    .apply = set_cache_control },
	{ 0, "immutable", "glob",
	    "copies of these files are good for a year;\n"
	    "may be repeated", .apply = set_immutable },
	{ 0, "compress-max", "size",
	    "compress files up to this size (default 8M)",
	    .apply = set_compress_max, FIELD(compress_max) },
	{ 0, "no-compress", NULL,
	    "compress nothing; name.br, .zst and .gz beside\n"
	    "a file are sent all the same", .apply = set_no_compress },
	{ 0, "etag", "kind",
	    "what a file is recognised by: mtime, content or\n"
	    "none (default mtime)", .apply = set_etag },
	{ 0, "server-header", "text",
	    "the Server field of responses; '' leaves it out\n"
	    "(default " SERVER_HEADER ")", .apply = set_server_header },
	{ 0, "user-dir", "name",
	    "what /~user/ shows of the home of a user;\n"
	    "'' shows nothing (default sws)", .apply = set_user_dir },
	{ 0, "user-dir-min-uid", "uid",
	    "of no user below this one (default 1000)", .apply = set_number,
	    FIELD(user_dir_min_uid), "user's number", 0, UID_MAX },

	{ .help = "What to remember" },
	{ 0, "cache-size", "size",
	    "memory of a worker for files; 0: nothing is kept\n"
	    "(default 64M)", .apply = set_size, FIELD(cache_bytes) },
	{ 0, "cache-object", "size",
	    "larger files are kept open instead (default 64K)",
	    .apply = set_size, FIELD(cache_object_bytes) },

	{ .help = "CGI programs" },
	{ 'c', "cgi", "dir",
	    "run those of this directory for /cgi-bin/", .apply = set_text,
	    FIELD(cgi_root), "directory name" },
	{ 0, "cgi-env", "name",
	    "a variable they get as well; may be repeated",
	    .apply = set_cgi_env },
	{ 0, "cgi-timeout", "seconds",
	    "how long one may be silent (default 60)", .apply = set_seconds,
	    FIELD(cgi_timeout_ms) },
	{ 0, "cgi-max", "number",
	    "how many run at once (default 64)", .apply = set_number,
	    FIELD(cgi_max), "number of programs", 1, CGI_MAX },
	{ 0, "cgi-cpu", "seconds",
	    "processor time of one (default 60)", .apply = set_number,
	    FIELD(cgi_limits.cpu_s), "number of seconds", 0, SECONDS_MAX },
	{ 0, "cgi-memory", "MiB",
	    "memory of one (default 1024)", .apply = set_number,
	    FIELD(cgi_limits.memory_mib), "number of MiB", 0, MIB_MAX },
	{ 0, "cgi-processes", "number",
	    "processes of their user (default 256)", .apply = set_number,
	    FIELD(cgi_limits.processes), "number of processes", 0,
	    PROCESSES_MAX },
	{ 0, "cgi-files", "number",
	    "files that one has open (default 256)", .apply = set_number,
	    FIELD(cgi_limits.files), "number of files", 0, FILES_MAX },
	{ 0, "cgi-file-size", "MiB",
	    "length of a file that one writes (default 1024)",
	    .apply = set_number,
	    FIELD(cgi_limits.file_size_mib), "number of MiB", 0, MIB_MAX },
	{ 0, "cgi-nice", "number",
	    "how much they yield to others (default 5)", .apply = set_number,
	    FIELD(cgi_limits.nice), "niceness", 0, NICE_MAX },

	{ .help = "How to run" },
	{ 'f', "foreground", NULL,
	    "stay attached to the terminal", .apply = set_foreground },
	{ 'd', "debug", NULL,
	    "the same, but serve one connection at a time\n"
	    "and log to standard output", .apply = set_debug },
	{ 'l', "log", "file",
	    "append a line for each request to this file", .apply = set_text,
	    FIELD(log_file), "file name" },
	{ 'u', "user", "name",
	    "whom root becomes (default www-data or nobody)", .apply = set_text,
	    FIELD(user), "user name" },
	{ 0, "sandbox", "mode",
	    "on, off, or require: start only if all of it\n"
	    "holds (default on)", .apply = set_sandbox },
	{ 0, "workers", "number",
	    "processes that serve (default: one a processor)",
	    .apply = set_number,
	    FIELD(workers), "number of processes", 1, WORKERS_MAX },
	{ 0, "engine", "name",
	    "how to wait for events (--engine=help lists all)",
	    .apply = set_engine },
	{ 0, "grace", "seconds",
	    "time to finish requests when told to stop\n"
	    "(default 10)", .apply = set_seconds, FIELD(grace_ms) },

	{ .help = "How long to wait for clients" },
	{ 0, "header-timeout", "seconds",
	    "for the head of a request (default 10)", .apply = set_seconds,
	    FIELD(header_ms) },
	{ 0, "idle-timeout", "seconds",
	    "for the next request (default 60)", .apply = set_seconds,
	    FIELD(idle_ms) },
	{ 0, "min-rate", "bytes",
	    "the least that a client must take or give in a\n"
	    "second (default 100; 0: any)", .apply = set_number,
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
		log_error("which directory? try 'sws .' or sws --help");
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
	if (verdict != CONFIG_RUN)
		return verdict;
	settle_workers(&config);
	*out_config = config;
	return CONFIG_RUN;
}
