/* SPDX-License-Identifier: ISC */
/*
 * A digest counts for a file as long as all that fstat(2) says of it stays:
 * so it was while it was read, and so it is when it is asked for.
 */
#define XXH_INLINE_ALL
#include "site/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "net/loop.h"
#include "site/version.h"

#define SLICE ((size_t)256 << 10)
#define PAUSE_MS 1              /* between slices: requests go first */
#define WAITING_MAX 16u         /* each holds a descriptor */
#define KNOWN 4096u

struct known {
	struct stat st;
	XXH128_hash_t digest;
};

struct job {
	int fd;
	struct stat st;
};

struct digester {
	struct loop *loop;
	struct timer timer;
	struct job jobs[WAITING_MAX];   /* a ring; the first is being read */
	unsigned first, n_jobs;
	off_t at;                       /* in the first */
	XXH3_state_t *state;
	char *slice;
	struct known **known;           /* by inode; a newer one takes the
	                                   place of an older one */
};

static struct known **
place_of(struct digester *d, const struct stat *st)
{
	const uint64_t facts[] = { st->st_dev, st->st_ino };

	return &d->known[XXH3_64bits(facts, sizeof(facts)) % KNOWN];
}

static void
remember(struct digester *d, const struct stat *st)
{
	struct known **at = place_of(d, st);

	if (*at == NULL)
		*at = malloc(sizeof(**at));
	if (*at != NULL)
		**at = (struct known){ *st, XXH3_128bits_digest(d->state) };
}

/* Reads the next slice of the first: how much, 0 at the end, or -1. */
static ssize_t
read_slice(struct digester *d)
{
	ssize_t n;

	n = pread(d->jobs[d->first].fd, d->slice, SLICE, d->at);
	if (n > 0) {
		XXH3_128bits_update(d->state, d->slice, (size_t)n);
		d->at += n;
	}
	return n;
}

static void
end_first(struct digester *d)
{
	close(d->jobs[d->first].fd);
	d->first = (d->first + 1) % WAITING_MAX;
	d->n_jobs--;
	d->at = 0;
	XXH3_128bits_reset(d->state);
}

static void
on_time(struct timer *t)
{
	struct digester *d = list_entry(t, struct digester, timer);
	const struct job *j = &d->jobs[d->first];
	ssize_t n = read_slice(d);
	struct stat now;

	if (n <= 0 || d->at > j->st.st_size) {
		if (n == 0 && fstat(j->fd, &now) == 0 &&
		    version_is_same(&now, &j->st) && d->at == now.st_size)
			remember(d, &now);
		end_first(d);
	}
	/* It cannot fail: the timer has just left its place. */
	if (d->n_jobs > 0 && loop_timer_start(d->loop, t, PAUSE_MS) < 0)
		while (d->n_jobs > 0)
			end_first(d);
}

static bool
is_waiting(const struct digester *d, const struct stat *st)
{
	for (unsigned i = 0; i < d->n_jobs; i++) {
		unsigned at = (d->first + i) % WAITING_MAX;

		if (version_is_same(&d->jobs[at].st, st))
			return true;
	}
	return false;
}

static void
begin(struct digester *d, int fd, const struct stat *st)
{
	int copy;

	if (d->n_jobs == WAITING_MAX || is_waiting(d, st))
		return;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy == -1)
		return;
	if (d->n_jobs == 0 &&
	    loop_timer_start(d->loop, &d->timer, PAUSE_MS) < 0) {
		close(copy);
		return;
	}
	d->jobs[(d->first + d->n_jobs) % WAITING_MAX] =
	    (struct job){ copy, *st };
	d->n_jobs++;
}

bool
digester_find(struct digester *d, int fd, const struct stat *st,
    XXH128_hash_t *out_digest)
{
	const struct known *k;

	if (d == NULL)
		return false;
	k = *place_of(d, st);
	if (k != NULL && version_is_same(&k->st, st)) {
		*out_digest = k->digest;
		return true;
	}
	begin(d, fd, st);
	return false;
}

int
digester_open(struct loop *l, struct digester **out_digester)
{
	struct digester *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return -ENOMEM;
	d->loop = l;
	d->timer.fn = on_time;
	d->state = XXH3_createState();
	d->slice = malloc(SLICE);
	d->known = calloc(KNOWN, sizeof(*d->known));
	if (d->state == NULL || d->slice == NULL || d->known == NULL) {
		digester_close(d);
		return -ENOMEM;
	}
	XXH3_128bits_reset(d->state);
	*out_digester = d;
	return 0;
}

void
digester_close(struct digester *d)
{
	if (d == NULL)
		return;
	while (d->n_jobs > 0)
		end_first(d);
	loop_timer_stop(d->loop, &d->timer);
	for (unsigned i = 0; d->known != NULL && i < KNOWN; i++)
		free(d->known[i]);
	free(d->known);
	free(d->slice);
	XXH3_freeState(d->state);
	free(d);
}
