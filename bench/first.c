/* SPDX-License-Identifier: ISC */

/*
 * How long does a server take to be of use?  Starts it and asks for a page
 * again and again, without a pause, until the first byte of an answer with
 * status 200 has arrived.  Prints the milliseconds since just before exec.
 *
 *	first servercore port path program [argument...]
 *
 * In C because the interval is about a millisecond: an interpreter that
 * forks would measure itself.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double patience_ms = 5000;
static const long grace_ns = 100 * 1000 * 1000;

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* In a session of its own, so that all its processes can be ended later. */
static pid_t
start(size_t core, char *argv[])
{
	cpu_set_t cores;
	int null;
	pid_t pid;

	CPU_ZERO(&cores);
	CPU_SET(core, &cores);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Nothing is copied, and the parent sleeps until exec. */
	pid = vfork();
	if (pid == 0) {
		setsid();
		(void)sched_setaffinity(0, sizeof(cores), &cores);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(null);
	if (pid == -1)
		err(1, "vfork");
	return pid;
}

static bool
answers(const struct sockaddr_in *addr, const char *request)
{
	static const char status[] = "HTTP/1.1 200";
	char answer[sizeof(status)];
	size_t len = strlen(request);
	bool is_fine;
	int fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	is_fine = connect(fd, (const struct sockaddr *)addr,
	    sizeof(*addr)) == 0 &&
	    send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len &&
	    recv(fd, answer, sizeof(answer), 0) == (ssize_t)sizeof(answer) &&
	    memcmp(answer, status, sizeof(status) - 1) == 0;
	close(fd);
	return is_fine;
}

static void
stop(pid_t pid)
{
	const struct timespec step = { .tv_nsec = grace_ns / 100 };
	int i;

	kill(-pid, SIGTERM);
	for (i = 0; i < 100; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			break;
		nanosleep(&step, NULL);
	}
	/* Whoever is left of the group, the leader or its children. */
	kill(-pid, SIGKILL);
	if (i == 100)
		waitpid(pid, NULL, 0);
}

int
main(int argc, char *argv[])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char request[512];
	double begin, end;
	bool is_up = false;
	pid_t pid;

	if (argc < 5) {
		fprintf(stderr,
		    "usage: first servercore port path program ...\n");
		return 64;
	}
	addr.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\n\r\n", argv[3]);
	begin = now_ms();
	pid = start(strtoul(argv[1], NULL, 10), argv + 4);
	do {
		is_up = answers(&addr, request);
		end = now_ms();
		/* With one core this is what lets the server run. */
		if (!is_up)
			sched_yield();
	} while (!is_up && end - begin < patience_ms);
	stop(pid);
	if (!is_up)
		errx(1, "no answer");
	printf("%.3f\n", end - begin);
	return 0;
}
