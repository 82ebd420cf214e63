/* SPDX-License-Identifier: ISC */
/*
 * Brotli (RFC 7932), Zstandard (RFC 8878) and gzip (RFC 1952) behind one seam.
 * What is made once has a high level, just below the slope where a little
 * less costs far more time; what is made for one client a low level, and a
 * window small enough to have one for each client.
 */
#include "site/compress.h"

#include <brotli/encode.h>
#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define STEP_BYTES ((size_t)16 << 10)   /* room for output, at a time */

#define STREAM_WINDOW_LOG 18            /* 256 KiB */

struct codec {
	/* A state, or NULL. */
	void *(*open)(uint64_t size);
	/* As compressor_add. */
	int (*add)(void *state, struct str in, enum compress_step step,
	    struct buf *out);
	void (*close)(void *state);
};

struct compressor {
	const struct codec *codec;
	void *state;
};

/*
 * Makes room for more output, up to the buffer's limit: where that is low the
 * last bytes may be all that is needed.
 */
static int
make_room(struct buf *out)
{
	size_t left = out->max - out->n;

	if (out->cap - out->n >= STEP_BYTES / 4)
		return 0;
	if (left == 0)
		return -ENOBUFS;
	return buf_reserve(out, left < STEP_BYTES ? left : STEP_BYTES);
}

/* Brotli */

static void *
brotli_open(unsigned quality, unsigned window_log, uint64_t size)
{
	BrotliEncoderState *s = BrotliEncoderCreateInstance(NULL, NULL, NULL);

	if (s == NULL)
		return NULL;
	BrotliEncoderSetParameter(s, BROTLI_PARAM_QUALITY, quality);
	BrotliEncoderSetParameter(s, BROTLI_PARAM_LGWIN, window_log);
	if (size < UINT32_MAX)
		BrotliEncoderSetParameter(s, BROTLI_PARAM_SIZE_HINT,
		    (uint32_t)size);
	return s;
}

static void *
brotli_open_once(uint64_t size)
{
	return brotli_open(9, 22, size);
}

static void *
brotli_open_stream(uint64_t size)
{
	return brotli_open(4, STREAM_WINDOW_LOG, size);
}

static int
brotli_add(void *state, struct str in, enum compress_step step,
    struct buf *out)
{
	static const BrotliEncoderOperation operations[] = {
		[COMPRESS_MORE] = BROTLI_OPERATION_PROCESS,
		[COMPRESS_FLUSH] = BROTLI_OPERATION_FLUSH,
		[COMPRESS_END] = BROTLI_OPERATION_FINISH,
	};
	const uint8_t *next_in = (const uint8_t *)in.p;
	size_t room, left;
	uint8_t *at;
	int err;

	do {
		err = make_room(out);
		if (err < 0)
			return err;
		at = (uint8_t *)out->p + out->n;
		left = room = out->cap - out->n;
		if (!BrotliEncoderCompressStream(state, operations[step],
		    &in.n, &next_in, &left, &at, NULL))
			return -ENOMEM;
		out->n += room - left;
	} while (in.n > 0 || BrotliEncoderHasMoreOutput(state));
	return 0;
}

static void
brotli_close(void *state)
{
	BrotliEncoderDestroyInstance(state);
}

/* Zstandard; browsers have windows of 8 MiB at the most (RFC 9659). */

static void *
zstd_open(int level, int window_log, uint64_t size)
{
	ZSTD_CCtx *s = ZSTD_createCCtx();

	if (s == NULL)
		return NULL;
	/* The levels' own parameters go by the size, which is pledged. */
	if (ZSTD_isError(ZSTD_CCtx_setParameter(s, ZSTD_c_compressionLevel,
	    level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s, ZSTD_c_windowLog,
	    window_log)) || (size != UINT64_MAX &&
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(s, size)))) {
		ZSTD_freeCCtx(s);
		return NULL;
	}
	return s;
}

static void *
zstd_open_once(uint64_t size)
{
	return zstd_open(15, 0, size);
}

static void *
zstd_open_stream(uint64_t size)
{
	return zstd_open(3, STREAM_WINDOW_LOG, size);
}

static int
zstd_add(void *state, struct str in, enum compress_step step, struct buf *out)
{
	static const ZSTD_EndDirective directives[] = {
		[COMPRESS_MORE] = ZSTD_e_continue,
		[COMPRESS_FLUSH] = ZSTD_e_flush,
		[COMPRESS_END] = ZSTD_e_end,
	};
	ZSTD_inBuffer from = { in.p, in.n, 0 };
	ZSTD_outBuffer to;
	size_t left;
	int err;

	do {
		err = make_room(out);
		if (err < 0)
			return err;
		to = (ZSTD_outBuffer){ out->p, out->cap, out->n };
		left = ZSTD_compressStream2(state, &to, &from,
		    directives[step]);
		if (ZSTD_isError(left))
			return -ENOMEM;
		out->n = to.pos;
	} while (from.pos < from.size || (step != COMPRESS_MORE && left > 0));
	return 0;
}

static void
zstd_close(void *state)
{
	ZSTD_freeCCtx(state);
}

/* gzip as a stream */

static void *
zlib_open(uint64_t size)
{
	const int level = 3, gzip = 16, memory = 8;
	z_stream *s = calloc(1, sizeof(*s));

	(void)size;
	if (s != NULL && deflateInit2(s, level, Z_DEFLATED, MAX_WBITS + gzip,
	    memory, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(s);
		return NULL;
	}
	return s;
}

static int
zlib_add(void *state, struct str in, enum compress_step step, struct buf *out)
{
	static const int flushes[] = {
		[COMPRESS_MORE] = Z_NO_FLUSH,
		[COMPRESS_FLUSH] = Z_SYNC_FLUSH,
		[COMPRESS_END] = Z_FINISH,
	};
	z_stream *s = state;
	size_t room;
	int err;

	/* zlib only reads it. */
	s->next_in = (Bytef *)(uintptr_t)in.p;
	s->avail_in = (uInt)in.n;
	do {
		err = make_room(out);
		if (err < 0)
			return err;
		room = out->cap - out->n;
		s->next_out = (Bytef *)out->p + out->n;
		s->avail_out = (uInt)room;
		if (deflate(s, flushes[step]) == Z_STREAM_ERROR)
			return -ENOMEM;
		out->n += room - s->avail_out;
		/* Output that ends with the room may have more behind it. */
	} while (s->avail_out == 0);
	return 0;
}

static void
zlib_close(void *state)
{
	deflateEnd(state);
	free(state);
}

/* gzip at once: libdeflate is better and faster, but wants all in memory. */

struct whole {
	struct libdeflate_compressor *deflate;
	struct buf content;
};

static void *
deflate_open(uint64_t size)
{
	struct whole *w = malloc(sizeof(*w));

	if (w == NULL)
		return NULL;
	w->deflate = libdeflate_alloc_compressor(9);
	if (w->deflate == NULL) {
		free(w);
		return NULL;
	}
	buf_init(&w->content, (size_t)size);
	return w;
}

static int
deflate_add(void *state, struct str in, enum compress_step step,
    struct buf *out)
{
	struct whole *w = state;
	size_t room;
	int err;

	err = buf_add(&w->content, in);
	if (err < 0 || step != COMPRESS_END)
		return err;
	room = libdeflate_gzip_compress_bound(w->deflate, w->content.n);
	if (room > out->max - out->n)
		room = out->max - out->n;
	err = buf_reserve(out, room);
	if (err < 0)
		return err;
	room = libdeflate_gzip_compress(w->deflate, w->content.p,
	    w->content.n, out->p + out->n, room);
	out->n += room;
	return room == 0 ? -ENOBUFS : 0;
}

static void
deflate_close(void *state)
{
	struct whole *w = state;

	libdeflate_free_compressor(w->deflate);
	buf_fini(&w->content);
	free(w);
}

static const struct codec codecs[EFFORT_COUNT][CODING_COUNT] = {
	[EFFORT_ONCE] = {
		[CODING_BR] = {
			.open = brotli_open_once,
			.add = brotli_add,
			.close = brotli_close,
		},
		[CODING_ZSTD] = {
			.open = zstd_open_once,
			.add = zstd_add,
			.close = zstd_close,
		},
		[CODING_GZIP] = {
			.open = deflate_open,
			.add = deflate_add,
			.close = deflate_close,
		},
	},
	[EFFORT_STREAM] = {
		[CODING_BR] = {
			.open = brotli_open_stream,
			.add = brotli_add,
			.close = brotli_close,
		},
		[CODING_ZSTD] = {
			.open = zstd_open_stream,
			.add = zstd_add,
			.close = zstd_close,
		},
		[CODING_GZIP] = {
			.open = zlib_open,
			.add = zlib_add,
			.close = zlib_close,
		},
	},
};

struct compressor *
compressor_new(enum coding c, enum effort e, uint64_t size)
{
	struct compressor *z = malloc(sizeof(*z));

	if (z == NULL)
		return NULL;
	z->codec = &codecs[e][c];
	z->state = z->codec->open(size);
	if (z->state == NULL) {
		free(z);
		return NULL;
	}
	return z;
}

void
compressor_free(struct compressor *z)
{
	if (z == NULL)
		return;
	z->codec->close(z->state);
	free(z);
}

int
compressor_add(struct compressor *z, struct str in, enum compress_step step,
    struct buf *out)
{
	return z->codec->add(z->state, in, step, out);
}
