/* SPDX-License-Identifier: ISC */

/* Content that is compressed while it comes, with pauses and breaks in it. */

#include "site/coded.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../folder.h"
#include "../cases.h"
#include "../decode.h"

/* A body that does as a script says. */
struct script {
	const enum pull *next;          /* ends with PULL_END or PULL_FAIL */
	struct piece piece;             /* each time */
	unsigned closed;
};

static enum pull
script_pull(struct body *b, struct piece *out_piece)
{
	struct script *s = b->state;

	/* A pause is over when the test says so. */
	if (*s->next != PULL_PIECE)
		return *s->next;
	*out_piece = s->piece;
	return *s->next++;
}

static void
script_close(struct body *b)
{
	struct script *s = b->state;

	s->closed++;
}

static const struct body_ops script_ops = {
	.pull = script_pull,
	.close = script_close,
};

static struct exchange_pool pool;

static struct exchange *
begin(struct script *s, enum coding c)
{
	struct exchange *x = exchange_begin(&pool);

	assert_non_null(x);
	x->res.length = LENGTH_UNKNOWN;
	x->res.body = (struct body){ .ops = &script_ops, .state = s };
	assert_int_equal(coded_begin(x, c), 0);
	assert_int_equal(x->res.length, LENGTH_UNKNOWN);
	assert_memory_equal(x->res.fields.p, "Content-Encoding: ", 18);
	return x;
}

static void
finish(struct exchange *x, struct script *s)
{
	exchange_end(&pool, x);
	assert_int_equal(s->closed, 1);
	exchange_pool_fini(&pool);
}

/* Pulls and adds to out; what came last. */
static enum pull
pull_all(struct exchange *x, struct buf *out)
{
	struct piece p;
	enum pull r;

	while ((r = body_pull(&x->res.body, &p)) == PULL_PIECE) {
		assert_true(p.n > 0);
		assert_int_equal(buf_add(out,
		    (struct str){ p.p, (size_t)p.n }), 0);
	}
	return r;
}

static void
test_pauses(void **state)
{
	static const enum pull steps[] = {
		PULL_WAIT, PULL_PIECE, PULL_WAIT, PULL_PIECE, PULL_PIECE,
		PULL_WAIT, PULL_END,
	};
	/* What can be read at each pause, the last of them the end. */
	static const char *const read[] = { "", "ab", "ababab", "ababab" };
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 20);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct script s = { steps, { .p = "ab", .n = 2 }, 0 };
		struct exchange *x = begin(&s, (enum coding)c);

		out.n = 0;
		for (size_t i = 0; i < COUNT(read); i++) {
			assert_int_equal(pull_all(x, &out),
			    i + 1 < COUNT(read) ? PULL_WAIT : PULL_END);
			if (out.n > 0)
				decode_expect((enum coding)c, buf_str(&out),
				    str_of(read[i]));
			s.next++;
		}
		finish(x, &s);
	}
	buf_fini(&out);
}

static void
test_empty(void **state)
{
	static const enum pull steps[] = { PULL_END };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct script s = { steps, { .n = 0 }, 0 };
		struct exchange *x = begin(&s, (enum coding)c);

		out.n = 0;
		assert_int_equal(pull_all(x, &out), PULL_END);
		decode_expect((enum coding)c, buf_str(&out), S(""));
		finish(x, &s);
	}
	buf_fini(&out);
}

/* What breaks off must not look whole. */
static void
test_failure(void **state)
{
	static const enum pull steps[] = { PULL_PIECE, PULL_FAIL };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct script s = { steps, { .p = "ab", .n = 2 }, 0 };
		struct exchange *x = begin(&s, (enum coding)c);

		assert_int_equal(pull_all(x, &out), PULL_FAIL);
		finish(x, &s);
	}
	buf_fini(&out);
}

static void
test_never_pulled(void **state)
{
	static const enum pull steps[] = { PULL_END };
	struct script s = { steps, { .n = 0 }, 0 };

	(void)state;
	finish(begin(&s, CODING_BR), &s);
}

/* A range of a file, larger than a slice, and one that is not all there. */
static void
test_file(void **state)
{
	static const enum pull steps[] = { PULL_PIECE, PULL_END };
	const size_t n = 300000;
	struct folder folder;
	struct buf out;
	char *wanted = malloc(n);
	int fd;

	(void)state;
	folder_open(&folder);
	folder_large(&folder, "f", n + 10);
	fd = openat(folder.fd, "f", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		wanted[i] = folder_byte(i + 10);
	buf_init(&out, 1 << 20);
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct piece piece = { .n = n, .fd = fd, .offset = 10 };
		struct script whole = { steps, piece, 0 };
		struct script more = { steps, piece, 0 };
		struct exchange *x = begin(&whole, (enum coding)c);

		out.n = 0;
		assert_int_equal(pull_all(x, &out), PULL_END);
		decode_expect((enum coding)c, buf_str(&out),
		    (struct str){ wanted, n });
		finish(x, &whole);

		more.piece.n++;
		x = begin(&more, (enum coding)c);
		assert_int_equal(pull_all(x, &out), PULL_FAIL);
		finish(x, &more);
	}
	buf_fini(&out);
	free(wanted);
	close(fd);
	folder_close(&folder);
}

/* A megabyte of nothing comes in more than one piece: others have turns. */
static void
test_bounded_work(void **state)
{
	static const enum pull steps[] = { PULL_PIECE, PULL_END };
	const size_t n = 1 << 20;
	char *zeros = calloc(1, n);

	(void)state;
	for (unsigned c = CODING_REAL; c < CODING_COUNT; c++) {
		struct script s = { steps, { .p = zeros, .n = n }, 0 };
		struct exchange *x = begin(&s, (enum coding)c);
		unsigned pieces = 0;
		struct piece p;

		while (body_pull(&x->res.body, &p) == PULL_PIECE)
			pieces++;
		assert_in_range(pieces, 4, 16);
		finish(x, &s);
	}
	free(zeros);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_never_pulled),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_bounded_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
