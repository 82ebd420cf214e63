/* SPDX-License-Identifier: ISC */

/* Chunked content is read alike at once, in two, and byte by byte. */

#include "h1/chunk.h"

#include "target.h"

struct outcome {
	struct chunk_reader reader;
	enum parse parse;
	size_t used;
	char *data;
	size_t n;
};

static void
feed(struct outcome *o, struct str in)
{
	struct str data, rest = in;
	size_t used;

	while (o->parse == PARSE_MORE && rest.n > 0) {
		o->parse = chunk_read(&o->reader, rest, &data, &used);
		if (o->parse == PARSE_BAD)
			return;
		assert(used > 0 && used <= rest.n);
		assert(data.n <= used);
		assert(data.p >= rest.p && data.p + data.n <= rest.p + used);
		memcpy(o->data + o->n, data.p, data.n);
		o->n += data.n;
		o->used += used;
		rest = str_skip(rest, used);
	}
}

/* The first `cut` bytes in steps of `step`, then the rest at once. */
static void
read_all(struct outcome *o, struct str in, size_t cut, size_t step)
{
	*o = (struct outcome){ .parse = PARSE_MORE, .data = malloc(in.n) };
	assert(o->data != NULL);
	chunk_init(&o->reader);
	for (size_t at = 0; at < cut; at += step)
		feed(o, (struct str){ in.p + at, step });
	feed(o, str_skip(in, cut));
}

static void
check_same(const struct outcome *a, const struct outcome *b)
{
	assert(a->parse == b->parse);
	assert(a->n == b->n && memcmp(a->data, b->data, a->n) == 0);
	if (a->parse == PARSE_DONE)
		assert(a->used == b->used);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	struct outcome whole, two, bytes;

	if (size == 0)
		return 0;
	read_all(&whole, in, 0, 1);
	read_all(&two, in, size / 2, size / 2);
	read_all(&bytes, in, size, 1);
	check_same(&whole, &two);
	check_same(&whole, &bytes);
	free(whole.data);
	free(two.data);
	free(bytes.data);
	return 0;
}
