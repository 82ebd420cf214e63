/* SPDX-License-Identifier: ISC */
/*
 * The command line.  One table of options drives getopt_long(3), --help and
 * the checks; what needs the system (does the directory exist, is the port
 * free) is found out by those who use it.
 */

#include "server/config.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "net/poller.h"

#define PORT_MAX 65535
#define WORKERS_MAX 1024
#define SECONDS_MAX 86400       /* a day */
#define RATE_MAX 1000000000
#define SERVER_HEADER_MAX 200   /* bytes, in every response */

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
	const char *help;       /* lines; NULL: not mentioned */
	enum config_verdict (*apply)(const struct use *u);
};

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
	.server_header = SERVER_HEADER,
	.header_ms = 10 * 1000,
	.idle_ms = 60 * 1000,
	.grace_ms = 10 * 1000,
	.min_rate = 100,
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

static bool
parse_number(const char *text, unsigned least, unsigned most, unsigned *out)
{
	uint64_t n;

	if (str_to_u64(str_of(text), &n) < 0 || n < least || n > most)
		return false;
	*out = (unsigned)n;
	return true;
}

static enum config_verdict
set_seconds(const struct use *u, unsigned *out_ms)
{
	/* strtod(3) also takes signs, exponents, "inf" and "nan". */
	size_t n = strspn(u->value, "0123456789.");
	char *end;
	double seconds = strtod(u->value, &end);

	if (n == 0 || end != u->value + n || *end != '\0' || seconds < 0.001 ||
	    seconds > SECONDS_MAX)
		return refuse(u,
		    "not a number of seconds (0.001 to " TEXT(SECONDS_MAX) ")");
	*out_ms = (unsigned)(seconds * 1000 + 0.5);
	return CONFIG_RUN;
}

static enum config_verdict
set_file(const struct use *u, const char **out)
{
	if (u->value[0] == '\0')
		return refuse(u, "not a file name");
	*out = u->value;
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
set_cgi(const struct use *u)
{
	return refuse(u, "CGI is not built into this version of sws");
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
	if (strcmp(u->value, "help") == 0) {
		poller_help(stdout);
		return CONFIG_EXIT;
	}
	if (!poller_exists(u->value))
		return refuse(u,
		    "no such engine here: --engine=help lists those there are");
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
set_grace(const struct use *u)
{
	return set_seconds(u, &u->config->grace_ms);
}

static enum config_verdict
set_header_timeout(const struct use *u)
{
	return set_seconds(u, &u->config->header_ms);
}

static enum config_verdict
set_hidden(const struct use *u)
{
	u->config->hidden = true;
	return CONFIG_RUN;
}

static enum config_verdict
set_idle_timeout(const struct use *u)
{
	return set_seconds(u, &u->config->idle_ms);
}

static enum config_verdict
set_index(const struct use *u)
{
	if (u->value[0] == '\0' || strchr(u->value, '/') != NULL ||
	    strcmp(u->value, ".") == 0 || strcmp(u->value, "..") == 0 ||
	    strlen(u->value) > NAME_MAX)
		return refuse(u, "not the name of a file inside a directory");
	u->config->index = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_log(const struct use *u)
{
	return set_file(u, &u->config->log_file);
}

static enum config_verdict
set_min_rate(const struct use *u)
{
	if (!parse_number(u->value, 0, RATE_MAX, &u->config->min_rate))
		return refuse(u,
		    "not a number of bytes a second (0 to " TEXT(RATE_MAX) ")");
	return CONFIG_RUN;
}

static enum config_verdict
set_no_index(const struct use *u)
{
	u->config->listings = false;
	return CONFIG_RUN;
}

static enum config_verdict
set_port(const struct use *u)
{
	if (!parse_number(u->value, 0, PORT_MAX, &u->config->port))
		return refuse(u, "not a port number (0 to " TEXT(PORT_MAX) ")");
	return CONFIG_RUN;
}

static enum config_verdict
set_port_file(const struct use *u)
{
	return set_file(u, &u->config->port_file);
}

static enum config_verdict
set_server_header(const struct use *u)
{
	/* A line feed would end the field and begin another. */
	for (const char *p = u->value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return refuse(u,
			    "no control characters can stand in a header");
	if (strlen(u->value) > SERVER_HEADER_MAX)
		return refuse(u,
		    "too long (" TEXT(SERVER_HEADER_MAX) " bytes at most)");
	u->config->server_header = u->value;
	return CONFIG_RUN;
}

static enum config_verdict
set_workers(const struct use *u)
{
	if (!parse_number(u->value, 1, WORKERS_MAX, &u->config->workers))
		return refuse(u,
		    "not a number of processes (1 to " TEXT(WORKERS_MAX) ")");
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
	    "repeated (default: all of this host)", set_address },
	{ 'p', "port", "port",
	    "default 8080; 0 takes any free port", set_port },
	{ 0, "port-file", "file",
	    "write the number of the port to this file", set_port_file },

	{ .help = "What to serve" },
	{ 0, "index", "name",
	    "the file that stands for its directory\n"
	    "(default index.html)", set_index },
	{ 0, "no-index", NULL,
	    "do not list directories that have no such file", set_no_index },
	{ 0, "hidden", NULL,
	    "serve names that begin with a dot as well", set_hidden },
	{ 0, "server-header", "text",
	    "the Server field of responses; '' leaves it out\n"
	    "(default " SERVER_HEADER ")", set_server_header },
	{ 'c', "cgi", "dir", NULL, set_cgi },

	{ .help = "How to run" },
	{ 'f', "foreground", NULL,
	    "stay attached to the terminal", set_foreground },
	{ 'd', "debug", NULL,
	    "the same, but serve one connection at a time\n"
	    "and log to standard output", set_debug },
	{ 'l', "log", "file",
	    "append a line for each request to this file", set_log },
	{ 0, "workers", "number",
	    "processes that serve (default: one a processor)", set_workers },
	{ 0, "engine", "name",
	    "how to wait for events (--engine=help lists all)", set_engine },
	{ 0, "grace", "seconds",
	    "time to finish requests when told to stop\n"
	    "(default 10)", set_grace },

	{ .help = "How long to wait for clients" },
	{ 0, "header-timeout", "seconds",
	    "for the head of a request (default 10)", set_header_timeout },
	{ 0, "idle-timeout", "seconds",
	    "for the next request (default 60)", set_idle_timeout },
	{ 0, "min-rate", "bytes",
	    "the least that a client must take or give in a\n"
	    "second (default 100; 0: any)", set_min_rate },

	{ .help = "Help" },
	{ 'h', "help", NULL, "show this summary", show_help },
	{ 0, "version", NULL, "show the version", show_version },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const char summary[] =
    "usage: sws [-dfh] [-i address]... [-l file] [-p port] dir\n"
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
		if (rows[i].name != NULL && rows[i].help != NULL &&
		    option_width(&rows[i]) > widest)
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
		else if (rows[i].help != NULL)
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
	if (config->mode == MODE_DEBUG)
		config->workers = 1;
	else if (config->workers == 0)
		config->workers = usable_processors();
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
