/* SPDX-License-Identifier: ISC */
/* Datagrams of sock serve: each has its sender, and no connection. */
#include <errno.h>
#include <stdlib.h>

#include "sock/call.h"
#include "sock/serve_priv.h"

#define MESSAGE_MAX (256 * 1024) /* a UNIX datagram may be longer than UDP's */
#define MESSAGES 64             /* before others have a turn */

static void
say_message(const struct listener *l, const char *peer, ssize_t n)
{
	struct record r;

	record_begin(&r, "message");
	record_text(&r, "local", l->text);
	record_text(&r, "peer", peer);
	record_number(&r, "bytes", n);
	record_say(&r, serve_where(l->server), "%s: %zd B from %s", l->text, n,
	    peer);
}

/* A sender without a name, on a UNIX socket, cannot be answered. */
static void
echo(struct listener *l, const struct endpoint *peer, const char *p, size_t n)
{
	ssize_t sent;

	if (peer->len <= sizeof(sa_family_t))
		return;
	sent = call_sendto(l->watch.fd, p, n, MSG_NOSIGNAL, &peer->u.sa,
	    peer->len);
	if (sent > 0)
		l->server->bytes_out += (uint64_t)sent;
}

static void
take_message(struct listener *l, const struct endpoint *peer, const char *p,
    size_t n)
{
	struct server *s = l->server;
	char text[ENDPOINT_TEXT];

	endpoint_text(peer, text);
	s->n_messages++;
	s->bytes_in += n;
	say_message(l, text, (ssize_t)n);
	if (s->mode == SERVE_ECHO)
		echo(l, peer, p, n);
	else if (s->mode == SERVE_SHOW)
		serve_show(s, text, (struct str){ p, n });
	serve_count(s);
}

void
message_serve(struct listener *l)
{
	const struct job *job = &l->server->asked->job;
	char *room = malloc(MESSAGE_MAX);
	struct endpoint peer;
	int most = MESSAGES;
	ssize_t n;

	/* One at a time: then the next address has its turn. */
	if (l->server->policy == ENGINE_ONE)
		most = 1;
	for (int i = 0; room != NULL && i < most; i++) {
		if (job->count > 0 && l->server->n_accepted +
		    l->server->n_messages >= job->count)
			break;
		peer = (struct endpoint){
			.len = sizeof(peer.u),
			.type = l->local.type,
			.protocol = l->local.protocol,
		};
		n = call_recvfrom(l->watch.fd, room, MESSAGE_MAX, MSG_TRUNC,
		    &peer.u.sa, &peer.len);
		/* ICMP errors of what we sent before are told here, too. */
		if (n < 0)
			break;
		if (n > MESSAGE_MAX)
			say_error(OUTCOME_PARTIAL, l->text, "receive",
			    EMSGSIZE, "a message of %zd bytes was lost", n);
		else
			take_message(l, &peer, room, (size_t)n);
	}
	free(room);
}
