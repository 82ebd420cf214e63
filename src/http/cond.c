/* SPDX-License-Identifier: ISC */

/*
 * Conditional requests: RFC 9110 13.  An entity-tag is not a quoted-string
 * (a backslash in it is a byte as any other, 8.8.3), so the lists of tags are
 * read here rather than by field_list_next.
 */

#include "http/cond.h"

#include "http/date.h"

/* The opaque part, with its quotes. */
struct tag {
	struct str opaque;
	bool is_weak;
};

/* etagc of RFC 9110 8.8.3 */
static bool
is_etagc(char c)
{
	unsigned char u = (unsigned char)c;

	return u == 0x21 || (u >= 0x23 && u <= 0x7e) || u >= 0x80;
}

/* Takes an entity-tag off the front of *rest, or leaves it as it was. */
static bool
take_tag(struct str *rest, struct tag *out)
{
	struct str s = *rest;
	bool is_weak = str_starts(s, S("W/"));
	size_t n = 1;

	if (is_weak)
		s = str_skip(s, 2);
	if (s.n < 2 || s.p[0] != '"')
		return false;
	while (n < s.n && is_etagc(s.p[n]))
		n++;
	if (n == s.n || s.p[n] != '"')
		return false;
	*out = (struct tag){ { s.p, n + 1 }, is_weak };
	*rest = str_skip(s, n + 1);
	return true;
}

/* Skips to behind the next comma; was there nothing but white space? */
static bool
skip_separator(struct str *rest)
{
	struct str skipped = *rest;

	str_cut(rest, ',', &skipped);
	return str_trim(skipped).n == 0;
}

/*
 * Takes the next entity-tag of a list.  Returns false at the end of the list;
 * an element that is no entity-tag is passed over up to the next comma.
 */
static bool
next_tag(struct str *rest, struct tag *out)
{
	struct tag tag;
	bool is_tag;

	while (rest->n > 0) {
		*rest = str_trim(*rest);
		is_tag = take_tag(rest, &tag);
		if (skip_separator(rest) && is_tag) {
			*out = tag;
			return true;
		}
	}
	return false;
}

/* RFC 9110 8.8.3.2: strongly, two weak tags never match. */
static bool
tags_match(const struct tag *a, const struct tag *b, bool is_strong)
{
	if (is_strong && (a->is_weak || b->is_weak))
		return false;
	return str_eq(a->opaque, b->opaque);
}

/* Does "*", or one of the listed tags, stand for the representation? */
static bool
list_matches(struct str list, struct str etag, bool is_strong)
{
	struct tag ours, theirs;

	/* As we sent it: the usual case. */
	if (etag.n > 0 && str_eq(list, etag))
		return !is_strong || !str_starts(etag, S("W/"));
	list = str_trim(list);
	if (str_eq(list, S("*")))
		return true;
	if (!take_tag(&etag, &ours))
		return false;
	while (next_tag(&list, &theirs))
		if (tags_match(&ours, &theirs, is_strong))
			return true;
	return false;
}

/* Steps 1 and 2 */
static bool
may_act(const struct cond *c, const struct validators *v, time_t now)
{
	time_t since;

	if (c->if_match.p != NULL)
		return list_matches(c->if_match, v->etag, true);
	if (c->if_unmodified_since.p == NULL || v->modified == -1)
		return true;
	if (date_parse(c->if_unmodified_since, now, &since) < 0)
		return true;
	return v->modified <= since;
}

/* Step 4 */
static bool
is_unmodified(const struct cond *c, const struct validators *v, time_t now)
{
	time_t since;

	if (c->if_modified_since.p == NULL || v->modified == -1)
		return false;
	/* As we sent it: the usual case. */
	if (v->modified <= now && v->modified_text.p != NULL &&
	    str_eq(c->if_modified_since, v->modified_text))
		return true;
	if (date_parse(c->if_modified_since, now, &since) < 0 || since > now)
		return false;
	return v->modified <= since;
}

enum cond_verdict
cond_check(const struct cond *c, const struct validators *v, bool is_get,
    time_t now)
{
	if (!may_act(c, v, now))
		return COND_FAILED;
	if (c->if_none_match.p != NULL) {
		if (!list_matches(c->if_none_match, v->etag, false))
			return COND_GO_ON;
		return is_get ? COND_NOT_MODIFIED : COND_FAILED;
	}
	if (is_get && is_unmodified(c, v, now))
		return COND_NOT_MODIFIED;
	return COND_GO_ON;
}

bool
cond_range_applies(const struct cond *c, const struct validators *v,
    time_t now)
{
	struct str value = c->if_range, etag = v->etag;
	struct tag ours, theirs;
	time_t since;

	if (value.p == NULL)
		return true;
	if (take_tag(&value, &theirs))
		return value.n == 0 && take_tag(&etag, &ours) &&
		    tags_match(&ours, &theirs, true);
	if (v->modified == -1 || date_parse(value, now, &since) < 0)
		return false;
	return since == v->modified && v->modified < now;
}

struct str
cond_find_tag(struct str list, struct str prefix)
{
	struct tag tag;

	while (next_tag(&list, &tag))
		if (str_starts(tag.opaque, prefix))
			return tag.opaque;
	return (struct str){ NULL, 0 };
}
