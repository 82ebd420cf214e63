/* SPDX-License-Identifier: ISC */
#ifndef SWS_BASE_CLOCK_H
#define SWS_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds on a clock that only goes forward (CLOCK_MONOTONIC). */
int64_t clock_mono_ms(void);

/* Seconds since the epoch (CLOCK_REALTIME). */
time_t clock_wall_s(void);

#endif
