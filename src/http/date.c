/* SPDX-License-Identifier: ISC */

/*
 * Dates of HTTP (RFC 9110 5.6.7) and of the log.  The calendar is worked out
 * here, in the proleptic Gregorian one from the year 0 on: the C library's
 * functions ask the locale and the time zone, and are many times slower.
 */

#include "http/date.h"

#include <errno.h>
#include <stdbool.h>

#define DAY_S 86400
#define YEARS_PER_CYCLE 400
#define DAYS_PER_CYCLE 146097
#define DAYS_TO_EPOCH 719528            /* from 0000-01-01 to 1970-01-01 */
#define FIRST_TIME (-62167219200)       /* 0000-01-01 00:00:00 */
#define LAST_TIME 253402300799          /* 9999-12-31 23:59:59 */
#define FIRST_WEEKDAY 6                 /* 0000-01-01 was a Saturday */

struct civil {
	int year, month, day;           /* month 0 to 11, day 1 to 31 */
	int hour, minute, second;
	int weekday;                    /* 0 is Sunday */
};

static const char *const weekdays[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday"
};

static const char months[][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* The three forms; the words are those of take_part. */
static const char imf_fixdate[] = "W, D M Y H:N:S Z";
static const char rfc850_date[] = "L, D-M-y H:N:S Z";
static const char asctime_date[] = "W M d H:N:S Y";

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_before_year(int year)
{
	return year * 365 + (year + 3) / 4 - (year + 99) / 100 +
	    (year + 399) / 400;
}

static int
days_before_month(int year, int month)
{
	static const short days[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365
	};

	return days[month] + (month > 1 && is_leap(year));
}

static time_t
time_of_civil(const struct civil *c)
{
	int days = days_before_year(c->year) +
	    days_before_month(c->year, c->month) + c->day - 1;

	return (time_t)(days - DAYS_TO_EPOCH) * DAY_S + c->hour * 3600 +
	    c->minute * 60 + c->second;
}

static struct civil
civil_of_time(time_t t)
{
	struct civil c = { 0 };
	int days, seconds;

	if (t < FIRST_TIME)
		t = FIRST_TIME;
	if (t > LAST_TIME)
		t = LAST_TIME;
	days = (int)((t - FIRST_TIME) / DAY_S);
	seconds = (int)((t - FIRST_TIME) % DAY_S);
	c.weekday = (days + FIRST_WEEKDAY) % 7;
	c.hour = seconds / 3600;
	c.minute = seconds / 60 % 60;
	c.second = seconds % 60;
	/* By the average year's length this is too many, by one or two. */
	c.year = (int)((int64_t)days * YEARS_PER_CYCLE / DAYS_PER_CYCLE) + 1;
	while (days_before_year(c.year) > days)
		c.year--;
	days -= days_before_year(c.year);
	while (days >= days_before_month(c.year, c.month + 1))
		c.month++;
	c.day = days - days_before_month(c.year, c.month) + 1;
	return c;
}

/* Takes exactly n digits. */
static bool
take_digits(struct str *s, size_t n, int *out_value)
{
	int value = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned digit = (unsigned char)s->p[i] - (unsigned)'0';

		if (digit > 9)
			return false;
		value = value * 10 + (int)digit;
	}
	*s = str_skip(*s, n);
	*out_value = value;
	return true;
}

static bool
take_text(struct str *s, const char *text, size_t n)
{
	if (!str_starts(*s, (struct str){ text, n }))
		return false;
	*s = str_skip(*s, n);
	return true;
}

/* The day's name, whole or its first three letters. */
static bool
take_weekday(struct str *s, bool is_short)
{
	for (size_t i = 0; i < 7; i++) {
		size_t n = is_short ? 3 : strlen(weekdays[i]);

		if (take_text(s, weekdays[i], n))
			return true;
	}
	return false;
}

static bool
take_month(struct str *s, int *out_month)
{
	for (int i = 0; i < 12; i++)
		if (take_text(s, months[i], 3)) {
			*out_month = i;
			return true;
		}
	return false;
}

/* asctime pads the day with a space. */
static bool
take_padded_day(struct str *s, int *out_day)
{
	size_t digits = take_text(s, " ", 1) ? 1 : 2;

	return take_digits(s, digits, out_day);
}

static bool
take_part(struct str *s, char part, struct civil *c)
{
	switch (part) {
	case 'W':
		return take_weekday(s, true);
	case 'L':
		return take_weekday(s, false);
	case 'D':
		return take_digits(s, 2, &c->day);
	case 'd':
		return take_padded_day(s, &c->day);
	case 'M':
		return take_month(s, &c->month);
	case 'Y':
		return take_digits(s, 4, &c->year);
	case 'y':
		return take_digits(s, 2, &c->year);
	case 'H':
		return take_digits(s, 2, &c->hour);
	case 'N':
		return take_digits(s, 2, &c->minute);
	case 'S':
		return take_digits(s, 2, &c->second);
	case 'Z':
		return take_text(s, "GMT", 3);
	default:
		return take_text(s, &part, 1);
	}
}

static bool
take_form(struct str s, const char *form, struct civil *c)
{
	for (; *form != '\0'; form++)
		if (!take_part(&s, *form, c))
			return false;
	return s.n == 0;
}

/*
 * Of the years that end in c's two digits, the last one that puts the time at
 * most 50 years after now.
 */
static int
year_of_two_digits(const struct civil *c, time_t now)
{
	struct civil half_a_century_less = *c;
	int century = civil_of_time(now).year / 100 * 100;

	for (int year = century + 100 + c->year; year >= 50; year -= 100) {
		half_a_century_less.year = year - 50;
		if (time_of_civil(&half_a_century_less) <= now)
			return year;
	}
	return c->year;
}

static bool
is_valid(const struct civil *c)
{
	int month_days = days_before_month(c->year, c->month + 1) -
	    days_before_month(c->year, c->month);

	return c->day >= 1 && c->day <= month_days && c->hour < 24 &&
	    c->minute < 60 && c->second <= 60;
}

/* Writes the n last digits of v. */
static char *
put_digits(char *at, int v, int n)
{
	for (int i = n - 1; i >= 0; i--) {
		at[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return at + n;
}

static char *
put_text(char *at, const char *text, size_t n)
{
	memcpy(at, text, n);
	return at + n;
}

static char *
put_clock(char *at, const struct civil *c)
{
	at = put_digits(at, c->hour, 2);
	*at++ = ':';
	at = put_digits(at, c->minute, 2);
	*at++ = ':';
	return put_digits(at, c->second, 2);
}

int
date_parse(struct str s, time_t now, time_t *out_time)
{
	struct civil c = { 0 };

	if (!take_form(s, imf_fixdate, &c) && !take_form(s, asctime_date, &c)) {
		if (!take_form(s, rfc850_date, &c))
			return -EINVAL;
		c.year = year_of_two_digits(&c, now);
	}
	if (!is_valid(&c))
		return -EINVAL;
	/* time_t knows no leap seconds. */
	if (c.second == 60)
		c.second = 59;
	*out_time = time_of_civil(&c);
	return 0;
}

void
date_write(char *at, time_t t)
{
	struct civil c = civil_of_time(t);

	at = put_text(at, weekdays[c.weekday], 3);
	at = put_text(at, ", ", 2);
	at = put_digits(at, c.day, 2);
	*at++ = ' ';
	at = put_text(at, months[c.month], 3);
	*at++ = ' ';
	at = put_digits(at, c.year, 4);
	*at++ = ' ';
	at = put_clock(at, &c);
	put_text(at, " GMT", 4);
}

void
date_write_iso(char *at, time_t t)
{
	struct civil c = civil_of_time(t);

	at = put_digits(at, c.year, 4);
	*at++ = '-';
	at = put_digits(at, c.month + 1, 2);
	*at++ = '-';
	at = put_digits(at, c.day, 2);
	*at++ = 'T';
	at = put_clock(at, &c);
	*at = 'Z';
}
