/* SPDX-License-Identifier: ISC */
/*
 * One direction of a relay: how it goes, what it reads and what it writes.
 * Whether its descriptors are ready is for relay.c to know.
 */
#include "sock/relay_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sock/call.h"

#define DATAGRAM_SENT 8192      /* of a stream made into datagrams */

/* --------------------------------------------------------------- set up */

static bool
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static enum how
choose_how(const struct relay *r, const struct flow *f)
{
	if (r->has_lines && f->to == &r->ends[1])
		return HOW_LINES;
	if (f->from->has_messages || f->to->has_messages)
		return HOW_MESSAGES;
	if (r->shows_bytes || say_style()->shows_calls || f->from->has_limit)
		return HOW_COPY;
	if (is_pipe(f->from->in_fd))
		return HOW_SPLICE_IN;
	if (is_pipe(f->to->out_fd))
		return HOW_SPLICE_OUT;
	return HOW_SPLICE;
}

int
flow_use_buffer(struct flow *f, enum how how)
{
	f->how = how;
	if (f->buffer == NULL)
		f->buffer = malloc(RELAY_CHUNK);
	return f->buffer == NULL ? -ENOMEM : 0;
}

bool
flow_is_straight(const struct flow *f)
{
	return f->how == HOW_SPLICE_IN || f->how == HOW_SPLICE_OUT;
}

int
flow_open(const struct relay *r, struct flow *f)
{
	f->pipe[0] = f->pipe[1] = -1;
	f->is_tty = isatty(f->from->in_fd) == 1;
	f->how = choose_how(r, f);
	if (f->how == HOW_SPLICE || flow_is_straight(f))
		return splice_open(f);
	return flow_use_buffer(f, f->how);
}

void
flow_close(struct flow *f)
{
	if (f->pipe[0] != -1) {
		close(f->pipe[0]);
		close(f->pipe[1]);
	}
	free(f->buffer);
}

void
flow_fail(struct flow *f, int err, bool is_writing)
{
	f->failed = err;
	f->has_failed_writing = is_writing;
	f->is_ended = f->is_done = true;
}

/* -------------------------------------------------------------- reading */

/* How much may be read at once; 0 once a source of a size has given it all. */
static size_t
read_size(const struct flow *f, size_t room)
{
	if (f->from->has_limit && f->from->left < room)
		room = (size_t)f->from->left;
	return room;
}

static ssize_t
read_some(struct flow *f, void *p, size_t room)
{
	/* With MSG_TRUNC a message tells its whole length. */
	int flags = MSG_DONTWAIT | (f->from->has_messages ? MSG_TRUNC : 0);
	ssize_t n;

	if (f->from->is_socket)
		n = call_recv(f->from->in_fd, p, room, flags);
	else
		n = call_read(f->from->in_fd, p, room);
	if (n > (ssize_t)room)
		return -EMSGSIZE;
	if (n > 0 && f->from->has_limit)
		f->from->left -= (uint64_t)n;
	return n;
}

bool
flow_wants_bytes(const struct flow *f)
{
	if (f->is_ended)
		return false;
	if (f->how == HOW_LINES)
		return f->n < RELAY_CHUNK && (f->n == 0 ||
		    memchr(f->buffer + f->at, '\n', f->n) == NULL);
	return f->n == 0 && !f->has_message;
}

void
flow_got(struct flow *f, ssize_t n)
{
	if (n > 0)
		f->n += (size_t)n;
	else if (n == 0)
		f->is_ended = true;
	else if (n != -EAGAIN && n != -EINTR)
		flow_fail(f, (int)n, false);
}

static void
fill_message(struct flow *f)
{
	size_t room = f->from->has_messages ? RELAY_CHUNK : DATAGRAM_SENT;
	ssize_t n;

	f->at = 0;
	n = read_some(f, f->buffer, read_size(f, room));
	/* An empty datagram is a message like others. */
	f->has_message = n > 0 || (n == 0 && !f->from->has_end);
	if (!f->has_message)
		flow_got(f, n);
	else
		f->n = (size_t)n;
}

static void
fill_buffer(struct flow *f)
{
	size_t room;

	if (f->at > 0) {
		memmove(f->buffer, f->buffer + f->at, f->n);
		f->at = 0;
	}
	room = read_size(f, RELAY_CHUNK - f->n);
	flow_got(f, read_some(f, f->buffer + f->n, room));
}

void
flow_fill(struct flow *f)
{
	if (f->how == HOW_MESSAGES)
		fill_message(f);
	else if (f->how == HOW_COPY || f->how == HOW_LINES)
		fill_buffer(f);
	else
		splice_fill(f);
}

/* -------------------------------------------------------------- writing */

/* A pipe that is writable takes PIPE_BUF bytes without waiting, not more. */
static ssize_t
write_some(struct flow *f, const char *p, size_t n)
{
	if (f->to->is_socket)
		return call_send(f->to->out_fd, p, n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (f->how == HOW_COPY && n > PIPE_BUF && is_pipe(f->to->out_fd))
		n = PIPE_BUF;
	return call_write(f->to->out_fd, p, n);
}

/* How much of what waits may go now: with lines, one of them. */
static size_t
write_size(const struct flow *f)
{
	const char *p, *end;

	if (f->how != HOW_LINES)
		return f->n;
	p = f->buffer + f->at;
	end = f->n > 0 ? memchr(p, '\n', f->n) : NULL;
	if (end != NULL)
		return (size_t)(end - p) + 1;
	return f->is_ended || f->n == RELAY_CHUNK ? f->n : 0;
}

bool
flow_wants_to_write(const struct flow *f)
{
	return f->has_message || write_size(f) > 0;
}

void
flow_drain(const struct relay *r, struct flow *f)
{
	size_t size = write_size(f);
	ssize_t n;

	if (f->how == HOW_SPLICE)
		n = splice_drain(f);
	else
		n = write_some(f, f->buffer + f->at, size);
	if (n == -EAGAIN || n == -EINTR || n == -ENOBUFS)
		return;
	if (n < 0) {
		flow_fail(f, (int)n, true);
		return;
	}
	if (f->buffer != NULL)
		relay_show_bytes(r, f, (size_t)n);
	*f->passed += (uint64_t)n;
	f->at += (size_t)n;
	f->n -= (size_t)n;
	f->messages += (size_t)n == size;
	f->has_message = f->has_message && f->n > 0;
}
