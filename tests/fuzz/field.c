/* SPDX-License-Identifier: ISC */

/* Names, lists and numbers out of field values. */

#include "http/field.h"

#include "target.h"

static void
check_name(struct str name)
{
	static const struct str names[] = {
#define X(id, name) [FIELD_##id] = STR(name),
		FIELDS(X)
#undef X
	};
	enum field_id id = field_parse(name);

	assert(id < FIELD_COUNT);
	if (id == FIELD_OTHER)
		return;
	assert(str_eq_nocase(name, names[id]));
	assert(field_is_token(name));
}

/* Elements are trimmed, not empty, and stand one behind the other. */
static void
check_list(struct str list)
{
	const char *at = list.p, *end = at + list.n;
	struct str element, rest = list;

	while (field_list_next(&rest, &element)) {
		assert(element.n > 0);
		assert(element.p >= at && element.p + element.n <= end);
		assert(str_eq(str_trim(element), element));
		assert(field_list_has(list, element));
		if (field_is_token(element))
			assert(memchr(element.p, ',', element.n) == NULL);
		at = element.p + element.n;
	}
	assert(rest.n == 0);
}

static void
check_number(struct str s)
{
	char digits[20];
	uint64_t value;

	if (str_to_u64(s, &value) < 0)
		return;
	while (s.n > 1 && s.p[0] == '0')
		s = str_skip(s, 1);
	assert(str_eq(str_from(digits, str_put_u64(digits, value)), s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };

	if (size == 0)
		return 0;
	check_name(in);
	check_list(in);
	check_number(in);
	str_is_utf8(in);
	return 0;
}
