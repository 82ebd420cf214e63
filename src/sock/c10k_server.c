/* SPDX-License-Identifier: ISC */
/*
 * The server of sock c10k: this program as sock serve --echo, on a socket that
 * listens before it runs, or the sws beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sock/c10k_priv.h"
#include "sock/stop.h"

#define BACKLOG 4096
#define START_MS 10000
#define END_MS 10000
#define WORDS 12
#define PAGE "some bytes, which take a system call like any others do\n"

/* ------------------------------------------------------------- listening */

/* The kernel chooses the port, or the abstract name. */
static int
open_listener(bool is_unix, struct c10k_server *s)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	struct sockaddr *sa = (struct sockaddr *)&s->address;
	int fd;

	s->address_len = is_unix ? sizeof(sa_family_t) : sizeof(in);
	memcpy(sa, &in, sizeof(in));
	if (is_unix)
		sa->sa_family = AF_UNIX;
	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	if (bind(fd, sa, s->address_len) == 0 && listen(fd, BACKLOG) == 0) {
		s->address_len = sizeof(s->address);
		if (getsockname(fd, sa, &s->address_len) == 0)
			return fd;
	}
	close(fd);
	return -errno;
}

/* -------------------------------------------------------------- starting */

static void
become(char *const words[], int listener, int said_fd)
{
	/* Whatever becomes of us, it does not stay. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	stop_forget();
	if (listener != -1)
		fcntl(listener, F_SETFD, 0);
	dup2(said_fd, STDERR_FILENO);
	dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
	dup2(STDIN_FILENO, STDOUT_FILENO);
	execv(words[0], words);
	dprintf(STDERR_FILENO, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static int
start(char *const words[], int listener, struct c10k_server *s)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return -errno;
	s->pid = fork();
	if (s->pid == 0)
		become(words, listener, ends[1]);
	close(ends[1]);
	s->said_fd = ends[0];
	return s->pid == -1 ? -errno : 0;
}

static enum outcome
start_echo(const char *engine, unsigned clients, int listener,
    struct c10k_server *s)
{
	char at[32], by[64], most[32], self[4096];
	char serve[] = "serve", quiet[] = "-q", echo[] = "--echo";
	char *words[WORDS] = { self, serve, quiet, echo, at, by, most };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int err;

	if (n == -1)
		return say_error(OUTCOME_LOCAL, "/proc/self/exe", "readlink",
		    errno, NULL);
	self[n] = '\0';
	snprintf(at, sizeof(at), "fd:%d", listener);
	snprintf(by, sizeof(by), "--engine=%s", engine);
	snprintf(most, sizeof(most), "--clients=%u", clients);
	err = start(words, listener, s);
	return err == 0 ? OUTCOME_DONE :
	    say_error(OUTCOME_LOCAL, NULL, "start", err, NULL);
}

/* ------------------------------------------------------------------ HTTP */

static int
make_page(struct c10k_server *s)
{
	char path[64];
	int fd;

	snprintf(s->dir, sizeof(s->dir), "/tmp/sock-c10k-XXXXXX");
	if (mkdtemp(s->dir) == NULL) {
		s->dir[0] = '\0';
		return -errno;
	}
	chmod(s->dir, 0755);
	snprintf(path, sizeof(path), "%s/page.txt", s->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, PAGE, strlen(PAGE)) == -1)
		return -errno;
	close(fd);
	return 0;
}

static void
remove_page(const struct c10k_server *s)
{
	char path[64];

	if (s->dir[0] == '\0')
		return;
	snprintf(path, sizeof(path), "%s/page.txt", s->dir);
	unlink(path);
	rmdir(s->dir);
}

static void
hear(struct c10k_server *s)
{
	size_t room = sizeof(s->said) - 1 - s->n_said;
	char lost[512];
	ssize_t n;

	/* What does not fit any more is read as well: nobody waits for us. */
	while ((n = read(s->said_fd, room > 0 ? s->said + s->n_said : lost,
	    room > 0 ? room : sizeof(lost))) > 0) {
		if (room > 0) {
			s->n_said += (size_t)n;
			room -= (size_t)n;
		}
	}
	s->said[s->n_said] = '\0';
}

/* sws tells where it can be reached once it can. */
static bool
hear_port(struct c10k_server *s)
{
	static const char mark[] = "http://127.0.0.1:";
	struct sockaddr_in *in = (struct sockaddr_in *)&s->address;
	struct pollfd p = { .fd = s->said_fd, .events = POLLIN };
	int64_t until_ns = c10k_now_ns() + START_MS * INT64_C(1000000);
	const char *at;

	do {
		if (poll(&p, 1, START_MS) != 1)
			return false;
		hear(s);
		at = strstr(s->said, mark);
		if (at != NULL && strchr(at + sizeof(mark), '/') != NULL) {
			in->sin_family = AF_INET;
			in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
			at += sizeof(mark) - 1;
			in->sin_port =
			    htons((uint16_t)strtoul(at, NULL, 10));
			s->address_len = sizeof(*in);
			return true;
		}
	} while (!(p.revents & POLLHUP) && c10k_now_ns() < until_ns);
	return false;
}

static enum outcome
start_sws(const char *engine, struct c10k_server *s)
{
	char by[64], sws[4096];
	char at[] = "--address=127.0.0.1", port[] = "--port=0";
	char one[] = "--workers=1", wait[] = "--idle-timeout=3600";
	char grace[] = "--grace=1", stay[] = "-f";
	char *words[WORDS] = { sws, stay, at, port, one, wait, grace, by };
	ssize_t n = readlink("/proc/self/exe", sws, sizeof(sws) - 8);
	int err;

	sws[n > 0 ? n : 0] = '\0';
	if (strrchr(sws, '/') != NULL)
		memcpy(strrchr(sws, '/') + 1, "sws", sizeof("sws"));
	snprintf(by, sizeof(by), "--engine=%s", engine);
	err = make_page(s);
	words[8] = s->dir;
	if (err == 0)
		err = start(words, -1, s);
	if (err < 0)
		return say_error(OUTCOME_LOCAL, s->dir, "start", err, NULL);
	if (hear_port(s))
		return OUTCOME_DONE;
	return say_error(OUTCOME_LOCAL, sws, "start", 0, "%s", s->said);
}

/* -------------------------------------------------------------- together */

enum outcome
c10k_server_start(const struct c10k *asked, const char *engine,
    unsigned clients, struct c10k_server *s)
{
	enum outcome o;
	int listener;

	*s = (struct c10k_server){ .said_fd = -1 };
	if (asked->is_http) {
		o = start_sws(engine, s);
	} else {
		listener = open_listener(asked->is_unix, s);
		if (listener < 0)
			return say_error(OUTCOME_LOCAL, NULL, "listen",
			    listener, NULL);
		o = start_echo(engine, clients, listener, s);
		close(listener);
	}
	if (o != OUTCOME_DONE)
		c10k_server_end(s);
	return o;
}

bool
c10k_server_told(struct c10k_server *s, const char *name)
{
	hear(s);
	return strstr(s->said, name) != NULL;
}

void
c10k_server_stop(const struct c10k_server *s)
{
	kill(s->pid, SIGTERM);
}

void
c10k_server_end(struct c10k_server *s)
{
	/* Its standard error ends with the last of its processes. */
	struct pollfd p = { .fd = s->said_fd, .events = 0 };

	if (s->pid > 0) {
		kill(s->pid, SIGTERM);
		if (poll(&p, 1, END_MS) == 0)
			kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	if (s->said_fd != -1)
		close(s->said_fd);
	remove_page(s);
	*s = (struct c10k_server){ .said_fd = -1 };
}
