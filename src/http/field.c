/* SPDX-License-Identifier: ISC */

/*
 * Field names, tokens and comma-separated lists (RFC 9110 5.1, 5.6).  Every
 * field of every request passes here: a name is looked up by its length,
 * which leaves at most two candidates and, for most fields, none.
 */

#include "http/field.h"

static const struct str names[FIELD_COUNT] = {
#define X(id, name) [FIELD_##id] = STR(name),
	FIELDS(X)
#undef X
};

/* The unit test proves that no name of the list is missing here. */
static const enum field_id ids_by_length[][2] = {
	[4] = { FIELD_HOST },
	[5] = { FIELD_RANGE },
	[6] = { FIELD_EXPECT },
	[8] = { FIELD_IF_MATCH, FIELD_IF_RANGE },
	[10] = { FIELD_CONNECTION },
	[12] = { FIELD_CONTENT_TYPE },
	[13] = { FIELD_IF_NONE_MATCH },
	[14] = { FIELD_CONTENT_LENGTH },
	[15] = { FIELD_ACCEPT_ENCODING },
	[17] = { FIELD_TRANSFER_ENCODING, FIELD_IF_MODIFIED_SINCE },
	[19] = { FIELD_IF_UNMODIFIED_SINCE },
};

/* One bit for each tchar of RFC 9110 5.6.2; the unit test has them by name. */
static const uint32_t tchars[256 / 32] = {
	0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff
};

static bool
is_tchar(char c)
{
	unsigned char u = (unsigned char)c;

	return tchars[u / 32] >> u % 32 & 1;
}

/* Where the first list element of s ends: at a comma, or with s. */
static size_t
element_len(struct str s)
{
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			is_quoted = !is_quoted;
		else if (s.p[i] == '\\' && is_quoted && i + 1 < s.n)
			i++; /* a quoted-pair: RFC 9110 5.6.4 */
		else if (s.p[i] == ',' && !is_quoted)
			break;
	}
	return i;
}

enum field_id
field_parse(struct str name)
{
	const enum field_id *ids;

	if (name.n >= sizeof(ids_by_length) / sizeof(ids_by_length[0]))
		return FIELD_OTHER;
	ids = ids_by_length[name.n];
	for (size_t i = 0; i < 2 && ids[i] != FIELD_OTHER; i++)
		if (str_eq_nocase(name, names[ids[i]]))
			return ids[i];
	return FIELD_OTHER;
}

bool
field_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_tchar(s.p[i]))
			return false;
	return s.n > 0;
}

bool
field_list_next(struct str *rest, struct str *out_element)
{
	struct str element;
	size_t len;

	while (rest->n > 0) {
		len = element_len(*rest);
		element = str_trim((struct str){ rest->p, len });
		*rest = str_skip(*rest, len + 1);
		if (element.n > 0) {
			*out_element = element;
			return true;
		}
	}
	return false;
}

bool
field_list_has(struct str list, struct str token)
{
	struct str element;

	while (field_list_next(&list, &element))
		if (str_eq_nocase(element, token))
			return true;
	return false;
}
