/* SPDX-License-Identifier: ISC */

/*
 * Eight bytes for now, eight for a time to write, then a text to parse: what
 * is written is read back as the same time.
 */

#include "http/date.h"

#include "target.h"

#define FIRST_TIME (-62167219200)
#define LAST_TIME 253402300799

static time_t
clamp(time_t t)
{
	if (t < FIRST_TIME)
		return FIRST_TIME;
	return t > LAST_TIME ? LAST_TIME : t;
}

static void
check_write(time_t t, time_t now)
{
	char text[DATE_LEN], iso[DATE_ISO_LEN];
	time_t back;

	date_write(text, t);
	assert(date_parse((struct str){ text, DATE_LEN }, now, &back) == 0);
	assert(back == clamp(t));
	date_write_iso(iso, t);
	assert(iso[10] == 'T' && iso[19] == 'Z');
	/* The year, the day and the clock are the same in both. */
	assert(memcmp(text + 12, iso, 4) == 0);
	assert(memcmp(text + 5, iso + 8, 2) == 0);
	assert(memcmp(text + 17, iso + 11, 8) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = { (const char *)data, size };
	time_t now = (time_t)take_u64(&in);
	time_t t = (time_t)take_u64(&in);
	const time_t untouched = 4711;
	time_t parsed = untouched;

	check_write(t, now);
	/* So that most times are in the years of the calendar. */
	check_write(t % LAST_TIME, now);
	if (date_parse(in, now, &parsed) == 0)
		check_write(parsed, now);
	else
		assert(parsed == untouched);
	return 0;
}
