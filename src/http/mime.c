/* SPDX-License-Identifier: ISC */

/*
 * Media types by extension: a hash table with open addressing whose slots
 * point into the built-in list and into copies of what was added.
 *
 * Names are hashed from their end backwards.  So one walk over a file name
 * meets "gz" and then "tar.gz", and has the hash of each on the way.
 */

#include "http/mime.h"

#include <errno.h>
#include <stdlib.h>

#include "http/field.h"

#define EXT_BYTES_MAX 32        /* longer extensions are not known */
#define TYPE_BYTES_MAX 255      /* 127 on each side of the slash: RFC 6838 */
#define SLOTS_MIN 4096 /* a power of two; takes a usual mime.types at once */

/*
 * Those of X are what a system's list may know better; those of BROWSER are
 * what browsers go by when they decide whether to run, apply or compile
 * something, and stay as they are.
 */
#define TYPES(X, BROWSER)                                                   \
	BROWSER("css", "text/css")                                          \
	BROWSER("htm", "text/html")                                         \
	BROWSER("html", "text/html")                                        \
	BROWSER("js", "text/javascript")                                    \
	BROWSER("json", "application/json")                                 \
	BROWSER("mjs", "text/javascript")                                   \
	BROWSER("svg", "image/svg+xml")                                     \
	BROWSER("wasm", "application/wasm")                                 \
	BROWSER("webmanifest", "application/manifest+json")                 \
	X("7z", "application/x-7z-compressed")                              \
	X("aac", "audio/aac")                                               \
	X("apk", "application/vnd.android.package-archive")                 \
	X("apng", "image/apng")                                             \
	X("atom", "application/atom+xml")                                   \
	X("avi", "video/x-msvideo")                                         \
	X("avif", "image/avif")                                             \
	X("bin", "application/octet-stream")                                \
	X("bmp", "image/bmp")                                               \
	X("br", "application/x-brotli")                                     \
	X("bz2", "application/x-bzip2")                                     \
	X("c", "text/x-csrc")                                               \
	X("cbor", "application/cbor")                                       \
	X("cc", "text/x-c++src")                                            \
	X("cjs", "text/javascript")                                         \
	X("conf", "text/plain")                                             \
	X("cpp", "text/x-c++src")                                           \
	X("csv", "text/csv")                                                \
	X("cur", "image/vnd.microsoft.icon")                                \
	X("deb", "application/vnd.debian.binary-package")                   \
	X("diff", "text/x-diff")                                            \
	X("dmg", "application/x-apple-diskimage")                           \
	X("doc", "application/msword")                                      \
	X("docx", "application/vnd.openxmlformats-officedocument"           \
		  ".wordprocessingml.document")                             \
	X("eot", "application/vnd.ms-fontobject")                           \
	X("eps", "application/postscript")                                  \
	X("epub", "application/epub+zip")                                   \
	X("exe", "application/vnd.microsoft.portable-executable")           \
	X("flac", "audio/flac")                                             \
	X("gif", "image/gif")                                               \
	X("glb", "model/gltf-binary")                                       \
	X("gltf", "model/gltf+json")                                        \
	X("gz", "application/gzip")                                         \
	X("h", "text/x-chdr")                                               \
	X("heic", "image/heic")                                             \
	X("hpp", "text/x-c++hdr")                                           \
	X("ico", "image/vnd.microsoft.icon")                                \
	X("ics", "text/calendar")                                           \
	X("img", "application/octet-stream")                                \
	X("iso", "application/vnd.efi.iso")                                 \
	X("jar", "application/java-archive")                                \
	X("java", "text/x-java")                                            \
	X("jpeg", "image/jpeg")                                             \
	X("jpg", "image/jpeg")                                              \
	X("jsonld", "application/ld+json")                                  \
	X("jxl", "image/jxl")                                               \
	X("log", "text/plain")                                              \
	X("m3u8", "application/vnd.apple.mpegurl")                          \
	X("m4a", "audio/mp4")                                               \
	X("m4v", "video/mp4")                                               \
	X("map", "application/json")                                        \
	X("md", "text/markdown")                                            \
	X("mid", "audio/midi")                                              \
	X("mkv", "video/matroska")                                          \
	X("mov", "video/quicktime")                                         \
	X("mp3", "audio/mpeg")                                              \
	X("mp4", "video/mp4")                                               \
	X("mpd", "application/dash+xml")                                    \
	X("mpeg", "video/mpeg")                                             \
	X("odp", "application/vnd.oasis.opendocument.presentation")         \
	X("ods", "application/vnd.oasis.opendocument.spreadsheet")          \
	X("odt", "application/vnd.oasis.opendocument.text")                 \
	X("oga", "audio/ogg")                                               \
	X("ogg", "audio/ogg")                                               \
	X("ogv", "video/ogg")                                               \
	X("opus", "audio/ogg")                                              \
	X("otf", "font/otf")                                                \
	X("patch", "text/x-diff")                                           \
	X("pdf", "application/pdf")                                         \
	X("pl", "text/x-perl")                                              \
	X("png", "image/png")                                               \
	X("ppt", "application/vnd.ms-powerpoint")                           \
	X("pptx", "application/vnd.openxmlformats-officedocument"           \
		  ".presentationml.presentation")                           \
	X("ps", "application/postscript")                                   \
	X("py", "text/x-python")                                            \
	X("rar", "application/vnd.rar")                                     \
	X("rpm", "application/x-rpm")                                       \
	X("rss", "application/rss+xml")                                     \
	X("rtf", "application/rtf")                                         \
	X("sh", "application/x-sh")                                         \
	X("sql", "application/sql")                                         \
	X("srt", "application/x-subrip")                                    \
	X("svgz", "image/svg+xml")                                          \
	X("tar", "application/x-tar")                                       \
	X("tar.br", "application/x-brotli")                                 \
	X("tar.bz2", "application/x-bzip2")                                 \
	X("tar.gz", "application/gzip")                                     \
	X("tar.xz", "application/x-xz")                                     \
	X("tar.zst", "application/zstd")                                    \
	X("tex", "text/x-tex")                                              \
	X("text", "text/plain")                                             \
	X("tgz", "application/gzip")                                        \
	X("tif", "image/tiff")                                              \
	X("tiff", "image/tiff")                                             \
	X("toml", "application/toml")                                       \
	X("torrent", "application/x-bittorrent")                            \
	X("ttc", "font/collection")                                         \
	X("ttf", "font/ttf")                                                \
	X("txt", "text/plain")                                              \
	X("vcf", "text/vcard")                                              \
	X("vtt", "text/vtt")                                                \
	X("wav", "audio/x-wav")                                             \
	X("weba", "audio/webm")                                             \
	X("webm", "video/webm")                                             \
	X("webp", "image/webp")                                             \
	X("woff", "font/woff")                                              \
	X("woff2", "font/woff2")                                            \
	X("xhtml", "application/xhtml+xml")                                 \
	X("xls", "application/vnd.ms-excel")                                \
	X("xlsx", "application/vnd.openxmlformats-officedocument"           \
		  ".spreadsheetml.sheet")                                   \
	X("xml", "application/xml")                                         \
	X("xsl", "application/xslt+xml")                                    \
	X("xslt", "application/xslt+xml")                                   \
	X("xz", "application/x-xz")                                         \
	X("yaml", "application/yaml")                                       \
	X("yml", "application/yaml")                                        \
	X("zip", "application/zip")                                         \
	X("zst", "application/zstd")

struct entry {
	const char *ext;                /* NULL: the slot is free */
	const char *type;
	uint32_t hash;
	unsigned char ext_n, type_n;
	bool is_fixed;                  /* mime_add must not replace it */
};

struct copy {
	struct copy *next;
	char text[];
};

struct mime_table {
	struct entry *slots;
	size_t slot_count, used;
	struct copy *copies;
};

/* What a hash begins with, and what each byte does to it (FNV-1a). */
static const uint32_t hash_start = 2166136261;

static uint32_t
hash_more(uint32_t hash, char c)
{
	/* Near enough to lower case: the comparison decides. */
	return (hash ^ ((unsigned char)c | 0x20)) * 16777619;
}

static uint32_t
hash_of(struct str ext)
{
	uint32_t hash = hash_start;

	for (size_t i = ext.n; i > 0; i--)
		hash = hash_more(hash, ext.p[i - 1]);
	return hash;
}

/* The slot that holds ext, or the free one where it belongs. */
static struct entry *
find_slot(const struct mime_table *t, struct str ext, uint32_t hash)
{
	size_t mask = t->slot_count - 1;
	size_t i = (hash ^ hash >> 15) & mask;

	for (; t->slots[i].ext != NULL; i = (i + 1) & mask) {
		struct entry *e = &t->slots[i];
		struct str known = { e->ext, e->ext_n };

		if (e->hash == hash && str_eq_nocase(known, ext))
			break;
	}
	return &t->slots[i];
}

static int
grow(struct mime_table *t)
{
	struct mime_table bigger = *t;

	bigger.slot_count = t->slots == NULL ? SLOTS_MIN : t->slot_count * 2;
	bigger.slots = calloc(bigger.slot_count, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < t->slot_count; i++) {
		const struct entry *e = &t->slots[i];

		if (e->ext != NULL)
			*find_slot(&bigger, (struct str){ e->ext, e->ext_n },
			    e->hash) = *e;
	}
	free(t->slots);
	*t = bigger;
	return 0;
}

/* Half of the slots at least stay free, so that searches stay short. */
static int
put(struct mime_table *t, struct str ext, struct str type, bool is_fixed)
{
	uint32_t hash = hash_of(ext);
	struct entry *e;

	if (t->used >= t->slot_count / 2 && grow(t) < 0)
		return -ENOMEM;
	e = find_slot(t, ext, hash);
	if (e->is_fixed)
		return 0;
	t->used += e->ext == NULL;
	*e = (struct entry){
		.ext = ext.p,
		.ext_n = (unsigned char)ext.n,
		.type = type.p,
		.type_n = (unsigned char)type.n,
		.hash = hash,
		.is_fixed = is_fixed,
	};
	return 0;
}

static bool
is_media_type(struct str s)
{
	struct str top;

	return s.n <= TYPE_BYTES_MAX && str_cut(&s, '/', &top) &&
	    field_is_token(top) && field_is_token(s);
}

/* Takes what stands before the next white space; false at the end of s. */
static bool
take_word(struct str *s, struct str *out_word)
{
	const char *p, *end;

	*s = str_trim(*s);
	if (s->n == 0)
		return false;
	end = s->p + s->n;
	for (p = s->p; p < end && *p != ' ' && *p != '\t'; p++)
		continue;
	*out_word = str_from(s->p, p);
	*s = str_from(p, end);
	return true;
}

static int
add_line(struct mime_table *t, struct str line)
{
	struct str type, ext;
	int err;

	/* Most types of a system's list have no extension at all. */
	if (!take_word(&line, &type) || line.n == 0 || !is_media_type(type))
		return 0;
	while (take_word(&line, &ext)) {
		if (ext.n > EXT_BYTES_MAX)
			continue;
		err = put(t, ext, type, false);
		if (err < 0)
			return err;
	}
	return 0;
}

static struct str
keep_copy(struct mime_table *t, struct str text)
{
	struct copy *copy = malloc(sizeof(*copy) + text.n);

	if (copy == NULL)
		return (struct str){ NULL, 0 };
	memcpy(copy->text, text.p, text.n);
	copy->next = t->copies;
	t->copies = copy;
	return (struct str){ copy->text, text.n };
}

static int
add_builtin(struct mime_table *t)
{
	static const struct {
		struct str ext, type;
		bool is_fixed;
	} types[] = {
#define X(ext, type) { STR(ext), STR(type), false },
#define BROWSER(ext, type) { STR(ext), STR(type), true },
		TYPES(X, BROWSER)
#undef X
#undef BROWSER
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (put(t, types[i].ext, types[i].type, types[i].is_fixed) < 0)
			return -ENOMEM;
	return 0;
}

/*
 * The last segment of a name without the dots in front of it: ".profile" is
 * all name and has no extension.
 */
static struct str
after_first_dots(struct str name)
{
	struct str last = name;

	while (str_cut(&name, '/', &last))
		continue;
	while (str_starts(last, S(".")))
		last = str_skip(last, 1);
	return last;
}

struct mime_table *
mime_new(void)
{
	struct mime_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if (add_builtin(t) < 0) {
		mime_free(t);
		return NULL;
	}
	return t;
}

void
mime_free(struct mime_table *t)
{
	struct copy *copy, *next;

	if (t == NULL)
		return;
	for (copy = t->copies; copy != NULL; copy = next) {
		next = copy->next;
		free(copy);
	}
	free(t->slots);
	free(t);
}

int
mime_add(struct mime_table *t, struct str text)
{
	struct str line, code, rest;
	int err = 0;

	if (text.n == 0)
		return 0;
	rest = keep_copy(t, text);
	if (rest.p == NULL)
		return -ENOMEM;
	while (err == 0 && str_cut(&rest, '\n', &line)) {
		if (str_ends(line, S("\r")))
			line.n--;
		if (str_cut(&line, '#', &code))
			err = add_line(t, code);
	}
	return err;
}

struct str
mime_by_name(const struct mime_table *t, struct str name)
{
	struct str found = { NULL, 0 };
	uint32_t hash = hash_start;
	const struct entry *e;

	name = after_first_dots(name);
	for (size_t i = name.n; i > 0 && name.n - i <= EXT_BYTES_MAX; i--) {
		char c = name.p[i - 1];

		e = c == '.' ? find_slot(t, str_skip(name, i), hash) : NULL;
		if (e != NULL && e->ext != NULL)
			found = (struct str){ e->type, e->type_n };
		hash = hash_more(hash, c);
	}
	return found;
}

bool
mime_wants_charset(struct str type)
{
	/*
	 * JSON and its kin have no such parameter (RFC 8259 11), XML says it
	 * itself (RFC 7303 3), and a wasm with one is refused by browsers.
	 */
	static const struct str scripts[] = {
		STR("application/javascript"),
		STR("application/x-javascript"),
		STR("application/ecmascript"),
	};
	const struct str text = STR("text/");

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (str_eq_nocase(type, scripts[i]))
			return true;
	if (str_eq_nocase(type, S("text/xml")) || type.n < text.n)
		return false;
	return str_eq_nocase((struct str){ type.p, text.n }, text);
}

static bool
ends_nocase(struct str s, struct str end)
{
	return s.n > end.n && str_eq_nocase(str_skip(s, s.n - end.n), end);
}

bool
mime_compresses(struct str type)
{
	/* Beside text/..., and what is XML or JSON by the end of its name. */
	static const struct str others[] = {
		STR("application/ecmascript"),
		STR("application/javascript"),
		STR("application/json"),
		STR("application/postscript"),
		STR("application/rtf"),
		STR("application/sql"),
		STR("application/toml"),
		STR("application/vnd.apple.mpegurl"),
		STR("application/vnd.ms-fontobject"),
		STR("application/wasm"),
		STR("application/x-javascript"),
		STR("application/x-ndjson"),
		STR("application/x-sh"),
		STR("application/x-subrip"),
		STR("application/xml"),
		STR("application/xml-dtd"),
		STR("application/yaml"),
		STR("font/collection"),
		STR("font/otf"),
		STR("font/ttf"),
		STR("image/bmp"),
		STR("image/vnd.microsoft.icon"),
		STR("image/x-icon"),
		STR("model/gltf-binary"),
	};
	const struct str text = STR("text/");
	struct str essence;

	if (!str_cut(&type, ';', &essence))
		return false;
	essence = str_trim(essence);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (str_eq_nocase(essence, others[i]))
			return true;
	return ends_nocase(essence, S("+xml")) ||
	    ends_nocase(essence, S("+json")) || (essence.n > text.n &&
	    str_eq_nocase((struct str){ essence.p, text.n }, text));
}
