/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_SERVE_PRIV_H
#define SWS_SOCK_SERVE_PRIV_H

/* What the files of sock serve share: one server, its listeners, clients. */

#include "base/list.h"
#include "net/children.h"
#include "net/engine.h"
#include "net/loop.h"
#include "sock/endpoint.h"

#define LISTENERS_MAX 16

/* What is done with what arrives. */
enum serve_mode {
	SERVE_SHOW,             /* written to standard output */
	SERVE_ECHO,
	SERVE_DISCARD,
	SERVE_SOURCE,           /* zeros are sent */
	SERVE_COMMAND,          /* a process for each client */
};

/* The options. */
struct serve {
	struct job job;
	const char *engine, *port_file, *idle, *source, *pause;
	bool echoes, discards, is_lecture, talks;
	uint64_t backlog, clients_max;
};

/* How long to stand still before accept(2), the first read, close(2). */
struct pauses {
	int64_t listen_ms, read_ms, close_ms;
};

struct server;
struct totals;

struct listener {
	struct watch watch;     /* fd is -1 while it is not open */
	struct server *server;
	struct endpoint local;
	struct timer pause;
	bool is_standing;       /* until that timer ends */
	char text[ENDPOINT_TEXT];
};

struct server {
	const struct serve *asked;
	enum serve_mode mode;
	bool has_source_size;
	uint64_t source_size;
	int64_t idle_ms;                /* 0: no remarks about idleness */
	struct pauses pauses;
	struct loop *loop;
	struct listener listeners[LISTENERS_MAX];
	unsigned n_listeners;
	struct list clients;
	unsigned n_clients;             /* in the list */
	uint64_t n_accepted, n_messages, bytes_in, bytes_out;
	uint64_t clients_max;
	bool is_paused;                 /* accepts nobody for now */
	enum engine_policy policy;
	unsigned turn;                  /* ENGINE_ONE: whose it is */
	/* ENGINE_CHILDREN: */
	struct children children;
	struct totals *totals;          /* of all children, shared */
	bool is_child, is_stuck;
	const struct listener *for_child;       /* who was accepted last */
	char peer_for_child[ENDPOINT_TEXT];
	struct watch stop;
	struct timer idle, end;
	int stopped_by;                 /* a signal, or 0 */
	enum outcome outcome;
};

/*
 * A stream client with the connected, non-blocking socket fd; `peer` is
 * copied.  The socket is the client's, also when this fails.
 */
void client_open(struct server *s, const struct listener *l, int fd,
    const char *peer);

/* Ends all that are left, without a word. */
void clients_close(struct server *s);

/* What a datagram socket has got. */
void message_serve(struct listener *l);

/* Bytes for standard output; false when nobody reads it any more. */
bool serve_show(struct server *s, const char *peer, struct str bytes);

/* A client is gone, or a message was served: is it enough? */
void serve_count(struct server *s);

/* What --pause takes: "5s", "listen:1m,close:10s".  0 or -EINVAL, -ERANGE. */
int pauses_parse(const char *text, struct pauses *out_pauses);

/* Says for how long there will be no `before`: "accept", "read", "close". */
void pause_say(const struct server *s, const char *text, const char *before,
    int64_t ms);

/* Stands still first, if that was asked for; then serve_go_on. */
void pause_listener(struct listener *l);
void serve_go_on(struct listener *l);

/* Accepts nobody until a client has gone. */
void serve_pause(struct server *s, int err);

/* In a child: what belongs to the parent is closed, and left alone. */
void serve_leave(struct server *s);

/*
 * A process for each client.  Opened before the listeners; says itself what
 * failed.
 */
enum outcome children_start(struct server *s);

/* The client that was accepted on l; in the child this returns as well. */
void children_take(struct listener *l, int fd, const char *peer);

/*
 * At the end: the parent waits for all that are left and adds what they
 * received and sent, a child tells it.
 */
void children_stop(struct server *s);

/* No remarks of sock's own among the lecture's lines. */
enum say_where serve_where(const struct server *s);

/* --talk: one client after the other has our standard input and output. */
enum outcome serve_talk(const struct serve *asked, int fd);

#endif
