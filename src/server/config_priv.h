/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_CONFIG_PRIV_H
#define SWS_SERVER_CONFIG_PRIV_H

/*
 * The command line, in files: config.c has the table of options and reads it,
 * config_values.c takes a value each.
 */

#include <stdbool.h>
#include <stddef.h>

#include "server/config.h"

#define SECONDS_MAX 86400       /* a day */

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

/* One option, as it was given. */
struct use {
	const struct option_row *row;
	bool is_long;
	const char *value;      /* NULL when it takes none */
	struct config *config;  /* to be filled */
};

/*
 * struct option_row.apply: each checks u->value and puts it into u->config.
 * CONFIG_RUN, CONFIG_USAGE after a line of log_error, or CONFIG_EXIT when help
 * was asked for.  The first four serve any option, by the field and the bounds
 * in its row; the others are each for the one of their name.
 */
enum config_verdict config_set_number(const struct use *u);
enum config_verdict config_set_seconds(const struct use *u);
enum config_verdict config_set_size(const struct use *u);
enum config_verdict config_set_text(const struct use *u);

enum config_verdict config_set_address(const struct use *u);
enum config_verdict config_set_cache_control(const struct use *u);
enum config_verdict config_set_cgi_env(const struct use *u);
enum config_verdict config_set_compress_max(const struct use *u);
enum config_verdict config_set_debug(const struct use *u);
enum config_verdict config_set_engine(const struct use *u);
enum config_verdict config_set_etag(const struct use *u);
enum config_verdict config_set_foreground(const struct use *u);
enum config_verdict config_set_hidden(const struct use *u);
enum config_verdict config_set_immutable(const struct use *u);
enum config_verdict config_set_index(const struct use *u);
enum config_verdict config_set_log_reasons(const struct use *u);
enum config_verdict config_set_no_compress(const struct use *u);
enum config_verdict config_set_no_index(const struct use *u);
enum config_verdict config_set_sandbox(const struct use *u);
enum config_verdict config_set_server_header(const struct use *u);
enum config_verdict config_set_symlinks(const struct use *u);
enum config_verdict config_set_user_dir(const struct use *u);

#endif
