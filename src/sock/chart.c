/* SPDX-License-Identifier: ISC */
/*
 * A chart of text.  A cell of braille has two dots by four, so that lines are
 * smooth; in ASCII each curve is drawn with a letter of its own.  The name of a
 * curve stands at its end.
 */
#include "sock/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLS 48
#define ROWS 20
#define DOTS_X 2
#define DOTS_Y 4

struct cell {
	unsigned char dots;     /* of U+2800 */
	char letter;            /* of the last curve that came by */
};

struct picture {
	const struct chart *chart;
	struct chart_range x, y;
	struct cell cells[ROWS][COLS];
	unsigned n, named[CHART_CURVES_MAX];    /* curves with points */
	double rows[CHART_CURVES_MAX];          /* of their names */
};

/* --------------------------------------------------------------- placing */

static void
widen(struct chart_range *r, double value)
{
	if (value < r->least)
		r->least = value;
	if (value > r->most)
		r->most = value;
}

static void
round_out(struct chart_range *r)
{
	r->least = pow(10, floor(log10(r->least)));
	r->most = pow(10, ceil(log10(r->most)));
	if (r->most <= r->least)
		r->most = 10 * r->least;
}

bool
chart_ranges(const struct chart *c, struct chart_range *out_x,
    struct chart_range *out_y)
{
	struct chart_range x = { INFINITY, 0 }, y = { INFINITY, 0 };

	for (unsigned i = 0; i < c->n; i++)
		for (unsigned p = 0; p < c->curves[i].n; p++) {
			widen(&x, c->curves[i].points[p].x);
			widen(&y, c->curves[i].points[p].y);
		}
	if (x.most <= 0)
		return false;
	round_out(&y);
	/* The right edge is where the last curve ends: there are the names. */
	x.least = pow(10, floor(log10(x.least)));
	if (x.most <= x.least)
		x.most = 10 * x.least;
	*out_x = x;
	*out_y = y;
	return true;
}

double
chart_place(const struct chart_range *r, double value)
{
	return log10(value / r->least) / log10(r->most / r->least);
}

/* In the order of their places; there are few. */
static void
sort_places(const double *places, unsigned *order, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = i;

		for (; at > 0 && places[order[at - 1]] > places[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

void
chart_spread(double *places, unsigned n, double apart, double low,
    double high)
{
	unsigned order[CHART_CURVES_MAX];

	sort_places(places, order, n);
	for (unsigned i = 0; i < n; i++) {
		double least = i == 0 ? low : places[order[i - 1]] + apart;

		if (places[order[i]] < least)
			places[order[i]] = least;
	}
	for (unsigned i = n; i-- > 0;) {
		double most = i + 1 == n ? high : places[order[i + 1]] - apart;

		if (places[order[i]] > most)
			places[order[i]] = most;
	}
}

/* --------------------------------------------------------------- drawing */

static void
dot(struct picture *p, double x, double y, char letter)
{
	/* Which bit of U+2800 is at which column and row of the cell. */
	static const unsigned char bits[DOTS_Y][DOTS_X] = {
		{ 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 },
	};
	int col = (int)(x * (COLS * DOTS_X - 1) + 0.5);
	int row = (int)((1 - y) * (ROWS * DOTS_Y - 1) + 0.5);
	struct cell *c = &p->cells[row / DOTS_Y][col / DOTS_X];

	c->dots |= bits[row % DOTS_Y][col % DOTS_X];
	c->letter = letter;
}

static void
line(struct picture *p, double x, double y, double to_x, double to_y,
    char letter)
{
	const int steps = COLS * DOTS_X;

	for (int i = 0; i <= steps; i++)
		dot(p, x + (to_x - x) * i / steps, y + (to_y - y) * i / steps,
		    letter);
}

static char
letter_of(unsigned number)
{
	return (char)('a' + number % 26);
}

static void
draw(struct picture *p, unsigned number)
{
	const struct chart_curve *c = &p->chart->curves[number];
	char letter = letter_of(number);
	double x = 0, y = 0;

	for (unsigned i = 0; i < c->n; i++) {
		double to_x = chart_place(&p->x, c->points[i].x);
		double to_y = chart_place(&p->y, c->points[i].y);

		line(p, i == 0 ? to_x : x, i == 0 ? to_y : y, to_x, to_y,
		    letter);
		x = to_x;
		y = to_y;
	}
}

/* -------------------------------------------------------------- printing */

static void
print_cell(const struct cell *c, bool has_utf8, FILE *out)
{
	if (c->dots == 0)
		fputc(' ', out);
	else if (has_utf8)
		fprintf(out, "\xe2%c%c", 0xa0 | c->dots >> 6,
		    0x80 | (c->dots & 0x3f));
	else
		fputc(c->letter, out);
}

/* A number at each power of ten, on the row that it lies in. */
static void
print_scale(const struct picture *p, int row, FILE *out)
{
	for (double v = p->y.least; v <= p->y.most * 1.01; v *= 10)
		if ((int)((1 - chart_place(&p->y, v)) * (ROWS * DOTS_Y - 1) +
		    0.5) / DOTS_Y == row) {
			fprintf(out, "%8g +", v);
			return;
		}
	fprintf(out, "%8s |", "");
}

static void
print_name(const struct picture *p, int row, bool has_utf8, FILE *out)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct chart_curve *c = &p->chart->curves[p->named[i]];

		if ((int)(p->rows[i] + 0.5) != row)
			continue;
		if (!has_utf8)
			fprintf(out, " %c", letter_of(p->named[i]));
		fprintf(out, " %s%s%s", c->name, *c->cause != '\0' ? ": " : "",
		    c->cause);
	}
}

static void
print_bottom(const struct picture *p, FILE *out)
{
	char text[COLS + 16] = "", number[16];

	fprintf(out, "%8s +", "");
	for (int i = 0; i < COLS; i++)
		fputc('-', out);
	memset(text, ' ', sizeof(text) - 1);
	for (double v = p->x.least; v <= p->x.most * 1.01; v *= 10) {
		int n = snprintf(number, sizeof(number), "%g", v);

		memcpy(text + (int)(chart_place(&p->x, v) * (COLS - 1)),
		    number, (size_t)n);
	}
	fprintf(out, "\n%10s%s\n%10s%s\n", "", text, "", p->chart->x_label);
}

/* Each beside the end of its curve, or as near as there is room. */
static void
place_names(struct picture *p)
{
	for (unsigned i = 0; i < p->chart->n; i++) {
		const struct chart_curve *c = &p->chart->curves[i];

		if (c->n == 0)
			continue;
		p->rows[p->n] = (ROWS - 1) *
		    (1 - chart_place(&p->y, c->points[c->n - 1].y));
		p->named[p->n++] = i;
	}
	chart_spread(p->rows, p->n, 1, 0, ROWS - 1);
}

void
chart_print(const struct chart *c, bool has_utf8, FILE *out)
{
	struct picture *p = calloc(1, sizeof(*p));

	if (p == NULL || !chart_ranges(c, &p->x, &p->y)) {
		free(p);
		return;
	}
	p->chart = c;
	for (unsigned i = 0; i < c->n; i++)
		draw(p, i);
	place_names(p);
	fprintf(out, "%s\n", c->title);
	for (int row = 0; row < ROWS; row++) {
		print_scale(p, row, out);
		for (int col = 0; col < COLS; col++)
			print_cell(&p->cells[row][col], has_utf8, out);
		print_name(p, row, has_utf8, out);
		fputc('\n', out);
	}
	print_bottom(p, out);
	free(p);
}
