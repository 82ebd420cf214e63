/* SPDX-License-Identifier: ISC */
/*
 * sock serve --pause: a server that stands still where the lecture asks what
 * happens meanwhile.  Before accept(2) clients wait in the backlog, before the
 * first read bytes fill the windows, before close(2) the connection stays in
 * CLOSE_WAIT.  Datagram sockets are not read at first, and lose what comes.
 */
#include <errno.h>

#include "sock/serve_priv.h"

#define TIME_BYTES 32

static const struct {
	struct str name;
	size_t offset;
} steps[] = {
	{ STR("listen"), offsetof(struct pauses, listen_ms) },
	{ STR("read"), offsetof(struct pauses, read_ms) },
	{ STR("close"), offsetof(struct pauses, close_ms) },
};

/* "read:5s"; without a step it is read. */
static int
parse_one(struct str text, struct pauses *p)
{
	struct str name, time = text;
	int64_t *field = &p->read_ms;
	char room[TIME_BYTES];

	str_cut(&time, ':', &name);
	if (time.p != NULL) {
		field = NULL;
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (str_eq(name, steps[i].name))
				field = (void *)((char *)p + steps[i].offset);
	} else {
		time = name;
	}
	if (field == NULL || time.n >= sizeof(room))
		return -EINVAL;
	*str_put(room, time) = '\0';
	return options_time(room, field);
}

int
pauses_parse(const char *text, struct pauses *out_pauses)
{
	struct str rest = str_of(text), one;
	struct pauses p = { .read_ms = 0 };

	while (str_cut(&rest, ',', &one))
		if (parse_one(one, &p) < 0)
			return -EINVAL;
	*out_pauses = p;
	return 0;
}

void
pause_say(const struct server *s, const char *text, const char *before,
    int64_t ms)
{
	char time[SAY_UNIT_TEXT];
	struct record r;

	record_begin(&r, "wait");
	record_text(&r, "address", text);
	record_text(&r, "before", before);
	record_real(&r, "seconds", (double)ms / 1e3);
	record_say(&r, serve_where(s), "%s: no %s for %s", text, before,
	    say_time((double)ms / 1e3, time));
}

/* ------------------------------------------------------------- listeners */

static void
on_pause_over(struct timer *t)
{
	struct listener *l = list_entry(t, struct listener, pause);

	l->is_standing = false;
	serve_go_on(l);
}

void
pause_listener(struct listener *l)
{
	const struct server *s = l->server;
	bool is_datagram = l->local.type == SOCK_DGRAM;
	int64_t ms = is_datagram ? s->pauses.read_ms : s->pauses.listen_ms;

	if (ms == 0)
		return;
	l->is_standing = true;
	l->pause.fn = on_pause_over;
	loop_want(s->loop, &l->watch, 0);
	loop_timer_start(s->loop, &l->pause, ms);
	pause_say(s, l->text, is_datagram ? "read" : "accept", ms);
}
