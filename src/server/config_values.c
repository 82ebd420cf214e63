/* SPDX-License-Identifier: ISC */
/* What the values of options have to be, and where they go. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "http/stamp.h"
#include "net/engine.h"
#include "server/config_priv.h"

#define SIZE_LARGEST (1ull << 40)
#define COMPRESSED_MAX (UINT64_C(1) << 30)

/* A year, as for ever as it gets (RFC 8246 2). */
#define IMMUTABLE "public, max-age=31536000, immutable"

/* A number of ours inside a message. */
#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(digits) #digits

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

enum config_verdict
config_set_number(const struct use *u)
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
	static const char units[] = { 'K', 'M', 'G' };
	struct str digits = str_of(text);
	const char *unit = NULL;
	unsigned shift = 0;
	uint64_t n;

	if (digits.n > 0)
		unit = memchr(units, digits.p[digits.n - 1] & ~0x20,
		    sizeof(units));
	if (unit != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		digits.n--;
	}
	if (str_to_u64(digits, &n) < 0 || n > most >> shift)
		return -EINVAL;
	*out_bytes = n << shift;
	return 0;
}

enum config_verdict
config_set_size(const struct use *u)
{
	if (parse_size(u->value, SIZE_LARGEST, field_of(u)) < 0)
		return refuse(u, "not a size (0 to 1024G)");
	return CONFIG_RUN;
}

enum config_verdict
config_set_seconds(const struct use *u)
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

enum config_verdict
config_set_text(const struct use *u)
{
	char why[100];

	if (u->value[0] == '\0') {
		snprintf(why, sizeof(why), "not a %s", u->row->noun);
		return refuse(u, why);
	}
	*(const char **)field_of(u) = u->value;
	return CONFIG_RUN;
}

enum config_verdict
config_set_compress_max(const struct use *u)
{
	if (parse_size(u->value, COMPRESSED_MAX, field_of(u)) < 0)
		return refuse(u, "not a size (0 to 1G)");
	return CONFIG_RUN;
}

enum config_verdict
config_set_no_compress(const struct use *u)
{
	u->config->compress_max = 0;
	return CONFIG_RUN;
}

enum config_verdict
config_set_etag(const struct use *u)
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

enum config_verdict
config_set_address(const struct use *u)
{
	if (u->value[0] == '\0')
		return refuse(u, "not an address or host name");
	if (u->config->n_addresses == CONFIG_ADDRESSES)
		return refuse(u,
		    "too many addresses (" TEXT(CONFIG_ADDRESSES) " at most)");
	u->config->addresses[u->config->n_addresses++] = u->value;
	return CONFIG_RUN;
}

enum config_verdict
config_set_cgi_env(const struct use *u)
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

enum config_verdict
config_set_debug(const struct use *u)
{
	u->config->mode = MODE_DEBUG;
	return CONFIG_RUN;
}

/* The name may be right, and the number behind it wrong. */
static enum config_verdict
refuse_engine(const struct use *u)
{
	size_t n = strcspn(u->value, ":");
	const struct engine *e = NULL;
	char name[20], why[100];

	if (n < sizeof(name)) {
		memcpy(name, u->value, n);
		name[n] = '\0';
		e = engine_find(name, NULL);
	}
	if (e == NULL)
		return refuse(u,
		    "no such engine: --engine=help lists those there are");
	if (e->argument_max == 0)
		return refuse(u, "no number belongs behind this engine");
	snprintf(why, sizeof(why), "not a number from 1 to %u behind it",
	    e->argument_max);
	return refuse(u, why);
}

enum config_verdict
config_set_engine(const struct use *u)
{
	const struct engine *e;
	char why[100];

	if (strcmp(u->value, "help") == 0) {
		engine_help(stdout);
		return CONFIG_EXIT;
	}
	e = engine_find(u->value, NULL);
	if (e == NULL)
		return refuse_engine(u);
	/* Where another can stand in, the worker says why it does. */
	if (engine_lacks(e) != NULL && e->instead == NULL) {
		snprintf(why, sizeof(why), "not available here: %s",
		    engine_lacks(e));
		return refuse(u, why);
	}
	u->config->engine = u->value;
	return CONFIG_RUN;
}

enum config_verdict
config_set_foreground(const struct use *u)
{
	/* Debugging stays in the foreground already, and asks for more. */
	if (u->config->mode != MODE_DEBUG)
		u->config->mode = MODE_FOREGROUND;
	return CONFIG_RUN;
}

enum config_verdict
config_set_hidden(const struct use *u)
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

enum config_verdict
config_set_index(const struct use *u)
{
	if (!is_plain_name(u->value))
		return refuse(u, "not the name of a file inside a directory");
	u->config->index = u->value;
	return CONFIG_RUN;
}

enum config_verdict
config_set_log_reasons(const struct use *u)
{
	u->config->log_reasons = true;
	return CONFIG_RUN;
}

enum config_verdict
config_set_no_index(const struct use *u)
{
	u->config->listings = false;
	return CONFIG_RUN;
}

enum config_verdict
config_set_sandbox(const struct use *u)
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
enum config_verdict
config_set_cache_control(const struct use *u)
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

enum config_verdict
config_set_immutable(const struct use *u)
{
	return add_freshness(u, str_of(u->value), IMMUTABLE);
}

enum config_verdict
config_set_server_header(const struct use *u)
{
	if (has_control(u->value))
		return refuse(u, "no control characters can stand in a header");
	if (strlen(u->value) > STAMP_SERVER_MAX)
		return refuse(u,
		    "too long (" TEXT(STAMP_SERVER_MAX) " bytes at most)");
	u->config->server_header = u->value;
	return CONFIG_RUN;
}

enum config_verdict
config_set_symlinks(const struct use *u)
{
	static const char *const policies[] = {
		[SYMLINKS_BENEATH] = "beneath",
		[SYMLINKS_OWNER] = "owner",
		[SYMLINKS_NONE] = "none",
	};

	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (strcmp(u->value, policies[i]) == 0) {
			u->config->symlinks = (enum symlinks)i;
			return CONFIG_RUN;
		}
	}
	return refuse(u, "no such policy: beneath, owner or none");
}

enum config_verdict
config_set_user_dir(const struct use *u)
{
	if (u->value[0] != '\0' && !is_plain_name(u->value))
		return refuse(u, "not the name of a directory inside a home");
	u->config->user_dir = u->value;
	return CONFIG_RUN;
}
