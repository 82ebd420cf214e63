/* SPDX-License-Identifier: ISC */
/* Shared by the pollers that are libraries of their own. */
#include "net/readyset_priv.h"

#include <stdlib.h>

#include "net/fdtable_priv.h"

void
readyset_init(struct readyset *s)
{
	*s = (struct readyset){ .n_entries = 0 };
	list_init(&s->ready);
}

void
readyset_fini(struct readyset *s)
{
	for (size_t i = 0; i < s->n_entries; i++)
		free(s->entries[i]);
	free(s->entries);
}

static struct ready_entry *
entry_new(struct readyset *s, int fd, size_t size)
{
	struct ready_entry *e = calloc(1, size);

	if (e == NULL)
		return NULL;
	list_init(&e->node);
	e->set = s;
	e->fd = fd;
	return e;
}

void *
readyset_reach(struct readyset *s, int fd, size_t size)
{
	struct ready_entry **table;

	table = fdtable_reach(s->entries, &s->n_entries, sizeof(*table), fd);
	if (table == NULL)
		return NULL;
	s->entries = table;
	if (table[fd] == NULL)
		table[fd] = entry_new(s, fd, size);
	if (table[fd] != NULL) {
		list_remove(&table[fd]->node);
		table[fd]->ready = 0;
	}
	return table[fd];
}

void
ready_last(struct ready_entry *e, unsigned ready)
{
	if (e->ready == 0)
		list_append(&e->set->ready, &e->node);
	e->ready |= ready;
}

void
ready_first(struct ready_entry *e, unsigned ready)
{
	if (e->ready == 0)
		list_append(e->set->ready.next, &e->node);
	e->ready |= ready;
}

int
readyset_take(struct readyset *s, struct poller_event *events, int max)
{
	int n = 0;

	while (n < max && !list_is_empty(&s->ready)) {
		struct ready_entry *e = list_entry(s->ready.next,
		    struct ready_entry, node);

		list_remove(&e->node);
		events[n++] = (struct poller_event){ e->fd, e->ready };
		e->ready = 0;
	}
	return n;
}
