/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_CHART_H
#define SWS_SOCK_CHART_H

/* Curves on logarithmic axes: on a terminal here, as a picture in svg.h. */

#include <stdbool.h>
#include <stdio.h>

#define CHART_CURVES_MAX 32
#define CHART_POINTS_MAX 32

struct chart_curve {
	const char *name;
	const char *cause;      /* why it ends where it does; "": as all do */
	unsigned n;             /* 0: it is not drawn, but keeps its colour */
	struct {
		double x, y;    /* above 0; x grows */
	} points[CHART_POINTS_MAX];
};

struct chart {
	const char *title;
	const char *x_label;
	unsigned n;
	struct chart_curve curves[CHART_CURVES_MAX];
};

/* From one power of ten to another; all points of the chart lie within. */
struct chart_range {
	double least, most;
};

/* False when there is no point. */
bool chart_ranges(const struct chart *c, struct chart_range *out_x,
    struct chart_range *out_y);

/* Where a value lies, from 0 to 1. */
double chart_place(const struct chart_range *r, double value);

/*
 * Moves places apart, each at least `apart` from the others and all from
 * `low` to `high`, where that fits, keeping their order.
 */
void chart_spread(double *places, unsigned n, double apart, double low,
    double high);

/* In dots of braille, or in letters where the locale has no UTF-8. */
void chart_print(const struct chart *c, bool has_utf8, FILE *out);

#endif
