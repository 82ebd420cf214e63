/* SPDX-License-Identifier: ISC */

/*
 * Lines: our entity-tag, a list of tags, a date, an If-Range.  The different
 * conditions must not contradict each other.
 */

#include "http/cond.h"

#include "base/buf.h"

#include "target.h"

#define NOW 784111777
#define MODIFIED 784108800

static struct str
take_line(struct str *in)
{
	struct str line = { NULL, 0 };

	str_cut(in, '\n', &line);
	return line;
}

static bool
matches_strongly(struct str list, const struct validators *v)
{
	struct cond c = { .if_match = list };

	return cond_check(&c, v, true, NOW) == COND_GO_ON;
}

static bool
matches_weakly(struct str list, const struct validators *v)
{
	struct cond c = { .if_none_match = list };
	enum cond_verdict verdict = cond_check(&c, v, true, NOW);

	/* The same for other methods, with another answer. */
	assert((cond_check(&c, v, false, NOW) == COND_FAILED) ==
	    (verdict == COND_NOT_MODIFIED));
	return verdict == COND_NOT_MODIFIED;
}

/* What stands behind a tag that matches takes nothing away from it. */
static void
check_longer_list(struct str list, const struct validators *v)
{
	struct buf b;

	buf_init(&b, list.n + 8);
	assert(buf_add(&b, list) == 0);
	assert(buf_add(&b, S(", W/\"x\"")) == 0);
	if (matches_weakly(list, v) && !str_eq(str_trim(list), S("*")))
		assert(matches_weakly(buf_str(&b), v));
	buf_fini(&b);
}

static void
check_list(struct str list, const struct validators *v)
{
	if (list.p == NULL)
		return;
	if (matches_strongly(list, v))
		assert(matches_weakly(list, v));
	check_longer_list(list, v);
}

static void
check_date(struct str date, const struct validators *v)
{
	struct cond c = { .if_modified_since = date };
	enum cond_verdict verdict;

	assert(cond_check(&c, v, false, NOW) == COND_GO_ON);
	verdict = cond_check(&c, v, true, NOW);
	/* Not modified since then: so also unmodified since. */
	c = (struct cond){ .if_unmodified_since = date };
	if (verdict == COND_NOT_MODIFIED)
		assert(cond_check(&c, v, true, NOW) == COND_GO_ON);
}

/* If a part fits what the client has, then a strong If-Match holds as well. */
static void
check_range(struct str value, const struct validators *v)
{
	struct cond c = { .if_range = value };

	if (cond_range_applies(&c, v, NOW) && str_starts(value, S("\"")))
		assert(matches_strongly(value, v));
}

/* What we send is an entity-tag, whatever the bytes are. */
static struct str
make_tag(struct str from, struct buf *b)
{
	assert(buf_add(b, from.n % 2 != 0 ? S("W/\"") : S("\"")) == 0);
	for (size_t i = 0; i < from.n; i++) {
		unsigned char c = (unsigned char)from.p[i];
		bool is_etagc = c == 0x21 || (c >= 0x23 && c != 0x7f);

		assert(buf_add_char(b, is_etagc ? from.p[i] : 'x') == 0);
	}
	assert(buf_add_char(b, '"') == 0);
	return buf_str(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	struct validators v = { .modified = MODIFIED };
	struct buf tag;

	buf_init(&tag, size + 8);
	v.etag = make_tag(take_line(&in), &tag);
	check_list(take_line(&in), &v);
	check_date(take_line(&in), &v);
	check_range(take_line(&in), &v);
	buf_fini(&tag);
	return 0;
}
