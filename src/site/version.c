/* SPDX-License-Identifier: ISC */
#include "site/version.h"

#include <stdint.h>
#include <time.h>

#include "base/clock.h"

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec :
	    a->tv_nsec < b->tv_nsec;
}

bool
version_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    is_same_time(&a->st_mtim, &b->st_mtim) &&
	    is_same_time(&a->st_ctim, &b->st_ctim);
}

static int64_t
ns_between(const struct timespec *from, const struct timespec *to)
{
	return (to->tv_sec - from->tv_sec) * INT64_C(1000000000) +
	    to->tv_nsec - from->tv_nsec;
}

/*
 * Some file systems write whole seconds (ext3), or even ones (FAT).  Some
 * times are taken from the fine clock, ahead of the coarse one; only what is
 * ahead of that, too, was given to the file by somebody.
 */
bool
version_is_settled(const struct stat *st)
{
	static const struct timespec none;
	const struct timespec *modified = &st->st_mtim;
	struct timespec coarse, fine, grain;

	if (modified->tv_sec < clock_wall_s() - 10 ||
	    modified->tv_sec > clock_wall_s() + 10)
		return true;
	clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
	clock_gettime(CLOCK_REALTIME, &fine);
	clock_getres(CLOCK_REALTIME_COARSE, &grain);
	if (modified->tv_nsec == 0)
		grain.tv_sec += 2;
	return ns_between(modified, &coarse) > ns_between(&none, &grain) ||
	    ns_between(modified, &fine) < 0;
}

/* The grain, in ns, that this time was given to the file with. */
static long
grain_of(const struct timespec *modified)
{
	if (modified->tv_nsec == 0)
		return 1000000000;
	return modified->tv_nsec % 1000 == 0 ? 1000 : 1;
}

bool
version_fits(const struct stat *side, const struct stat *plain)
{
	struct timespec least = plain->st_mtim;

	if (!S_ISREG(side->st_mode) || side->st_size == 0)
		return false;
	if (!is_before(&side->st_ctim, &plain->st_mtim))
		least.tv_nsec -= least.tv_nsec % grain_of(&side->st_mtim);
	return !is_before(&side->st_mtim, &least);
}
