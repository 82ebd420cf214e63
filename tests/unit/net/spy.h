/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_UNIT_NET_SPY_H
#define SWS_TESTS_UNIT_NET_SPY_H

/*
 * Watches and timers that write a trace: a letter for each call of a watch, a
 * dot for each call of a timer, in their order.
 */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "net/loop.h"

#include "engines.h"

static char trace[64];
static size_t traced;

static inline void
note(char c)
{
	if (traced < sizeof(trace) - 1)
		trace[traced++] = c;
	trace[traced] = '\0';
}

/* A watched descriptor; its peer is the other end. */
struct spy {
	struct watch watch;
	int peer;
	char letter;
	unsigned calls, ready;  /* how often, and with what at last */
	void (*act)(struct spy *s);
	struct spy *other;
	struct loop *loop;
};

static inline void
on_ready(struct watch *w, unsigned ready)
{
	struct spy *s = list_entry(w, struct spy, watch);

	note(s->letter);
	s->calls++;
	s->ready = ready;
	if (s->act != NULL)
		s->act(s);
}

static inline void
fill(struct spy *s, struct loop *l, char letter, int fd, int peer)
{
	*s = (struct spy){
		.watch = { .fn = on_ready, .fd = fd },
		.peer = peer,
		.letter = letter,
		.loop = l,
	};
}

static inline void
spy_pair(struct spy *s, struct loop *l, char letter)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	fill(s, l, letter, ends[0], ends[1]);
}

static inline void
spy_add(struct spy *s, unsigned wanted)
{
	s->watch.wanted = (unsigned char)wanted;
	assert_int_equal(loop_add(s->loop, &s->watch), 0);
}

/* Something to read. */
static inline void
feed(const struct spy *s)
{
	assert_int_equal(write(s->peer, "x", 1), 1);
}

static inline void
spy_open(struct spy *s, struct loop *l, char letter)
{
	spy_pair(s, l, letter);
	spy_add(s, READY_IN);
}

static inline void
drop(struct spy *s)
{
	loop_remove(s->loop, &s->watch);
	close(s->watch.fd);
	close(s->peer);
}

static inline void
want_nothing(struct spy *s)
{
	assert_int_equal(loop_want(s->loop, &s->watch, 0), 0);
}

static inline void
eat(struct spy *s)
{
	char c;

	assert_int_equal(read(s->watch.fd, &c, 1), 1);
}

/* A timer that notes its call, too, and may do something. */
struct bell {
	struct timer timer;
	void (*act)(struct bell *b);
	struct loop *loop;
	struct spy *spy;
	struct bell *other;
	unsigned calls;
	int64_t rung_ms;
	char letter;
};

static inline void
on_bell(struct timer *t)
{
	struct bell *b = list_entry(t, struct bell, timer);

	note(b->letter);
	b->calls++;
	b->rung_ms = clock_mono_ms();
	if (b->act != NULL)
		b->act(b);
}

static inline void
bell_start(struct bell *b, struct loop *l, int64_t after_ms)
{
	b->timer.fn = on_bell;
	b->loop = l;
	if (b->letter == '\0')
		b->letter = '.';
	assert_int_equal(loop_timer_start(l, &b->timer, after_ms), 0);
}

static inline int
begin(void **state)
{
	traced = 0;
	trace[0] = '\0';
	return engine_open(state);
}

static inline void
feed_spy(struct bell *b)
{
	feed(b->spy);
}

#endif
