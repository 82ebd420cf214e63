/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_C10K_PRIV_H
#define SWS_SOCK_C10K_PRIV_H

/*
 * What the files of sock c10k share: what is asked, the server under test,
 * the crowd of clients, and what was measured.
 */

#include <sched.h>
#include <sys/socket.h>

#include "net/children.h"
#include "net/engine.h"
#include "sock/chart.h"
#include "sock/family.h"
#include "sock/histogram.h"
#include "sock/verb.h"

#define C10K_ENGINES_MAX 32
#define C10K_POINTS_MAX 32
#define C10K_ACTIVE_MAX 1000
#define C10K_CAUSE 64
/* Descriptors that either side needs for itself. */
#define C10K_SPARE 64

/* The options. */
struct c10k {
	struct job job;
	const char *engines, *n, *svg;
	uint64_t active, rounds;
	bool is_unix, is_http;
};

/* At one number of connections; what could not be measured is negative. */
struct c10k_point {
	unsigned n;
	double median_us, p99_us;
	double cpu_us;          /* of the server, an event */
	double calls;           /* system calls, an event */
	double bytes;           /* of memory, a connection */
};

struct c10k_run {
	const struct engine *engine;
	char name[32];          /* as it was asked for: "nonblock:1" */
	struct c10k_point points[C10K_POINTS_MAX];
	unsigned n_points;
	char cause[C10K_CAUSE]; /* why there are no more; "" when all are */
};

/* --------------------------------------------------------------- server */

struct c10k_server {
	pid_t pid;
	int said_fd;            /* its standard error */
	char said[4096];        /* the beginning of it */
	size_t n_said;
	struct sockaddr_storage address;
	socklen_t address_len;
	char dir[32];           /* --http: what it serves; or "" */
};

/* Says itself what failed. */
enum outcome c10k_server_start(const struct c10k *asked, const char *engine,
    unsigned clients, struct c10k_server *out_server);

/* Has it told of an error of this name, "EMFILE"? */
bool c10k_server_told(struct c10k_server *s, const char *name);

/* Tells it to stop; the second waits for that, and frees what it had. */
void c10k_server_stop(const struct c10k_server *s);
void c10k_server_end(struct c10k_server *s);

/* ---------------------------------------------------------------- crowd */

struct crowd {
	const struct c10k_server *server;
	const char *question;
	bool is_http;
	unsigned n_active;
	unsigned n, room;       /* idle ones, behind the active */
	int *fds;
	unsigned at;            /* counting: who is to answer next */
	unsigned rounds_left;
	int64_t until_ns;
};

int64_t c10k_now_ns(void);

/* Room for so many at once.  0 or a negative errno, also of connecting. */
int crowd_open(struct crowd *c, const struct c10k_server *s, bool is_http,
    unsigned n_active, unsigned room);
void crowd_close(struct crowd *c);

/*
 * Until there are n idle ones, each of which has been answered once.  0, or a
 * negative errno with as many as there could be: -ECONNRESET when the server
 * closed one, -ETIMEDOUT when it did not answer.
 */
int crowd_grow(struct crowd *c, unsigned n);

/* All active ones ask and are answered, `rounds` times or until a time. */
int crowd_ask(struct crowd *c, unsigned rounds, int64_t until_ns,
    struct histogram *times, uint64_t *out_events);

/* n clients come, ask, are answered and go, all at once. */
int crowd_visit(struct crowd *c, unsigned n, struct histogram *times);

/* System calls an event; negative when they cannot be counted. */
double crowd_count_calls(struct crowd *c, const struct family *f);

/* ----------------------------------------------------------- experiment */

/* One run of the verb. */
struct c10k_experiment {
	const struct c10k *asked;
	unsigned steps[C10K_POINTS_MAX];        /* numbers of connections */
	unsigned n_steps;
	unsigned most;          /* by RLIMIT_NOFILE, or asked for */
	bool is_limited;        /* by RLIMIT_NOFILE */
	int stop_fd;
	struct c10k_run runs[C10K_ENGINES_MAX];
	unsigned n_runs;
	/* Of the engine that runs: */
	struct c10k_server server;
	struct crowd crowd;
	struct family family;
	int64_t base_bytes;     /* of memory, without the idle ones */
	cpu_set_t processors;   /* that we may have */
};

/*
 * Fills in, from what is asked, the engines and the numbers of connections,
 * and raises RLIMIT_NOFILE.  Says itself what cannot be.
 */
enum outcome c10k_plan(struct c10k_experiment *e);

/*
 * A server that spins would have the rest of its turn before a client that it
 * answered: who asks for shorter turns has them sooner (Linux 6.12; others
 * take no notice).
 */
void c10k_ask_short_turns(void);

/*
 * Measures at the p->n connections that there are, or with ENGINE_ONE, that
 * come and go, and fills in the rest of *p.  Returns 0 or a negative errno of
 * the crowd's.
 */
int c10k_measure(struct c10k_experiment *e, const struct engine *engine,
    struct c10k_point *p);

/* What the numbers depend on, and the head of the table. */
void c10k_say_setting(const struct c10k_experiment *e);

/* On a terminal, what is being done, until the next line. */
void c10k_say_progress(const struct c10k_experiment *e, const char *name,
    unsigned n);

/* A line of the table; and that a curve has ended, if there is a cause. */
void c10k_say_point(const struct c10k_experiment *e,
    const struct c10k_run *run, const struct c10k_point *p);
void c10k_say_end(const struct c10k_experiment *e, const struct c10k_run *run);

/* Prints the curves, writes the --svg file.  Says itself what failed. */
enum outcome c10k_show_curves(const struct c10k_experiment *e);

#endif
