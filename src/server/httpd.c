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

#include <stdlib.h>
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
	const char *why;        /* REFUSED */
};

#define NO_TLS "there is no encryption in this version"
#define NO_HOSTS "one directory is served under all names"

/* What comes later prevails: -u after -p. */
static const struct flag flags[] = {
	{ 'b', .kind = PLAIN },
	{ 'f', PLAIN, .given = "--foreground" },
	{ 'I', WITH_VALUE, .given = "--port", .missing = "--port",
	    .value = "80" },
	{ 'i', WITH_VALUE, .given = "--address" },
	{ 'X', PLAIN, .missing = "--no-index" },
	{ 'x', WITH_VALUE, .given = "--index" },
	{ 'p', WITH_VALUE, .given = "--user-dir", .missing = "--user-dir",
	    .value = "public_html" },
	{ 'u', PLAIN, .missing = "--user-dir", .value = "" },
	{ 'c', WITH_VALUE, .given = "--cgi" },
	{ 'S', WITH_VALUE, .given = "--server-header" },
	{ 'U', WITH_VALUE, .given = "--user" },
	{ 's', PLAIN, .given = "--log=/dev/stderr" },
	{ 'h', PLAIN, .given = "--help" },
	{ 'G', PLAIN, .given = "--version" },

	/* So it is anyway: dot files, no names of clients, no log. */
	{ 'H', .kind = PLAIN },
	{ 'n', .kind = PLAIN },
	{ 'q', .kind = PLAIN },

	{ 'C', REFUSED,
	    .why = "programs are those of the directory of -c alone" },
	{ 'd', REFUSED,
	    .why = "sws -d shows requests, one connection at a time" },
	{ 'E', REFUSED, .why = "no programs of users are run" },
	{ 'e', REFUSED,
	    .why = "programs get the variables that sws --cgi-env names" },
	{ 'L', REFUSED, .why = "there is no Lua in sws" },
	{ 'M', REFUSED, .why = "types are those of /etc/mime.types" },
	{ 'm', REFUSED, .why = NO_TLS },
	{ 'P', REFUSED,
	    .why = "there is no file with the number of the process" },
	{ 'R', REFUSED, .why = "lists of files show no further file" },
	{ 'r', REFUSED,
	    .why = "sws does not look at where a request comes from" },
	{ 'T', REFUSED,
	    .why = "sws --header-timeout and --idle-timeout do it" },
	{ 't', REFUSED, .why = "workers are shut in by sws --sandbox" },
	{ 'V', REFUSED, .why = NO_HOSTS },
	{ 'v', REFUSED, .why = NO_HOSTS },
	{ 'Z', REFUSED, .why = NO_TLS },
	{ 'z', REFUSED, .why = NO_TLS },
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
		log_error("httpd -%c cannot be had: %s", f->letter, f->why);
		return false;
	}
	line->is_given[f - flags] = true;
	line->values[f - flags] = optarg;
	return true;
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
	words[n++] = argv[0];
	n += write_words(&line, words + n);
	words[n++] = word("--");
	if (optind < argc)
		words[n++] = argv[optind];
	words[n] = NULL;
	return config_parse(n, words, out_config);
}
