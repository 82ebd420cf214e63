/* SPDX-License-Identifier: ISC */
#ifndef SWS_SOCK_LAB_RUN_H
#define SWS_SOCK_LAB_RUN_H

/*
 * Runs labs, several at a time, each in a process and a directory of its own
 * that are gone afterwards.
 */

#include "sock/lab.h"

#define LAB_DIR 128
#define LAB_DEADLINE_MS 60000

enum lab_verdict {
	LAB_IS_OK,
	LAB_IS_FAILED,
	LAB_IS_SKIPPED,
};

struct lab_record;

struct lab_run {
	/* What to do. */
	const struct lab_entry *entry;
	bool has_number;
	long number;
	int pcap;               /* a file for its packets, or -1 */
	/* Called in the lab's process at its end, before it goes; or NULL. */
	void (*keep)(struct lab_run *run, struct lab *lab);
	unsigned deadline_ms;   /* it is killed then; 0: LAB_DEADLINE_MS */

	/* How it went. */
	enum lab_verdict verdict;
	double seconds;
	char reason[LAB_TEXT];  /* unless it is ok */
	struct lab_record *record;      /* until lab_run_free */

	/* While it runs. */
	pid_t pid;
	int pidfd;
	double begun_ms;
	char dir[LAB_DIR];
};

/*
 * Runs them; done() is called for each in their order.  Returns 0, -EINTR when
 * a signal asked to stop (all is cleaned up then), or another negative errno.
 */
int lab_run(struct lab_run *runs, unsigned n, unsigned at_a_time,
    void (*done)(struct lab_run *run));

/* Sets verdict and reason from the record; status as of waitpid(2). */
void lab_judge(struct lab_run *run, int status);

void lab_run_free(struct lab_run *run);

#endif
