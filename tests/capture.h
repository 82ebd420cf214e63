/* SPDX-License-Identifier: ISC */
#ifndef SWS_TESTS_CAPTURE_H
#define SWS_TESTS_CAPTURE_H

/* What is written to standard error for a while. */

struct capture {
	int saved, file;
	char text[4096];        /* after capture_end */
};

void capture_begin(struct capture *c);
void capture_end(struct capture *c);

#endif
