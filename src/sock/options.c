/* SPDX-License-Identifier: ISC */
/*
 * getopt_long(3) keeps its state in globals and takes its table without types
 * or help; what sock needs of it is shorter than the glue would be.
 */
#include "sock/options.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "sock/say.h"

#define TIME_MAX_MS (INT64_C(1000) * 60 * 60 * 24 * 365)

/* What is being read, and how far. */
struct reading {
	const struct option_row *const *tables;
	void *fields;
	int argc, at;
	char **argv;
};

int
options_size(const char *text, uint64_t *out_bytes)
{
	static const char units[] = "kMGT";
	struct str s = str_of(text);
	const char *unit;
	unsigned shift = 0;
	uint64_t v;
	int err;

	unit = s.n > 0 ? strchr(units, s.p[s.n - 1]) : NULL;
	if (unit != NULL && *unit != '\0') {
		shift = 10 * (unsigned)(unit - units + 1);
		s.n--;
	}
	err = str_to_u64(s, &v);
	if (err < 0)
		return err;
	if (v > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*out_bytes = v << shift;
	return 0;
}

/* Takes the unit off the end of *s; its length in ms, 0 for what is none. */
static int64_t
take_unit(struct str *s)
{
	static const struct {
		struct str name;
		int64_t ms;
	} units[] = {
		{ STR("ms"), 1 },
		{ STR("s"), 1000 },
		{ STR("m"), 60000 },
		{ STR("h"), 3600000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (str_ends(*s, units[i].name)) {
			s->n -= units[i].name.n;
			return units[i].ms;
		}
	}
	return s->n > 0 && isdigit((unsigned char)s->p[s->n - 1]) ? 1000 : 0;
}

/* Adds ".25" of a unit; less than a millisecond is refused. */
static int
add_fraction(struct str digits, int64_t unit_ms, int64_t *ms)
{
	if (digits.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < digits.n; i++) {
		if (!isdigit((unsigned char)digits.p[i]) || unit_ms % 10 != 0)
			return -EINVAL;
		unit_ms /= 10;
		*ms += (digits.p[i] - '0') * unit_ms;
	}
	return 0;
}

int
options_time(const char *text, int64_t *out_ms)
{
	struct str whole, rest = str_of(text);
	int64_t unit_ms, ms;
	uint64_t v;
	int err;

	unit_ms = take_unit(&rest);
	if (unit_ms == 0 || !str_cut(&rest, '.', &whole))
		return -EINVAL;
	/* ".5" is half a second to sleep(1), too. */
	if (whole.n == 0 && rest.p != NULL)
		whole = S("0");
	err = str_to_u64(whole, &v);
	if (err < 0)
		return err;
	if (v > (uint64_t)(TIME_MAX_MS / unit_ms))
		return -ERANGE;
	ms = (int64_t)v * unit_ms;
	if (rest.p != NULL)
		err = add_fraction(rest, unit_ms, &ms);
	if (err == 0)
		*out_ms = ms;
	return err;
}

/* ------------------------------------------------------------- storing */

static int
store_list(struct option_list *list, const char *value)
{
	if (list->n == OPTION_LIST_MAX)
		return -ENOBUFS;
	list->values[list->n++] = value;
	return 0;
}

static int
store(const struct option_row *row, void *fields, const char *value)
{
	void *field = (char *)fields + row->offset;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)field = value;
		return 0;
	case OPTION_COUNT:
		return str_to_u64(str_of(value), field);
	case OPTION_SIZE:
		return options_size(value, field);
	case OPTION_TIME:
		return options_time(value, field);
	case OPTION_LIST:
		return store_list(field, value);
	}
	return -EINVAL;
}

/* ------------------------------------------------------------- reading */

static int
complain(const char *what, struct str name, const char *why)
{
	say_error(OUTCOME_USAGE, NULL, what, 0, "%.*s%s", STR_ARG(name), why);
	return -EINVAL;
}

static const char *
noun(enum option_type type)
{
	switch (type) {
	case OPTION_COUNT:
		return " takes a number, like 10";
	case OPTION_SIZE:
		return " takes a size, like 512, 64k or 2M";
	case OPTION_TIME:
		return " takes a time, like 5, 0.5s, 200ms or 2m";
	case OPTION_LIST:
		return " is given too often";
	case OPTION_FLAG:
	case OPTION_TEXT:
		break;
	}
	return " cannot have this value";
}

static const struct option_row *
find_long(const struct reading *r, struct str name)
{
	for (size_t t = 0; r->tables[t] != NULL; t++)
		for (const struct option_row *row = r->tables[t];
		    row->name != NULL; row++)
			if (str_eq(str_of(row->name), name))
				return row;
	return NULL;
}

static const struct option_row *
find_letter(const struct reading *r, char letter)
{
	for (size_t t = 0; r->tables[t] != NULL; t++)
		for (const struct option_row *row = r->tables[t];
		    row->name != NULL; row++)
			if (row->letter == letter)
				return row;
	return NULL;
}

/* The value is behind the option in its word, or is the next word. */
static int
take_value(struct reading *r, const struct option_row *row, struct str name,
    const char *value)
{
	if (row->type != OPTION_FLAG && value == NULL) {
		if (row->value[0] == '[')
			value = "";
		else if (r->at + 1 < r->argc)
			value = r->argv[++r->at];
		else
			return complain("option", name, " lacks its value");
	}
	if (store(row, r->fields, value) < 0)
		return complain("option", name, noun(row->type));
	return 0;
}

static int
take_long(struct reading *r, const char *word)
{
	struct str rest = str_of(word), name;
	const struct option_row *row;
	bool has_value;

	str_cut(&rest, '=', &name);
	has_value = rest.p != NULL;
	row = find_long(r, str_skip(name, 2));
	if (row == NULL)
		return complain("no such option", name, "; see --help");
	if (row->type == OPTION_FLAG && has_value)
		return complain("option", name, " takes no value");
	return take_value(r, row, name, has_value ? rest.p : NULL);
}

/* "-qv" is -q -v; "-c5" is -c 5. */
static int
take_letters(struct reading *r, const char *word)
{
	const struct option_row *row;
	int err;

	for (const char *at = word + 1; *at != '\0'; at++) {
		struct str name = { (const char[]){ '-', *at }, 2 };

		row = find_letter(r, *at);
		if (row == NULL)
			return complain("no such option", name, "; see --help");
		if (row->type != OPTION_FLAG)
			return take_value(r, row, name,
			    at[1] != '\0' ? at + 1 : NULL);
		err = take_value(r, row, name, NULL);
		if (err < 0)
			return err;
	}
	return 0;
}

int
options_take(const struct option_row *const *tables, void *fields, int argc,
    char **argv, bool stops_early, int *out_rest)
{
	struct reading r = { tables, fields, argc, 0, argv };
	int n = 0, err = 0;

	*out_rest = argc;
	for (; r.at < argc && err == 0; r.at++) {
		char *word = argv[r.at];

		if (strcmp(word, "--") == 0) {
			*out_rest = r.at + 1;
			break;
		}
		if (word[0] != '-' || word[1] == '\0') {
			argv[n++] = word;
			if (!stops_early)
				continue;
			while (++r.at < argc)
				argv[n++] = argv[r.at];
		} else if (word[1] == '-') {
			err = take_long(&r, word);
		} else {
			err = take_letters(&r, word);
		}
	}
	return err < 0 ? -1 : n;
}

/* ---------------------------------------------------------------- help */

void
options_help(const struct option_row *table, FILE *out)
{
	char left[64];
	const char *value;

	for (const struct option_row *row = table; row->name != NULL; row++) {
		value = row->value != NULL ? row->value : "";
		if (*value == '[')
			snprintf(left, sizeof(left), "--%s[=%s", row->name,
			    value + 1);
		else
			snprintf(left, sizeof(left), "--%s%s%s", row->name,
			    *value != '\0' ? "=" : "", value);
		fprintf(out, "  %c%c%s %-22s %s\n",
		    row->letter != 0 ? '-' : ' ',
		    row->letter != 0 ? row->letter : ' ',
		    row->letter != 0 ? "," : " ", left, row->about);
	}
}
