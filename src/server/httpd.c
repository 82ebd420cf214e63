/* SPDX-License-Identifier: ISC */
/*
 * One table says how each flag of httpd(8), as of its version of 2022, is
 * said to sws, and what it means there when it is left out.
 *
 * Two things stay as sws has them, since they are the safer: names that begin
 * with a dot are hidden also without -H, and without -i the server listens on
 * all addresses, not only on those of the host's name.
 */
#include "server/httpd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum kind {
	PLAIN,
	WITH_VALUE,
	REFUSED,
};

struct flag {
	char letter;
	enum kind kind;
	const char *given;      /* an option of sws, with a value the flag's */
	const char *missing;    /* another, for when it was not given, */
	const char *value;      /* and its value, if it takes one */
	const char *argument;   /* what stands for the flag's in the help */
	const char *text;       /* what it does; REFUSED: why it does not */
};

#define NO_TLS "there is no encryption in this version"
#define NO_HOSTS "one directory is served under all names"

/* What comes later prevails: -u after -p. */
static const struct flag flags[] = {
	{ 'b', .kind = PLAIN, .text = "run in the background" },
	{ 'f', PLAIN, .given = "--foreground",
	    .text = "stay in the foreground; this prevails" },
	{ 'I', WITH_VALUE, .given = "--port", .missing = "--port",
	    .value = "80", .argument = "port", .text = "default 80" },
	{ 'i', WITH_VALUE, .given = "--address", .argument = "address",
	    .text = "IPv4 or IPv6 address or host name (default: all)" },
	{ 'X', PLAIN, .missing = "--no-index",
	    .text = "list directories that have no index file" },
	{ 'x', WITH_VALUE, .given = "--index", .argument = "index",
	    .text = "that file (default index.html)" },
	{ 'p', WITH_VALUE, .given = "--user-dir", .missing = "--user-dir",
	    .value = "public_html", .argument = "name",
	    .text = "what /~user/ shows of a home (default public_html)" },
	{ 'u', PLAIN, .missing = "--user-dir", .value = "",
	    .text = "serve /~user/" },
	{ 'c', WITH_VALUE, .given = "--cgi", .argument = "dir",
	    .text = "run the programs of this directory for /cgi-bin/" },
	{ 'S', WITH_VALUE, .given = "--server-header", .argument = "text",
	    .text = "the Server field of responses" },
	{ 'U', WITH_VALUE, .given = "--user", .argument = "user",
	    .text = "whom root becomes" },
	{ 's', PLAIN, .given = "--log=/dev/stderr",
	    .text = "log to standard error" },

	/* So it is anyway. */
	{ 'H', .kind = PLAIN,
	    .text = "hide names that begin with a dot; always" },
	{ 'n', .kind = PLAIN, .text = "look up no names of clients; always" },
	{ 'q', .kind = PLAIN, .text = "keep no log; but for -s" },

	{ 'h', PLAIN, .text = "show this summary" },
	{ 'G', PLAIN, .given = "--version", .text = "show the version" },

	{ 'C', REFUSED,
	    .text = "programs are those of the directory of -c alone" },
	{ 'd', REFUSED,
	    .text = "sws -d shows requests, one connection at a time" },
	{ 'E', REFUSED, .text = "no programs of users are run" },
	{ 'e', REFUSED,
	    .text = "programs get the variables that sws --cgi-env names" },
	{ 'L', REFUSED, .text = "there is no Lua in sws" },
	{ 'M', REFUSED, .text = "types are those of /etc/mime.types" },
	{ 'm', REFUSED, .text = NO_TLS },
	{ 'P', REFUSED,
	    .text = "there is no file with the number of the process" },
	{ 'R', REFUSED, .text = "lists of files show no further file" },
	{ 'r', REFUSED,
	    .text = "sws does not look at where a request comes from" },
	{ 'T', REFUSED,
	    .text = "sws --header-timeout and --idle-timeout do it" },
	{ 't', REFUSED, .text = "workers are shut in by sws --sandbox" },
	{ 'V', REFUSED, .text = NO_HOSTS },
	{ 'v', REFUSED, .text = NO_HOSTS },
	{ 'Z', REFUSED, .text = NO_TLS },
	{ 'z', REFUSED, .text = NO_TLS },
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))
#define WORDS_MAX (2 * N_FLAGS + 4)     /* its name, "--", a directory, NULL */

/* What was on the command line. */
struct line {
	bool is_given[N_FLAGS];
	char *values[N_FLAGS];
};

/* NULL when there is no such flag. */
static const struct flag *
flag_of(int letter)
{
	for (size_t i = 0; i < N_FLAGS; i++)
		if (flags[i].letter == letter)
			return &flags[i];
	return NULL;
}

/* As getopt(3) wants them, which stops at the first word that is no flag. */
static void
fill_letters(char letters[2 * N_FLAGS + 3])
{
	*letters++ = '+';
	*letters++ = ':';
	for (size_t i = 0; i < N_FLAGS; i++) {
		*letters++ = flags[i].letter;
		if (flags[i].kind == WITH_VALUE)
			*letters++ = ':';
	}
	*letters = '\0';
}

static bool
take_flag(int found, struct line *line)
{
	const struct flag *f = flag_of(found);

	if (found == ':') {
		log_error("httpd -%c: its value is missing", optopt);
		return false;
	}
	if (f == NULL) {
		log_error("httpd -%c: no such flag", optopt);
		return false;
	}
	if (f->kind == REFUSED) {
		log_error("httpd -%c cannot be had: %s", f->letter, f->text);
		return false;
	}
	line->is_given[f - flags] = true;
	line->values[f - flags] = optarg;
	return true;
}

static void
show_help(void)
{
	fputs("usage: httpd -b | -f [-GHXhnqsu] [-I port] [-S text] [-U user] "
	    "[-c dir]\n"
	    "             [-i address] [-p name] [-x index] dir\n"
	    "\n"
	    "Serves a directory over HTTP; sws under the name of NetBSD's web "
	    "server.\n"
	    "\n", stdout);
	for (size_t i = 0; i < N_FLAGS; i++) {
		const struct flag *f = &flags[i];

		if (f->kind != REFUSED)
			printf("  -%c %-10s%s\n", f->letter,
			    f->argument != NULL ? f->argument : "", f->text);
	}
	puts("\nThe manual page sws(1) has the details, 'sws --help' all that "
	    "sws can do.");
}

static bool
is_given(const struct line *line, int letter)
{
	return line->is_given[flag_of(letter) - flags];
}

static bool
read_line(int argc, char **argv, struct line *out_line)
{
	char letters[2 * N_FLAGS + 3];
	int found;

	fill_letters(letters);
	optind = 0;
	opterr = 0;
	while ((found = getopt(argc, argv, letters)) != -1)
		if (!take_flag(found, out_line))
			return false;
	if (is_given(out_line, 'h') || is_given(out_line, 'G'))
		return true;
	if (!is_given(out_line, 'b') && !is_given(out_line, 'f')) {
		log_error("httpd without -b is started by inetd(8), for one "
		    "connection; sws is not: give -b or -f");
		return false;
	}
	if (argc - optind > 1) {
		log_error("httpd: %s: no name is to be given; it is the one "
		    "that a client asks for", argv[optind + 1]);
		return false;
	}
	return true;
}

/* config_parse only moves words about, and never writes into one. */
static char *
word(const char *text)
{
	union {
		const char *in;
		char *out;
	} u = { .in = text };

	return u.out;
}

static int
write_words(const struct line *line, char **words)
{
	char **w = words;

	for (size_t i = 0; i < N_FLAGS; i++) {
		const struct flag *f = &flags[i];
		bool given = line->is_given[i];
		const char *option = given ? f->given : f->missing;

		if (f->kind == REFUSED || option == NULL)
			continue;
		*w++ = word(option);
		if (given && f->kind == WITH_VALUE)
			*w++ = line->values[i];
		else if (!given && f->value != NULL)
			*w++ = word(f->value);
	}
	return (int)(w - words);
}

bool
httpd_is_name(const char *argv0)
{
	const char *slash;

	if (argv0 == NULL)
		return false;
	slash = strrchr(argv0, '/');
	return strcmp(slash != NULL ? slash + 1 : argv0, "httpd") == 0;
}

enum config_verdict
httpd_parse(int argc, char **argv, struct config *out_config)
{
	struct line line = { 0 };
	char *words[WORDS_MAX];
	int n = 0;

	if (!read_line(argc, argv, &line))
		return CONFIG_USAGE;
	if (is_given(&line, 'h')) {
		show_help();
		return CONFIG_EXIT;
	}
	words[n++] = argv[0];
	n += write_words(&line, words + n);
	words[n++] = word("--");
	if (optind < argc)
		words[n++] = argv[optind];
	words[n] = NULL;
	return config_parse(n, words, out_config);
}
