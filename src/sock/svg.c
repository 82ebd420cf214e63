/* SPDX-License-Identifier: ISC */
/* Colours that tell curves apart on both grounds; dashes tell them twice. */
#include "sock/svg.h"

#include <errno.h>
#include <math.h>

#define WIDTH 860
#define HEIGHT 440              /* of a chart */
#define LEFT 64
#define TOP 44
#define PLOT_WIDTH 520
#define PLOT_HEIGHT 340
#define NAME_APART 15

#define N_COLOURS 8
static const struct {
	const char *light, *dark;
} colours[N_COLOURS] = {
	{ "#0b62c4", "#6db3ff" },
	{ "#c2410c", "#ff9a5c" },
	{ "#15803d", "#5fd38a" },
	{ "#a21caf", "#f08bff" },
	{ "#92680a", "#e6c34a" },
	{ "#be123c", "#ff8098" },
	{ "#0e7490", "#4fd1e6" },
	{ "#4b5563", "#b6bfca" },
};

static const char *const dashes[] = { "none", "7 3", "2 3" };

static double
x_of(const struct chart_range *r, double v)
{
	return LEFT + PLOT_WIDTH * chart_place(r, v);
}

static double
y_of(const struct chart_range *r, double v)
{
	return TOP + PLOT_HEIGHT * (1 - chart_place(r, v));
}

static void
put_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else
			fputc(*text, out);
	}
}

static void
put_style(FILE *out)
{
	fputs("<style>\n"
	    "text { font: 12px system-ui, sans-serif; fill: #1f2328; }\n"
	    ".title { font-size: 15px; font-weight: 600; }\n"
	    ".ground { fill: #ffffff; }\n"
	    ".grid { stroke: #d9dee4; stroke-width: 1; }\n"
	    ".thin { stroke-opacity: .45; }\n"
	    ".curve, .lead { fill: none; stroke-width: 1.8; }\n"
	    ".lead { stroke-width: .8; stroke-opacity: .6; }\n"
	    ".name { font-weight: 600; }\n", out);
	for (int i = 0; i < N_COLOURS; i++)
		fprintf(out, ".s%d { stroke: %s; } .f%d { fill: %s; }\n", i,
		    colours[i].light, i, colours[i].light);
	fputs("@media (prefers-color-scheme: dark) {\n"
	    "text { fill: #e6edf3; }\n"
	    ".ground { fill: #0d1117; }\n"
	    ".grid { stroke: #30363d; }\n", out);
	for (int i = 0; i < N_COLOURS; i++)
		fprintf(out, ".s%d { stroke: %s; } .f%d { fill: %s; }\n", i,
		    colours[i].dark, i, colours[i].dark);
	fputs("}\n</style>\n", out);
}

/* A line at one to nine of each power, a number at the powers. */
static void
put_grid_x(FILE *out, const struct chart_range *r)
{
	for (double ten = r->least; ten <= r->most * 1.01; ten *= 10)
		for (int i = 1; i < 10 && ten * i <= r->most * 1.01; i++) {
			fprintf(out, "<path class='grid%s' d='M%.1f %dv%d'/>\n",
			    i > 1 ? " thin" : "", x_of(r, ten * i), TOP,
			    PLOT_HEIGHT);
			if (i == 1)
				fprintf(out, "<text x='%.1f' y='%d' "
				    "text-anchor='middle'>%.0f</text>\n",
				    x_of(r, ten), TOP + PLOT_HEIGHT + 17, ten);
		}
}

static void
put_grid_y(FILE *out, const struct chart_range *r)
{
	for (double ten = r->least; ten <= r->most * 1.01; ten *= 10)
		for (int i = 1; i < 10 && ten * i <= r->most * 1.01; i++) {
			fprintf(out, "<path class='grid%s' d='M%d %.1fh%d'/>\n",
			    i > 1 ? " thin" : "", LEFT, y_of(r, ten * i),
			    PLOT_WIDTH);
			if (i == 1)
				fprintf(out, "<text x='%d' y='%.1f' "
				    "text-anchor='end'>%g</text>\n",
				    LEFT - 8, y_of(r, ten) + 4, ten);
		}
}

static void
put_curve(FILE *out, const struct chart_curve *c, unsigned number,
    const struct chart_range *x, const struct chart_range *y)
{
	fprintf(out, "<path class='curve s%u' stroke-dasharray='%s' d='",
	    number % N_COLOURS, dashes[number / N_COLOURS % 3]);
	for (unsigned i = 0; i < c->n; i++)
		fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L',
		    x_of(x, c->points[i].x), y_of(y, c->points[i].y));
	fputs("'/>\n", out);
	fprintf(out, "<circle class='f%u' r='3.2' cx='%.1f' cy='%.1f'/>\n",
	    number % N_COLOURS, x_of(x, c->points[c->n - 1].x),
	    y_of(y, c->points[c->n - 1].y));
}

/* The name beside the end, or where there is room, with a line to it. */
static void
put_name(FILE *out, const struct chart_curve *c, unsigned number, double x,
    double y, double at)
{
	const int to = LEFT + PLOT_WIDTH + 26;

	fprintf(out, "<path class='lead s%u' stroke-dasharray='%s' "
	    "d='M%.1f %.1fL%d %.1fh14'/>\n", number % N_COLOURS,
	    dashes[number / N_COLOURS % 3], x, y, to - 18, at);
	fprintf(out, "<text x='%d' y='%.1f'><tspan class='name f%u'>", to,
	    at + 4, number % N_COLOURS);
	put_text(out, c->name);
	fputs("</tspan>", out);
	if (*c->cause != '\0') {
		fputs(" \xe2\x80\x93 ", out);
		put_text(out, c->cause);
	}
	fputs("</text>\n", out);
}

static void
put_names(FILE *out, const struct chart *c, const struct chart_range *x,
    const struct chart_range *y)
{
	double at[CHART_CURVES_MAX], end_x, end_y;
	unsigned order[CHART_CURVES_MAX], n = 0;

	for (unsigned i = 0; i < c->n; i++) {
		if (c->curves[i].n == 0)
			continue;
		at[n] = y_of(y, c->curves[i].points[c->curves[i].n - 1].y);
		order[n++] = i;
	}
	chart_spread(at, n, NAME_APART, TOP, TOP + PLOT_HEIGHT);
	for (unsigned i = 0; i < n; i++) {
		const struct chart_curve *curve = &c->curves[order[i]];

		end_x = x_of(x, curve->points[curve->n - 1].x);
		end_y = y_of(y, curve->points[curve->n - 1].y);
		put_name(out, curve, order[i], end_x, end_y, at[i]);
	}
}

static void
put_chart(FILE *out, const struct chart *c, unsigned number)
{
	struct chart_range x, y;

	if (!chart_ranges(c, &x, &y))
		return;
	fprintf(out, "<g transform='translate(0 %u)'>\n", number * HEIGHT);
	fprintf(out, "<text class='title' x='%d' y='24'>", LEFT);
	put_text(out, c->title);
	fputs("</text>\n", out);
	put_grid_x(out, &x);
	put_grid_y(out, &y);
	fprintf(out, "<text x='%d' y='%d' text-anchor='middle'>",
	    LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT + 38);
	put_text(out, c->x_label);
	fputs("</text>\n", out);
	for (unsigned i = 0; i < c->n; i++)
		if (c->curves[i].n > 0)
			put_curve(out, &c->curves[i], i, &x, &y);
	put_names(out, c, &x, &y);
	fputs("</g>\n", out);
}

int
svg_write(const char *path, const struct chart *const *charts, unsigned n)
{
	FILE *out = fopen(path, "we");

	if (out == NULL)
		return -errno;
	fprintf(out, "<svg xmlns='http://www.w3.org/2000/svg' width='%d' "
	    "height='%u' viewBox='0 0 %d %u'>\n", WIDTH, n * HEIGHT, WIDTH,
	    n * HEIGHT);
	put_style(out);
	fprintf(out, "<rect class='ground' width='%d' height='%u'/>\n", WIDTH,
	    n * HEIGHT);
	for (unsigned i = 0; i < n; i++)
		put_chart(out, charts[i], i);
	fputs("</svg>\n", out);
	if (ferror(out)) {
		fclose(out);
		return -EIO;
	}
	return fclose(out) == 0 ? 0 : -errno;
}
