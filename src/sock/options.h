/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_OPTIONS_H
#define SWS_SOCK_OPTIONS_H

/*
 * Options of the command line, by tables.  A row names the option and the
 * field of a struct that its value goes to; --help and shell completion are
 * written from the same rows.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPTION_LIST_MAX 32

enum option_type {
	OPTION_FLAG,            /* bool */
	OPTION_TEXT,            /* const char *, of the argument vector */
	OPTION_COUNT,           /* uint64_t: 10 */
	OPTION_SIZE,            /* uint64_t: 512, 64k, 2M (powers of 1024) */
	OPTION_TIME,            /* int64_t, ms: 5, 0.5, 5s, 200ms, 2m */
	OPTION_LIST,            /* struct option_list: may be repeated */
};

struct option_list {
	const char *values[OPTION_LIST_MAX];
	unsigned n;
};

struct option_row {
	const char *name;       /* without the dashes; NULL ends a table */
	char letter;            /* 0: none */
	/*
	 * What stands for the value in the help; NULL for OPTION_FLAG.  In
	 * brackets, "[T]", it may be left out (OPTION_TEXT only): the field
	 * is then "".
	 */
	const char *value;
	enum option_type type;
	size_t offset;          /* of the field */
	const char *about;      /* one line */
};

/*
 * Takes options out of argv and moves what is none to its front.  `tables`
 * ends with NULL; rows of earlier tables are found first.  Reading stops at
 * "--", and at the first operand when `stops_early`.
 *
 * Returns how many operands are at the front of argv, or -1 after it has said
 * what is wrong.  *out_rest is the index in argv behind "--"; argc when there
 * was none.
 */
int options_take(const struct option_row *const *tables, void *fields,
    int argc, char **argv, bool stops_early, int *out_rest);

/* One line for each row. */
void options_help(const struct option_row *table, FILE *out);

/* What OPTION_TIME and OPTION_SIZE understand.  0, -EINVAL or -ERANGE. */
int options_time(const char *text, int64_t *out_ms);
int options_size(const char *text, uint64_t *out_bytes);

#endif
