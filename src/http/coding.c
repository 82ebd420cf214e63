/* SPDX-License-Identifier: ISC */
#include "http/coding.h"

#include "http/field.h"

static const struct {
	struct str name, suffix;
} codings[CODING_COUNT] = {
#define X(id, name, suffix) [CODING_##id] = { STR(name), STR(suffix) },
	CODINGS(X)
#undef X
};

#define WEIGHT_MAX 1000u
#define WEIGHT_UNNAMED 1u       /* of identity: below what is named */

/* What the field says about "*" is kept behind the codings. */
enum { ANY = CODING_COUNT, NAMES };

struct str
coding_name(enum coding c)
{
	return codings[c].name;
}

struct str
coding_suffix(enum coding c)
{
	return codings[c].suffix;
}

/* An index below NAMES; NAMES itself for what is not known here. */
static unsigned
parse_name(struct str name)
{
	if (str_eq(name, S("*")))
		return ANY;
	for (unsigned c = 0; c < CODING_COUNT; c++)
		if (str_eq_nocase(name, codings[c].name))
			return c;
	/* RFC 9110 8.4.1.3 */
	return str_eq_nocase(name, S("x-gzip")) ? CODING_GZIP : NAMES;
}

/* qvalue of RFC 9110 12.4.2, in thousandths; or -1. */
static int
parse_weight(struct str s)
{
	int weight = 0, unit = 1000;

	if (s.n == 0 || s.n > strlen("0.000") ||
	    (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 1)
			continue;
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		weight += (s.p[i] - '0') * unit;
		unit /= 10;
	}
	return weight <= (int)WEIGHT_MAX ? weight : -1;
}

/* codings [ OWS ";" OWS "q=" qvalue ]: which, and its weight or -1. */
static unsigned
parse_member(struct str member, int *out_weight)
{
	struct str name;
	unsigned which;

	*out_weight = WEIGHT_MAX;
	if (!str_cut(&member, ';', &name))
		return NAMES;
	which = parse_name(str_trim(name));
	if (member.p == NULL)
		return which;
	member = str_trim(member);
	if (member.n < 2 || (member.p[0] | 0x20) != 'q' || member.p[1] != '=')
		*out_weight = -1;
	else
		*out_weight = parse_weight(str_skip(member, 2));
	return which;
}

void
coding_parse(struct str value, struct codings *out_codings)
{
	int weights[NAMES] = { 0 };
	bool is_named[NAMES] = { false };
	struct str member;
	unsigned which;
	int weight;

	weights[CODING_IDENTITY] = WEIGHT_UNNAMED;
	while (field_list_next(&value, &member)) {
		which = parse_member(member, &weight);
		if (which == NAMES || weight < 0)
			continue;
		weights[which] = weight;
		is_named[which] = true;
	}
	for (unsigned c = 0; c < CODING_COUNT; c++) {
		if (is_named[ANY] && !is_named[c])
			weights[c] = weights[ANY];
		out_codings->weight[c] = (uint16_t)weights[c];
	}
}

enum coding
coding_choose(const struct codings *accepted,
    const uint64_t sizes[CODING_COUNT])
{
	const uint16_t *weight = accepted->weight;
	unsigned best = CODING_COUNT;

	for (unsigned c = 0; c < CODING_COUNT; c++) {
		if (weight[c] == 0 || sizes[c] == UINT64_MAX)
			continue;
		if (best == CODING_COUNT || weight[c] > weight[best] ||
		    (weight[c] == weight[best] && sizes[c] < sizes[best]))
			best = c;
	}
	return (enum coding)best;
}

enum coding
coding_wanted(const struct codings *accepted, unsigned among)
{
	const uint16_t *weight = accepted->weight;
	unsigned best = CODING_COUNT;

	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		if (!(among & 1u << c) || weight[c] == 0 ||
		    weight[c] < weight[CODING_IDENTITY])
			continue;
		if (best == CODING_COUNT || weight[c] > weight[best])
			best = c;
	}
	return (enum coding)best;
}

/* Where a value is looked for: those of one length rarely differ. */
static unsigned
slot_of(struct str value)
{
	const unsigned n = sizeof(((struct coding_memo *)NULL)->seen) /
	    sizeof(((struct coding_memo *)NULL)->seen[0]);

	return ((unsigned)value.n ^ (unsigned char)value.p[value.n / 2]) % n;
}

void
coding_recall(struct coding_memo *memo, struct str value,
    struct codings *out_codings)
{
	unsigned slot;

	if (value.n == 0 || value.n > sizeof(memo->seen[0].value)) {
		coding_parse(value, out_codings);
		return;
	}
	slot = slot_of(value);
	if (memo->seen[slot].n != value.n ||
	    memcmp(memo->seen[slot].value, value.p, value.n) != 0) {
		coding_parse(value, &memo->seen[slot].codings);
		memo->seen[slot].n = (unsigned char)value.n;
		memcpy(memo->seen[slot].value, value.p, value.n);
	}
	*out_codings = memo->seen[slot].codings;
}
