/* SPDX-License-Identifier: ISC */
/* Labs on the end of TCP connections: TIME_WAIT, and SO_LINGER. */

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"

#define TEXT_BYTES 128
#define TRIES 3

/* ------------------------------------------------------------ timewait */

static int
listen_again(struct lab *lab, const struct lab_addr *at, bool reuses)
{
	int fd = lab_socket(lab, AF_INET, SOCK_STREAM, 0), err;

	if (reuses)
		lab_set(lab, fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", 1);
	err = lab_bind(lab, fd, at);
	if (err == 0)
		err = lab_listen(lab, fd, 1);
	lab_close(lab, fd);
	return err;
}

/* A server with one client is over; whose port is left in TIME_WAIT? */
static void
serve_once(struct lab *lab, struct lab_addr *at, bool reuses,
    bool server_first)
{
	int listener = lab_socket(lab, AF_INET, SOCK_STREAM, 0);
	int ends[2], server, client;
	struct lab_addr own;
	char text[TEXT_BYTES];

	if (reuses)
		lab_set(lab, listener, SOL_SOCKET, SO_REUSEADDR,
		    "SO_REUSEADDR", 1);
	lab_must(lab, lab_bind(lab, listener, at), "bind");
	lab_must(lab, lab_listen(lab, listener, 1), "listen");
	lab_name(lab, listener, at);
	client = lab_client(lab, at);
	lab_name(NULL, client, &own);
	server = lab_accept(lab, listener, NULL);
	ends[0] = server_first ? server : client;
	ends[1] = server_first ? client : server;
	lab_close(lab, ends[0]);
	lab_read(lab, ends[1], text, sizeof(text));
	lab_close(lab, ends[1]);
	lab_close(lab, listener);
	lab_await_state(lab, server_first ? lab_port(at) : lab_port(&own),
	    server_first ? lab_port(&own) : lab_port(at), TCP_TIME_WAIT);
	/* Its last acknowledgement is still to come; then the other is gone. */
	lab_await_state(lab, server_first ? lab_port(&own) : lab_port(at),
	    server_first ? lab_port(at) : lab_port(&own), -ENOENT);
}

static const struct {
	bool first_reuses, second_reuses, server_first;
	int err;
	const char *text;
} cases[] = {
	{ false, false, true, -EADDRINUSE,
	    "the server closed first; neither has SO_REUSEADDR" },
	{ false, true, true, -EADDRINUSE,
	    "the server closed first; only the second has SO_REUSEADDR" },
	{ true, true, true, 0,
	    "the server closed first; both have SO_REUSEADDR" },
	{ false, false, false, 0,
	    "the client closed first; neither has SO_REUSEADDR" },
};

void
lesson_timewait(struct lab *lab)
{
	struct lab_addr at;
	int err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		at = lab_inet("127.0.0.1", 0);
		serve_once(lab, &at, cases[i].first_reuses,
		    cases[i].server_first);
		err = listen_again(lab, &at, cases[i].second_reuses);
		lab_expect(lab, err == cases[i].err, "%s: %s", cases[i].text,
		    err == 0 ? "it listens again" : strerrorname_np(-err));
	}
	lab_say(lab, "Only who closes first is left in TIME_WAIT. A server that"
	    " does must have had SO_REUSEADDR before its own bind(2): on the"
	    " second one alone it comes too late.");
}

/* -------------------------------------------------------------- linger */

static void
set_linger(struct lab *lab, int fd, int seconds)
{
	struct linger l = { .l_onoff = 1, .l_linger = seconds };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	lab_note(lab, "setsockopt(%d, SO_LINGER, on, %d s)", fd, seconds);
}

/* More than the peer's window, so that some is never sent. */
static size_t
fill(int fd)
{
	static const char block[65536];
	size_t n = 0;
	ssize_t once;

	while ((once = send(fd, block, sizeof(block), MSG_DONTWAIT)) > 0)
		n += (size_t)once;
	return n;
}

static double
close_after(struct lab *lab, int linger_s)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener = lab_listener(lab, &at, 1);
	int client = lab_client(lab, &at);
	double begun;

	lab_accept(lab, listener, NULL);
	lab_note(lab, "%zu bytes sent, nobody reads", fill(client));
	if (linger_s >= 0)
		set_linger(lab, client, linger_s);
	begun = lab_ms();
	lab_close(lab, client);
	return lab_ms() - begun;
}

/* The least of several: a machine that stands still makes none shorter. */
static double
least_without(struct lab *lab)
{
	double least = close_after(lab, -1), ms;

	for (int i = 1; i < TRIES; i++) {
		ms = close_after(lab, -1);
		if (ms < least)
			least = ms;
	}
	return least;
}

void
lesson_linger(struct lab *lab)
{
	struct lab_addr at = lab_inet("127.0.0.1", 0);
	int listener = lab_listener(lab, &at, 1), server, client, n;
	char text[TEXT_BYTES];
	double ms;

	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	set_linger(lab, client, 0);
	lab_close(lab, client);
	lab_poll(lab, server, POLLIN, LAB_AWAIT_MS);
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == -ECONNRESET, "0 seconds: the peer gets %s",
	    n < 0 ? strerrorname_np(-n) : "no error");
	if (lab_is_private(lab))
		lab_expect(lab, lab_await(lab, 1, (struct lab_wanted){
		    .kind = PACKET_TCP, .flags = PACKET_RST,
		    .to_port = lab_port(&at) }), "close sent a RST");
	ms = least_without(lab);
	lab_expect(lab, ms < 900, "without it close returns at once: %.1f ms",
	    ms);
	/* Who is stopped and goes on has been interrupted in it. */
	ms = close_after(lab, 1);
	for (int i = 1; i < TRIES && ms <= 900; i++)
		ms = close_after(lab, 1);
	/* The kernel's tick may make the second a little short. */
	lab_expect(lab, ms > 900, "1 second: close waited %.0f ms for data"
	    " that nobody took", ms);
	lab_say(lab, "close(2) does not wait for data to arrive. SO_LINGER"
	    " makes it wait, so long at most; with 0 it throws all away and"
	    " resets.");
}
