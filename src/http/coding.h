/* SPDX-License-Identifier: ISC */
#ifndef SWS_HTTP_CODING_H
#define SWS_HTTP_CODING_H

/*
 * Content codings (RFC 9110 8.4.1, 7932, 8878) and which of them a client
 * accepts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * X(id, name, end of file names); the real ones in the order of what we would
 * rather make.
 */
#define CODINGS(X)                   \
	X(IDENTITY, "identity", "")  \
	X(BR, "br", ".br")           \
	X(ZSTD, "zstd", ".zst")      \
	X(GZIP, "gzip", ".gz")

enum coding {
#define X(id, name, suffix) CODING_##id,
	CODINGS(X)
#undef X
	CODING_COUNT,           /* also: none of them */
};

#define CODING_REAL (CODING_IDENTITY + 1)       /* the first of them */

/* What a client thinks of each coding. */
struct codings {
	uint16_t weight[CODING_COUNT];  /* thousandths; 0: not acceptable */
};

struct str coding_name(enum coding c);
struct str coding_suffix(enum coding c);

/*
 * Reads the value of Accept-Encoding (RFC 9110 12.5.3); without that field
 * value.p is NULL.  Then everything would be acceptable, but who does not
 * mention a coding may not know it: so it is identity alone, as for an empty
 * field.  An identity that is neither named nor excluded is acceptable, but
 * less than anything that is named.  Members that are malformed or name
 * another coding are passed over; if one is named twice, the last counts.
 */
void coding_parse(struct str value, struct codings *out_codings);

/*
 * The best of those that there are: of the highest weight, among these the
 * smallest.  `sizes` says how large each is, UINT64_MAX that there is none.
 * CODING_COUNT when none is acceptable.
 */
enum coding coding_choose(const struct codings *accepted,
    const uint64_t sizes[CODING_COUNT]);

/*
 * The real coding that the client likes best, of those whose bit is set in
 * `among`; CODING_COUNT when there is none, or when identity is liked better.
 */
enum coding coding_wanted(const struct codings *accepted, unsigned among);

/*
 * The last values seen: browsers send the same few, over and over.  It starts
 * as all zeros.
 */
struct coding_memo {
	struct {
		unsigned char n;        /* 0: empty */
		char value[47];
		struct codings codings;
	} seen[8];
};

/* As coding_parse. */
void coding_recall(struct coding_memo *memo, struct str value,
    struct codings *out_codings);

#endif
