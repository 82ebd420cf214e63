/* SPDX-License-Identifier: ISC */
/* sock serve --talk: a client has our terminal until it ends. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "sock/call.h"
#include "sock/relay.h"
#include "sock/serve_priv.h"
#include "sock/stop.h"

static enum outcome
talk_with(const struct serve *asked, int fd, const char *peer,
    bool *out_is_stopped)
{
	struct relay r = {
		.timeout_ms = asked->job.timeout_ms,
		.for_ms = asked->job.for_ms,
	};
	enum outcome o;

	r.ends[0] = (struct end){
		.text = "-",
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.has_end = true,
		.is_stdio = true,
	};
	end_of_socket(&r.ends[1], peer, fd);
	o = relay_run(&r);
	*out_is_stopped = r.stopped_by != 0;
	end_close(&r.ends[1], r.is_cut);
	return o;
}

/* The next client, or -1 when we were told to stop. */
static int
next_client(int listener, int stop_fd, struct endpoint *peer)
{
	struct pollfd p[2] = {
		{ listener, POLLIN, 0 },
		{ stop_fd, POLLIN, 0 },
	};
	int fd;

	for (;;) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			return -1;
		if (p[1].revents != 0)
			return -1;
		peer->len = sizeof(peer->u);
		fd = call_accept(listener, &peer->u.sa, &peer->len,
		    SOCK_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
}

enum outcome
serve_talk(const struct serve *asked, int listener)
{
	enum outcome o = OUTCOME_DONE;
	struct endpoint peer = { .type = SOCK_STREAM };
	char text[ENDPOINT_TEXT];
	struct record r;
	bool is_stopped;
	int fd, stop_fd;

	for (uint64_t i = 0; i == 0 || i < asked->job.count; i++) {
		stop_fd = stop_open();
		if (stop_fd < 0)
			return say_error(OUTCOME_LOCAL, NULL, "signalfd",
			    stop_fd, NULL);
		fd = next_client(listener, stop_fd, &peer);
		stop_close(stop_fd);
		if (fd < 0)
			break;
		endpoint_text(&peer, text);
		record_begin(&r, "accept");
		record_text(&r, "peer", text);
		record_say(&r, SAY_STATUS, "connection from %s", text);
		o = talk_with(asked, fd, text, &is_stopped);
		if (o != OUTCOME_DONE || is_stopped)
			break;
	}
	return o;
}
