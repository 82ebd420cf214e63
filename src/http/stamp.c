/* SPDX-License-Identifier: ISC */
#include "http/stamp.h"

#include <stdio.h>

#include "http/date.h"

void
stamp_init(struct stamp *s, const char *server)
{
	int n = 0;

	if (*server != '\0')
		n = snprintf(s->text, sizeof(s->text), "Server: %s\r\n",
		    server);
	s->made = -1;
	s->date_at = (size_t)n + strlen("Date: ");
	n += snprintf(s->text + n, sizeof(s->text) - (size_t)n,
	    "Date: %*s\r\n", DATE_LEN, "");
	s->n = (size_t)n;
}

struct str
stamp_lines(struct stamp *s, time_t now)
{
	if (now != s->made) {
		date_write(s->text + s->date_at, now);
		s->made = now;
	}
	return (struct str){ s->text, s->n };
}
