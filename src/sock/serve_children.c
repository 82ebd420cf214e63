/* SPDX-License-Identifier: ISC */
/*
 * sock serve with a process for each client (the engines fork and
 * select-fork).  The lecture's servers of this kind forget two things: to close
 * in the parent what the child has, and to wait for more than one child when
 * one signal stands for many.  net/children.h does both.
 */
#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sock/serve_priv.h"

/* What children tell their parent when they end. */
struct totals {
	_Atomic uint64_t bytes_in, bytes_out;
};

static struct server *
server_of(struct children *c)
{
	return list_entry(c, struct server, children);
}

/* In the child */

static void
serve_as_child(struct children *c, int fd, const struct addr *peer)
{
	struct server *s = server_of(c);

	(void)peer;
	s->is_child = true;
	serve_leave(s);
	s->n_clients = 0;
	s->bytes_in = s->bytes_out = 0;
	client_open(s, s->for_child, fd, s->peer_for_child);
	if (s->n_clients == 0)
		loop_stop(s->loop);
}

/* Nobody asks for that: whoever is told to stop ends at once. */
static void
finish_as_child(struct children *c)
{
	(void)c;
}

static void
end_as_child(struct children *c)
{
	loop_stop(server_of(c)->loop);
}

/* In the parent */

static void
on_ended(struct children *c)
{
	struct server *s = server_of(c);

	s->n_clients--;
	serve_count(s);
}

static void
on_stuck(struct children *c, int err)
{
	struct server *s = server_of(c);

	if (s->is_child)
		return;
	s->is_stuck = err < 0;
	if (err == 0) {
		serve_count(s);
		return;
	}
	say_error(OUTCOME_LOCAL, NULL, "fork", err, "who comes now waits");
	serve_pause(s, err);
}

enum outcome
children_start(struct server *s)
{
	int err;

	s->children = (struct children){
		.serve = serve_as_child,
		.finish = finish_as_child,
		.end = end_as_child,
		.on_ended = on_ended,
		.on_stuck = on_stuck,
	};
	s->totals = mmap(NULL, sizeof(*s->totals), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	err = s->totals == MAP_FAILED ? -errno : 0;
	if (err == 0)
		err = children_open(&s->children, s->loop);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, NULL, "children", err, NULL);
	return OUTCOME_DONE;
}

void
children_take(struct listener *l, int fd, const char *peer)
{
	struct server *s = l->server;
	/* It has room for no path; what is said needs the text alone. */
	struct addr unknown = { .len = 0 };

	s->n_clients++;
	s->for_child = l;
	snprintf(s->peer_for_child, sizeof(s->peer_for_child), "%s", peer);
	children_serve(&s->children, fd, &unknown);
}

void
children_stop(struct server *s)
{
	if (s->totals == NULL || s->totals == MAP_FAILED)
		return;
	children_close(&s->children);
	if (s->is_child) {
		atomic_fetch_add(&s->totals->bytes_in, s->bytes_in);
		atomic_fetch_add(&s->totals->bytes_out, s->bytes_out);
	} else {
		s->bytes_in += atomic_load(&s->totals->bytes_in);
		s->bytes_out += atomic_load(&s->totals->bytes_out);
	}
	munmap(s->totals, sizeof(*s->totals));
}
