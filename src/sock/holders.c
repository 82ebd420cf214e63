/* SPDX-License-Identifier: ISC */
/*
 * holder_of_port (net/) reads text of /proc and knows listeners of TCP, which
 * is all that a web server needs.  Here the kernel's own list is at hand, so
 * that datagrams, paths, and connections that left from the port count, too.
 */
#include "sock/holders.h"

#include <stdio.h>

#include "sock/diag.h"
#include "sock/owners.h"

static enum diag_kind
kind_of(const struct endpoint *e)
{
	if (e->u.sa.sa_family == AF_UNIX)
		return DIAG_UNIX;
	return e->type == SOCK_DGRAM ? DIAG_UDP : DIAG_TCP;
}

/* "unix:/run/x" and "unix-dgram:/run/x" cannot be at once. */
static const char *
path_text(const struct endpoint *e, char text[ENDPOINT_TEXT])
{
	return strchr(endpoint_text(e, text), ':');
}

static bool
has_address(const struct diag_socket *s, const struct endpoint *e)
{
	char one[ENDPOINT_TEXT], other[ENDPOINT_TEXT];

	if (s->local.len == 0)
		return false;
	if (s->kind == DIAG_UNIX)
		return strcmp(path_text(&s->local, one),
		    path_text(e, other)) == 0;
	/* The port stands at one place in IPv4 and IPv6. */
	return s->local.u.in.sin_port == e->u.in.sin_port;
}

/* A process with many sockets there is named once. */
static bool
is_named(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; *text != '\0'; text += strspn(text, ", ")) {
		if (strncmp(text, name, n) == 0)
			return true;
		text += strcspn(text, ",");
	}
	return false;
}

static void
add_name(const char *name, char *text, size_t size)
{
	size_t n = strlen(text);

	if (is_named(text, name))
		return;
	if (strlen(name) + sizeof(", ") <= size - n)
		snprintf(text + n, size - n, "%s%s", n > 0 ? ", " : "", name);
}

static void
add_owner(const struct owner *o, char *text, size_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "%s[%d]", o->comm, o->pid);
	add_name(name, text, size);
}

/* The one that stays longest: then the port is free. */
static void
add_time_wait(const struct diag_list *list, const struct endpoint *e,
    char *text, size_t size)
{
	uint32_t ms = 0;
	char name[64];

	for (size_t i = 0; i < list->n; i++) {
		const struct diag_socket *s = &list->sockets[i];

		if (s->timer == DIAG_TIMER_TIME_WAIT && has_address(s, e) &&
		    s->timer_ms > ms)
			ms = s->timer_ms;
	}
	if (ms == 0)
		return;
	snprintf(name, sizeof(name), "a connection in TIME_WAIT for %u s",
	    (ms + 999) / 1000);
	add_name(name, text, size);
}

const char *
holders_of(const struct endpoint *e, char *text, size_t size)
{
	struct diag_list list = { .n = 0 };
	struct owners owners = { .n = 0 };
	const struct owner *first;
	size_t n;

	text[0] = '\0';
	if (diag_read(&list, kind_of(e), false) < 0 || owners_read(&owners) < 0)
		goto out;
	for (size_t i = 0; i < list.n; i++) {
		if (!has_address(&list.sockets[i], e))
			continue;
		first = owners_find(&owners, list.sockets[i].inode, &n);
		for (size_t k = 0; first != NULL && k < n; k++)
			add_owner(&first[k], text, size);
	}
	add_time_wait(&list, e, text, size);
out:
	owners_free(&owners);
	diag_free(&list);
	return text;
}
