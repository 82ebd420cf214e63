/* SPDX-License-Identifier: ISC */
/*
 * One point of a curve: with so many connections, what an event costs the
 * server.  Events come in batches; the one that cost least counts.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sock/c10k_priv.h"

/* A point is so many batches; the least CPU of one is free of most noise. */
#define BATCHES 10
#define BATCH_NS INT64_C(25000000)
/* No further batch begins after this, if there were two. */
#define POINT_NS INT64_C(400000000)
#define TURN_NS 100000
#define RESET_ON_FORK 1         /* sched_setattr(2): the server does not */
/* Less memory than this many have is the noise of a page. */
#define BYTES_LEAST 100

static void
fill_times(struct c10k_point *p, const struct histogram *times)
{
	p->median_us = (double)histogram_at(times, 0.5) / 1e3;
	p->p99_us = (double)histogram_at(times, 0.99) / 1e3;
}

static void
run_on(const struct family *f, const cpu_set_t *processors)
{
	for (unsigned i = 0; i < f->n; i++)
		sched_setaffinity(f->pids[i], sizeof(*processors), processors);
	sched_setaffinity(0, sizeof(*processors), processors);
}

void
c10k_ask_short_turns(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t turn_ns, deadline_ns, period_ns;
	} attributes = {
		.size = 48,
		.policy = SCHED_OTHER,
		.flags = RESET_ON_FORK,
		.nice = getpriority(PRIO_PROCESS, 0),
		.turn_ns = TURN_NS,
	};

	_Static_assert(sizeof(attributes) == 48, "sched_setattr(2)");
	syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/*
 * Who asks and who answers take turns, so one processor is enough for both;
 * on two, what it takes to wake up the other one would be most of what is
 * measured, and another each time.
 */
static void
share_processor(const struct family *f)
{
	int number = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	if (number < 0 || number >= CPU_SETSIZE)
		return;
	CPU_SET((size_t)number, &one);
	run_on(f, &one);
}

static bool
has_time(int batches, int64_t end_ns)
{
	return batches < 2 || c10k_now_ns() < end_ns;
}

/* One at a time: all others wait, and that is what grows. */
static int
measure_visits(struct c10k_experiment *e, struct c10k_point *p,
    struct histogram *times)
{
	int64_t before_ns, cpu_ns, least_ns = INT64_MAX;
	int64_t end_ns = c10k_now_ns() + POINT_NS;
	int err;

	for (int i = 0; i < BATCHES && has_time(i, end_ns); i++) {
		before_ns = family_cpu_ns(&e->family);
		err = crowd_visit(&e->crowd, p->n, times);
		if (err < 0)
			return err;
		cpu_ns = family_cpu_ns(&e->family) - before_ns;
		if (cpu_ns < least_ns)
			least_ns = cpu_ns;
	}
	p->cpu_us = (double)least_ns / 1e3 / p->n;
	return 0;
}

static int
measure_events(struct c10k_experiment *e, struct c10k_point *p,
    struct histogram *times)
{
	int64_t before_ns, end_ns = c10k_now_ns() + POINT_NS;
	double cpu_us, least_us = INFINITY;
	uint64_t events;
	int err;

	for (int i = 0; i < BATCHES && has_time(i, end_ns); i++) {
		before_ns = family_cpu_ns(&e->family);
		err = crowd_ask(&e->crowd, (unsigned)e->asked->rounds,
		    c10k_now_ns() + BATCH_NS, times, &events);
		if (err < 0)
			return err;
		cpu_us = (double)(family_cpu_ns(&e->family) - before_ns) /
		    1e3 / (double)events;
		if (cpu_us < least_us)
			least_us = cpu_us;
	}
	p->cpu_us = least_us;
	return 0;
}

int
c10k_measure(struct c10k_experiment *e, const struct engine *engine,
    struct c10k_point *p)
{
	struct histogram *times = calloc(1, sizeof(*times));
	int64_t bytes;
	int err;

	if (times == NULL)
		return -ENOMEM;
	p->calls = p->bytes = -1;
	family_find(&e->family, e->server.pid);
	bytes = family_bytes(&e->family);
	family_mark(&e->family);
	share_processor(&e->family);
	err = engine->policy == ENGINE_ONE ? measure_visits(e, p, times) :
	    measure_events(e, p, times);
	fill_times(p, times);
	free(times);
	if (err == 0 && engine->policy != ENGINE_ONE) {
		family_keep_busy(&e->family);
		p->calls = crowd_count_calls(&e->crowd, &e->family);
	}
	family_find(&e->family, e->server.pid);
	run_on(&e->family, &e->processors);
	if (engine->policy != ENGINE_ONE && p->n >= BYTES_LEAST &&
	    bytes >= 0 && e->base_bytes >= 0)
		p->bytes = fmax(0, (double)(bytes - e->base_bytes) / p->n);
	return err;
}
