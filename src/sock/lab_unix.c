/* SPDX-License-Identifier: ISC */
/*
 * Labs on the UNIX domain, unix(7): names, files and their permissions, and
 * datagrams, after the lecture's udgramread.c and udgramsend.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/lab_calls.h"
#include "sock/lab_list.h"
#include "sock/netns.h"

#define TEXT_BYTES 128
#define POEM "The sea is calm tonight, the tide is full . . ."

/* ----------------------------------------------------------- unix-file */

static void
show_file(struct lab *lab, const char *path)
{
	struct stat st;
	int err = lstat(path, &st) == -1 ? errno : 0;

	lab_note(lab, "lstat(\"%s\"): %s", path, err != 0 ?
	    strerrorname_np(err) : S_ISSOCK(st.st_mode) ? "a socket" :
	    "no socket");
	lab_expect(lab, err == 0 && S_ISSOCK(st.st_mode) && st.st_size == 0,
	    "bind(2) made a file: a socket, %lld bytes",
	    err == 0 ? (long long)st.st_size : -1);
}

static void
show_datagram(struct lab *lab)
{
	struct lab_addr from, at = lab_unix("socket");
	char text[TEXT_BYTES];
	int reader, sender, n;

	lab_as(lab, "udgramread");
	reader = lab_bound(lab, SOCK_DGRAM, &at);
	show_file(lab, "socket");
	lab_as(lab, "udgramsend");
	sender = lab_socket(lab, AF_UNIX, SOCK_DGRAM, 0);
	lab_send_to(lab, sender, POEM, &at);
	lab_as(lab, "udgramread");
	n = lab_receive_from(lab, reader, text, sizeof(text), &from);
	lab_expect(lab, n == (int)strlen(POEM), "--> %s", n > 0 ? text : "");
	lab_close(lab, reader);
	lab_close(lab, sender);
	show_file(lab, "socket");
}

/* The name is gone, the connection is not. */
static void
show_unlinked(struct lab *lab)
{
	struct lab_addr at = lab_unix("stream");
	int listener = lab_listener(lab, &at, 1), client, server, n;
	char text[TEXT_BYTES];

	client = lab_client(lab, &at);
	server = lab_accept(lab, listener, NULL);
	lab_note(lab, "unlink(\"stream\") = %d", unlink("stream"));
	lab_write(lab, client, "through what?");
	n = lab_read(lab, server, text, sizeof(text));
	lab_expect(lab, n == 13, "the file is removed, %d bytes still come",
	    n);
	n = lab_connect(lab, lab_socket(lab, AF_UNIX, SOCK_STREAM, 0), &at);
	lab_expect(lab, n == -ENOENT, "nobody new finds the way: ENOENT");
}

static void
show_abstract(struct lab *lab)
{
	struct lab_addr from, at = lab_unix("@sock-lab");
	int reader = lab_bound(lab, SOCK_DGRAM, &at), sender, n;
	char text[TEXT_BYTES];

	sender = lab_socket(lab, AF_UNIX, SOCK_DGRAM, 0);
	lab_send_to(lab, sender, "hello", &at);
	n = lab_receive_from(lab, reader, text, sizeof(text), &from);
	lab_expect(lab, n == 5 && access("@sock-lab", F_OK) == -1,
	    "an abstract name works without any file");
	lab_close(lab, reader);
	n = lab_send_to(lab, sender, "hello", &at);
	lab_expect(lab, n == -ECONNREFUSED,
	    "and is gone with its socket: ECONNREFUSED");
}

void
lesson_unix_file(struct lab *lab)
{
	show_datagram(lab);
	show_unlinked(lab);
	show_abstract(lab);
	lab_say(lab, "The file holds no byte and carries none: it is a name to"
	    " find each other by. It stays when its socket is gone; an"
	    " abstract name does not.");
}

/* --------------------------------------------------------------- stale */

static int
serve_until_killed(struct lab *lab, void *arg)
{
	const int *ready = arg;
	struct lab_addr stream = lab_unix("stream"), dgram = lab_unix("dgram");

	lab_listener(lab, &stream, 1);
	lab_bound(lab, SOCK_DGRAM, &dgram);
	if (write(ready[1], "x", 1) != 1)
		return 1;
	pause();
	return 0;
}

static int
connect_as(struct lab *lab, int type, const struct lab_addr *at)
{
	int fd = lab_socket(lab, AF_UNIX, type, 0);
	int err = lab_connect(lab, fd, at);

	lab_close(lab, fd);
	return err;
}

static void
show_remains(struct lab *lab, const char *path, int type, const char *kind)
{
	struct lab_addr at = lab_unix(path);
	int fd = lab_socket(lab, AF_UNIX, type, 0), err;

	err = lab_bind(lab, fd, &at);
	lab_expect(lab, err == -EADDRINUSE, "%s: a new server cannot bind:"
	    " EADDRINUSE", kind);
	err = connect_as(lab, type, &at);
	lab_expect(lab, err == -ECONNREFUSED, "%s: a client is refused", kind);
	err = open(path, O_RDWR | O_CLOEXEC) == -1 ? errno : 0;
	lab_expect(lab, err == ENXIO, "%s: open(2) of it: ENXIO", kind);
	lab_note(lab, "unlink(\"%s\") = %d", path, unlink(path));
	err = connect_as(lab, type, &at);
	lab_expect(lab, err == -ENOENT, "%s: removed, connect says ENOENT",
	    kind);
	err = lab_bind(lab, fd, &at);
	lab_expect(lab, err == 0, "%s: now it can be bound", kind);
	lab_close(lab, fd);
}

void
lesson_stale(struct lab *lab)
{
	struct lab_addr dgram = lab_unix("dgram");
	int ready[2], err;
	pid_t server;
	char byte;

	lab_must(lab, pipe2(ready, O_CLOEXEC) == -1 ? -errno : 0, "pipe");
	server = lab_fork(lab, "server", serve_until_killed, ready);
	close(ready[1]);
	lab_must(lab, read(ready[0], &byte, 1) == 1 ? 0 : -EPIPE, "server");
	err = connect_as(lab, SOCK_STREAM, &dgram);
	lab_expect(lab, err == -EPROTOTYPE,
	    "a stream to a datagram's name: EPROTOTYPE");
	kill(server, SIGKILL);
	lab_wait(lab, server);
	show_remains(lab, "stream", SOCK_STREAM, "stream");
	show_remains(lab, "dgram", SOCK_DGRAM, "dgram");
	lab_say(lab, "A server that is killed leaves its file. ECONNREFUSED on"
	    " a socket's file means that nobody is there: then, and only"
	    " then, it may be removed.");
}

/* ----------------------------------------------------------- unix-perm */

#define NOBODY 65534

static unsigned
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == -1 ? 0 : st.st_mode & 0777;
}

static void
show_umask(struct lab *lab, mode_t mask, unsigned wanted)
{
	struct lab_addr at = lab_unix("masked");
	int fd = lab_socket(lab, AF_UNIX, SOCK_STREAM, 0);
	mode_t was = umask(mask);

	lab_note(lab, "umask(%03o)", (unsigned)mask);
	lab_bind(lab, fd, &at);
	umask(was);
	lab_expect(lab, mode_of("masked") == wanted, "umask %03o: mode %03o",
	    (unsigned)mask, mode_of("masked"));
	lab_close(lab, fd);
	unlink("masked");
}

static int
become_nobody(struct lab *lab, void *arg)
{
	(void)lab;
	(void)arg;
	return setgroups(0, NULL) == -1 || setgid(NOBODY) == -1 ||
	    setuid(NOBODY) == -1;
}

/* The errno of a connect(2) by another user. */
static int
connect_as_nobody(struct lab *lab, void *arg)
{
	if (become_nobody(lab, NULL) != 0)
		return 255;
	return -connect_as(lab, SOCK_STREAM, arg);
}

static void
show_mode(struct lab *lab, struct lab_addr *at, mode_t mode, int wanted)
{
	int status;

	lab_note(lab, "chmod(\"perm\", %04o) = %d", (unsigned)mode,
	    chmod("perm", mode));
	status = lab_wait(lab, lab_fork(lab, "nobody", connect_as_nobody, at));
	lab_expect(lab, WIFEXITED(status) && WEXITSTATUS(status) == wanted,
	    "mode %04o, another user connects: %s", (unsigned)mode,
	    wanted == 0 ? "yes" : strerrorname_np(wanted));
}

void
lesson_unix_perm(struct lab *lab)
{
	struct lab_addr at = lab_unix("perm");

	/* User 0 of a namespace may be without power, and alone there. */
	if (lab_wait(lab, lab_fork(lab, "nobody", become_nobody, NULL)) != 0) {
		lab_skip(lab, "needs root in earnest: a second user");
		return;
	}
	show_umask(lab, 022, 0755);
	show_umask(lab, 077, 0700);
	show_umask(lab, 000, 0777);
	/* The lab's own directory is closed to others. */
	lab_must(lab, chmod(".", 0755) == -1 ? -errno : 0, "chmod");
	lab_listener(lab, &at, 5);
	show_mode(lab, &at, 0444, EACCES);
	show_mode(lab, &at, 0222, 0);
	show_mode(lab, &at, 0755, EACCES);
	lab_say(lab, "bind(2) honours the umask. To connect, one needs the"
	    " permission to write to the socket's file.");
}

/* ---------------------------------------------------------- unix-types */

static const struct {
	int type;
	const char *name;
} types[] = {
	{ SOCK_STREAM, "STREAM" },
	{ SOCK_DGRAM, "DGRAM" },
	{ SOCK_SEQPACKET, "SEQPACKET" },
};

#define N_TYPES (sizeof(types) / sizeof(types[0]))

static void
show_matches(struct lab *lab, size_t server)
{
	struct lab_addr at = lab_unix(types[server].name);
	int fd = lab_bound(lab, types[server].type, &at), err;

	if (types[server].type != SOCK_DGRAM)
		lab_listen(lab, fd, 5);
	for (size_t client = 0; client < N_TYPES; client++) {
		err = connect_as(lab, types[client].type, &at);
		lab_expect(lab, err == (client == server ? 0 : -EPROTOTYPE),
		    "%s to a %s: %s", types[client].name, types[server].name,
		    err == 0 ? "connected" : strerrorname_np(-err));
	}
	lab_close(lab, fd);
}

/* The path may fill all of sun_path; then it has no NUL. */
static void
show_longest_path(struct lab *lab)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct {
		struct sockaddr_un un;
		char more[64];
	} name;
	socklen_t n = sizeof(name);
	int fd = lab_socket(lab, AF_UNIX, SOCK_DGRAM, 0), err;

	memset(un.sun_path, 'p', sizeof(un.sun_path));
	err = bind(fd, (struct sockaddr *)&un, sizeof(un)) == -1 ? errno : 0;
	lab_note(lab, "bind(%d, a path of %zu letters and no NUL): %s", fd,
	    sizeof(un.sun_path), err == 0 ? "0" : strerrorname_np(err));
	getsockname(fd, (struct sockaddr *)&name, &n);
	lab_expect(lab, err == 0 && n == sizeof(un) + 1, "a path of %zu bytes"
	    " without NUL binds; its name has %u bytes, one more than the"
	    " struct", sizeof(un.sun_path), n);
	lab_close(lab, fd);
}

void
lesson_unix_types(struct lab *lab)
{
	for (size_t i = 0; i < N_TYPES; i++)
		show_matches(lab, i);
	show_longest_path(lab);
	lab_say(lab, "Both ends must have the same type; otherwise EPROTOTYPE."
	    " A path of 108 bytes is possible but has no NUL: keep to 107.");
}

/* -------------------------------------------------------------- udgram */

static unsigned
fill_from(int fd, const struct lab_addr *to, int *out_err)
{
	unsigned n = 0;

	while (sendto(fd, "tide", 4, MSG_DONTWAIT, &to->u.sa, to->n) == 4)
		n++;
	*out_err = errno;
	return n;
}

/*
 * Fills a socket that nobody reads; how many went, and with which errno.  A
 * sender's own buffer may be full before a long queue is: then others go on.
 */
static unsigned
fill(int fd, const struct lab_addr *to, int *out_err)
{
	unsigned n = fill_from(fd, to, out_err), more = n;
	int other;

	while (more > 0) {
		other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		more = other == -1 ? 0 : fill_from(other, to, out_err);
		n += more;
		if (other != -1)
			close(other);
	}
	return n;
}

static void
show_waiting(struct lab *lab, int reader, int sender,
    const struct lab_addr *at)
{
	char text[TEXT_BYTES];
	unsigned sent, got = 0;
	long limit = -1;
	int err;

	netns_read_knob("net/unix/max_dgram_qlen", &limit);
	sent = fill(sender, at, &err);
	lab_note(lab, "%u x sendto(%d, \"tide\", 4), then %s; knob"
	    " max_dgram_qlen %ld", sent, sender, strerrorname_np(err), limit);
	lab_expect(lab, err == EAGAIN && sent > 0,
	    "nobody reads: %u datagrams, then EAGAIN, none is dropped", sent);
	if (limit > 0)
		lab_expect(lab, sent == (unsigned)limit + 1,
		    "max_dgram_qlen %ld lets %u in", limit, sent);
	while (recv(reader, text, sizeof(text), MSG_DONTWAIT) == 4)
		got++;
	lab_expect(lab, got == sent, "all %u are read afterwards", got);
	lab_claim(lab, 11, got != sent, "%u sent without a reader, then EAGAIN,"
	    " %u read: none lost", sent, got);
}

/* By halves: what goes is taken out at once, so that only size counts. */
static size_t
largest(int reader, int sender, const struct lab_addr *to, int *out_err)
{
	static char block[1 << 20];
	size_t fits = 0, least = 1, most = sizeof(block), middle;

	while (least <= most) {
		middle = least + (most - least) / 2;
		if (sendto(sender, block, middle, 0, &to->u.sa, to->n) == -1) {
			*out_err = errno;
			most = middle - 1;
			continue;
		}
		recv(reader, block, 1, 0);
		fits = middle;
		least = middle + 1;
	}
	return fits;
}

static void
show_largest(struct lab *lab, int reader, int sender,
    const struct lab_addr *to)
{
	int err = 0, buffer = 0;
	size_t fits = largest(reader, sender, to, &err);

	lab_get(lab, sender, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", &buffer);
	lab_expect(lab, err == EMSGSIZE && fits <= (size_t)buffer,
	    "a datagram of %zu bytes goes, one more is EMSGSIZE; SO_SNDBUF is"
	    " %d", fits, buffer);
}

void
lesson_udgram(struct lab *lab)
{
	struct lab_addr at = lab_unix("socket");
	int reader = lab_bound(lab, SOCK_DGRAM, &at);
	int sender = lab_socket(lab, AF_UNIX, SOCK_DGRAM, 0);

	show_waiting(lab, reader, sender, &at);
	show_largest(lab, reader, sender, &at);
	lab_say(lab, "In the UNIX domain a datagram is delivered or refused,"
	    " in order, never lost: the sender waits for the reader.");
}
