/* SPDX-License-Identifier: ISC */

/* Whatever is asked for, the decoded path lies below the root. */

#include "http/path.h"

#include "target.h"

static void
check_segments(struct str path)
{
	struct str segment, rest = path;
	bool is_last = false;

	while (str_cut(&rest, '/', &segment)) {
		assert(!is_last);
		/* Only behind the slash at the end there may be none. */
		is_last = segment.n == 0;
		assert(!str_eq(segment, S(".")));
		assert(!str_eq(segment, S("..")));
	}
}

static void
check_in_place(struct str raw, struct str path)
{
	char *own = malloc(raw.n + 1);
	size_t len;

	assert(own != NULL);
	memcpy(own, raw.p, raw.n);
	assert(path_decode((struct str){ own, raw.n }, own, &len) == 0);
	assert(str_eq((struct str){ own, len }, path));
	free(own);
}

/* Decoding takes back what encoding does. */
static void
check_encode(struct str path)
{
	struct buf b;
	char *out;
	size_t len;

	buf_init(&b, path.n * 3 + 1);
	assert(buf_add_char(&b, '/') == 0);
	assert(path_encode(&b, path) == 0);
	for (size_t i = 0; i < b.n; i++) {
		assert(b.p[i] > ' ' && b.p[i] < '\x7f');
		assert(strchr("\"'<>&?#\\", b.p[i]) == NULL);
	}
	out = malloc(b.n + 1);
	assert(out != NULL);
	assert(path_decode(buf_str(&b), out, &len) == 0);
	assert(str_eq((struct str){ out, len }, path));
	free(out);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str path, raw = { (const char *)data, size };
	char *out = malloc(size + 1);
	size_t len;

	assert(out != NULL);
	if (path_decode(raw, out, &len) == 0) {
		path = (struct str){ out, len };
		assert(len < size);
		assert(strlen(out) == len);
		check_segments(path);
		check_in_place(raw, path);
		check_encode(path);
		path_is_hidden(path);
	}
	free(out);
	return 0;
}
