/* SPDX-License-Identifier: ISC */
#ifndef SWS_SERVER_ENCODER_H
#define SWS_SERVER_ENCODER_H

/*
 * The process that compresses files for all workers, at levels that would hold
 * up a worker for seconds.  It is handed open files, hands sealed memory back,
 * and can do nothing else.
 */

#include <stdint.h>

struct encoder_setup {
	uint64_t most;          /* bytes; no sound worker asks for more */
	int orders;             /* channel to the supervisor */
};

/*
 * Replies to the workers that ORDER_PEER introduces, until it is told to stop
 * (service_run).  Returns the exit status of the process.
 */
int encoder_run(const struct encoder_setup *setup);

#endif
